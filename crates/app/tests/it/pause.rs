//! An address that is gone: paused, its owner told, resumed by hand.

use carillon_simulator::Act;
use serde_json::{Value, json};

use crate::chats;
use crate::cli::{good, told};
use crate::harness::{Start, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_robot_is_paused_its_owner_told_and_resumed() {
    let home = home();
    let platforms = chats::start().await;
    let mut server = Start::new().led_to(&platforms).at(home.path()).await;
    for topic in ["ops", "caretakers"] {
        good(&told(&server, &["topic", "create", topic]).await);
    }
    let (wecom, lark) = (chats::wecom_url(chats::WECOM_KEY), chats::feishu_url(chats::LARK_TOKEN));
    let broken = told(&server, &["subscription", "add", "ops", "wechat", &wecom]).await;
    let broken = good(&broken).to_owned();
    let add = ["subscription", "add", "caretakers", "feishu", &lark, "--secret", chats::LARK_SECRET];
    good(&told(&server, &add).await);
    for wrong in [broken.as_str(), "nowhere"] {
        assert_eq!(told(&server, &["subscription", "set", &broken, "--fallback", wrong]).await.code, 1);
    }
    good(&told(&server, &["subscription", "set", &broken, "--fallback", "caretakers"]).await);
    for (wanted, code) in [("queue", 0), ("drop_oldest", 0), ("digest", 0), ("never", 1)] {
        let set = told(&server, &["subscription", "set", &broken, "--overflow", wanted]).await;
        assert_eq!(set.code, code, "{wanted}");
    }
    let gone = Act::Code { code: "93000".to_owned(), text: "invalid webhook url".to_owned() };
    platforms.script(chats::WECOM_KEY, gone, Some(1));

    let first = good(&told(&server, &["publish", "ops", "first"]).await).to_owned();
    server.user().settled(&first).await;
    let notice =
        until("the notice", async || platforms.received().into_iter().find(|one| one.chat == "lark")).await;
    for words in ["token_unknown", "carillon endpoint resume", "已暂停向", &broken] {
        assert!(notice.text.contains(words), "{words}: {}", notice.text);
    }
    assert!(!notice.text.contains(chats::WECOM_KEY), "{}", notice.text);

    // What waits is kept, over a restart too, until it is past its time to live.
    let second = good(&told(&server, &["publish", "ops", "second"]).await).to_owned();
    let short = json!({ "topic": "ops", "text": "short-lived", "time_to_live": 2 });
    let short = server.user().post("/api/v1/messages", &short).await.expect(201).at("/message_id");
    server.terminate().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let ended = server.user().settled(&short).await;
    assert_eq!((&ended[0]["state"], &ended[0]["attempts"]), (&json!("expired"), &json!([])), "{ended:#?}");
    let listed = told(&server, &["endpoint", "list", "--state", "paused", "--json"]).await;
    let listed: Value = serde_json::from_str(good(&listed)).unwrap();
    let paused = &listed["endpoints"][0];
    assert_eq!((&paused["state"], &paused["reason"]), (&"paused".into(), &"token_unknown".into()));
    assert_eq!((&paused["waiting"], &paused["subscriptions"][0]), (&1.into(), &broken.as_str().into()));
    let explained = told(&server, &["explain", &second]).await;
    assert!(
        good(&explained).contains("paused since") && explained.out.contains("已暂停"),
        "{}",
        explained.out
    );
    let shown = told(&server, &["endpoint", "list"]).await;
    assert!(good(&shown).contains("1 waiting") && shown.out.contains("working"), "{}", shown.out);

    let id = paused["id"].as_str().unwrap();
    assert!(good(&told(&server, &["endpoint", "resume", id]).await).contains("working"));
    server.user().settled(&second).await;
    let shown: Vec<_> = platforms.received().into_iter().filter(|one| one.chat == "wecom").collect();
    assert_eq!(shown.len(), 1);
    assert!(shown[0].text.contains("second"));
    assert_eq!(told(&server, &["endpoint", "resume", &"0".repeat(32)]).await.code, 1);
}
