//! Everybody opens every page, and presses every button.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use carillon_model::role::{Grant, Right, Role};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::house::{House, PASSWORD};
use crate::table::{CONSOLE, whole_page};
use crate::walk::{right, there};

/// What a page says to somebody whose role does not allow it.
const FORBIDDEN: &str = "The role ";
/// What deletes what the others need.
const LAST: &str = "{t}/subscriptions/{subscription}/delete";

/// A browser of somebody.
struct Tab<'h> {
    house: &'h House,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

#[derive(Debug)]
struct Shown {
    status: u16,
    to: String,
    html: String,
}

impl Shown {
    fn is_forbidden(&self) -> bool {
        self.status == 403 && self.html.contains(FORBIDDEN)
    }

    /// Without what differs from one page to the next.
    fn shape(&self) -> (u16, String) {
        let main = self.html.split("<main").nth(1).unwrap_or_default();
        (self.status, main.split("<code>").next().unwrap_or_default().to_owned())
    }
}

impl<'h> Tab<'h> {
    fn new(house: &'h House) -> Self {
        Self { house, cookies: BTreeMap::new(), csrf: String::new() }
    }

    async fn signed_in(house: &'h House, name: &str) -> Self {
        let mut tab = Self::new(house);
        tab.ask("GET", "/console/sign-in", "").await;
        let form = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
        let shown = tab.ask("POST", "/console/sign-in", &form).await;
        assert_eq!(shown.to, "/console", "{name}: {}", shown.html);
        tab.ask("GET", "/console", "").await;
        tab
    }

    async fn ask(&mut self, method: &str, path: &str, form: &str) -> Shown {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookies.join("; "));
        let body = if method == "POST" { format!("csrf={}&{form}", self.csrf) } else { String::new() };
        let response =
            self.house.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let to = response.headers().get(header::LOCATION).map_or("", |to| to.to_str().unwrap()).to_owned();
        // That one goes on for minutes.
        let body =
            if path == "/console/live" && status == 200 { Body::empty() } else { response.into_body() };
        let bytes = body.collect().await.unwrap().to_bytes();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        if let Some(rest) = html.split("name=\"csrf\" value=\"").nth(1) {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
        Shown { status, to, html }
    }
}

#[tokio::test]
async fn everybody_opens_every_page() {
    let house = House::open().await;
    let names = there(&house).await;
    let mut wrong = Vec::new();
    let mut nobody = Tab::new(&house);
    nobody.ask("GET", "/console/sign-in", "").await;
    for (method, path, who, form) in CONSOLE {
        let shown = nobody.ask(method, &names.put(&whole_page(path)), form).await;
        let sent_away = shown.to.starts_with("/console/sign-in?next=");
        if sent_away == (*who == "guest") {
            wrong.push(format!("nobody: {method} {path} is for {who}: {} {}", shown.status, shown.to));
        }
    }
    let people = [(Role::Reader, "rita"), (Role::Publisher, "paul"), (Role::Administrator, "boss")];
    for (role, name) in people {
        let mut tab = Tab::signed_in(&house, name).await;
        let (last, first): (Vec<_>, Vec<_>) = CONSOLE.iter().partition(|(method, path, _, _)| {
            path.ends_with("sign-out") || (*method, *path) == ("POST", LAST)
        });
        for (method, path, who, form) in first.into_iter().chain(last) {
            let shown = tab.ask(method, &names.put(&whole_page(path)), form).await;
            let allowed = right(who).is_none_or(|right| role.grant(right) != Grant::No);
            let known = !shown.to.starts_with("/console/sign-in?");
            if shown.is_forbidden() == allowed || !known || shown.status >= 500 {
                wrong.push(format!("{role}: {method} {path} is for {who}: {} {}", shown.status, shown.to));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nobody_is_offered_what_its_role_forbids() {
    let house = House::open().await;
    let names = there(&house).await;
    for (role, name) in [(Role::Reader, "rita"), (Role::Publisher, "paul"), (Role::Administrator, "boss")] {
        let mut tab = Tab::signed_in(&house, name).await;
        let mut offered = 0;
        for (_get, path, who, _none) in CONSOLE.iter().filter(|(method, ..)| *method == "GET") {
            let allowed = right(who).is_none_or(|right| role.grant(right) != Grant::No);
            if !allowed || path.contains("assets") || path.ends_with("sign-in") {
                continue;
            }
            let html = tab.ask("GET", &names.put(&whole_page(path)), "").await.html;
            // Every link and every form of the page leads where this role may go.
            for (method, mark) in [("GET", " href=\"/console"), ("POST", "method=\"post\" action=\"/console")]
            {
                for rest in html.split(mark).skip(1) {
                    let to = format!("/console{}", rest.split(['"', '?', '#']).next().unwrap());
                    let Some(who) = entry(&names_of(&to), method) else { continue };
                    offered += 1;
                    let may = right(who).is_none_or(|right| role.grant(right) != Grant::No);
                    assert!(may, "{role}: {path} offers {method} {to}, which is for {who}");
                }
            }
        }
        assert!(offered > 20, "{role}: {offered}");
    }
}

#[tokio::test]
async fn no_form_of_another_site_is_taken() {
    let house = House::open().await;
    let names = there(&house).await;
    for (_post, path, _who, form) in CONSOLE.iter().filter(|(method, ..)| *method == "POST") {
        let mut tab = Tab::signed_in(&house, "boss").await;
        for csrf in ["", "made-up"] {
            csrf.clone_into(&mut tab.csrf);
            let shown = tab.ask("POST", &names.put(&whole_page(path)), form).await;
            assert_eq!(shown.status, 403, "{path}: {}", shown.html);
            assert!(shown.html.contains("Please try once more"), "{path}");
        }
    }
}

/// The parts of a path.
fn names_of(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Whom the table gives a page to.
fn entry(parts: &[String], method: &str) -> Option<&'static str> {
    let fits = |of: &str| {
        let of = names_of(&whole_page(of));
        of.len() == parts.len() && of.iter().zip(parts).all(|(of, it)| of.starts_with('{') || of == it)
    };
    // What is written out goes before what has a name in it.
    let found = CONSOLE.iter().filter(|(it, path, ..)| *it == method && fits(path));
    found.min_by_key(|(_, path, ..)| whole_page(path).matches('{').count()).map(|(_, _, who, _)| *who)
}

#[tokio::test]
async fn a_strangers_things_look_as_if_they_did_not_exist() {
    let house = House::open().await;
    let names = there(&house).await;
    let nothing = "0".repeat(32);
    let made_up = [
        ("topic", "none".to_owned()),
        ("subscription", nothing.clone()),
        ("template", nothing.clone()),
        ("message_id", nothing.clone()),
        ("delivery_id", format!("{nothing}-1")),
        ("endpoint_id", nothing.clone()),
        ("account_id", nothing.clone()),
        ("access_key", "CNOTHING".to_owned()),
        ("token_id", nothing.clone()),
    ];
    let mut tab = Tab::signed_in(&house, "sven").await;
    for (method, path, who, form) in CONSOLE.iter().filter(|(_, _, who, _)| right(who).is_some()) {
        let path = whole_page(path);
        for (name, value) in &made_up {
            if !path.contains(&format!("{{{name}}}")) {
                continue;
            }
            let there = tab.ask(method, &names.put(&path), form).await;
            let not_there = tab.ask(method, &names.with(name, value).put(&path), form).await;
            assert_eq!(there.shape(), not_there.shape(), "{method} {path}, {name}, for {who}");
            assert_eq!(there.status, 404, "{method} {path}: {}", there.html);
        }
    }
    for page in [
        "/console",
        "/console/topics",
        "/console/messages",
        "/console/endpoints?state=all",
        "/console/publish",
    ] {
        let html = tab.ask("GET", page, "").await.html;
        assert!(!html.contains("ops") && !html.contains("disk full"), "{page}: {html}");
    }
    // All of it is still there.
    assert!(Role::Administrator.grant(Right::Look) == Grant::Yes);
    let mut boss = Tab::signed_in(&house, "boss").await;
    assert!(boss.ask("GET", "/console/topics/ops", "").await.html.contains("disk full"));
}
