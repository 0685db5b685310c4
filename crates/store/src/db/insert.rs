//! Rows that are inserted into a table which counts them up, and the places that they were given (`seq`).

use rusqlite::Connection;

use super::{On, Tx, Value, sqlite};
use crate::error::Error;

/// A statement that inserts rows, for [`Tx::insert_places`]: `insert_places!("INSERT INTO …")`. On SQLite `RETURNING`
/// gathers the rows in a table that is made for the one statement, which costs more than a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertPlaces {
    pub(crate) plain: &'static str,
    pub(crate) returning: &'static str,
}

macro_rules! insert_places {
    ($sql:literal) => {
        $crate::db::InsertPlaces { plain: $sql, returning: concat!($sql, " RETURNING seq") }
    };
}
pub(crate) use insert_places;

/// Two statements for the same rows, for [`Tx::insert_each`]. SQLite takes three times as long to pick a row out of JSON and
/// insert it as to insert it; on a server every statement is a way there and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertEach {
    /// Inserts one. Its first parameters are the same for all rows, those of the row come behind them.
    pub(crate) row: &'static str,
    /// Inserts all, in their order, and returns their `seq`. Behind the same first parameters comes one more: the rows as
    /// JSON, `[[1, "a"], …]`.
    pub(crate) list: &'static str,
}

impl Tx<'_> {
    /// Inserts rows into a table whose places stand in `seq`, and gives these in the order of the rows.
    pub(crate) fn insert_places(
        &mut self,
        table: &'static str,
        insert: InsertPlaces,
        params: &[Value],
    ) -> Result<Vec<i64>, Error> {
        let places = match &mut self.on {
            On::Sqlite(connection) => places_in_file(connection, insert.plain, params)?,
            On::Postgres(wire) => {
                let rows = wire.query(table, insert.returning, params)?;
                rows.into_iter().map(|mut row| row.int()).collect::<Result<_, _>>()?
            }
        };
        self.changed += places.len() as u64;
        Ok(places)
    }

    /// Does the same with rows that have these first values in common.
    pub(crate) fn insert_each<const N: usize>(
        &mut self,
        table: &'static str,
        insert: InsertEach,
        same: &[Value],
        rows: impl Iterator<Item = [Value; N]>,
    ) -> Result<Vec<i64>, Error> {
        match &mut self.on {
            On::Sqlite(connection) => {
                let mut places = Vec::with_capacity(rows.size_hint().0);
                let done = each_in_file(connection, insert.row, same, rows, &mut places);
                // Also what came before one that fails was written.
                self.changed += places.len() as u64;
                done.map(|()| places)
            }
            On::Postgres(wire) => {
                let params = [same, &[Value::Text(json(rows)?)]].concat();
                let rows = wire.query(table, insert.list, &params)?;
                self.changed += rows.len() as u64;
                rows.into_iter().map(|mut row| row.int()).collect()
            }
        }
    }
}

/// Inserts rows and gives their places: those of one statement follow each other up to the last, since the table counts
/// them up (`AUTOINCREMENT`) and nobody else writes meanwhile.
fn places_in_file(connection: &Connection, sql: &'static str, params: &[Value]) -> Result<Vec<i64>, Error> {
    let count = i64::try_from(sqlite::execute(connection, sql, params)?).unwrap_or(i64::MAX);
    let last = connection.last_insert_rowid();
    Ok((last - count + 1..=last).collect())
}

/// Runs a statement for each row, of which it binds nothing anew but the row's own, and gives the places of those that
/// were inserted, also when one fails.
fn each_in_file<const N: usize>(
    connection: &Connection,
    sql: &'static str,
    same: &[Value],
    rows: impl Iterator<Item = [Value; N]>,
    places: &mut Vec<i64>,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let index = |statement: &rusqlite::Statement<'_>, number: usize| {
        let index = statement.parameter_index(&format!("${number}"))?;
        index.ok_or_else(|| Error::Setup(format!("a statement has no parameter {number}")))
    };
    for (number, value) in (1..).zip(same) {
        let index = index(&statement, number)?;
        statement.raw_bind_parameter(index, value)?;
    }
    let own = (1..=N).map(|number| index(&statement, same.len() + number)).collect::<Result<Vec<_>, _>>()?;
    for row in rows {
        for (index, value) in own.iter().zip(&row) {
            statement.raw_bind_parameter(*index, value)?;
        }
        statement.raw_execute()?;
        places.push(connection.last_insert_rowid());
    }
    Ok(())
}

fn json<const N: usize>(rows: impl Iterator<Item = [Value; N]>) -> Result<String, Error> {
    let one = |value| match value {
        Value::Int(number) => Ok(number.into()),
        Value::Text(text) => Ok(text.into()),
        Value::Null(_) | Value::Bytes(_) | Value::Ints(_) | Value::Texts(_) => Err(Error::Conflict),
    };
    let row = |row: [Value; N]| row.into_iter().map(one).collect::<Result<Vec<serde_json::Value>, _>>();
    let rows = rows.map(row).collect::<Result<Vec<_>, _>>()?;
    serde_json::to_string(&rows).map_err(|_json| Error::Conflict)
}
