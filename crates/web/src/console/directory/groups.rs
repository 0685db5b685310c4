//! Our own groups of an app's people, and a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_model::id::GroupId;
use carillon_model::office::Connection;
use carillon_service::{Error, Group, GroupPartKind};

use crate::App;
use crate::console::form::Wrong;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::problem::Problem;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "directory/groups.html")]
struct GroupsPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    groups: Vec<Group>,
    name: String,
    wrong: Wrong,
}

impl GroupsPage {
    /// How many members, and how many departments a group names.
    fn sizes(group: &Group) -> (usize, usize) {
        let members = group.parts.iter().filter(|part| part.kind == GroupPartKind::Member).count();
        (members, group.parts.len() - members)
    }
}

async fn read(app: &App, visit: &Visit) -> Result<(Connection, Vec<Group>), Problem> {
    let read = async {
        let it = found(app, visit).await?;
        let groups = app.service.list_groups(&visit.caller, it.id).await?;
        Ok::<_, Error>((it, groups))
    };
    read.await.map_err(|error| visit.problem(error))
}

/// The list.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let (it, groups) = read(&app, &visit).await?;
    let (f, name, wrong) = (visit.frame(Place::Office), String::new(), Wrong::default());
    Ok(page(StatusCode::OK, &GroupsPage { f, tab: "groups", it, groups, name, wrong }))
}

/// Makes an empty one. A name that is there already is refused: making it again would empty it.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(carillon_model::role::Right::Change)?;
    let (it, groups) = read(&app, &visit).await?;
    let name = visit.form.get("name").trim().to_owned();
    let t = &visit.t().group;
    let wrong = if groups.iter().any(|group| group.name == name) {
        Wrong::beside(Field::Name, t.exists)
    } else {
        match app.service.put_group(&visit.caller, it.id, name.clone(), Vec::new()).await {
            Ok(id) => return Ok(go(&format!("/console/office/{}/groups/{id}", it.id))),
            Err(Error::Invalid(invalid)) if invalid.field == Field::Name => {
                Wrong::beside(Field::Name, visit.t().office.name_rule)
            }
            Err(error) => visit.wrong(error)?,
        }
    };
    let f = Frame { path: format!("/console/office/{}/groups", it.id), ..visit.frame(Place::Office) };
    let shown = GroupsPage { f, tab: "groups", it, groups, name, wrong };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}

/// Removes one; its people stay.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let removed = async {
        let connection = crate::console::office::id(&visit)?;
        let id = GroupId::parse(visit.path("group_id")).map_err(|_malformed| Error::GroupNotFound)?;
        app.service.remove_group(&visit.caller, connection, id).await?;
        Ok::<_, Error>(connection)
    };
    let connection = removed.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}/groups?done=deleted")))
}
