//! Lark and Feishu: a group's custom bot by its webhook. One software, two clouds that do not know each other.

pub(crate) mod code;
pub(crate) mod contact;
pub(crate) mod doctor;
pub(crate) mod lookup;
pub(crate) mod office;
pub(crate) mod robot;
mod wire;
