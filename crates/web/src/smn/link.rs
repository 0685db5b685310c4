//! What end users follow: the links that confirm and end subscriptions, and the certificate behind signatures. Nobody
//! signs in for them; whoever opens one in a browser is shown a small page instead of JSON.
//!
//! The links of a web hook act when they are opened, as SMN documents. Those in a mail do not: many companies' mail
//! filters open every link, so that opening one shows a button, and pressing it, a POST, acts.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_model::Channel;
use carillon_model::id::RequestId;
use carillon_model::urn::SubscriptionUrn;
use serde_json::{Value, json};

use super::SmnCall;
use super::error::SmnError;
use crate::call::{Call, query};
use crate::{App, layer};

/// What a page says, in English and Chinese.
type Words = (&'static str, &'static str);

const CONFIRM: Words = ("Subscribe to this topic?", "确认订阅此主题？");
const CONFIRM_BUTTON: Words = ("Confirm", "确认订阅");
const END: Words = ("End your subscription to this topic?", "确认退订此主题？");
const END_BUTTON: Words = ("Unsubscribe", "退订");
const CONFIRMED: Words = ("Your subscription is confirmed.", "您的订阅已确认。");
const ENDED: Words = ("Your subscription has ended.", "您已取消订阅。");
const WRONG_TOKEN: Words = (
    "This link is unknown or older than 48 hours. Ask for a new one.",
    "此链接无效或已超过 48 小时，请重新申请订阅。",
);
const WRONG_LINK: Words = ("This link is not complete, or not one of ours.", "此链接不完整或无效。");
const GONE: Words = ("This subscription no longer exists.", "该订阅已不存在。");
const LATER: Words = ("Nothing could be stored just now. Try again.", "暂时无法处理，请稍后重试。");

/// `GET`, `POST …/subscriptions/subscribe?token=…&topic_urn=…`: confirms a subscription, or takes it up again.
pub(crate) async fn subscribe(State(app): State<App>, request: Request) -> Response {
    let id = layer::request_id(request.extensions());
    let query = query(request.uri().query().unwrap_or_default());
    let token = query.get("token").cloned().unwrap_or_default().into();
    let topic_urn = query.get("topic_urn").map(String::as_str).filter(|urn| !urn.is_empty());
    let page = wants_page(request.headers());
    match app.service.confirmation_of(&token, topic_urn).await {
        Ok((urn, channel)) if !acts(&request, channel) => {
            return ask(id, page, &urn, CONFIRM, CONFIRM_BUTTON);
        }
        Ok(_) => {}
        Err(error) => return refused(error.into(), id, page),
    }
    match app.service.confirm(&token, topic_urn).await {
        Ok(_urn) if page => shown(StatusCode::OK, CONFIRMED),
        Ok(urn) => answer(id, json!({ "subscription_urn": urn.to_string() })),
        Err(error) => refused(error.into(), id, page),
    }
}

/// `GET`, `POST …/subscriptions/unsubscribe?subscription_urn=…&signature=…`: ends a subscription. A mail program may POST it
/// for its user (RFC 8058). Without a signature in the link the caller must be known, as the SDKs are, which sign.
pub(crate) async fn unsubscribe(State(app): State<App>, request: Request) -> Response {
    let id = layer::request_id(request.extensions());
    let query = query(request.uri().query().unwrap_or_default());
    let urn = query.get("subscription_urn").cloned().unwrap_or_default();
    let page = wants_page(request.headers());
    let ended = match query.get("signature") {
        None if is_signed(request.headers()) => match Call::read(request, &app.service).await {
            Ok(call) => app.service.end_own(&SmnCall(call).0.caller, &urn).await.map_err(SmnError::from),
            Err(refused) => Err(SmnError::from(refused)),
        },
        signature => {
            let signature = signature.cloned().unwrap_or_default().into();
            match app.service.ending_of(&urn, &signature).await {
                Ok((urn, channel)) if !acts(&request, channel) => {
                    return ask(id, page, &urn, END, END_BUTTON);
                }
                Ok(_) => {}
                Err(error) => return refused(error.into(), id, page),
            }
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

/// Whether a link does what it says now. The right to it is in the link; this only keeps those out that open links
/// without meaning anything by it. Programs that send credentials along, as the SDKs do, mean it.
fn acts(request: &Request, channel: Channel) -> bool {
    let opened = match channel {
        Channel::Http | Channel::Https => request.method() == Method::GET,
        Channel::Email => request.method() == Method::GET && is_signed(request.headers()),
        // They have no links.
        Channel::Dingtalk | Channel::DingtalkPerson | Channel::Lark | Channel::Wecom | Channel::Office => {
            false
        }
    };
    opened || request.method() == Method::POST
}

fn is_signed(headers: &HeaderMap) -> bool {
    ["authorization", "x-auth-token"].iter().any(|name| headers.contains_key(*name))
}

/// Asks for the press of a button; nothing has changed.
fn ask(id: Option<RequestId>, page: bool, urn: &SubscriptionUrn, question: Words, button: Words) -> Response {
    if !page {
        let text = "Nothing has changed yet: open the link in a browser and press the button, or POST to it.";
        return answer(id, json!({ "message": text }));
    }
    // A topic's name is letters, digits, hyphens and underscores.
    let (name, label) = (&urn.topic.topic, format!("{} · {}", button.0, button.1));
    let form = format!("<p><b>{name}</b></p>\n<form method=\"post\"><button>{label}</button></form>\n");
    shown_with(StatusCode::OK, question, &form)
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

fn shown(status: StatusCode, words: Words) -> Response {
    shown_with(status, words, "")
}

fn shown_with(status: StatusCode, (en, zh): Words, more: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n<title>Carillon</title>\n\
         <p>{en}</p>\n<p lang=\"zh\">{zh}</p>\n{more}</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page).into_response()
}
