//! What is measured: a file each.

pub(crate) mod crash;
pub(crate) mod fan;
pub(crate) mod idle;
pub(crate) mod lanes;
pub(crate) mod latency;
pub(crate) mod neighbours;
pub(crate) mod overload;
pub(crate) mod pending;
pub(crate) mod retention;
pub(crate) mod scale;
pub(crate) mod subscribers;
