use carillon_model::link::Links;
use carillon_model::quota::Quotas;
use serde_json::{Value, json};

use crate::harness::{Door, PASSWORD, PROJECT};

const PUBLIC: &str = "https://bells.example/carillon";

async fn sign_in(door: &Door, scope: &Value) -> Value {
    let user = json!({ "name": "admin", "password": PASSWORD, "domain": { "name": "carillon" } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let body = json!({ "auth": { "identity": identity, "scope": scope } });
    let (status, body) = door.call_with("POST", "/v3/auth/tokens", &[("host", "10.0.0.9:8866")], &body).await;
    assert_eq!(status, 201, "{body}");
    body["token"].clone()
}

fn urls(catalog: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let services = catalog.as_array().unwrap().iter();
    services.map(|it| (text(&it["type"]), text(&it["endpoints"][0]["url"]))).collect()
}

fn expected(base: &str) -> Vec<(String, String)> {
    vec![("smn".to_owned(), format!("{base}/v2/{PROJECT}")), ("identity".to_owned(), format!("{base}/v3"))]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_leads_to_the_public_address() {
    let links = Links::parse(PUBLIC).unwrap();
    let door = Door::open_with(Quotas::default(), |service| service.with_public_url(Some(links))).await;
    let token = sign_in(&door, &json!({ "project": { "name": "local" } })).await;
    assert_eq!(urls(&token["catalog"]), expected(PUBLIC));
    let (_status, listed) = door.call_with("GET", "/v3/auth/catalog", &[], &Value::Null).await;
    assert_eq!(listed["catalog"], token["catalog"]);
    let (_status, versions) = door.call_with("GET", "/", &[], &Value::Null).await;
    let hrefs: Vec<&Value> =
        versions["versions"].as_array().unwrap().iter().map(|it| &it["links"][0]["href"]).collect();
    assert_eq!(hrefs, [&json!(format!("{PUBLIC}/v2")), &json!(format!("{PUBLIC}/v3/"))]);
    for path in ["/v3", "/v3/"] {
        let (status, body) = door.call_with("GET", path, &[], &Value::Null).await;
        assert_eq!((status.as_u16(), &body["version"]["status"]), (200, &json!("stable")));
        assert!(body["version"]["id"].as_str().unwrap().starts_with("v3"));
        assert_eq!(body["version"]["links"][0]["href"], format!("{PUBLIC}/v3/"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_address_the_catalog_leads_to_where_the_client_came() {
    let door = Door::open().await;
    let token = sign_in(&door, &json!({ "project": { "id": PROJECT } })).await;
    assert_eq!(urls(&token["catalog"]), expected("http://10.0.0.9:8866"));
    assert_eq!((&token["project"]["id"], token.get("domain")), (&json!(PROJECT), None));
    let (_status, found) =
        door.call_with("GET", "/v3/auth/projects", &[("host", "a.example")], &Value::Null).await;
    assert_eq!(found["links"]["self"], "http://a.example/v3/auth/projects");
    let projects = found["projects"].as_array().unwrap();
    assert_eq!(
        (projects.len(), &projects[0]["id"], &projects[0]["name"]),
        (1, &json!(PROJECT), &json!("local"))
    );
    let wide = sign_in(&door, &json!({ "domain": { "name": "carillon" } })).await;
    assert_eq!((&wide["domain"]["id"], wide.get("project")), (&json!("carillon"), None));
}
