//! What is rendered, as the far ends see it.

use carillon_model::message::{Body, Color, Mentions};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use carillon_provider::{ProviderSettings, Providers};
use serde_json::{Value, json};

use crate::far_end::{Seen, conversation, dingtalk, lark, person, post, providers, sent, signed, wecom};

fn mentions(all: bool, mobiles: &[&str], user_ids: &[&str]) -> Mentions {
    let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Mentions { all, mobiles: owned(mobiles), user_ids: owned(user_ids) }
}

fn titled(body: Body) -> Body {
    Body { title: Some("Disk".to_owned()), ..body }
}

async fn bodies(target: &Target, body: &Body) -> Vec<Value> {
    sent(target, body).await.iter().map(Seen::json).collect()
}

async fn one(target: &Target, body: &Body) -> Value {
    let mut all = bodies(target, body).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[tokio::test]
async fn text_has_the_title_in_its_first_line() {
    let body = titled(Body::text("full & \"<b>\" *x*"));
    let text = "Disk\nfull & \"<b>\" *x*";
    assert_eq!(
        one(&dingtalk(), &body).await,
        json!({"msgtype": "text", "text": {"content": text}, "msgUuid": "0190a0b0c0d0e0f00000000000000002-1-1"})
    );
    assert_eq!(one(&lark(), &body).await, json!({"msg_type": "text", "content": {"text": text}}));
    assert_eq!(one(&wecom(), &body).await, json!({"msgtype": "text", "text": {"content": text}}));
    assert_eq!(
        one(&person(), &body).await,
        json!({
            "robotCode": "robot-code-00000001", "userIds": ["user-0001-abcdef"],
            "msgKey": "sampleText", "msgParam": json!({"content": text}).to_string(),
        })
    );
}

/// The internal robot's interface pings nobody, so a call to all would be a word that only looks like one.
#[tokio::test]
async fn the_internal_robot_names_people_and_calls_nobody() {
    for body in [Body::text("full"), Body::markdown("full")] {
        let body = Body { mentions: mentions(true, &["13800000001"], &["u001"]), ..body };
        for target in [conversation(), person()] {
            let sent = one(&target, &body).await;
            let param = sent["msgParam"].as_str().unwrap();
            assert!(!param.contains("@all"), "{param}");
            assert!(param.contains("@13800000001") && param.contains("@u001"), "{param}");
        }
    }
}

#[tokio::test]
async fn markdown_has_each_platforms_form() {
    let body = Body { color: Some(Color::Red), ..titled(Body::markdown("**full**")) };
    let dingtalk_body = json!({"title": "Disk", "text": "#### Disk\n\n**full**"});
    assert_eq!(
        one(&dingtalk(), &body).await,
        json!({
            "msgtype": "markdown", "markdown": dingtalk_body,
            "msgUuid": "0190a0b0c0d0e0f00000000000000002-1-1",
        })
    );
    assert_eq!(
        one(&conversation(), &body).await,
        json!({
            "robotCode": "robot-code-00000001", "openConversationId": "cidConversation0001",
            "msgKey": "sampleMarkdown", "msgParam": dingtalk_body.to_string(),
        })
    );
    assert_eq!(
        one(&lark(), &body).await,
        json!({
            "msg_type": "interactive",
            "card": {
                "schema": "2.0", "config": {"update_multi": true},
                "header": {"title": {"tag": "plain_text", "content": "Disk"}, "template": "red"},
                "body": {"elements": [{"tag": "markdown", "content": "**full**"}]},
            },
        })
    );
    assert_eq!(
        one(&wecom(), &body).await,
        json!({
            "msgtype": "markdown",
            "markdown": {"content": "### <font color=\"warning\">Disk</font>\n**full**"},
        })
    );
}

#[tokio::test]
async fn wecom_shows_tables_where_nobody_is_pinged() {
    let table = "| a | b |\n|---|---|\n| 1 | 2 |";
    let body = Body::markdown(table);
    assert_eq!(one(&wecom(), &body).await["msgtype"], "markdown_v2");
    let body = Body { mentions: mentions(false, &[], &["u1"]), ..body };
    let message = one(&wecom(), &body).await;
    assert_eq!(message["msgtype"], "markdown");
    assert!(message["markdown"]["content"].as_str().unwrap().ends_with("\n\n<@u1>"));
}

#[tokio::test]
async fn mentions_are_as_documented() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../data/mentions.json")).unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let (provider, kind) = (vector["provider"].as_str().unwrap(), vector["type"].as_str().unwrap());
        let list = |name: &str| -> Vec<String> {
            vector["input"][name]
                .as_array()
                .into_iter()
                .flatten()
                .map(|id| id.as_str().unwrap().to_owned())
                .collect()
        };
        let mentions = Mentions {
            all: vector["input"]["all"] == true,
            mobiles: list("mobiles"),
            user_ids: [list("user_ids"), list("open_ids")].concat(),
        };
        let markdown = matches!(kind, "markdown" | "interactive" | "markdown_v2");
        let text = if kind == "text" && provider != "lark_webhook" { "disk full" } else { "full" };
        let body = if markdown { Body::markdown(text) } else { Body::text(text) };
        let body = Body { mentions, ..body };
        let expected = &vector["body"];
        match (provider, kind) {
            ("dingtalk_webhook", _) => {
                let message = one(&dingtalk(), &body).await;
                assert_eq!(message["at"], expected["at"]);
                if kind == "text" {
                    assert_eq!(message["text"], expected["text"]);
                } else {
                    assert!(message["markdown"]["text"].as_str().unwrap().ends_with("@all"));
                }
            }
            ("dingtalk_app_group", _) => {
                let message = one(&conversation(), &body).await;
                assert_eq!(message["msgParam"], "{\"content\":\"full @u001\"}");
                assert_eq!(message.get("at"), None);
            }
            ("lark_webhook", "text") => {
                let all = "<at user_id=\"ou_0001\">ou_0001</at> <at user_id=\"all\">all</at>";
                assert_eq!(one(&lark(), &body).await["content"]["text"], format!("full {all}"));
                let documented = expected["content"]["text"].as_str().unwrap();
                assert!(all.rsplit(' ').next().is_some_and(|last| documented.contains(last)));
            }
            ("lark_webhook", "interactive") => {
                let content = &one(&lark(), &body).await["card"]["body"]["elements"][0]["content"];
                let documented = expected["card"]["body"]["elements"][0]["content"].as_str().unwrap();
                assert_eq!(content.as_str().unwrap().replace("\n\n", " "), documented);
            }
            ("wecom_robot", "text") => {
                assert_eq!(one(&wecom(), &body).await, *expected);
            }
            ("wecom_robot", "markdown" | "markdown_v2") => {
                let message = one(&wecom(), &body).await;
                assert!(message["markdown"]["content"].as_str().unwrap().ends_with("<@u001>"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn wecom_pings_by_mobile_and_everybody_in_a_second_message() {
    let body = titled(Body::markdown("**full**"));
    let body = Body { mentions: mentions(true, &["13800000001"], &["u1"]), ..body };
    let all = bodies(&wecom(), &body).await;
    assert_eq!(all.len(), 2);
    assert!(all[0]["markdown"]["content"].as_str().unwrap().ends_with("<@u1>"));
    let text = json!({
        "content": "Disk", "mentioned_list": ["@all"], "mentioned_mobile_list": ["13800000001"],
    });
    assert_eq!(all[1], json!({"msgtype": "text", "text": text}));
}

#[tokio::test]
async fn mentions_that_stand_in_the_text_are_not_repeated() {
    let body = Body { mentions: mentions(false, &[], &["u1"]), ..Body::text("hello @u1!") };
    assert_eq!(one(&dingtalk(), &body).await["text"]["content"], "hello @u1!");
    let body = Body { mentions: mentions(false, &[], &["u1"]), ..Body::text("hello @u10") };
    assert_eq!(one(&dingtalk(), &body).await["text"]["content"], "hello @u10 @u1");
}

#[tokio::test]
async fn odd_ids_ping_nobody_else() {
    let odd = "x></at><at id=all></at>";
    let body = Body { mentions: mentions(false, &[], &[odd]), ..Body::text("hello <at user_id=\"all\">") };
    assert!(!one(&lark(), &body).await.to_string().contains("<at"));
    let body = Body { mentions: mentions(false, &[], &[odd]), ..Body::markdown("hello") };
    assert!(!one(&lark(), &body).await.to_string().contains("<at"));
    let body = Body { mentions: mentions(false, &[], &["x><@all"]), ..Body::markdown("hello") };
    assert!(!one(&wecom(), &body).await.to_string().contains("<@"));
}

#[tokio::test]
async fn the_keyword_is_added_only_where_it_is_missing() {
    let keyword = |mut target: Target, word: &str| {
        target.extension.keyword = Some(word.into());
        target
    };
    for body in [titled(Body::text("full")), titled(Body::markdown("full"))] {
        for word in ["Disk", "ful", "[磁盘*_告警]"] {
            for target in [dingtalk(), lark()] {
                let text = one(&keyword(target, word), &body).await.to_string();
                assert!(text.contains(word), "{word} {text}");
                assert_eq!(text.matches("\\n\\n[磁盘").count(), usize::from(word.starts_with('[')), "{text}");
            }
        }
    }
}

/// The bytes that the platform counts, and its limit.
fn counted(seen: &Seen) -> (usize, usize) {
    let json = seen.json();
    let content = |kind: &str| json[kind]["content"].as_str().map(str::len);
    if let Some(param) = json["msgParam"].as_str() {
        return (param.len(), 15_000);
    }
    match (seen.path.starts_with("/cgi-bin"), content("text")) {
        (true, Some(length)) => (length, 2048),
        (true, None) => (content("markdown").or_else(|| content("markdown_v2")).unwrap(), 4096),
        (false, _) => (seen.body.len(), 20_000),
    }
}

#[tokio::test]
async fn every_part_fits_and_little_room_is_wasted() {
    let units = ["a", "汉", "😀", "\"", "\\", "行一行一行一\n", "- 项目 **粗** `x`\n"];
    for unit in units {
        let text = unit.repeat(45_000 / unit.len());
        for body in [titled(Body::text(&*text)), titled(Body::markdown(&*text))] {
            let body = Body { mentions: mentions(true, &["13800000001"], &["u001"]), ..body };
            for mut target in [signed(dingtalk()), signed(lark()), wecom(), person(), conversation()] {
                if target.extension.sign_secret.is_some() {
                    target.extension.keyword = Some("关键词".into());
                }
                let all = sent(&target, &body).await;
                assert!(all.len() > 1);
                for (index, seen) in all.iter().enumerate() {
                    let (bytes, max) = counted(seen);
                    assert!(bytes <= max, "{bytes} {max}");
                    let text = seen.json().to_string();
                    if text.contains("(1/") {
                        assert!(bytes * 10 >= max * 8, "{bytes} of {max}: {unit}");
                        assert_eq!(index, 0);
                    }
                    assert_eq!(text.contains("关键词"), target.extension.keyword.is_some());
                }
                // A last message that only pings is not one of the numbered ones.
                let numbered = all.iter().filter(|seen| seen.body.contains("Disk (")).count();
                assert!(all.len() - numbered <= 1);
                assert!(all[numbered - 1].body.contains(&format!("Disk ({numbered}/{numbered})")));
            }
        }
    }
}

#[tokio::test]
async fn what_just_fits_is_one_part_and_a_byte_more_is_two() {
    // Envelope and first line (the keyword's room is not used): measured on an empty text.
    for (target, max) in [(dingtalk(), 20_000), (lark(), 20_000), (wecom(), 2048), (person(), 15_000)] {
        let empty = counted(&sent(&target, &Body::text("x")).await[0]).0 - 1;
        let margin = 120;
        let fits = Body::text("a".repeat(max - empty - margin));
        assert_eq!(sent(&target, &fits).await.len(), 1);
        let more = Body::text("a".repeat(max - empty + 1));
        assert_eq!(sent(&target, &more).await.len(), 2);
    }
}

#[tokio::test]
async fn an_overlong_title_is_kept_whole_in_the_text() {
    let title = "标题 ".repeat(200);
    let body = Body { title: Some(title.clone()), ..Body::text("full") };
    for target in [dingtalk(), lark(), wecom(), person()] {
        let all: String = sent(&target, &body).await.into_iter().map(|seen| seen.body).collect();
        assert!(all.matches("标题").count() >= 200, "{all}");
        assert!(all.contains("full"));
    }
}

#[test]
fn what_cannot_be_rendered_is_said_to_be_so() {
    let providers: Providers = providers(ProviderSettings::default());
    let verdict = Err(Verdict::plain(Outcome::Refused, Reason::Render));
    let empty = Body::text(" \n ");
    let crowd = Body {
        mentions: Mentions {
            user_ids: (0..5000).map(|n| format!("user{n}")).collect(),
            ..Mentions::default()
        },
        ..Body::text("x")
    };
    for target in [dingtalk(), lark(), person()] {
        for body in [&empty, &crowd] {
            assert_eq!(
                providers.render(&target, &post(body)).map(|parts| parts.len()),
                verdict.clone().map(|()| 0)
            );
        }
    }
}
