//! Whether the platforms can be reached from here, and what time it is there: for the operator's own check.

use std::time::Duration;

use carillon_model::Timestamp;
use hyper::Method;
use hyper::header::DATE;

use crate::Providers;
use crate::http::{ANSWER_BYTES_MAX, Failure, PLATFORM_HOSTS, Payload, Request, To};

/// How it stands with a platform's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The host.
    pub host: &'static str,
    /// How far this machine's clock is off, if the host says what time it is; or why there is no answer.
    pub clock: Result<Option<Duration>, Failure>,
}

impl Providers {
    /// Asks each platform's host for its front page. Any answer will do.
    pub async fn reach_platforms(&self) -> Vec<Reached> {
        let mut all = Vec::with_capacity(PLATFORM_HOSTS.len());
        for host in PLATFORM_HOSTS {
            let request =
                Request { to: To::Platform { host, path: "/" }, headers: &[], body: Payload::default() };
            let clock = match self.http.send(Method::GET, request, ANSWER_BYTES_MAX).await {
                Ok(answer) => {
                    let there = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
                    let there = there.and_then(Timestamp::from_http_date);
                    let here = self.clock.now();
                    Ok(there.map(|there| here.since(there).max(there.since(here))))
                }
                Err(Failure::Large) => Ok(None),
                Err(failure) => Err(failure),
            };
            all.push(Reached { host, clock });
        }
        all
    }
}
