//! The tables and their columns, as this version's migrations make them. They are the same on both databases, and are
//! read from an empty one in memory.

use carillon_model::Timestamp;

use crate::db::sqlite;
use crate::db::value::Kind;
use crate::error::Error;

/// What belongs to a place and not to the installation: how the database itself stands, which servers are there, what is
/// still to be erased from its files, and what only a file has: the index by lane, and which messages a topic has.
const OF_THE_PLACE: &[&str] = &[
    "migration",
    "node",
    "shard",
    "erased",
    "copied",
    "lane_places",
    "lane_mark",
    "topic_message",
    "topic_mark",
];

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<(String, Kind)>,
    /// Which columns tell a row, in their order; none where nothing does.
    pub(crate) key: Vec<usize>,
    /// Whether it counts the places that it gives.
    pub(crate) has_places: bool,
}

/// Every table of an installation, each behind those that it refers to.
pub(crate) fn tables() -> Result<Vec<Table>, Error> {
    let mut connection = rusqlite::Connection::open_in_memory()?;
    sqlite::migrate(&mut connection, Timestamp(0))?;
    // A table can only refer to one that was made before it.
    let sql =
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
         ORDER BY rowid";
    let mut tables = Vec::new();
    for mut row in sqlite::query(&connection, "sqlite_master", sql, &[])? {
        let (name, text) = (row.text()?, row.text()?);
        if OF_THE_PLACE.contains(&name.as_str()) {
            continue;
        }
        let mut table =
            Table { name, columns: Vec::new(), key: Vec::new(), has_places: text.contains("AUTOINCREMENT") };
        let sql = "SELECT name, type, pk FROM pragma_table_info($1)";
        let mut key = Vec::new();
        for mut row in sqlite::query(&connection, "pragma_table_info", sql, &[table.name.as_str().into()])? {
            let (column, kind, place) = (row.text()?, row.text()?, row.int()?);
            if place > 0 {
                key.push((place, table.columns.len()));
            }
            let kind = match kind.as_str() {
                "INTEGER" | "BIGINT" => Kind::Int,
                "TEXT" => Kind::Text,
                "BLOB" => Kind::Bytes,
                _ => return Err(row.corrupt("it is of a kind that is not copied")),
            };
            table.columns.push((column, kind));
        }
        key.sort_unstable();
        table.key = key.into_iter().map(|(_place, column)| column).collect();
        tables.push(table);
    }
    Ok(tables)
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _kind)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn key_names(&self) -> Vec<&str> {
        self.key.iter().filter_map(|at| self.columns.get(*at)).map(|(name, _kind)| name.as_str()).collect()
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &[crate::db::Value]) -> Vec<crate::db::Value> {
        self.key.iter().filter_map(|at| row.get(*at)).cloned().collect()
    }

    /// All columns, in the order of the key; behind a key when there is one.
    pub(super) fn select(&self, behind: bool, limit: usize) -> String {
        let (names, key) = (self.names(), self.key_names().join(", "));
        let order = if key.is_empty() { &names } else { &key };
        let from = &self.name;
        if !behind {
            return format!("SELECT {names} FROM {from} ORDER BY {order} LIMIT {limit}");
        }
        let places = (1..=self.key.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        format!("SELECT {names} FROM {from} WHERE ({key}) > ({places}) ORDER BY {order} LIMIT {limit}")
    }

    /// The key of the last row.
    pub(super) fn select_last(&self) -> String {
        let key = self.key_names();
        let order = key.iter().map(|name| format!("{name} DESC")).collect::<Vec<_>>().join(", ");
        format!("SELECT {} FROM {} ORDER BY {order} LIMIT 1", key.join(", "), self.name)
    }

    /// One row.
    pub(super) fn insert_one(&self) -> String {
        let places = (1..=self.columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({}) VALUES ({places})", self.name, self.names())
    }

    /// Many rows, a list for each column.
    pub(crate) fn insert_lists(&self) -> String {
        let list = |(at, (_name, kind)): (usize, &(String, Kind))| {
            let kind = match kind {
                Kind::Int | Kind::Ints => "bigint",
                Kind::Text | Kind::Texts => "text",
                Kind::Bytes => "bytea",
            };
            format!("${}::{kind}[]", at + 1)
        };
        let lists = self.columns.iter().enumerate().map(list).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({}) SELECT * FROM unnest({lists})", self.name, self.names())
    }
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn tables_stand_behind_those_that_they_refer_to() {
        let tables = tables().unwrap();
        let place = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        let pairs = [
            ("project", "topic"),
            ("account", "membership"),
            ("endpoint", "subscription"),
            ("subscription", "filter_policy"),
            ("connection", "office_recipient"),
            ("office_group", "office_group_part"),
        ];
        for (first, then) in pairs {
            assert!(place(first) < place(then), "{first} {then}");
        }
        let places: Vec<_> =
            tables.iter().filter(|table| table.has_places).map(|table| table.name.as_str()).collect();
        assert_eq!(places, ["sealed", "delivery", "fan_out", "recipient_list"]);
        // What nothing tells apart is copied as a whole, so it must be small.
        let whole: Vec<_> =
            tables.iter().filter(|table| table.key.is_empty()).map(|table| table.name.as_str()).collect();
        assert_eq!(whole, ["confirmation_sent"]);
    }
}
