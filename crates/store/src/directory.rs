//! Whom an office app reaches: members, departments and chats as the last update read them.

use std::collections::{BTreeMap, BTreeSet};

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::office::recipient::folded;
use carillon_model::office::{Department, Platform, Recipient, RecipientKind};

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// A member or a chat as it is kept. Its id is the lane that messages to it take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Our id.
    pub id: EndpointId,
    /// The platform's id.
    pub platform_id: String,
    /// The id that only this app knows the person by.
    pub open_id: Option<String>,
    /// The id that all apps of one developer know the person by.
    pub union_id: Option<String>,
    /// The name.
    pub name: String,
    /// What a chat is for.
    pub about: String,
    /// Whether it is still there.
    pub is_there: bool,
    /// The departments a member is in directly.
    pub departments: Vec<String>,
    /// When it was read first.
    pub first_seen: Timestamp,
    /// When it was read last.
    pub last_seen: Timestamp,
    /// Since when it is gone.
    pub gone_at: Option<Timestamp>,
}

/// Which members or chats a list shows.
#[derive(Debug, Clone, Default)]
pub struct RecipientFilter {
    /// Those whose name or platform's id holds this.
    pub text: Option<String>,
    /// Those who are in this department directly, by the platform's id.
    pub department: Option<String>,
}

/// One whom a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// Our id, and the lane.
    pub id: EndpointId,
    /// Member or chat.
    pub kind: RecipientKind,
    /// The platform's id.
    pub platform_id: String,
    /// The name.
    pub name: String,
    /// Whether the directory says that it is gone: the delivery fails without a call.
    pub gone: bool,
}

/// Why somebody cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreached {
    /// The directory says that the person, or the chat, is gone.
    Gone,
    /// There is no such department in the directory.
    NoDepartment,
    /// There is no such group.
    NoGroup,
    /// The department or group has nobody in it.
    Empty,
}

impl Unreached {
    /// The reason's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::NoDepartment => "no_department",
            Self::NoGroup => "no_group",
            Self::Empty => "empty",
        }
    }
}

/// What recipients come down to: everyone once, and who cannot be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// Everyone, each once, in the order they were named.
    pub to: Vec<Addressed>,
    /// Who cannot be reached, and why.
    pub unreached: Vec<(Recipient, Unreached)>,
}

macro_rules! select_kept {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.platform_id, r.open_id, r.union_id, r.name, r.about, r.state, r.first_seen, r.last_seen,
             r.gone_at FROM office_recipient r ",
            $rest
        )
    };
}

pub(crate) fn read_kept(row: &mut Row) -> Result<Kept, Error> {
    Ok(Kept {
        id: row.parsed(|text| EndpointId::parse(text).ok())?,
        platform_id: row.text()?,
        open_id: row.maybe_text()?,
        union_id: row.maybe_text()?,
        name: row.text()?,
        about: row.text()?,
        is_there: row.int()? == 0,
        departments: Vec::new(),
        first_seen: row.time()?,
        last_seen: row.time()?,
        gone_at: row.maybe_time()?,
    })
}

/// Expands recipients within one transaction.
struct Expansion<'a, 't> {
    tx: &'a mut Tx<'t>,
    connection: &'a str,
    platform: Platform,
    now: Timestamp,
    fresh: Box<dyn FnMut() -> EndpointId + 'a>,
    seen: BTreeSet<String>,
    /// How many were come upon, those that were seen before among them.
    met: usize,
    children: Option<BTreeMap<String, Vec<String>>>,
    found: Expanded,
}

impl Expansion<'_, '_> {
    fn add(&mut self, recipient: &Recipient) -> Result<(), Error> {
        let before = (self.met, self.found.unreached.len());
        match recipient.kind {
            RecipientKind::Member | RecipientKind::Chat => return self.add_named(recipient),
            RecipientKind::Department => {
                let Some(department) = self.department(&recipient.id)? else {
                    self.found.unreached.push((recipient.clone(), Unreached::NoDepartment));
                    return Ok(());
                };
                self.add_department(&department, true)?;
            }
            RecipientKind::Group => {
                let Some(group) = self.group(&recipient.id)? else {
                    self.found.unreached.push((recipient.clone(), Unreached::NoGroup));
                    return Ok(());
                };
                self.add_group(&group)?;
            }
        }
        if (self.met, self.found.unreached.len()) == before {
            self.found.unreached.push((recipient.clone(), Unreached::Empty));
        }
        Ok(())
    }

    /// The platform's id of a department, by either of its ids; the root of all may be named too.
    fn department(&mut self, id: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT platform_id FROM office_department WHERE connection_id = $1
             AND (platform_id = $2 OR other_id = $2)";
        let found = self.tx.query_one("office_department", sql, params![self.connection, id])?;
        if let Some(mut row) = found {
            return row.text().map(Some);
        }
        let sql =
            "SELECT department FROM office_membership WHERE connection_id = $1 AND department = $2 LIMIT 1";
        let held = self.tx.query_one("office_membership", sql, params![self.connection, id])?;
        let sql =
            "SELECT platform_id FROM office_department WHERE connection_id = $1 AND parent = $2 LIMIT 1";
        let below = self.tx.query_one("office_department", sql, params![self.connection, id])?;
        Ok((held.is_some() || below.is_some()).then(|| id.to_owned()))
    }

    fn add_department(&mut self, top: &str, deep: bool) -> Result<(), Error> {
        let mut open = vec![top.to_owned()];
        let mut entered = BTreeSet::new();
        while let Some(department) = open.pop() {
            if !entered.insert(department.clone()) {
                continue;
            }
            let sql = "SELECT r.id, r.platform_id, r.name, r.state FROM office_membership m
                 JOIN office_recipient r ON r.id = m.recipient_id
                 WHERE m.connection_id = $1 AND m.department = $2 AND r.state = 0 ORDER BY r.id";
            let rows =
                self.tx.query("office_recipient", sql, params![self.connection, department.as_str()])?;
            for row in rows {
                self.push(row, RecipientKind::Member)?;
            }
            if deep {
                open.extend(self.children()?.get(&department).cloned().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn children(&mut self) -> Result<&BTreeMap<String, Vec<String>>, Error> {
        if self.children.is_none() {
            let sql = "SELECT parent, platform_id FROM office_department
                 WHERE connection_id = $1 AND parent IS NOT NULL";
            let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for mut row in self.tx.query("office_department", sql, params![self.connection])? {
                children.entry(row.text()?).or_default().push(row.text()?);
            }
            self.children = Some(children);
        }
        Ok(self.children.get_or_insert_default())
    }

    fn group(&mut self, id: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT id FROM office_group WHERE connection_id = $1 AND (id = $2 OR name = $2)";
        let row = self.tx.query_one("office_group", sql, params![self.connection, id])?;
        row.map(|mut row| row.text()).transpose()
    }

    fn add_group(&mut self, group: &str) -> Result<(), Error> {
        let sql =
            "SELECT kind, platform_id FROM office_group_part WHERE group_id = $1 ORDER BY kind, platform_id";
        for mut row in self.tx.query("office_group_part", sql, params![group])? {
            let (kind, id) = (row.text()?, row.text()?);
            match kind.as_str() {
                "member" => self.add_named(&Recipient { kind: RecipientKind::Member, id })?,
                deep => match self.department(&id)? {
                    Some(department) => self.add_department(&department, deep == "department")?,
                    None => {
                        let named = Recipient { kind: RecipientKind::Department, id };
                        self.found.unreached.push((named, Unreached::NoDepartment));
                    }
                },
            }
        }
        Ok(())
    }

    /// One member or chat, by our id or any of the platform's. One that was never read is tried all the same: what the
    /// platform says of it is the truth.
    fn add_named(&mut self, recipient: &Recipient) -> Result<(), Error> {
        let key = folded(self.platform, &recipient.id);
        let sql = "SELECT r.merged_into, r.id, r.platform_id, r.name, r.state FROM office_recipient r
             WHERE r.connection_id = $1 AND r.kind = $2
             AND (r.key = $3 OR r.id = $4 OR r.open_id = $4 OR r.union_id = $4) ORDER BY r.state LIMIT 1";
        let kind = recipient.kind.name();
        let named = params![self.connection, kind, key.as_str(), recipient.id.as_str()];
        if let Some(row) = self.tx.query_one("office_recipient", sql, named)? {
            let row = self.followed(row)?;
            if self.push(row, recipient.kind)? {
                self.found.unreached.push((recipient.clone(), Unreached::Gone));
            }
            return Ok(());
        }
        let id = (self.fresh)();
        let sql = "INSERT INTO office_recipient (id, connection_id, kind, key, platform_id, name, about, state, first_seen,
             last_seen) VALUES ($1, $2, $3, $4, $5, '', '', 2, $6, $6)";
        let new = params![id.to_string(), self.connection, kind, key, recipient.id.as_str(), self.now];
        self.tx.execute(sql, new)?;
        self.seen.insert(id.to_string());
        self.found.to.push(Addressed {
            id,
            kind: recipient.kind,
            platform_id: recipient.id.clone(),
            name: String::new(),
            gone: false,
        });
        Ok(())
    }

    /// Who somebody is now: one who is gone may be another one, as somebody said, and that one again.
    fn followed(&mut self, mut row: Row) -> Result<Row, Error> {
        const MERGES_MAX: usize = 16;
        let mut merged_into = row.maybe_text()?;
        for _merge in 0..MERGES_MAX {
            let Some(id) = merged_into.take() else { break };
            let sql = "SELECT r.merged_into, r.id, r.platform_id, r.name, r.state FROM office_recipient r
                 WHERE r.id = $1 AND r.connection_id = $2";
            let next = self.tx.query_one("office_recipient", sql, params![id, self.connection])?;
            let Some(next) = next else { break };
            row = next;
            merged_into = row.maybe_text()?;
        }
        Ok(row)
    }

    /// Adds somebody who was not met yet, and tells whether it is one who is gone.
    fn push(&mut self, mut row: Row, kind: RecipientKind) -> Result<bool, Error> {
        let id = row.parsed(|text| EndpointId::parse(text).ok())?;
        let (platform_id, name) = (row.text()?, row.text()?);
        let gone = row.int()? == 1;
        self.met += 1;
        if self.seen.insert(id.to_string()) {
            self.found.to.push(Addressed { id, kind, platform_id, name, gone });
            return Ok(gone);
        }
        Ok(false)
    }
}

impl Store {
    /// Expands recipients of a connection to members and chats, each once. Nothing when there is no such connection.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn recipients_expand(
        &self,
        connection: ConnectionId,
        recipients: Vec<Recipient>,
    ) -> Result<Option<Expanded>, Error> {
        let (now, chance) = (self.clock.now(), self.chance.clone());
        let expand = move |tx: &mut Tx<'_>| {
            let id = connection.to_string();
            let sql = "SELECT platform FROM connection WHERE id = $1";
            let Some(mut row) = tx.query_one("connection", sql, params![id.as_str()])? else {
                return Ok(None);
            };
            let platform = row.parsed(Platform::from_name)?;
            let mut expansion = Expansion {
                tx,
                connection: &id,
                platform,
                now,
                fresh: Box::new(|| EndpointId::new(now, chance.as_ref())),
                seen: BTreeSet::new(),
                met: 0,
                children: None,
                found: Expanded::default(),
            };
            for recipient in &recipients {
                expansion.add(recipient)?;
            }
            Ok(Some(expansion.found))
        };
        self.db.write(expand).await
    }

    /// Lists a connection's members or chats by our ids, behind `after`: those that a filter lets through.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recipient_page(
        &self,
        connection: ConnectionId,
        kind: RecipientKind,
        filter: RecipientFilter,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<Kept>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = select_kept!(
                "WHERE r.connection_id = $1 AND r.kind = $2 AND r.state <> 2 AND ($3 IS NULL OR r.id > $3)
                 AND ($4 IS NULL OR r.name LIKE $4 ESCAPE '\\' OR r.platform_id LIKE $4 ESCAPE '\\')
                 AND ($6 IS NULL OR EXISTS (SELECT 1 FROM office_membership m WHERE m.connection_id = r.connection_id
                     AND m.department = $6 AND m.recipient_id = r.id))
                 ORDER BY r.id LIMIT $5"
            );
            let part = crate::topic::part(filter.text.as_ref());
            let after = after.map(|id| id.to_string());
            let rows = tx.query(
                "office_recipient",
                sql,
                params![connection.to_string(), kind.name(), after, part, limit, filter.department],
            )?;
            let mut found = Vec::with_capacity(rows.len());
            for mut row in rows {
                let mut kept = read_kept(&mut row)?;
                let sql =
                    "SELECT department FROM office_membership WHERE recipient_id = $1 ORDER BY department";
                for mut row in tx.query("office_membership", sql, params![kept.id.to_string()])? {
                    kept.departments.push(row.text()?);
                }
                found.push(kept);
            }
            Ok(found)
        };
        self.db.read(list).await
    }

    /// Finds a chat of a connection that is there, by our id or the platform's, and gives the platform's.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn chat_find(&self, connection: ConnectionId, id: &str) -> Result<Option<Kept>, Error> {
        let id = id.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_kept!(
                "WHERE r.connection_id = $1 AND r.kind = 'chat' AND r.state = 0 AND (r.id = $2 OR r.platform_id = $2)"
            );
            tx.query_one("office_recipient", sql, params![connection.to_string(), id])
        };
        self.db.read(find).await?.map(|mut row| read_kept(&mut row)).transpose()
    }

    /// Writes down how a chat is called now, and what it is for.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn chat_rename(
        &self,
        id: EndpointId,
        name: Option<String>,
        about: Option<String>,
    ) -> Result<(), Error> {
        let rename = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE office_recipient SET name = coalesce($2, name), about = coalesce($3, about)
                 WHERE id = $1 AND kind = 'chat'";
            tx.execute(sql, params![id.to_string(), name, about])
        };
        self.db.write(rename).await.map(drop)
    }

    /// Lists a connection's departments by the platform's ids, behind `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn department_page(
        &self,
        connection: ConnectionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<(Department, u64)>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.platform_id, d.other_id, d.parent, d.name,
                 (SELECT count(*) FROM office_membership m WHERE m.connection_id = d.connection_id
                  AND m.department = d.platform_id) FROM office_department d
                 WHERE d.connection_id = $1 AND ($2 IS NULL OR d.platform_id > $2) ORDER BY d.platform_id LIMIT $3";
            tx.query("office_department", sql, params![connection.to_string(), after, limit])
        };
        let read = |mut row: Row| {
            let department = Department {
                id: row.text()?,
                other_id: row.maybe_text()?,
                parent: row.maybe_text()?,
                name: row.text()?,
            };
            Ok((department, u64::try_from(row.int()?).unwrap_or(0)))
        };
        self.db.read(list).await?.into_iter().map(read).collect()
    }
}
