//! carillon-web
