//! Members who are gone: what still names them, who they may be now, and saying so.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::EndpointId;
use carillon_model::office::{Connection, RecipientKind};
use carillon_service::merge::Gone;
use carillon_service::{Alike, Error, Kept, RecipientFilter};

use super::called;
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::{found, id};
use crate::console::problem::Problem;
use crate::console::topics::ROWS;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// How many people a search offers.
const OFFERED: u64 = 20;

#[derive(Template)]
#[template(path = "directory/gone.html")]
struct GonePage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    gone: Vec<Gone>,
    /// Whom another one is looked for, and by what; and who was found.
    wanted: String,
    find: String,
    found: Vec<Kept>,
    first: bool,
    next: Option<String>,
}

impl GonePage {
    /// Whether another one is looked for this one.
    fn seeks(&self, member: &Kept) -> bool {
        self.wanted == member.id.to_string()
    }

    fn why(&self, alike: &[Alike]) -> String {
        let t = &self.f.t.gone;
        let word = |alike: &Alike| match alike {
            Alike::Contact => t.same_contact,
            Alike::UnionId => t.same_union,
            Alike::Name => t.same_name,
        };
        alike.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let text = |name: &str| visit.query(name).unwrap_or_default().trim().to_owned();
    let (wanted, find) = (text("for"), text("find"));
    let read = async {
        let it = found(&app, &visit).await?;
        let after = visit.query("after").map(EndpointId::parse).transpose()?;
        let gone = app.service.list_gone(&visit.caller, it.id, after, ROWS + 1).await?;
        let mut others = Vec::new();
        if !find.is_empty() {
            let filter = RecipientFilter { text: Some(find.clone()), ..RecipientFilter::default() };
            let kind = RecipientKind::Member;
            others = app.service.list_reachable(&visit.caller, it.id, kind, filter, None, OFFERED).await?;
            // Only somebody who is there can be the one.
            others.retain(|other| other.is_there);
        }
        Ok::<_, Error>((it, gone, others))
    };
    let (it, mut gone, others) = read.await.map_err(|error| visit.problem(error))?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = gone.len() > rows;
    gone.truncate(rows);
    let next = gone.last().filter(|_last| more);
    let next = next.map(|last| format!("/console/office/{}/gone?after={}", it.id, last.member.id));
    let (f, first) = (visit.frame(Place::Office), visit.query("after").is_none());
    Ok(page(StatusCode::OK, &GonePage { f, tab: "gone", it, gone, wanted, find, found: others, first, next }))
}

/// Says that one who is gone is another one now.
pub(crate) async fn merge(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let merged = async {
        let connection = id(&visit)?;
        let from = EndpointId::parse(visit.form.get("from"))?;
        let into = EndpointId::parse(visit.form.get("into"))?;
        app.service.merge_members(&visit.caller, connection, from, into).await?;
        Ok::<_, Error>(connection)
    };
    let connection = merged.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}/gone?done=merged")))
}

/// Takes that back.
pub(crate) async fn unmerge(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let unmerged = async {
        let connection = id(&visit)?;
        let from = EndpointId::parse(visit.form.get("from"))?;
        app.service.unmerge_member(&visit.caller, connection, from).await?;
        Ok::<_, Error>(connection)
    };
    let connection = unmerged.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}/gone?done=unmerged")))
}
