use axum::http::Request;
use axum::http::request::Parts;
use carillon_model::SecretText;

use super::{Signature, fits};

const AK: &str = "AKEXAMPLE0000000000A";
const SK: &str = "SKexampleSKexampleSKexampleSKexample0000";
const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn signed(names: &str, signature: &str, access_key: &str) -> Signature {
    let text = format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}");
    Signature::parse(&text).unwrap()
}

fn vector_1(path_urn: &str) -> Parts {
    let headers = [
        ("content-type", "application/json;charset=utf-8"),
        ("host", "127.0.0.1:18080"),
        ("user-agent", "vector/1.0"),
        ("x-project-id", PROJECT),
        ("x-sdk-date", "20250102T030405Z"),
    ];
    parts("POST", &format!("/v2/{PROJECT}/notifications/topics/{path_urn}/publish"), &headers)
}

#[test]
fn the_python_sdks_publish() {
    let body = br#"{"subject": "disk", "message": "\u78c1\u76d8 90%", "time_to_live": "60"}"#;
    assert_eq!(body.len(), 72);
    let signature = signed(
        "content-type;host;user-agent;x-project-id;x-sdk-date",
        "114d6aa0385ed5cb289e6d2cd6bb66f715e0a78df70a1587dbc5e8e0d3793b9f",
        AK,
    );
    let secret = SecretText::new(SK);
    for urn in [
        format!("urn%3Asmn%3Acn-north-4%3A{PROJECT}%3Ademo"),
        format!("urn:smn:cn-north-4:{PROJECT}:demo"),
        format!("urn%3asmn%3acn-north-4%3a{PROJECT}%3ademo"),
    ] {
        assert!(fits(&signature, &vector_1(&urn), body, "20250102T030405Z", &secret), "{urn}");
    }
    let urn = format!("urn:smn:cn-north-4:{PROJECT}:demo");
    assert!(!fits(&signature, &vector_1(&urn), b"{}", "20250102T030405Z", &secret));
    assert!(!fits(&signature, &vector_1(&urn), body, "20250102T030406Z", &secret));
    assert!(!fits(&signature, &vector_1(&urn), body, "20250102T030405Z", &"other".into()));
    assert!(!fits(&signature, &vector_1(&urn.replace("demo", "demx")), body, "20250102T030405Z", &secret));
}

#[test]
fn queries_are_sorted_and_encoded() {
    let headers = [
        ("content-type", "application/json"),
        ("host", "127.0.0.1:18080"),
        ("user-agent", "vector/1.0"),
        ("x-project-id", PROJECT),
        ("x-sdk-date", "20250102T030405Z"),
        ("x-security-token", "STSTOKEN"),
    ];
    let uri =
        format!("/v2/{PROJECT}/notifications/topics?offset=0&limit=10&name=a%20b%2F%C3%A7&fuzzy_name=x~y%2A");
    let signature = signed(
        "content-type;host;user-agent;x-project-id;x-sdk-date;x-security-token",
        "333687382b697d73652a892b083844387f9af5a38f9ded95b737ae6e491d4709",
        AK,
    );
    assert!(fits(&signature, &parts("GET", &uri, &headers), b"", "20250102T030405Z", &SK.into()));
}

#[test]
fn the_published_vector() {
    let headers = [
        ("content-type", "application/json"),
        ("host", "service.region.example.com"),
        ("x-sdk-date", "20191115T033655Z"),
    ];
    let uri = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0";
    let signature = signed(
        "content-type;host;x-sdk-date",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
        "QTWAOYTTINDUT2QVKYUC",
    );
    let secret = SecretText::new("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc");
    assert!(fits(&signature, &parts("GET", uri, &headers), b"", "20191115T033655Z", &secret));
}

#[test]
fn what_the_signers_of_go_and_java_made() {
    let vectors = include_str!("../../../../docs/vectors/sdk-signatures.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let secret = SecretText::new(vectors["secret_key"].as_str().unwrap());
    let requests = vectors["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 6);
    for it in requests {
        let text = |key: &str| it[key].as_str().unwrap();
        let headers = it["headers"].as_object().unwrap();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let parts = parts(text("method"), text("target"), &headers);
        let signature = Signature::parse(it["headers"]["authorization"].as_str().unwrap()).unwrap();
        let date = it["headers"]["x-sdk-date"].as_str().unwrap();
        let body = text("body").as_bytes();
        assert!(fits(&signature, &parts, body, date, &secret), "{it}");
        // Go's body ends in a line feed, which is signed along.
        let other = [body, b"\n"].concat();
        assert!(!fits(&signature, &parts, &other, date, &secret), "{it}");
    }
}

#[test]
fn other_authorizations_are_refused() {
    let hex = "0".repeat(64);
    for bad in [
        String::new(),
        "Basic abc".to_owned(),
        format!("SDK-HMAC-SM3 Access=a, SignedHeaders=x-sdk-date, Signature={hex}"),
        format!("V11-HMAC-SHA256 Credential=a/b, SignedHeaders=x-sdk-date, Signature={hex}"),
        format!("SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature={hex}"),
        format!("SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature={}", "0".repeat(63)),
        format!("SDK-HMAC-SHA256 Access=a, Access=b, SignedHeaders=x-sdk-date, Signature={hex}"),
        format!("SDK-HMAC-SHA256 Access=, SignedHeaders=x-sdk-date, Signature={hex}"),
        "SDK-HMAC-SHA256".to_owned(),
        "SDK-HMAC-SHA256 ,,,".to_owned(),
    ] {
        assert_eq!(Signature::parse(&bad), None, "{bad}");
    }
}
