//! Groups of people of our own: members named one by one, and departments with or without those below them.

use carillon_model::id::{ConnectionId, GroupId};

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// A part of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPart {
    /// What it is.
    pub kind: GroupPartKind,
    /// The platform's id.
    pub id: String,
}

/// What a part of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPartKind {
    /// One member.
    Member,
    /// A department with all below it.
    Department,
    /// A department without those below it.
    DepartmentOnly,
}

impl GroupPartKind {
    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Department => "department",
            Self::DepartmentOnly => "department_only",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Member, Self::Department, Self::DepartmentOnly].into_iter().find(|kind| kind.name() == name)
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name, unique in its connection.
    pub name: String,
    /// Its parts.
    pub parts: Vec<GroupPart>,
}

fn set_parts(tx: &mut Tx<'_>, group: &str, parts: &[GroupPart]) -> Result<(), Error> {
    tx.execute("DELETE FROM office_group_part WHERE group_id = $1", params![group])?;
    for part in parts {
        let sql = "INSERT INTO office_group_part (group_id, kind, platform_id) VALUES ($1, $2, $3)
             ON CONFLICT (group_id, kind, platform_id) DO NOTHING";
        tx.execute(sql, params![group, part.kind.name(), part.id.as_str()])?;
    }
    Ok(())
}

impl Store {
    /// Makes a group, or replaces the parts of the one of that name.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn group_put(
        &self,
        connection: ConnectionId,
        name: String,
        parts: Vec<GroupPart>,
    ) -> Result<GroupId, Error> {
        let now = self.clock.now();
        let fresh = GroupId::new(now, self.chance.as_ref());
        let put = move |tx: &mut Tx<'_>| {
            let connection = connection.to_string();
            let sql = "SELECT id FROM office_group WHERE connection_id = $1 AND name = $2";
            let found = tx.query_one("office_group", sql, params![connection.as_str(), name.as_str()])?;
            let id = match found {
                Some(mut row) => row.parsed(|text| GroupId::parse(text).ok())?,
                None => {
                    let sql = "INSERT INTO office_group (id, connection_id, name, created_at) VALUES ($1, $2, $3, $4)";
                    tx.execute(sql, params![fresh.to_string(), connection, name, now])?;
                    fresh
                }
            };
            set_parts(tx, &id.to_string(), &parts)?;
            Ok(id)
        };
        self.db.write(put).await
    }

    /// Lists a connection's groups by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn group_list(&self, connection: ConnectionId) -> Result<Vec<Group>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT id, name FROM office_group WHERE connection_id = $1 ORDER BY name";
            let mut groups = Vec::new();
            for mut row in tx.query("office_group", sql, params![connection.to_string()])? {
                let id = row.parsed(|text| GroupId::parse(text).ok())?;
                let name = row.text()?;
                let sql = "SELECT kind, platform_id FROM office_group_part WHERE group_id = $1 ORDER BY kind, platform_id";
                let read = |mut row: Row| {
                    Ok(GroupPart { kind: row.parsed(GroupPartKind::from_name)?, id: row.text()? })
                };
                let rows = tx.query("office_group_part", sql, params![id.to_string()])?;
                let parts = rows.into_iter().map(read).collect::<Result<_, Error>>()?;
                groups.push(Group { id, name, parts });
            }
            Ok(groups)
        };
        self.db.read(list).await
    }

    /// Removes a group and tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn group_delete(&self, connection: ConnectionId, id: GroupId) -> Result<bool, Error> {
        let delete = move |tx: &mut Tx<'_>| {
            let id = id.to_string();
            let sql = "SELECT id FROM office_group WHERE id = $1 AND connection_id = $2";
            if tx.query_one("office_group", sql, params![id.as_str(), connection.to_string()])?.is_none() {
                return Ok(false);
            }
            tx.execute("DELETE FROM office_group_part WHERE group_id = $1", params![id.as_str()])?;
            Ok(tx.execute("DELETE FROM office_group WHERE id = $1", params![id])? > 0)
        };
        self.db.write(delete).await
    }
}
