//! Is it alive, is it ready, numbers.

use serde_json::json;

use crate::chats;
use crate::client::{Api, Auth};
use crate::harness::{Start, free_port, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn health_is_open_and_says_nothing_else() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let nobody = server.api(Auth::Nobody);
    assert_eq!(nobody.get("/healthz").await.expect(200).text(), "ok\n");
    assert_eq!(nobody.get("/readyz").await.expect(200).text(), "ready\n");
    let document = nobody.get("/api/openapi.json").await.expect(200).json();
    assert!(document["paths"]["/api/v1/messages/{message_id}/deliveries"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_want_a_token_or_a_listener_of_their_own() {
    let home = home();
    let platforms = chats::start().await;
    let metrics = free_port();
    let server = Start::new().led_to(&platforms).flag("--metrics-listen", &metrics).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    for (_, body) in chats::subscriptions() {
        api.subscribe(&topic, &body).await;
    }
    let message = api.publish(&topic, &json!({ "message": "counted" })).await;
    api.settled(&message).await;

    server.api(Auth::Nobody).get("/metrics").await.expect(401);
    server.api(Auth::Token("wrong".to_owned())).get("/metrics").await.expect(401);
    let with_key = server.api(Auth::key()).get("/metrics").await.expect(200);
    assert!(with_key.header("content-type").starts_with("application/openmetrics-text"));
    let open = Api::new(metrics, Auth::Nobody);
    open.get("/v2").await.expect(404);
    open.get("/api/v1/whoami").await.expect(404);
    for client in [&api, &open] {
        let text = client.get("/metrics").await.expect(200).text();
        for line in [
            "carillon_attempts_total{channel=\"dingtalk\",outcome=\"accepted\"} 2",
            "carillon_attempts_total{channel=\"lark\",outcome=\"accepted\"} 1",
            "carillon_attempts_total{channel=\"wecom\",outcome=\"accepted\"} 1",
            "carillon_deliveries_settled_total{state=\"delivered\"} 4",
            "carillon_attempt_duration_seconds_bucket{le=\"0.001\",channel=\"wecom\"}",
            "carillon_delivery_delay_seconds_count 4",
            "carillon_commit_pieces_bucket{le=\"1.0\"}",
            "carillon_commit_duration_seconds_sum",
            "carillon_deliveries_sending 0",
            "carillon_lane_depth ",
            "carillon_lanes ",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted() {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    let [_, _, _, (_, wecom)] = chats::subscriptions();
    api.subscribe(&topic, &wecom).await;
    platforms.script(chats::WECOM_KEY, carillon_simulator::Act::Hang, None);
    for _ in 0..3 {
        api.publish(&topic, &json!({ "message": "waits" })).await;
    }
    until("a lane with three", async || {
        let text = api.get("/metrics").await.expect(200).text();
        let wanted = ["carillon_lanes 1\n", "carillon_lane_depth 3\n", "carillon_deliveries_sending 1\n"];
        wanted.iter().all(|line| text.contains(line)).then_some(())
    })
    .await;
}
