//! A database that is copied, from or to: no server starts on it, and none is there.

use carillon_model::Timestamp;

use super::{Wire, keeper, options, reach, setup};
use crate::db::copy::Table;
use crate::db::{Row, Tx, Value};
use crate::error::Error;
use crate::migrate::{self, Standing};

pub(crate) struct Claimed {
    wire: Wire,
}

impl Claimed {
    /// Claims it, unless it is in use.
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let mut wire = reach(options(url)?)?;
        wire.batch("SET statement_timeout = '0'").map_err(setup)?;
        // The lock under which servers start; it goes with the connection.
        let lock = "SELECT pg_try_advisory_lock(7157141300000001)";
        if single(wire.query("pg_locks", lock, &[]).map_err(setup)?)? == 0 {
            return Err(Error::Setup(
                "a server is starting on the database, or it is being copied".to_owned(),
            ));
        }
        let mut claimed = Self { wire };
        if claimed.has_table("node")? {
            let live = "SELECT count(*) FROM node
                 WHERE seen_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1";
            let live = single(claimed.wire.query("node", live, &[keeper::LEASE_MS.into()]).map_err(setup)?)?;
            if live > 0 {
                return Err(Error::Setup(format!(
                    "{live} servers are running on the database: stop them first"
                )));
            }
        }
        Ok(claimed)
    }

    fn has_table(&mut self, name: &str) -> Result<bool, Error> {
        let sql = "SELECT to_regclass($1) IS NOT NULL";
        Ok(single(self.wire.query("pg_class", sql, &[name.into()]).map_err(setup)?)? != 0)
    }

    /// How it stands to this program.
    pub(crate) fn look(&mut self) -> Result<Standing, Error> {
        let there = self.has_table("migration")?;
        let mut tx = Tx::postgres(&mut self.wire);
        if there { migrate::look(&mut tx) } else { Ok(Standing::of_nothing(&tx)) }
    }

    /// Brings it to this version.
    pub(crate) fn migrate(&mut self, now: Timestamp) -> Result<Standing, Error> {
        self.write(|tx| migrate::apply(tx, now))
    }

    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.wire.batch("BEGIN")?;
        let done = work(&mut Tx::postgres(&mut self.wire))?;
        self.wire.batch("COMMIT")?;
        Ok(done)
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
        self.wire.query_made("copied", sql, params)
    }

    /// Writes rows with one statement.
    pub(crate) fn insert(&mut self, table: &Table, rows: Vec<Vec<Value>>) -> Result<(), Error> {
        let mut lists: Vec<Vec<Value>> =
            table.columns.iter().map(|_column| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for (list, value) in lists.iter_mut().zip(row) {
                list.push(value);
            }
        }
        let kinds = table.columns.iter().map(|(_name, kind)| *kind);
        self.wire.execute_lists(&table.insert_lists(), kinds.zip(lists))
    }
}

fn single(rows: Vec<Row>) -> Result<i64, Error> {
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}
