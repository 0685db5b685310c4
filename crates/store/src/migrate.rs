//! Brings a store to this version: numbered files, each applied once, in order, all in one transaction. The two
//! databases have the same numbers and names; what a number means is the same on both. The version of a store, and of a
//! program, is the number of its last migration.
//!
//! Programs of several versions may serve one store: migrations add, they take nothing away that an older program needs.
//! Each says in the store which is the oldest version that can still serve it (`served_from`).
//!
//! An index over a table that is large is made on PostgreSQL while others write: by a migration of its own, whose file there
//! says `CREATE INDEX CONCURRENTLY name ON …` and nothing else. It runs outside of a transaction, after what stands before it
//! was committed; when it was interrupted, the next start takes out what is left of the index, and makes it anew.

use aws_lc_rs::digest;
use carillon_model::Timestamp;
use data_encoding::HEXLOWER;

use crate::db::{Tx, params};
use crate::error::Error;

/// Every migration, by number from 1: its name, and its file for each database. An applied file is never edited; a
/// change is a new file.
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        const SQLITE: &[Migration] =
            &[$(($name, include_str!(concat!("../migrations/sqlite/", $name, ".sql")))),+];
        pub(crate) const POSTGRES: &[Migration] =
            &[$(($name, include_str!(concat!("../migrations/postgres/", $name, ".sql")))),+];
    };
}
migrations![
    "0001_start",
    "0002_key_check",
    "0003_confirmation",
    "0004_topic_extras",
    "0005_resend",
    "0006_session",
    "0007_health",
    "0008_office",
    "0009_shard",
    "0010_access",
    "0011_rolling",
    "0012_copied",
    "0013_subscription_user",
    "0014_overflow",
    "0015_office_token",
    "0016_logtank",
    "0017_vacuum",
    "0018_office_contact",
    "0019_tally",
    "0020_office_recall",
    "0021_fan_out",
    "0022_lists",
    "0023_attachment",
    "0024_app_calls",
    "0025_missed",
    "0026_callbacks",
    "0027_lane_index",
    "0028_lists_of_one",
    "0029_equal",
    "0030_lane_places",
    "0031_attempt_begun",
    "0032_ended_index",
    "0033_topic_messages",
];

/// The version of this program.
pub(crate) const VERSION: usize = SQLITE.len();
/// The oldest version that can serve a store of this one. It is raised to the number of a migration that takes away, or
/// asks for, what older programs do not know; the tests below tell which do.
const SERVED_FROM: usize = FIRST_MARK;
/// The first version that looks for such a mark.
const FIRST_MARK: usize = 11;
/// The first version whose servers write down that they are there.
const FIRST_NODES: usize = 9;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,
     checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// How a store stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The store's version; 0 where there is none yet.
    pub version: usize,
    /// This program's version.
    pub known: usize,
    /// What this program would do to it, or did.
    pub migrations: Vec<&'static str>,
}

impl Standing {
    /// Where there is no store yet.
    pub(crate) fn of_nothing(tx: &Tx<'_>) -> Self {
        let migrations = files(tx).iter().map(|(name, _sql)| *name).collect();
        Self { version: 0, known: VERSION, migrations }
    }
}

/// A migration: its name, and its file.
pub(crate) type Migration = (&'static str, &'static str);

/// How indexes are made that are made beside others' writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexes {
    /// With everything else: nobody else is there.
    AtOnce,
    /// By whoever called, outside of the transaction.
    Beside,
}

/// What was applied.
pub(crate) struct Applied {
    /// How the store stood before.
    pub(crate) standing: Standing,
    /// The number of the migration that is to be applied beside others' writes before the rest is.
    pub(crate) beside: Option<usize>,
}

/// Applies what is missing. Whoever calls sees to it that nobody else does so meanwhile.
pub(crate) fn apply(tx: &mut Tx<'_>, now: Timestamp) -> Result<Standing, Error> {
    let files = files(tx);
    let Applied { standing, .. } = apply_of(tx, files, now, Indexes::AtOnce)?;
    Ok(Standing { version: standing.known, ..standing })
}

/// Applies what is missing of `files`, up to the first that is to be applied beside others' writes.
pub(crate) fn apply_of(
    tx: &mut Tx<'_>,
    files: &[Migration],
    now: Timestamp,
    indexes: Indexes,
) -> Result<Applied, Error> {
    tx.batch(TABLE)?;
    let standing = look_of(tx, files)?;
    let done = |standing, beside| Ok(Applied { standing, beside });
    if standing.migrations.is_empty() {
        return done(standing, None);
    }
    let before = standing.version;
    if (FIRST_NODES..SERVED_FROM).contains(&before) {
        let older = tx.servers_before(SERVED_FROM, before >= FIRST_MARK)?;
        if older > 0 {
            return Err(Error::Setup(format!(
                "{older} running servers know less than version {SERVED_FROM} and could not serve the database any \
                 more after it was brought to version {VERSION}: stop them first"
            )));
        }
    }
    for (index, (_name, sql)) in files.iter().enumerate().skip(before) {
        match indexes_of(sql) {
            // Where nothing is, nobody waits.
            Some(all) if indexes == Indexes::AtOnce || before == 0 => {
                all.iter().try_for_each(|index| tx.batch_made(&index.at_once()))?;
            }
            Some(_) => {
                mark(tx, before)?;
                return done(standing, Some(index + 1));
            }
            None => tx.batch(sql)?,
        }
        note(tx, files, index + 1, now)?;
    }
    mark(tx, before)?;
    done(standing, None)
}

/// Writes down who can serve a store with what was applied behind version `before`.
pub(crate) fn mark(tx: &mut Tx<'_>, before: usize) -> Result<(), Error> {
    let sql = "UPDATE migration SET served_from = $1 WHERE number > $2";
    tx.execute(sql, params![number(SERVED_FROM), number(before)]).map(drop)
}

/// Writes down that a migration was applied.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    files: &[Migration],
    applied: usize,
    now: Timestamp,
) -> Result<(), Error> {
    let Some((name, sql)) = files.get(applied - 1) else { return Ok(()) };
    tx.execute(
        "INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        params![number(applied), *name, checksum(sql), now],
    )?;
    Ok(())
}

/// An index that is made beside others' writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Its name.
    pub(crate) name: String,
    /// The statement that makes it.
    pub(crate) sql: String,
}

impl Index {
    fn at_once(&self) -> String {
        self.sql.replacen(" CONCURRENTLY ", " ", 1)
    }
}

/// The indexes that a file makes beside others' writes; nothing when it makes none, or something else as well.
pub(crate) fn indexes_of(sql: &str) -> Option<Vec<Index>> {
    let index = |statement: String| {
        let words: Vec<&str> = statement.split(' ').collect();
        match words.as_slice() {
            ["CREATE", "INDEX", "CONCURRENTLY", name, "ON", _table, ..] => {
                Some(Index { name: (*name).to_owned(), sql: statement.clone() })
            }
            _ => None,
        }
    };
    let statements = statements(sql);
    if statements.is_empty() {
        return None;
    }
    statements.into_iter().map(index).collect()
}

/// The statements of a file, without its comments, words one blank apart.
fn statements(sql: &str) -> Vec<String> {
    let lines: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
    let code = lines.join("\n");
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    code.split(';').map(words).filter(|statement| !statement.is_empty()).collect()
}

/// Tells how the store stands to this program, which may serve it once the migrations that it names are done.
///
/// # Errors
/// When this program cannot serve it, or its migrations are others.
pub(crate) fn look(tx: &mut Tx<'_>) -> Result<Standing, Error> {
    look_of(tx, files(tx))
}

fn look_of(tx: &mut Tx<'_>, files: &[Migration]) -> Result<Standing, Error> {
    let mut applied = Vec::new();
    for mut row in tx.query("migration", "SELECT number, checksum FROM migration ORDER BY number", &[])? {
        applied.push((usize::try_from(row.int()?).unwrap_or(usize::MAX), row.text()?));
    }
    for ((index, (name, sql)), (number, sum)) in files.iter().enumerate().zip(&applied) {
        if *number != index + 1 || *sum != checksum(sql) {
            return Err(Error::Setup(format!(
                "migration {name} in the database is not the one of this program"
            )));
        }
    }
    let (version, known) = (applied.len(), files.len());
    if version > known {
        may_serve(tx, version)?;
    }
    let migrations = files.iter().skip(version).map(|(name, _sql)| *name).collect();
    Ok(Standing { version, known, migrations })
}

/// A newer program was here: whether this one can still serve the store.
fn may_serve(tx: &mut Tx<'_>, version: usize) -> Result<(), Error> {
    let sql = "SELECT served_from FROM migration ORDER BY number DESC LIMIT 1";
    let mark = tx.query_one("migration", sql, &[])?.map_or(Ok(0), |mut row| row.int())?;
    // A mark of 0 was written by nobody who knew what it means.
    let from = usize::try_from(mark).ok().filter(|from| *from > 0).unwrap_or(version);
    if from <= VERSION {
        return Ok(());
    }
    Err(Error::Setup(format!(
        "the database is at version {version}, which programs from version {from} on can serve; this program's \
         version is {VERSION}: start the newer program that changed the database"
    )))
}

fn files(tx: &Tx<'_>) -> &'static [Migration] {
    if tx.is_shared() { POSTGRES } else { SQLITE }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn checksum(sql: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, sql.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::{Index, POSTGRES, SERVED_FROM, SQLITE, indexes_of, statements};

    /// Tables on whose writers nobody may wait.
    const LARGE: [&str; 12] = [
        "message",
        "delivery",
        "attempt",
        "audit",
        "subscription",
        "endpoint",
        "sealed",
        "tally",
        "equal_content",
        "idempotency_key",
        "office_recipient",
        "attachment_piece",
    ];
    /// The last migration that was made before there was another way.
    const LAST_AT_ONCE: usize = 30;

    /// The large tables over which a file makes indexes while their writers wait.
    fn held_up(sql: &str) -> Vec<String> {
        let statements = statements(sql);
        let made =
            |table: &str| statements.iter().any(|one| one.starts_with(&format!("CREATE TABLE {table} ")));
        let over = |statement: &String| {
            let rest =
                statement.strip_prefix("CREATE INDEX ").or(statement.strip_prefix("CREATE UNIQUE INDEX "))?;
            let table = rest.split_once(" ON ")?.1.split([' ', '(']).next()?;
            let beside = rest.starts_with("CONCURRENTLY ");
            (!beside && LARGE.contains(&table) && !made(table)).then(|| table.to_owned())
        };
        statements.iter().filter_map(over).collect()
    }

    #[test]
    fn no_index_is_made_while_writers_wait() {
        for (name, sql) in POSTGRES.iter().skip(LAST_AT_ONCE) {
            let held = held_up(sql);
            assert!(
                held.is_empty(),
                "{name}: writers of {held:?} wait; say CREATE INDEX CONCURRENTLY, in a file of its own"
            );
            let beside = statements(sql).iter().any(|one| one.contains("CONCURRENTLY"));
            assert!(
                !beside || indexes_of(sql).is_some(),
                "{name}: it makes more than indexes, or names none"
            );
        }
        assert_eq!(held_up("CREATE INDEX a ON delivery (x)"), ["delivery"]);
        assert_eq!(held_up("create\n-- x\n"), Vec::<String>::new());
        assert_eq!(held_up("CREATE UNIQUE INDEX a\n ON message(x) WHERE y"), ["message"]);
        assert!(
            held_up("CREATE INDEX CONCURRENTLY a ON delivery (x); CREATE INDEX b ON topic (x)").is_empty()
        );
        assert!(held_up("CREATE TABLE attempt (x BIGINT); CREATE INDEX a ON attempt (x)").is_empty());
    }

    #[test]
    fn indexes_beside_writers_are_told_from_everything_else() {
        let sql = "-- Why.\nCREATE INDEX CONCURRENTLY a\n  ON delivery (x);\nCREATE INDEX CONCURRENTLY b ON message (y);\n";
        let made = |name: &str, sql: &str| Index { name: name.to_owned(), sql: sql.to_owned() };
        let all = indexes_of(sql).unwrap();
        let expected = [
            made("a", "CREATE INDEX CONCURRENTLY a ON delivery (x)"),
            made("b", "CREATE INDEX CONCURRENTLY b ON message (y)"),
        ];
        assert_eq!(all, expected);
        assert_eq!(all[0].at_once(), "CREATE INDEX a ON delivery (x)");
        for other in [
            "",
            "CREATE INDEX a ON delivery (x)",
            "CREATE INDEX CONCURRENTLY ON delivery (x)",
            "CREATE INDEX CONCURRENTLY a ON delivery (x); DROP INDEX b",
        ] {
            assert_eq!(indexes_of(other), None, "{other}");
        }
    }

    /// Why an older program could not go on with what this statement changes.
    fn breaks(statement: &str, whole: &str) -> Option<&'static str> {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let text = words.join(" ").to_uppercase();
        let made_here = |table: &str| {
            let table = table.split('(').next().unwrap_or(table);
            whole.to_uppercase().contains(&format!("CREATE TABLE {table} "))
        };
        if text.contains(" RENAME ") {
            return Some("it renames what older programs know by its name");
        }
        if text.contains("DROP ") && !text.starts_with("DROP INDEX") {
            return Some("it takes away what older programs may need");
        }
        if text.contains("ADD COLUMN") && text.contains("NOT NULL") && !text.contains("DEFAULT") {
            return Some("it adds a column that older programs do not fill");
        }
        if text.contains("SET NOT NULL") || text.contains("ADD CONSTRAINT") || text.contains(" TYPE ") {
            return Some("it asks for more than older programs write");
        }
        let unique = text.strip_prefix("CREATE UNIQUE INDEX").and_then(|rest| rest.split(" ON ").nth(1));
        let table = unique.and_then(|rest| rest.split([' ', '(']).next());
        if table.is_some_and(|table| !made_here(table)) {
            return Some("it forbids what older programs may write twice");
        }
        None
    }

    /// What is broken by the statements of a file.
    fn broken(sql: &str) -> Vec<&'static str> {
        let lines: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
        let code = lines.join("\n");
        code.split(';').filter_map(|statement| breaks(statement, &code)).collect()
    }

    #[test]
    fn migrations_add_or_raise_the_mark() {
        for files in [SQLITE, POSTGRES] {
            for (index, (name, sql)) in files.iter().enumerate().skip(SERVED_FROM) {
                let broken = broken(sql);
                let number = index + 1;
                assert!(
                    broken.is_empty(),
                    "{name}: {broken:?}; add instead, or raise SERVED_FROM to {number}"
                );
            }
        }
    }

    #[test]
    fn the_rule_sees_what_breaks() {
        let breaking = [
            "DROP TABLE topic",
            "ALTER TABLE topic DROP COLUMN name",
            "ALTER TABLE topic RENAME COLUMN name TO title",
            "ALTER TABLE topic RENAME TO place",
            "ALTER TABLE topic ADD COLUMN x BIGINT NOT NULL",
            "ALTER TABLE topic ALTER COLUMN x SET NOT NULL",
            "ALTER TABLE topic ALTER COLUMN x TYPE TEXT",
            "CREATE UNIQUE INDEX a ON topic (x)",
        ];
        for sql in breaking {
            assert_eq!(broken(sql).len(), 1, "{sql}");
        }
        let adding = "-- DROP what is here?
            ALTER TABLE topic ADD COLUMN x BIGINT NOT NULL DEFAULT 0; ALTER TABLE topic ADD COLUMN y TEXT;
            CREATE TABLE fresh (id TEXT PRIMARY KEY, x BIGINT NOT NULL); CREATE UNIQUE INDEX a ON fresh (x);
            CREATE INDEX b ON topic (x); DROP INDEX c; ALTER TABLE topic SET (fillfactor = 80)";
        assert!(broken(adding).is_empty(), "{:?}", broken(adding));
    }
}
