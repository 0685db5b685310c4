//! Subscribing people and chats of an office app: choose the app, find whom, send a test message, subscribe.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use carillon_model::id::ConnectionId;
use carillon_model::office::{Connection, RecipientKind};
use carillon_model::role::Right;
use carillon_model::subscription::Extension;
use carillon_service::subscription::Subscribe;
use carillon_service::topic::NamedTopic;
use carillon_service::trial::Trial;
use carillon_service::{Error, RecipientFilter};

use super::form::Wrong;
use super::frame::{Frame, Place};
use super::guide::Step;
use super::problem::Problem;
use super::show::quoted;
use super::visit::Visit;
use super::{go, page, topic};
use crate::App;

/// How many a search offers.
const OFFERED: u64 = 20;
/// How many departments are searched.
const DEPARTMENTS_MAX: u64 = 5_000;

/// Somebody who can be subscribed.
struct Offer {
    name: String,
    id: String,
}

#[derive(Template)]
#[template(path = "subscribe_office.html")]
struct OfficePage {
    f: Frame,
    topic: NamedTopic,
    connections: Vec<Connection>,
    chosen: Option<ConnectionId>,
    kind: RecipientKind,
    find: String,
    offers: Vec<Offer>,
    wrong: Wrong,
    /// What came of a test message, and to whom it went.
    trial: Option<(String, Trial)>,
}

impl OfficePage {
    fn is_chosen(&self, connection: &Connection) -> bool {
        self.chosen == Some(connection.id)
    }

    /// How one comes here from an app that nobody has connected yet.
    fn steps(&self) -> Vec<Step> {
        let (t, g) = (self.f.t, &self.f.t.guide);
        let app = vec!["App ID", "cli_a1b2c3d4e5f6", "App Secret"];
        vec![
            Step::drawn(g.office_1, "fields", g.d_credentials, app),
            Step::drawn(g.office_2, "copy", g.d_directory, vec![t.directory.members, "1,204", g.d_update]),
            Step::drawn(g.office_3, "person", g.d_directory, vec![g.d_person, "u00042"]),
            Step::drawn(g.office_4, "choose", g.d_directory, vec![g.d_person, t.subscribe.office_add]),
        ]
    }

    /// Every kind with its words.
    fn kinds(&self) -> [(RecipientKind, &'static str); 4] {
        let t = &self.f.t.directory;
        [
            (RecipientKind::Member, t.members),
            (RecipientKind::Department, t.departments),
            (RecipientKind::Group, t.groups),
            (RecipientKind::Chat, t.chats),
        ]
    }

    /// Whether one of them can be sent a test message: a department or a group is many.
    fn has_test(&self) -> bool {
        matches!(self.kind, RecipientKind::Member | RecipientKind::Chat)
    }

    fn endpoint(&self, offer: &Offer) -> String {
        let connection = self.chosen.map(|id| id.to_string()).unwrap_or_default();
        format!("office:{connection}:{}:{}", self.kind.name(), offer.id)
    }
}

async fn offers(
    app: &App,
    visit: &Visit,
    connection: ConnectionId,
    kind: RecipientKind,
    find: &str,
) -> Result<Vec<Offer>, Error> {
    let (caller, service) = (&visit.caller, &app.service);
    let wanted = find.to_lowercase();
    let fits = |offer: &Offer| offer.name.to_lowercase().contains(&wanted) || offer.id == find;
    let limit = usize::try_from(OFFERED).unwrap_or(usize::MAX);
    match kind {
        RecipientKind::Member | RecipientKind::Chat => {
            let text = Some(find.to_owned()).filter(|find| !find.is_empty());
            let filter = RecipientFilter { text, ..RecipientFilter::default() };
            let found = service.list_reachable(caller, connection, kind, filter, None, OFFERED).await?;
            let there = found.into_iter().filter(|one| one.is_there);
            Ok(there.map(|one| Offer { name: one.name, id: one.platform_id }).collect())
        }
        RecipientKind::Department => {
            let found = service.list_departments(caller, connection, None, DEPARTMENTS_MAX).await?;
            let all = found.into_iter().map(|(one, _members)| Offer { name: one.name, id: one.id });
            Ok(all.filter(fits).take(limit).collect())
        }
        RecipientKind::Group => {
            let found = service.list_groups(caller, connection).await?;
            let all = found.into_iter().map(|one| Offer { name: one.name, id: one.id.to_string() });
            Ok(all.filter(fits).take(limit).collect())
        }
    }
}

async fn read(app: &App, visit: &Visit, wrong: Wrong) -> Result<OfficePage, Error> {
    let topic = topic::named(app, visit).await?;
    let connections = app.service.list_connections(&visit.caller).await?;
    let text = |name: &str| {
        let typed = visit.form.maybe(name).or_else(|| visit.query(name));
        typed.unwrap_or_default().trim().to_owned()
    };
    let named = ConnectionId::parse(&text("connection")).ok();
    let chosen = connections.iter().find(|it| Some(it.id) == named).or(connections.first()).map(|it| it.id);
    let kind = RecipientKind::from_name(&text("kind")).unwrap_or(RecipientKind::Member);
    let find = text("find");
    let offers = match chosen {
        Some(connection) => offers(app, visit, connection, kind, &find).await?,
        None => Vec::new(),
    };
    let f = visit.frame(Place::Topics);
    Ok(OfficePage { f, topic, connections, chosen, kind, find, offers, wrong, trial: None })
}

/// The search.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let shown = read(&app, &visit, Wrong::default()).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &shown))
}

/// Subscribes one of them, or sends it a test message, as the button says.
pub(crate) async fn submit(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let is_test = visit.form.get("do") == "test";
    let done = async {
        let topic = topic::named(&app, &visit).await?;
        let urn = topic.urn.to_string();
        let wanted = Subscribe {
            channel: Channel::Office,
            protocol: Channel::Office.name().to_owned(),
            endpoint: visit.form.get("endpoint").into(),
            extension: Extension::default(),
            remark: visit.form.maybe("remark").map(str::to_owned),
        };
        if is_test {
            let locale = visit.look.lang.locale();
            let tried = app.service.try_subscription(&visit.caller, &urn, &wanted, locale).await?;
            return Ok((topic, Some(tried)));
        }
        app.service.subscribe(&visit.caller, &urn, wanted).await?;
        Ok::<_, Error>((topic, None))
    };
    let (wrong, tried) = match done.await {
        Ok((topic, None)) => {
            return Ok(go(&format!("/console/topics/{}?done=created", quoted(topic.topic.name.as_str()))));
        }
        Ok((_topic, tried)) => (Wrong::default(), tried),
        Err(error) => (visit.wrong(error)?, None),
    };
    let status = if tried.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut shown = read(&app, &visit, wrong).await.map_err(|error| visit.problem(error))?;
    let here = quoted(shown.topic.topic.name.as_str());
    shown.f.path = format!("/console/topics/{here}/subscribe/office");
    shown.trial = tried.map(|tried| (visit.form.get("remark").to_owned(), tried));
    Ok(page(status, &shown))
}
