//! A publisher: its topics, and what it published.

use serde_json::json;

use crate::house::{House, OPERATOR, PROJECT, smn};

fn topic(name: &str) -> String {
    smn(PROJECT, &format!("topics/urn:smn:local:{PROJECT}:{name}/publish"))
}

#[tokio::test]
async fn publishes_to_its_topics_only() {
    let house = House::open().await;
    for name in ["web-1", "other", "web"] {
        house.post(OPERATOR, &smn(PROJECT, "topics"), json!({ "name": name })).await.expect(201);
    }
    let message = json!({ "message": "disk full" });
    for name in ["ops", "web-1"] {
        house.post(&house.publisher, &topic(name), message.clone()).await.expect(200);
        house.publish(&house.publisher, name).await;
    }
    for name in ["other", "web", "web-none", "none"] {
        let refused = house.post(&house.publisher, &topic(name), message.clone()).await;
        let granted = name == "web-none";
        let wanted = if granted { (404, "SMN.0006") } else { (403, "SMN.0001") };
        assert_eq!((refused.status, refused.text("/code").as_str()), wanted, "{name}: {refused:?}");
        let refused =
            house.post(&house.publisher, "/api/v1/messages", json!({ "topic": name, "text": "x" })).await;
        let wanted = if granted { (404, "topic_not_found") } else { (403, "role_forbids") };
        assert_eq!((refused.status, refused.text("/code").as_str()), wanted, "{name}");
    }
    // The names that go with its role are those of its own project, whatever another project's policy says.
    let away = format!("urn:smn:local:{}:ops", house.elsewhere);
    let path = smn(&house.elsewhere, "topics");
    house.post(&house.stranger, &path, json!({ "name": "ops" })).await.expect(201);
    let policy = json!({ "Version": "2016-09-07", "Id": "open", "Statement": [{
        "Sid": "all", "Effect": "Allow", "Principal": "*", "Action": ["SMN:Publish"], "Resource": away,
    }] });
    let path = smn(&house.elsewhere, &format!("topics/{away}/attributes/access_policy"));
    house.put(&house.stranger, &path, json!({ "value": policy.to_string() })).await.expect(200);
    let path = smn(PROJECT, &format!("topics/{away}/publish"));
    house.post(&house.administrator, &path, message.clone()).await.expect(200);
    house.post(&house.publisher, &path, message).await.expect(404);
}

#[tokio::test]
async fn sees_what_it_published_and_nothing_else() {
    let house = House::open().await;
    let own = house.publish(&house.publisher, "ops").await;
    let others = house.publish(OPERATOR, "ops").await;
    let listed = house.get(&house.publisher, "/api/v1/messages").await.expect(200);
    assert_eq!(
        (listed.body["messages"].as_array().unwrap().len(), listed.text("/messages/0/id")),
        (1, own.clone())
    );
    for (id, status) in [(&own, 200), (&others, 404)] {
        house.get(&house.publisher, &format!("/api/v1/messages/{id}")).await.expect(status);
        house.get(&house.publisher, &format!("/api/v1/messages/{id}/deliveries")).await.expect(status);
        house.get(&house.publisher, &format!("/api/v1/explain?message_id={id}")).await.expect(status);
        house.get(&house.reader, &format!("/api/v1/messages/{id}")).await.expect(200);
    }
    let refused = house.get(&house.publisher, &format!("/api/v1/deliveries/{others}-1")).await.expect(404);
    assert_eq!(refused.text("/code"), "delivery_not_found");
    let me = house.get(&house.publisher, "/api/v1/whoami").await.expect(200);
    assert_eq!(me.body["topics"], json!(["ops", "web-*"]));
    assert_eq!((me.text("/role").as_str(), me.body["operator"].as_bool()), ("publisher", Some(false)));
}
