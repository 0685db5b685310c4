//! WeCom: group robots by their webhook.

pub(crate) mod code;
pub(crate) mod robot;
mod wire;
