//! WeCom: group robots by their webhook.

mod card;
pub(crate) mod code;
pub(crate) mod contact;
pub(crate) mod doctor;
pub(crate) mod lookup;
pub(crate) mod office;
pub(crate) mod robot;
mod wire;
