//! The providers against the simulator, which was written from the platforms' pages by other hands and shares no code
//! with them: what it accepts and refuses is a second opinion on the wire.

use std::sync::Arc;

use carillon_model::message::{Body, Color, Mentions};
use carillon_model::outcome::{Outcome, Reason};
use carillon_model::subscription::Target;
use carillon_provider::{ConnectTo, ProviderSettings, Providers};
use carillon_simulator::{Act, DingtalkApp, ManualClock, Robot, Running, Simulator};

use crate::far_end::{
    NOW, SECRET, TOKEN, conversation, dingtalk, lark, person, post, providers, send_text, signed, wecom,
};

const KEYWORD: &str = "告警";

async fn simulator() -> (Running, Providers) {
    let app = DingtalkApp {
        app_key: "app-key-000000001".to_owned(),
        app_secret: "app-secret-000000001".to_owned(),
        robot_code: "robot-code-00000001".to_owned(),
        conversations: vec![("cidConversation0001".to_owned(), "ops".to_owned())],
        users: vec![("user-0001-abcdef".to_owned(), "Li".to_owned())],
    };
    let running = Simulator::new()
        .with_clock(Arc::new(ManualClock::at(NOW.0)))
        .robot(Robot::dingtalk(TOKEN, "d").with_secret(SECRET).with_keyword(KEYWORD))
        .robot(Robot::feishu(TOKEN, "f").with_secret(SECRET))
        .robot(Robot::wecom(TOKEN, "w"))
        .app(app)
        .start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let hosts = ["oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "qyapi.weixin.qq.com"];
    let detour = |host| ConnectTo::parse(&format!("{host}={}", running.url())).unwrap();
    let connect_to = hosts.into_iter().map(detour).collect();
    let providers = providers(ProviderSettings { connect_to, ..ProviderSettings::default() });
    (running, providers)
}

fn targets() -> Vec<Target> {
    let mut dingtalk = signed(dingtalk());
    dingtalk.extension.keyword = Some(KEYWORD.into());
    vec![dingtalk, signed(lark()), wecom(), person(), conversation()]
}

#[tokio::test]
async fn what_is_rendered_is_accepted() {
    let rich = "# Disk\n\n**full** on `db_1`, see [here](https://ops.example/i/7)\n\n| a | b |\n|---|---|\n\
                | 1 | 2 |\n\n```\nlet x = 1 < 2;\n```\n\n- one\n- two\n\n> 汉字 😀";
    let mentions =
        Mentions { all: true, mobiles: vec!["13800000001".to_owned()], user_ids: vec!["u001".to_owned()] };
    let long = "一行很长的文字，one long line <b> & \"quotes\"\n".repeat(600);
    let bodies = [
        Body::text("full"),
        Body { mentions: mentions.clone(), ..Body::text("full") },
        Body { title: Some("Disk".to_owned()), color: Some(Color::Red), ..Body::markdown(rich) },
        Body { title: Some("Disk".to_owned()), mentions, ..Body::markdown(rich) },
        Body::markdown(rich),
        Body { title: Some("Disk".to_owned()), ..Body::text(&*long) },
        Body { title: Some("Disk".to_owned()), ..Body::markdown(&*long) },
    ];
    for target in targets() {
        for body in &bodies {
            // A simulator each, so that no limit on the rate is met.
            let (running, providers) = simulator().await;
            let parts = providers.render(&target, &post(body)).unwrap();
            for part in parts.iter().take(5) {
                let verdict = providers.send(&target, part).await;
                assert_eq!(verdict.outcome, Outcome::Accepted, "{target:?} {verdict:?} {body:?}");
            }
            assert_eq!(running.received().len(), parts.len().min(5));
        }
    }
}

#[tokio::test]
async fn faults_are_named() {
    let (running, providers) = simulator().await;
    let mut unsigned = dingtalk();
    unsigned.extension.keyword = Some(KEYWORD.into());
    assert_eq!(send_text(&providers, &unsigned).await.reason, Reason::Signature);
    assert_eq!(send_text(&providers, &signed(dingtalk())).await.reason, Reason::Keyword);
    assert_eq!(send_text(&providers, &lark()).await.reason, Reason::SignatureOrClock);
    running.stop_robot(TOKEN);
    assert_eq!(send_text(&providers, &targets()[0]).await.reason, Reason::TargetGone);
    assert_eq!(send_text(&providers, &targets()[1]).await.reason, Reason::TokenUnknown);
    let verdict = send_text(&providers, &wecom()).await;
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Misconfigured, Reason::TokenUnknown));

    let mut stranger = person();
    stranger.extension.app.as_mut().unwrap().app_secret = "another".into();
    assert_eq!(send_text(&providers, &stranger).await.reason, Reason::Credentials);
    running.set_flow_controlled(["user-0001-abcdef".to_owned()]);
    let verdict = send_text(&providers, &person()).await;
    assert!(matches!(verdict.outcome, Outcome::Later { .. }), "{verdict:?}");
}

#[tokio::test]
async fn an_expired_token_goes_unnoticed() {
    let (running, providers) = simulator().await;
    assert_eq!(send_text(&providers, &person()).await.outcome, Outcome::Accepted);
    running.expire_tokens("app-key-000000001");
    assert_eq!(send_text(&providers, &person()).await.outcome, Outcome::Accepted);
}

#[tokio::test]
async fn misbehaviour_is_never_taken_for_success() {
    let acts = [
        Act::Drop,
        Act::LoseAnswer,
        Act::Garbage,
        Act::Gone,
        Act::Huge { megabytes: 1 },
        Act::Code { code: "123456".to_owned(), text: "who knows".to_owned() },
    ];
    for act in acts {
        let (running, providers) = simulator().await;
        for target in [&targets()[0], &targets()[1], &targets()[2]] {
            running.script(TOKEN, act.clone(), None);
            let verdict = send_text(&providers, target).await;
            let code = matches!(act, Act::Code { .. });
            let expected = if code { Outcome::Refused } else { Outcome::Unknown };
            assert_eq!(verdict.outcome, expected, "{act:?} {verdict:?}");
        }
    }
}
