//! What end users follow: the links that confirm and end subscriptions, and the certificate behind signatures. Nobody
//! signs in for them; whoever opens one in a browser is shown a small page instead of JSON.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_model::id::RequestId;
use serde_json::{Value, json};

use super::SmnCall;
use super::error::SmnError;
use crate::call::{Call, query};
use crate::{App, layer};

/// What a page says, in English and Chinese.
type Words = (&'static str, &'static str);

const CONFIRMED: Words = ("Your subscription is confirmed.", "您的订阅已确认。");
const ENDED: Words = ("Your subscription has ended.", "您已取消订阅。");
const WRONG_TOKEN: Words = (
    "This link is unknown or older than 48 hours. Ask for a new one.",
    "此链接无效或已超过 48 小时，请重新申请订阅。",
);
const WRONG_LINK: Words = ("This link is not complete, or not one of ours.", "此链接不完整或无效。");
const GONE: Words = ("This subscription no longer exists.", "该订阅已不存在。");
const LATER: Words = ("Nothing could be stored just now. Try again.", "暂时无法处理，请稍后重试。");

/// `GET …/subscriptions/subscribe?token=…&topic_urn=…`: confirms a subscription, or takes it up again.
pub(crate) async fn subscribe(State(app): State<App>, request: Request) -> Response {
    let id = layer::request_id(request.extensions());
    let query = query(request.uri().query().unwrap_or_default());
    let token = query.get("token").cloned().unwrap_or_default().into();
    let topic_urn = query.get("topic_urn").map(String::as_str).filter(|urn| !urn.is_empty());
    let page = wants_page(request.headers());
    match app.service.confirm(&token, topic_urn).await {
        Ok(_urn) if page => shown(StatusCode::OK, CONFIRMED),
        Ok(urn) => answer(id, json!({ "subscription_urn": urn.to_string() })),
        Err(error) => refused(error.into(), id, page),
    }
}

/// `GET …/subscriptions/unsubscribe?subscription_urn=…&signature=…`: ends a subscription. A mail program may POST it
/// for its user (RFC 8058). Without a signature in the link the caller must be known, as the SDKs are, which sign.
pub(crate) async fn unsubscribe(State(app): State<App>, request: Request) -> Response {
    let id = layer::request_id(request.extensions());
    let query = query(request.uri().query().unwrap_or_default());
    let urn = query.get("subscription_urn").cloned().unwrap_or_default();
    let page = wants_page(request.headers());
    let known = ["authorization", "x-auth-token"].iter().any(|name| request.headers().contains_key(*name));
    let ended = match query.get("signature") {
        None if known => match Call::read(request, &app.service).await {
            Ok(call) => app.service.end_own(&SmnCall(call).0.caller, &urn).await.map_err(SmnError::from),
            Err(refused) => Err(SmnError::from(refused)),
        },
        signature => {
            let signature = signature.cloned().unwrap_or_default().into();
            app.service.end(&urn, &signature).await.map_err(SmnError::from)
        }
    };
    match ended {
        Ok(()) if page => shown(StatusCode::OK, ENDED),
        Ok(()) => answer(id, json!({ "message": "The subscription has ended." })),
        Err(error) => refused(error, id, page),
    }
}

/// `GET /smn/SMN_{region}_{id}.pem`: the certificate by which receivers check signatures.
pub(crate) async fn certificate(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match app.service.certificate(&name).await {
        Ok(pem) => {
            let headers = [
                (header::CONTENT_TYPE, "application/x-pem-file"),
                (header::CACHE_CONTROL, "public, max-age=86400"),
            ];
            (headers, pem).into_response()
        }
        Err(error) => SmnError::from(error).with(layer::request_id(request.extensions())).into_response(),
    }
}

fn answer(id: Option<RequestId>, mut fields: Value) -> Response {
    if let Value::Object(fields) = &mut fields {
        fields.insert("request_id".to_owned(), id.map(|id| id.to_string()).unwrap_or_default().into());
    }
    layer::json(StatusCode::OK, &fields)
}

fn refused(error: SmnError, id: Option<RequestId>, page: bool) -> Response {
    if !page {
        return error.with(id).into_response();
    }
    let words = match error.code {
        "SMN.0022" => WRONG_TOKEN,
        "SMN.0013" => GONE,
        _ if error.status.is_server_error() => LATER,
        _ => WRONG_LINK,
    };
    shown(error.status, words)
}

/// Browsers ask for HTML by name; programs ask for anything or for JSON.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn shown(status: StatusCode, (en, zh): Words) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n<title>Carillon</title>\n\
         <p>{en}</p>\n<p lang=\"zh\">{zh}</p>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page).into_response()
}
