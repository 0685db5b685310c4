//! The far ends over real HTTP: each refusal by its code, the limits with a hand-moved clock, scripts, the page.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod control;
mod dingtalk_app;
mod dingtalk_robot;
mod lark;
mod lark_card;
mod mail;
mod mutations;
mod page;
mod scripts;
mod support;
mod wecom;
mod wecom_card;
