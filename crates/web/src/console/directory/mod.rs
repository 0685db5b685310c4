//! The directory of an office app: whom it reaches, and our own groups of them.
//!
//! | what | room |
//! | --- | --- |
//! | members, and the chats that the bot is in | `members`, `chats` |
//! | the tree of departments | `departments` |
//! | groups, and one of them | `groups`, `group` |
//! | who is gone, and who they are now | `gone` |
//! | finding members by mail address or phone | `bind` |

pub(super) mod bind;
pub(super) mod chats;
pub(super) mod departments;
pub(super) mod gone;
pub(super) mod group;
pub(super) mod groups;
pub(super) mod members;

use std::collections::BTreeMap;

use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::office::{Connection, Department, RecipientKind};
use carillon_service::{Error, Kept, RecipientFilter};

use super::topics::ROWS;
use super::visit::Visit;
use crate::App;

/// How many departments pages read at most.
const DEPARTMENTS_MAX: u64 = 5_000;

/// Departments by their ids.
struct Names(BTreeMap<String, String>);

impl Names {
    async fn of(app: &App, visit: &Visit, connection: ConnectionId) -> Result<Self, Error> {
        let found = app.service.list_departments(&visit.caller, connection, None, DEPARTMENTS_MAX).await?;
        Ok(Self(found.into_iter().map(|(department, _members)| (department.id, department.name)).collect()))
    }

    /// A department's name; its id where the app may not read the name.
    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map(String::as_str).filter(|name| !name.is_empty()).unwrap_or(id)
    }
}

/// What a person or chat is called; its id where the app may not read the name.
fn called(kept: &Kept) -> &str {
    if kept.name.is_empty() { &kept.platform_id } else { &kept.name }
}

/// A department in the tree, with how deep it is.
struct Branch {
    department: Department,
    members: u64,
    depth: usize,
}

/// Lays departments out as a tree, each behind the one above it. One whose parent is not there stands at the top, and
/// none is shown twice, whatever the platform said.
fn tree(departments: Vec<(Department, u64)>) -> Vec<Branch> {
    let known: std::collections::BTreeSet<String> =
        departments.iter().map(|(department, _members)| department.id.clone()).collect();
    let mut below: BTreeMap<String, Vec<(Department, u64)>> = BTreeMap::new();
    for (department, members) in departments {
        let parent = department.parent.clone().filter(|it| known.contains(it) && *it != department.id);
        below.entry(parent.unwrap_or_default()).or_default().push((department, members));
    }
    for branch in below.values_mut() {
        branch.sort_by(|(one, _), (other, _)| other.name.cmp(&one.name).then_with(|| other.id.cmp(&one.id)));
    }
    let mut waiting: Vec<(Department, u64, usize)> = Vec::new();
    let push = |waiting: &mut Vec<_>, of: Option<Vec<(Department, u64)>>, depth| {
        waiting.extend(of.into_iter().flatten().map(|(department, members)| (department, members, depth)));
    };
    push(&mut waiting, below.remove(""), 0);
    let mut laid = Vec::new();
    loop {
        while let Some((department, members, depth)) = waiting.pop() {
            push(&mut waiting, below.remove(&department.id), depth + 1);
            laid.push(Branch { department, members, depth });
        }
        // What is left goes round in circles: the first of it is put at the top.
        let Some((_parent, circle)) = below.pop_first() else { return laid };
        push(&mut waiting, Some(circle), 0);
    }
}

/// A page of members or chats, and whether there are more.
async fn reachable(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    kind: RecipientKind,
) -> Result<(Vec<Kept>, bool), Error> {
    let text = |name: &str| visit.query(name).map(|text| text.trim().to_owned());
    let filter = RecipientFilter { text: text("find"), department: text("department") };
    let after = visit.query("after").map(EndpointId::parse).transpose()?;
    let found = app.service.list_reachable(&visit.caller, connection.id, kind, filter, after, ROWS + 1).await;
    let mut found = found?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = found.len() > rows;
    found.truncate(rows);
    Ok((found, more))
}

#[cfg(test)]
mod tests {
    use carillon_model::office::Department;

    use super::tree;

    fn of(id: &str, parent: Option<&str>) -> (Department, u64) {
        let (id, parent) = (id.to_owned(), parent.map(str::to_owned));
        (Department { name: format!("Name {id}"), id, other_id: None, parent }, 1)
    }

    #[test]
    fn departments_stand_behind_the_one_above_them() {
        let laid = tree(vec![
            of("b", None),
            of("a", None),
            of("a2", Some("a")),
            of("a1", Some("a")),
            of("a11", Some("a1")),
            of("lost", Some("nowhere")),
            of("self", Some("self")),
            of("x", Some("y")),
            of("y", Some("x")),
        ]);
        let shown: Vec<_> = laid.iter().map(|it| (it.department.id.as_str(), it.depth)).collect();
        assert_eq!(
            shown,
            [
                ("a", 0),
                ("a1", 1),
                ("a11", 2),
                ("a2", 1),
                ("b", 0),
                ("lost", 0),
                ("self", 0),
                ("y", 0),
                ("x", 1)
            ]
        );
    }
}
