//! What a connection lets us read, and what an update changes in it. Pure; the engine reads, the store keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A department as a platform shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// The platform's id; Lark's open department id.
    pub id: String,
    /// Its other id where there is one: Lark's department id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// The department above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its name; empty when the app may not read it.
    pub name: String,
}

/// A member as a platform shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The id that is the same for all apps of the company, or else this app's own.
    pub user_id: String,
    /// The id that only this app knows the person by (Lark).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_id: Option<String>,
    /// The id that all apps of one developer know the person by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<String>,
    /// The name; empty when the app may not read it.
    pub name: String,
    /// Whether the platform says that the person has left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// The departments that the person is in directly, as far as they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
}

/// A chat that the app's bot is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The platform's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
}

/// What an app may see of its company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Whether it is everybody.
    pub all: bool,
    /// The departments it begins at, when it is not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub departments: BTreeSet<String>,
    /// The people it names by themselves.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<String>,
}

impl Range {
    /// Whether something that `before` let us see is no longer in it. Departments below one that stayed are still in it,
    /// so that only the names the platform gives are compared.
    #[must_use]
    pub fn lost(&self, before: &Self) -> bool {
        if self.all {
            return false;
        }
        before.all
            || !before.departments.is_subset(&self.departments)
            || !before.members.is_subset(&self.members)
    }
}

/// What an update would change, counted in members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Departments read.
    pub departments: u64,
    /// Members read.
    pub members: u64,
    /// Members who were not there before, or had gone.
    pub added: u64,
    /// Members with another name or another id beside their own.
    pub changed: u64,
    /// Members who are in other departments.
    pub moved: u64,
    /// Members who are no longer there.
    pub gone: u64,
}

impl Counts {
    /// Whether a person must say that this is meant: more than a fifth of `before` members would go, or the range
    /// shrank. A changed range of an app looks exactly like everybody resigning.
    #[must_use]
    pub fn asks(&self, before: u64, range_lost: bool) -> bool {
        before > 0 && (self.gone.saturating_mul(5) > before || (range_lost && self.gone > 0))
    }
}

/// A member as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What was read of it last.
    pub member: Member,
    /// Whether it is marked as gone, or was never read at all.
    pub absent: bool,
}

/// What becomes of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// New, or back again.
    Added,
    /// Another name or id.
    Changed,
    /// Other departments.
    Moved,
    /// Gone.
    Gone,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::Added, Self::Changed, Self::Moved, Self::Gone];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Gone => "gone",
        }
    }

    /// The change of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }
}

/// Compares what was kept with what was read, both by the members' compared ids, and tells what becomes of whom.
#[must_use]
pub fn compare(kept: &BTreeMap<String, Kept>, read: &BTreeMap<String, Member>) -> BTreeMap<String, Change> {
    let mut changes = BTreeMap::new();
    for (key, member) in read.iter().filter(|(_, member)| !member.left) {
        let change = match kept.get(key) {
            None => Some(Change::Added),
            Some(known) if known.absent => Some(Change::Added),
            Some(known) => difference(&known.member, member),
        };
        changes.extend(change.map(|change| (key.clone(), change)));
    }
    for key in kept.iter().filter(|(_, known)| !known.absent).map(|(key, _)| key) {
        if read.get(key).is_none_or(|member| member.left) {
            changes.insert(key.clone(), Change::Gone);
        }
    }
    changes
}

fn difference(before: &Member, now: &Member) -> Option<Change> {
    let departments = |member: &Member| member.departments.iter().cloned().collect::<BTreeSet<_>>();
    if departments(before) != departments(now) {
        return Some(Change::Moved);
    }
    let same = before.name == now.name
        && before.user_id == now.user_id
        && before.open_id == now.open_id
        && before.union_id == now.union_id;
    (!same).then_some(Change::Changed)
}

/// Counts changes.
#[must_use]
pub fn count(
    departments: usize,
    read: &BTreeMap<String, Member>,
    changes: &BTreeMap<String, Change>,
) -> Counts {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let of = |wanted: Change| number(changes.values().filter(|change| **change == wanted).count());
    Counts {
        departments: number(departments),
        members: number(read.values().filter(|member| !member.left).count()),
        added: of(Change::Added),
        changed: of(Change::Changed),
        moved: of(Change::Moved),
        gone: of(Change::Gone),
    }
}

/// Where a reading of the directory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It reads.
    Running,
    /// It has read, and waits for somebody to say that what it would change is meant.
    Asks,
    /// What it read is the directory now.
    Done,
    /// It could not read, or was cancelled; the directory is as it was.
    Failed,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Running, Self::Asks, Self::Done, Self::Failed];

    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Asks => "asks",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Change, Counts, Kept, Member, Range, compare, count};

    fn member(id: &str, name: &str, departments: &[&str]) -> (String, Member) {
        let departments = departments.iter().map(|&text| text.to_owned()).collect();
        let member = Member {
            user_id: id.to_owned(),
            open_id: None,
            union_id: None,
            name: name.to_owned(),
            left: false,
            departments,
        };
        (id.to_owned(), member)
    }

    fn kept(member: (String, Member), absent: bool) -> (String, Kept) {
        (member.0, Kept { member: member.1, absent })
    }

    #[test]
    fn everyone_is_added_changed_moved_or_gone() {
        let before = BTreeMap::from([
            kept(member("same", "S", &["1", "2"]), false),
            kept(member("named", "N", &["1"]), false),
            kept(member("moved", "M", &["1"]), false),
            kept(member("gone", "G", &["1"]), false),
            kept(member("long-gone", "L", &["1"]), true),
            kept(member("back", "B", &["1"]), true),
            kept(member("left", "X", &["1"]), false),
        ]);
        let mut read = BTreeMap::from([
            member("same", "S", &["2", "1"]),
            member("named", "Another", &["1"]),
            member("moved", "M", &["2"]),
            member("back", "B", &["1"]),
            member("new", "W", &["1"]),
            member("left", "X", &["1"]),
        ]);
        read.get_mut("left").unwrap().left = true;
        let changes = compare(&before, &read);
        let named: Vec<_> = changes.iter().map(|(id, change)| (id.as_str(), *change)).collect();
        assert_eq!(
            named,
            [
                ("back", Change::Added),
                ("gone", Change::Gone),
                ("left", Change::Gone),
                ("moved", Change::Moved),
                ("named", Change::Changed),
                ("new", Change::Added)
            ]
        );
        let counts = count(2, &read, &changes);
        assert_eq!(counts, Counts { departments: 2, members: 5, added: 2, changed: 1, moved: 1, gone: 2 });
    }

    #[test]
    fn more_than_a_fifth_asks_and_so_does_a_smaller_range() {
        let gone = |gone| Counts { gone, ..Counts::default() };
        assert!(!gone(2).asks(10, false));
        assert!(gone(3).asks(10, false));
        assert!(gone(1).asks(10, true));
        assert!(!gone(0).asks(10, true));
        assert!(!gone(0).asks(0, true));
    }

    #[test]
    fn a_range_is_smaller_when_something_named_before_is_not_in_it() {
        let part = |names: &[&str]| Range {
            departments: names.iter().map(|&name| name.to_owned()).collect(),
            ..Range::default()
        };
        let all = Range { all: true, ..Range::default() };
        assert!(part(&["1"]).lost(&all));
        assert!(!all.lost(&part(&["1"])));
        assert!(part(&["1"]).lost(&part(&["1", "2"])));
        assert!(!part(&["1", "2"]).lost(&part(&["1"])));
    }
}
