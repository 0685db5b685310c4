//! The control interface at `/_simulator/…`, and the page's addresses.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::office::{self, OfficeApp};
use crate::page;
use crate::record::Received;
use crate::registry::{Platform, Robot, masked};
use crate::route::query_fields;
use crate::script::Act;
use crate::serve::{json as answer_json, plain};
use crate::world::{World, lock};

/// Answers a request to the simulator itself; `None` for one to a far end.
pub(crate) fn answer(world: &World, parts: &Parts, body: &Bytes) -> Option<Response<Body>> {
    let path = parts.uri.path();
    // Browsers ask for the icon by themselves; it is not a call to a far end.
    if path != "/" && path != "/favicon.ico" && !path.starts_with("/_simulator") {
        return None;
    }
    let query = query_fields(parts.uri.query().unwrap_or_default());
    let mut answer = match (parts.method.as_str(), path) {
        ("GET" | "HEAD", "/") => page::whole(world, parts),
        ("GET", "/_simulator/chats") => page::chats(world, parts),
        ("GET", "/_simulator/page.js") => page::script(),
        ("GET", "/_simulator/page.css") => page::style(),
        ("GET", "/_simulator/received") => list_received(world, &query),
        ("GET", "/_simulator/calls") => answer_json(200, &json!({"calls": lock(&world.records).calls()})),
        ("GET", "/_simulator/robots") => list_robots(world),
        ("DELETE", "/_simulator/received") => {
            lock(&world.records).clear();
            done()
        }
        ("POST", "/_simulator/robots") => with_json(parts, body, |robot| add_robot(world, robot)),
        ("GET", "/_simulator/office") => list_office(world),
        ("POST", "/_simulator/office") => with_json(parts, body, |app| add_office(world, app)),
        ("POST", "/_simulator/office/change") => {
            with_json(parts, body, |change| change_office(world, change))
        }
        ("POST", "/_simulator/scripts") => with_json(parts, body, |script| set_script(world, script)),
        ("DELETE", "/_simulator/scripts") => clear_script(world, &query),
        _ if parts.method == Method::GET => plain(StatusCode::NOT_FOUND, "404 page not found"),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed"),
    };
    let headers = answer.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(answer)
}

/// A robot as it is registered over HTTP.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRobot {
    platform: Platform,
    token: String,
    chat: String,
    sign_secret: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    allowed_ips: Vec<std::net::IpAddr>,
    #[serde(default)]
    stopped: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewScript {
    token: String,
    act: Act,
    times: Option<u32>,
}

/// Reads a JSON body. Wanting the content type keeps web pages of other origins out: a browser would ask first.
fn with_json<T: serde::de::DeserializeOwned>(
    parts: &Parts,
    body: &Bytes,
    then: impl FnOnce(T) -> Response<Body>,
) -> Response<Body> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return fault(415, "the content type must be application/json");
    }
    match serde_json::from_slice(body) {
        Ok(read) => then(read),
        Err(error) => fault(400, &error.to_string()),
    }
}

fn add_robot(world: &World, new: NewRobot) -> Response<Body> {
    if new.platform == Platform::DingtalkApp || new.token.is_empty() {
        return fault(400, "a robot needs a token and a platform other than dingtalk_app");
    }
    let NewRobot { platform, token, chat, sign_secret, keywords, allowed_ips, stopped } = new;
    let robot = Robot { platform, token, chat, sign_secret, keywords, allowed_ips };
    let mut registry = lock(&world.registry);
    let shown = describe(&robot, stopped);
    let token = robot.token.clone();
    registry.add_robot(robot);
    if stopped {
        registry.stop_robot(&token);
    }
    answer_json(201, &shown)
}

fn list_office(world: &World) -> Response<Body> {
    let apps: Vec<Value> = lock(&world.office).apps().iter().map(office::described).collect();
    answer_json(200, &json!({ "apps": apps }))
}

fn add_office(world: &World, app: OfficeApp) -> Response<Body> {
    let wanted = [Platform::Lark, Platform::Feishu, Platform::DingtalkApp, Platform::Wecom];
    if app.app_id.is_empty() || !wanted.contains(&app.platform) {
        return fault(
            400,
            "an office app needs an app_id, and lark, feishu, dingtalk_app or wecom as its platform",
        );
    }
    let shown = office::described(&app);
    let mut registry = lock(&world.registry);
    lock(&world.office).add(app, &mut registry);
    answer_json(201, &shown)
}

fn change_office(world: &World, change: office::Change) -> Response<Body> {
    let mut registry = lock(&world.registry);
    let id = change.app_id.clone();
    if lock(&world.office).change(&id, &mut registry, |app| change.apply(app)) {
        done()
    } else {
        fault(404, "there is no office app of that app_id")
    }
}

fn list_robots(world: &World) -> Response<Body> {
    let registry = lock(&world.registry);
    let shown = registry.robots().map(|robot| describe(robot, registry.is_stopped(&robot.token)));
    answer_json(200, &json!({"robots": shown.collect::<Vec<Value>>()}))
}

fn describe(robot: &Robot, stopped: bool) -> Value {
    json!({
        "platform": robot.platform,
        "token_masked": masked(&robot.token),
        "chat": robot.chat,
        "signed": robot.sign_secret.is_some(),
        "keywords": robot.keywords,
        "allowed_ips": robot.allowed_ips,
        "stopped": stopped,
    })
}

/// `?after=` passes over messages up to that number, `?chat=` over other chats.
fn list_received(world: &World, query: &[(String, String)]) -> Response<Body> {
    let field = |name: &str| query.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let after = field("after").and_then(|after| after.parse::<u64>().ok()).unwrap_or(0);
    let chat = field("chat");
    let received = lock(&world.records).received();
    let wanted = |one: &&Received| one.seq > after && chat.is_none_or(|chat| chat == one.chat);
    answer_json(200, &json!({"received": received.iter().filter(wanted).collect::<Vec<_>>()}))
}

fn set_script(world: &World, script: NewScript) -> Response<Body> {
    lock(&world.scripts).set(&script.token, script.act, script.times);
    done()
}

fn clear_script(world: &World, query: &[(String, String)]) -> Response<Body> {
    match query.iter().find(|(field, _)| field == "token") {
        None => fault(400, "the query must name a token"),
        Some((_, token)) => {
            lock(&world.scripts).clear(token);
            done()
        }
    }
}

fn done() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn fault(status: u16, message: &str) -> Response<Body> {
    answer_json(status, &json!({"message": message}))
}
