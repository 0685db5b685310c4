//! carillon-store
