//! One group: its members and departments, put in and taken out one by one, and whom it reaches.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::recipient::check_member_id;
use carillon_model::office::{Connection, Recipient, RecipientKind};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_service::{Error, Group, GroupPart, GroupPartKind, Kept, RecipientFilter};

use super::{Branch, DEPARTMENTS_MAX, called, tree};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// How many members a search offers.
const OFFERED: u64 = 10;

/// A part as the page shows it.
struct Shown {
    kind: &'static str,
    text: &'static str,
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "directory/group.html")]
struct GroupPage {
    f: Frame,
    it: Connection,
    group: Group,
    parts: Vec<Shown>,
    branches: Vec<Branch>,
    find: String,
    offered: Vec<Kept>,
    /// How many people it reaches, and how many not; nothing when it was not counted.
    reach: Option<(usize, usize)>,
}

impl GroupPage {
    fn has(&self, member: &Kept) -> bool {
        self.group
            .parts
            .iter()
            .any(|part| part.kind == GroupPartKind::Member && part.id == member.platform_id)
    }
}

async fn read(app: &App, visit: &Visit) -> Result<(Connection, Group), Error> {
    let it = found(app, visit).await?;
    let groups = app.service.list_groups(&visit.caller, it.id).await?;
    let id = visit.path("group_id");
    let group = groups.into_iter().find(|group| group.id.to_string() == id);
    Ok((it, group.ok_or(Error::GroupNotFound)?))
}

/// The names of the members that a group names.
async fn member_names(
    app: &App,
    visit: &Visit,
    it: &Connection,
    group: &Group,
) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for part in group.parts.iter().filter(|part| part.kind == GroupPartKind::Member) {
        let filter = RecipientFilter { text: Some(part.id.clone()), ..RecipientFilter::default() };
        let kind = RecipientKind::Member;
        let found = app.service.list_reachable(&visit.caller, it.id, kind, filter, None, OFFERED).await?;
        let same = found.into_iter().find(|kept| kept.platform_id == part.id);
        names.extend(same.map(|kept| (part.id.clone(), called(&kept).to_owned())));
    }
    Ok(names)
}

async fn shown(app: &App, visit: &Visit, reach: Option<(usize, usize)>) -> Result<GroupPage, Error> {
    let (it, group) = read(app, visit).await?;
    let all = app.service.list_departments(&visit.caller, it.id, None, DEPARTMENTS_MAX).await?;
    let branches = tree(all);
    let names = member_names(app, visit, &it, &group).await?;
    let t = &visit.t().group;
    let part = |part: &GroupPart| {
        let (text, name) = match part.kind {
            GroupPartKind::Member => (t.member, names.get(&part.id)),
            GroupPartKind::Department => (t.department, department(&branches, &part.id)),
            GroupPartKind::DepartmentOnly => (t.department_only, department(&branches, &part.id)),
        };
        let name = name.filter(|name| !name.is_empty()).unwrap_or(&part.id).clone();
        Shown { kind: part.kind.name(), text, id: part.id.clone(), name }
    };
    let parts = group.parts.iter().map(part).collect();
    let find = visit.query("find").unwrap_or_default().trim().to_owned();
    let offered = if find.is_empty() {
        Vec::new()
    } else {
        let filter = RecipientFilter { text: Some(find.clone()), ..RecipientFilter::default() };
        let kind = RecipientKind::Member;
        app.service.list_reachable(&visit.caller, it.id, kind, filter, None, OFFERED).await?
    };
    let path = format!("/console/office/{}/groups/{}", it.id, group.id);
    let f = Frame { path, ..visit.frame(Place::Office) };
    Ok(GroupPage { f, it, group, parts, branches, find, offered, reach })
}

fn department<'b>(branches: &'b [Branch], id: &str) -> Option<&'b String> {
    let is =
        |branch: &&Branch| branch.department.id == id || branch.department.other_id.as_deref() == Some(id);
    branches.iter().find(is).map(|branch| &branch.department.name)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let shown = shown(&app, &visit, None).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &shown))
}

/// Counts whom it reaches at this moment.
pub(crate) async fn reach(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let counted = async {
        let (it, group) = read(&app, &visit).await?;
        let to = Recipient { kind: RecipientKind::Group, id: group.id.to_string() };
        let found = app.service.preview_push(&visit.caller, it.id, vec![to]).await?;
        let there = found.to.iter().filter(|one| !one.gone).count();
        shown(&app, &visit, Some((there, found.to.len() - there + found.unreached.len()))).await
    };
    let shown = counted.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &shown))
}

/// Puts a part in, or takes one out.
pub(crate) async fn change(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let changed = async {
        let (it, mut group) = read(&app, &visit).await?;
        let rule = "a part's kind must be member, department or department_only";
        let kind = GroupPartKind::from_name(visit.form.get("kind"));
        let kind = kind.ok_or_else(|| Invalid::new(Field::To, rule))?;
        let part = GroupPart { kind, id: visit.form.get("id").to_owned() };
        check_member_id(&part.id)?;
        group.parts.retain(|one| *one != part);
        if visit.form.get("do") == "add" {
            group.parts.push(part);
        }
        let path = format!("/console/office/{}/groups/{}", it.id, group.id);
        app.service.put_group(&visit.caller, it.id, group.name, group.parts).await?;
        Ok::<_, Error>(path)
    };
    let path = changed.await.map_err(|error| visit.problem(error))?;
    let find = visit.form.maybe("find").map(|find| format!("?find={}", quoted(find)));
    Ok(go(&format!("{path}{}", find.unwrap_or_default())))
}
