//! Every answer that the platforms are known to give, and what it must mean.

use std::sync::Mutex;
use std::time::Duration;

use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::subscription::Target;
use serde::Deserialize;
use serde_json::Value;

use crate::far_end::{FarEnd, Reply, conversation, dingtalk, lark, person, send_text, wecom};

#[derive(Deserialize)]
struct Known {
    provider: String,
    kind: String,
    action: String,
    http: u16,
    body: Value,
}

fn known() -> Vec<Known> {
    serde_json::from_str(include_str!("../data/responses.json")).unwrap()
}

impl Known {
    fn text(&self) -> String {
        self.body.as_str().map_or_else(|| self.body.to_string(), str::to_owned)
    }

    fn target(&self) -> Target {
        match self.provider.as_str() {
            "dingtalk_webhook" => dingtalk(),
            "dingtalk_app" | "dingtalk_legacy" => person(),
            "lark_webhook" => lark(),
            "wecom_robot" => wecom(),
            other => panic!("{other}"),
        }
    }

    async fn verdict(&self) -> Verdict {
        let (status, text) = (self.http, self.text());
        let far_end = FarEnd::start(move |seen| {
            if seen.path.ends_with("/accessToken") {
                Reply::Json(200, "{\"accessToken\":\"t\",\"expireIn\":7200}".to_owned())
            } else {
                Reply::Headers(status, "x-ogw-ratelimit-reset: 7\r\n", text.clone())
            }
        })
        .await;
        send_text(&far_end.providers(), &self.target()).await
    }

    /// Whether a verdict is what the entry's action asks for.
    fn fits(&self, verdict: &Verdict) -> bool {
        let (outcome, reason) = (verdict.outcome, verdict.reason);
        let later = |seconds: u64, scope| {
            outcome == Outcome::Later { wait: Some(Duration::from_secs(seconds)), scope }
        };
        let waits = matches!(outcome, Outcome::Later { .. });
        match self.action.split_once(':').unwrap_or((&self.action, "")) {
            // The app's own calls want more than an errcode.
            ("done", "") if self.provider == "dingtalk_legacy" => reason == Reason::Answer,
            ("report_dropped", "") => reason == Reason::Answer,
            ("done", "") => outcome == Outcome::Accepted && reason == Reason::Ok,
            ("fail_config", "") => outcome == Outcome::Misconfigured && reason != Reason::Unlisted,
            ("check_clock", "") => outcome == Outcome::Misconfigured && reason == Reason::Clock,
            ("check_clock_then_fail_config", "") => reason == Reason::SignatureOrClock,
            ("fail_message" | "reupload", "") => {
                outcome == Outcome::Refused && matches!(reason, Reason::BadRequest | Reason::Content)
            }
            ("split_recipients", "") => outcome == Outcome::Refused && reason == Reason::BadRequest,
            ("fail_message_after_shrink", "") => outcome == Outcome::Refused && reason == Reason::TooLong,
            ("fail_recipient" | "fail_some_recipients", "") => {
                outcome == Outcome::Refused && reason == Reason::Recipient
            }
            ("refresh_token_once", "") => reason == Reason::AccessToken,
            ("retry_backoff", "") => waits && reason == Reason::RateLimited,
            ("retry_header", "") => later(7, Scope::Endpoint) && reason == Reason::RateLimited,
            ("pause_org_until_next_month", "") => {
                // From 2023-11-15T06:13:20+08:00 to the first of December.
                later(15 * 86_400 + 64_000, Scope::Organisation) && reason == Reason::Quota
            }
            ("no_blind_retry", "") => outcome == Outcome::Unknown && reason == Reason::PlatformUnsure,
            ("pause_bot", seconds) => later(seconds.parse().unwrap(), Scope::Endpoint),
            ("pause_host", seconds) => later(seconds.parse().unwrap(), Scope::Host),
            ("retry_after", seconds) => {
                let seconds: u64 = seconds.parse().unwrap();
                later(seconds, Scope::Endpoint) || later(seconds, Scope::Organisation)
            }
            ("retry", "3") => waits && reason == Reason::Busy,
            ("retry", "1") => outcome == Outcome::Unknown && reason == Reason::Answer,
            (other, _) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn every_known_answer_means_what_it_says() {
    let all = known();
    assert_eq!(all.len(), 92);
    for entry in all {
        let verdict = entry.verdict().await;
        assert!(entry.fits(&verdict), "{} {} {} {verdict:?}", entry.provider, entry.action, entry.text());
        assert_eq!(
            verdict.outcome == Outcome::Accepted,
            entry.kind == "ok" && entry.provider != "dingtalk_legacy",
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn nothing_odd_is_ever_accepted() {
    let odd = [
        "",
        " ",
        "null",
        "0",
        "\"ok\"",
        "[]",
        "[{\"errcode\":0}]",
        "{}",
        "{\"errmsg\":\"ok\"}",
        "{\"errcode\":null}",
        "{\"errcode\":false}",
        "{\"errcode\":\"\"}",
        "{\"errcode\":[0]}",
        "{\"code\":null,\"msg\":\"success\"}",
        "{\"processQueryKey\":\"\"}",
        "{\"processQueryKey\":null}",
        "{\"errcode\":0",
        "<html>ok</html>",
        "\u{feff}{\"errcode\":0}",
    ];
    for body in odd {
        for target in [dingtalk(), lark(), wecom(), person(), conversation()] {
            let far_end = FarEnd::start(move |seen| {
                let token = seen.path.ends_with("/accessToken");
                Reply::Json(200, if token { "{\"accessToken\":\"t\"}" } else { body }.to_owned())
            })
            .await;
            let verdict = send_text(&far_end.providers(), &target).await;
            assert_eq!((verdict.outcome, verdict.reason), (Outcome::Unknown, Reason::Answer), "{body}");
        }
    }
}

#[tokio::test]
async fn a_success_marker_in_an_error_proves_nothing() {
    for status in [302, 400, 403, 500, 502] {
        for target in [dingtalk(), lark(), wecom()] {
            let far_end = FarEnd::answering(status, "{\"errcode\":0,\"code\":0}").await;
            let verdict = send_text(&far_end.providers(), &target).await;
            assert_eq!(verdict.outcome, Outcome::Unknown, "{status}");
        }
    }
}

#[tokio::test]
async fn a_gateway_in_trouble_means_later() {
    for (status, body, reason) in [
        (502, "<html>bad gateway</html>", Reason::Busy),
        (503, "{\"error\":\"down\"}", Reason::Busy),
        (429, "slow down", Reason::RateLimited),
    ] {
        for target in [dingtalk(), lark(), wecom()] {
            let far_end =
                FarEnd::start(move |_| Reply::Headers(status, "retry-after: 9\r\n", body.to_owned())).await;
            let verdict = send_text(&far_end.providers(), &target).await;
            let wait = Some(Duration::from_secs(9));
            assert_eq!(verdict.outcome, Outcome::Later { wait, scope: Scope::Endpoint }, "{status}");
            assert_eq!(verdict.reason, reason);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_waited_in_vain_leaves_it_unknown() {
    for target in [dingtalk(), lark(), wecom()] {
        let far_end = FarEnd::answering(504, "<html>gateway timeout</html>").await;
        let verdict = send_text(&far_end.providers(), &target).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Unknown, Reason::Timeout));
    }
}

#[tokio::test]
async fn an_unlisted_code_is_refused_with_its_number() {
    for (target, body) in [
        (dingtalk(), "{\"errcode\":777777,\"errmsg\":\"what\"}"),
        (lark(), "{\"code\":777777,\"msg\":\"what\"}"),
        (wecom(), "{\"errcode\":\"777777\",\"errmsg\":\"what\"}"),
    ] {
        let far_end = FarEnd::answering(200, body).await;
        let verdict = send_text(&far_end.providers(), &target).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Refused, Reason::Unlisted));
        assert_eq!(verdict.platform_code.as_deref(), Some("777777"));
        assert_eq!(verdict.platform_text.as_deref(), Some("what"));
    }
}

#[tokio::test]
async fn a_dead_token_is_renewed_once() {
    let asked = Mutex::new(0);
    let far_end = FarEnd::start(move |seen| {
        if seen.path.ends_with("/accessToken") {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            return Reply::Json(
                200,
                format!("{{\"accessToken\":\"access-token-{asked}\",\"expireIn\":7200}}"),
            );
        }
        match seen.header("x-acs-dingtalk-access-token") {
            Some("access-token-1") => Reply::Json(400, "{\"code\":\"InvalidAuthentication\"}".to_owned()),
            _ => Reply::Json(200, "{\"processQueryKey\":\"q\"}".to_owned()),
        }
    })
    .await;
    let providers = far_end.providers();
    for _ in 0..2 {
        assert_eq!(send_text(&providers, &conversation()).await.outcome, Outcome::Accepted);
    }
    let paths: Vec<String> = far_end.seen().into_iter().map(|seen| seen.path).collect();
    let (token, send) = ("/v1.0/oauth2/accessToken", "/v1.0/robot/groupMessages/send");
    assert_eq!(paths, [token, send, token, send, send]);
}

#[tokio::test]
async fn a_failed_token_call_is_no_unknown_delivery() {
    for (reply, reason) in [
        ("{\"code\":\"invalidClientIdOrSecret\",\"message\":\"no\"}", Reason::Credentials),
        ("<html>", Reason::Answer),
        ("{\"errcode\":0}", Reason::Answer),
    ] {
        let far_end = FarEnd::answering(400, reply).await;
        let verdict = send_text(&far_end.providers(), &person()).await;
        assert_eq!(verdict.reason, reason);
        assert!(matches!(verdict.outcome, Outcome::Misconfigured | Outcome::Later { .. }), "{verdict:?}");
        assert_eq!(far_end.seen().len(), 1);
    }
    let hanging = FarEnd::start(|_| Reply::Hang).await;
    let verdict = send_text(&hanging.impatient(), &person()).await;
    assert!(matches!(verdict.outcome, Outcome::Later { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_person_left_out_of_a_success_is_not_delivered() {
    for (list, outcome) in [
        ("invalidStaffIdList", Outcome::Refused),
        ("filteredStaffIdList", Outcome::Refused),
        ("flowControlledStaffIdList", Outcome::Later { wait: None, scope: Scope::Endpoint }),
    ] {
        let far_end = FarEnd::start(move |seen| {
            let token = seen.path.ends_with("/accessToken");
            let body = format!("{{\"processQueryKey\":\"q\",\"{list}\":[\"u\"]}}");
            Reply::Json(200, if token { "{\"accessToken\":\"t\"}".to_owned() } else { body })
        })
        .await;
        assert_eq!(send_text(&far_end.providers(), &person()).await.outcome, outcome, "{list}");
    }
}
