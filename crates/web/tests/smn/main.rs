//! SMN's wire through the router, with a real store in a directory that goes away with the test.
#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

mod absent;
mod attribute;
mod codes;
mod filter;
mod harness;
mod iam;
mod logtank;
mod quota;
mod sensitive;
mod subscription_user;
mod tag;
mod template;
