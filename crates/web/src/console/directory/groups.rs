//! Our own groups of an app's people, and a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_model::office::Connection;
use carillon_model::role::Right;
use carillon_service::{Error, Group, GroupPartKind};

use crate::App;
use crate::console::form::Wrong;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::problem::Problem;
use crate::console::show::filled;
use crate::console::sure::Sure;
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
    visit.must(Right::Change)?;
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

/// Removes one, if the form says which; its people stay. The group's page asks before.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (it, groups) = read(&app, &visit).await?;
    let group = groups.iter().find(|group| group.id.to_string() == visit.path("group_id"));
    let group = group.ok_or_else(|| visit.problem(Error::GroupNotFound))?;
    let (t, list) = (visit.t(), format!("/console/office/{}/groups", it.id));
    let here = format!("{list}/{}", group.id);
    let sure = Sure {
        goes: vec![t.sure.group_goes.to_owned()],
        stays: t.sure.group_stays,
        crumbs: vec![
            ("/console/office".to_owned(), t.office.access.to_owned()),
            (format!("/console/office/{}", it.id), it.name.clone()),
            (list.clone(), t.directory.groups.to_owned()),
            (here.clone(), group.name.clone()),
        ],
        ..Sure::new(filled(t.group.delete_sure, &group.name), &group.id, format!("{here}/delete"))
    };
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Office));
    }
    let removed = app.service.remove_group(&visit.caller, it.id, group.id).await;
    removed.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("{list}?done=deleted")))
}
