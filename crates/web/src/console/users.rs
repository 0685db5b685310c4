//! Subscription users: somebody with several ways to be reached, subscribed to topics as a whole.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use carillon_model::role::Right;
use carillon_model::subscription::Extension;
use carillon_service::subscription::Subscribe;
use carillon_service::subscription_user::{ChangedUser, NewUser, ShownUser, UserFilter};
use carillon_service::topic::NamedTopic;
use carillon_service::{Error, Page, TopicFilter};

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::{filled, quoted};
use super::sure::{Sure, Typed};
use super::topics::ROWS;
use super::visit::Visit;
use super::{go, page, words};
use crate::App;
use crate::smn::protocol;

/// The ways that the form offers, by SMN's names.
const WAYS: [&str; 6] = ["feishu", "dingding", "wechat", "email", "https", "http"];
/// How many topics a user can be subscribed to from its page.
const TOPICS: u64 = 200;

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    f: Frame,
    users: Vec<ShownUser>,
    count: u64,
    first: bool,
    next: Option<String>,
    find: String,
}

/// A way to be reached, as the form has it.
struct Way {
    protocol: String,
    /// Whose it is.
    of: String,
    /// What is kept, as it may be shown.
    masked: Option<String>,
    /// Whether a robot's signature or keyword goes with it.
    has_secret: bool,
    /// Whether the form can give it another address.
    is_offered: bool,
}

#[derive(Template)]
#[template(path = "users/form.html")]
struct FormPage {
    f: Frame,
    /// The user, unless it is to be made.
    user: Option<ShownUser>,
    ways: Vec<Way>,
    topics: Vec<NamedTopic>,
    form: Form,
    wrong: Wrong,
}

impl FormPage {
    fn typed(&self, protocol: &str, field: &str) -> &str {
        self.form.get(&format!("{protocol}.{field}"))
    }

    /// A name or group as it was typed, or else as it is kept.
    fn text<'a>(&'a self, field: &str, kept: impl Fn(&'a ShownUser) -> &'a str) -> &'a str {
        match (&self.user, self.form.get("do")) {
            (Some(user), "") => kept(user),
            _ => self.form.get(field),
        }
    }

    fn name(&self) -> &str {
        self.text("name", |it| &it.user.name)
    }

    fn group(&self) -> &str {
        self.text("group", |it| &it.user.group)
    }
}

/// The list.
pub(crate) async fn list(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let offset = visit.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let find = visit.query("find").unwrap_or_default().trim().to_owned();
    let page_of = Page { offset, limit: ROWS };
    let text = Some(find.clone()).filter(|find| !find.is_empty());
    let filter = UserFilter { text, ..UserFilter::default() };
    let listed = app.service.list_subscription_users(&visit.caller, filter, page_of).await;
    let (count, users) = listed.map_err(|error| visit.problem(error))?;
    let next = (offset + ROWS < count)
        .then(|| format!("/console/users?find={}&after={}", quoted(&find), offset + ROWS));
    let (f, first) = (visit.frame(Place::Users), offset == 0);
    Ok(page(StatusCode::OK, &ListPage { f, users, count, first, next, find }))
}

/// The ways of the form, and those that are kept beside them.
fn ways(user: Option<&ShownUser>) -> Vec<Way> {
    let kept = user.map(|it| it.contacts.as_slice()).unwrap_or_default();
    let others = kept.iter().map(|(protocol, ..)| protocol.as_str()).filter(|it| !WAYS.contains(it));
    let way = |protocol: &str| Way {
        protocol: protocol.to_owned(),
        of: user.map(|it| it.user.id.to_string()).unwrap_or_default(),
        masked: kept.iter().find(|(it, ..)| it == protocol).map(|(_, masked, _)| masked.clone()),
        has_secret: ["feishu", "dingding"].contains(&protocol),
        is_offered: WAYS.contains(&protocol),
    };
    WAYS.into_iter().chain(others).map(way).collect()
}

async fn form_page(
    app: &App,
    visit: &Visit,
    user: Option<ShownUser>,
    wrong: Wrong,
) -> Result<FormPage, Problem> {
    let page_of = Page { offset: 0, limit: TOPICS };
    let mut topics = Vec::new();
    if user.is_some() {
        let listed = app.service.list_topics(&visit.caller, TopicFilter::default(), page_of).await;
        topics = listed.map_err(|error| visit.problem(error))?.1;
    }
    let mut f = visit.frame(Place::Users);
    f.path =
        user.as_ref().map_or("/console/users/new".to_owned(), |it| format!("/console/users/{}", it.user.id));
    let ways = ways(user.as_ref());
    Ok(FormPage { f, user, ways, topics, form: visit.form.clone(), wrong })
}

/// The form of a new one.
pub(crate) async fn new(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    Ok(page(StatusCode::OK, &form_page(&app, &visit, None, Wrong::default()).await?))
}

/// The contacts that were typed, by protocol.
fn contacts(form: &Form) -> Result<Vec<(String, Option<Subscribe>)>, Error> {
    let mut found = Vec::new();
    for protocol in form.get("known").split(' ').filter(|it| !it.is_empty()) {
        let field = |name: &str| format!("{protocol}.{name}");
        let Some(endpoint) = form.secret(&field("endpoint")) else { continue };
        let extension = Extension {
            sign_secret: form.secret(&field("sign_secret")),
            keyword: form.secret(&field("keyword")),
            ..Extension::default()
        };
        let channel: Channel = protocol::channel(protocol)?;
        let contact = Subscribe { channel, protocol: protocol.to_owned(), endpoint, extension, remark: None };
        found.push((protocol.to_owned(), Some(contact)));
    }
    Ok(found)
}

/// Makes one.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let made = async {
        let text = |name: &str| visit.form.get(name).trim().to_owned();
        let contacts = contacts(&visit.form)?.into_iter().filter_map(|(_protocol, it)| it).collect();
        let new = NewUser { name: text("name"), group: text("group"), contacts };
        app.service.create_subscription_user(&visit.caller, new).await
    };
    match made.await {
        Ok(id) => Ok(go(&format!("/console/users/{id}?done=created"))),
        Err(error) => {
            let wrong = visit.wrong(error)?;
            let shown = form_page(&app, &visit, None, wrong).await?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

async fn found(app: &App, visit: &Visit) -> Result<ShownUser, Problem> {
    let found = app.service.subscription_user(&visit.caller, visit.path("user_id")).await;
    found.map_err(|error| visit.problem(error))
}

/// One of them.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let user = found(&app, &visit).await?;
    Ok(page(StatusCode::OK, &form_page(&app, &visit, Some(user), Wrong::default()).await?))
}

/// Changes one, or subscribes it to a topic, as the button says.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let user = found(&app, &visit).await?;
    let id = user.user.id.to_string();
    let saved = async {
        if visit.form.get("do") == "subscribe" {
            let urn = app.service.topic_urn(&visit.caller, visit.form.get("topic"))?;
            for made in app.service.subscribe_users(&visit.caller, &urn, std::slice::from_ref(&id)).await? {
                made?;
            }
            return Ok(format!("/console/topics/{}?done=created", quoted(visit.form.get("topic"))));
        }
        let text = |name: &str| Some(visit.form.get(name).trim().to_owned());
        // A group that is empty is left as it is: the rule asks for one character at least.
        let group = text("group").filter(|group| !group.is_empty());
        let contacts = contacts(&visit.form)?;
        let wanted = ChangedUser { name: text("name"), group, contacts };
        app.service.change_subscription_user(&visit.caller, &id, wanted).await?;
        Ok::<_, Error>(format!("/console/users/{id}?done=saved"))
    };
    match saved.await {
        Ok(path) => Ok(go(&path)),
        Err(error) => {
            let wrong = visit.wrong(error)?;
            let shown = form_page(&app, &visit, Some(user), wrong).await?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

/// What is asked before a user goes, or the one address of it that the page's address names.
fn sure(visit: &Visit, it: &ShownUser) -> Sure {
    let (t, here) = (visit.t(), format!("/console/users/{}", it.user.id));
    let way = visit.query("way");
    let kept = it.contacts.iter().filter(|(protocol, ..)| way.is_none_or(|way| way == protocol));
    let name = |protocol: &str| {
        let channel = protocol::channel(protocol).map(|channel| words::channel(channel, visit.look.lang));
        channel.map_or_else(|_unknown| protocol.to_owned(), str::to_owned)
    };
    let about = kept.map(|(protocol, masked, _state)| format!("{} · {masked}", name(protocol))).collect();
    let crumbs =
        vec![("/console/users".to_owned(), t.users.title.to_owned()), (here.clone(), it.user.name.clone())];
    if let Some(way) = way {
        let action = format!("{here}/delete?way={}", quoted(way));
        return Sure {
            about,
            goes: vec![t.sure.way_goes.to_owned()],
            stays: t.sure.user_stays,
            crumbs,
            ..Sure::new(filled(t.sure.way_title, &it.user.name), way, action)
        };
    }
    Sure {
        typed: Some(Typed { label: t.sure.user_type, wrong: t.sure.user_wrong }),
        about,
        goes: vec![t.sure.user_goes.to_owned()],
        stays: t.sure.user_stays,
        crumbs,
        ..Sure::new(filled(t.users.delete_title, &it.user.name), &it.user.name, format!("{here}/delete"))
    }
}

/// Asks before deleting.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await?;
    Ok(sure(&visit, &it).ask(&visit, Place::Users))
}

/// Deletes for good, if the name was typed; or takes one address away.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await?;
    let (sure, id) = (sure(&visit, &it), visit.path("user_id"));
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Users));
    }
    let (gone, to) = match visit.query("way") {
        Some(way) => {
            let contacts = vec![(way.to_owned(), None)];
            let wanted = ChangedUser { name: None, group: None, contacts };
            let changed = app.service.change_subscription_user(&visit.caller, id, wanted).await;
            (changed, format!("/console/users/{id}?done=saved"))
        }
        None => {
            let deleted = app.service.delete_subscription_user(&visit.caller, id).await;
            (deleted, "/console/users?done=deleted".to_owned())
        }
    };
    gone.map_err(|error| visit.problem(error))?;
    Ok(go(&to))
}

impl Way {
    /// The channel's name.
    fn text(&self, f: &Frame) -> String {
        protocol::channel(&self.protocol).map_or_else(
            |_unknown| self.protocol.clone(),
            |channel| words::channel(channel, f.lang).to_owned(),
        )
    }

    /// What an address of it looks like.
    fn example(&self) -> &'static str {
        match self.protocol.as_str() {
            "feishu" => "https://open.feishu.cn/open-apis/bot/v2/hook/…",
            "dingding" => "https://oapi.dingtalk.com/robot/send?access_token=…",
            "wechat" => "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
            "email" => "name@example.com",
            "http" => "http://…",
            _ => "https://…",
        }
    }
}
