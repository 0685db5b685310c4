//! carillon-service
