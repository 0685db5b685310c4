//! The two ends of a copy: a database that is read, and one that is filled, whichever kind each is. Nothing else uses
//! either meanwhile.

mod schema;

use std::path::Path;

use carillon_model::Timestamp;

pub(crate) use self::schema::{Table, tables};
use super::postgres::Claimed;
use super::{Place, Row, Tx, Value, sqlite};
use crate::error::Error;
use crate::migrate::Standing;

/// A database that nobody serves while this is there.
pub(crate) enum End {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Claimed>),
}

impl End {
    /// Claims a database that is only read, as it is.
    pub(crate) fn read(place: Place<'_>) -> Result<(Self, Standing), Error> {
        match place {
            Place::Sqlite(path) => {
                let standing = sqlite::look(path)?;
                Ok((Self::Sqlite(sqlite::connect(path, true)?), standing))
            }
            Place::Postgres(url) => {
                let mut claimed = Claimed::new(url)?;
                let standing = claimed.look()?;
                Ok((Self::Postgres(Box::new(claimed)), standing))
            }
        }
    }

    /// Claims a database that is to be filled, and brings it to this version.
    pub(crate) fn fill(place: Place<'_>, now: Timestamp) -> Result<(Self, Standing), Error> {
        match place {
            Place::Sqlite(path) => Self::fill_file(path, now),
            Place::Postgres(url) => {
                let mut claimed = Claimed::new(url)?;
                let standing = claimed.migrate(now)?;
                Ok((Self::Postgres(Box::new(claimed)), standing))
            }
        }
    }

    fn fill_file(path: &Path, now: Timestamp) -> Result<(Self, Standing), Error> {
        let mut connection = sqlite::connect(path, false)?;
        let standing = sqlite::migrate(&mut connection, now)?;
        Ok((Self::Sqlite(connection), standing))
    }

    /// Does a piece of work in one transaction.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Self::Sqlite(connection) => {
                let tx = connection.transaction()?;
                let done = work(&mut Tx::sqlite(&tx))?;
                tx.commit()?;
                Ok(done)
            }
            Self::Postgres(claimed) => claimed.write(work),
        }
    }

    /// At most `limit` rows of a table behind the key `after`, in the order of its key.
    pub(crate) fn rows(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Vec<Value>>, Error> {
        let sql = table.select(after.is_some(), limit);
        let rows = self.query(&sql, after.unwrap_or_default())?;
        Ok(rows.into_iter().map(Row::into_values).collect())
    }

    /// The key of the last row of a table.
    pub(crate) fn last_key(&mut self, table: &Table) -> Result<Option<Vec<Value>>, Error> {
        Ok(self.query(&table.select_last(), &[])?.into_iter().next().map(Row::into_values))
    }

    /// Whether a table has any row.
    pub(crate) fn has_rows(&mut self, table: &Table) -> Result<bool, Error> {
        Ok(!self.query(&format!("SELECT 1 FROM {} LIMIT 1", table.name), &[])?.is_empty())
    }

    /// Writes rows of a table, all of them or none.
    pub(crate) fn insert(&mut self, table: &Table, rows: Vec<Vec<Value>>) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => {
                let tx = connection.transaction()?;
                {
                    let mut insert = tx.prepare_cached(&table.insert_one())?;
                    for row in rows {
                        insert.execute(rusqlite::params_from_iter(row))?;
                    }
                }
                Ok(tx.commit()?)
            }
            Self::Postgres(claimed) => claimed.insert(table, rows),
        }
    }

    /// The last place that a table gave, though its row may be gone: no place is given twice.
    pub(crate) fn last_place(&mut self, table: &Table) -> Result<i64, Error> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT seq FROM sqlite_sequence WHERE name = $1",
            Self::Postgres(_) => {
                "SELECT coalesce(pg_sequence_last_value(coalesce(pg_get_serial_sequence($1, 'seq'), $1 || '_seq')\
                 ::regclass), 0)"
            }
        };
        self.query(sql, &[table.name.as_str().into()])?.into_iter().next().map_or(Ok(0), |mut row| row.int())
    }

    /// Goes on giving places behind this one.
    pub(crate) fn set_last_place(&mut self, table: &Table, place: i64) -> Result<(), Error> {
        if place == 0 {
            return Ok(());
        }
        let name = || Value::from(table.name.as_str());
        match self {
            Self::Sqlite(_) => self.write(|tx| {
                tx.execute("DELETE FROM sqlite_sequence WHERE name = $1", &[name()])?;
                let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
                tx.execute(sql, &[name(), place.into()]).map(drop)
            }),
            Self::Postgres(_) => {
                let sql =
                    "SELECT setval(coalesce(pg_get_serial_sequence($1, 'seq'), $1 || '_seq')::regclass, $2)";
                self.query(sql, &[name(), place.into()]).map(drop)
            }
        }
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, "copied", sql, params),
            Self::Postgres(claimed) => claimed.query(sql, params),
        }
    }
}
