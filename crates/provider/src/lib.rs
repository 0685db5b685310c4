//! carillon-provider
