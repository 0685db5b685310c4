//! Opens a store in its data directory.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carillon_model::id::{ProjectId, SubscriptionId, TopicId};
use carillon_model::quota::Quotas;
use carillon_model::subscription::Target;
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Chance, Clock, SecretText, Timestamp};

use crate::account::Holder;
use crate::app_calls::Calls;
use crate::begun::Begun;
use crate::copy;
use crate::db::{self, Db, Hand, Observer, Tx};
use crate::error::Error;
use crate::fan_out::FanOut;
use crate::kept::Kept;
use crate::key_check::{self, KeyStanding};
use crate::message_together::Together;
use crate::migrate::Standing;
use crate::one_copy::OneCopy;
use crate::recipient::TopicRecipients;
use crate::shard::Shards;
use crate::tally::Counted;
use crate::vault::Vault;
use crate::wake::Wake;

/// How many opened targets are kept in memory.
const TARGETS_KEPT_MAX: usize = 16_384;
/// How many topics are kept in memory, and of how many their recipients.
const TOPICS_KEPT_MAX: usize = 2_048;
/// How many tokens' holders are kept in memory.
const HOLDERS_KEPT_MAX: usize = 1_024;

/// Where a store lives.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory of the database and, unless named elsewhere, the key file.
    pub data_dir: PathBuf,
    /// The key file; `master.key` in the data directory when not set.
    pub key_file: Option<PathBuf>,
    /// The PostgreSQL database that several servers share; a file in the data directory when not set.
    pub database_url: Option<SecretText>,
}

impl Settings {
    /// The database's file, where it is one, and the key file.
    fn files(&self) -> (PathBuf, PathBuf) {
        let key_file = self.key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"));
        (database(&self.data_dir), key_file)
    }
}

/// Who holds a token, and when it ends.
pub(crate) type Held = (Holder, Option<Timestamp>);

/// What the service and the engine remember things in.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) shards: Arc<Shards>,
    pub(crate) quotas: Quotas,
    pub(crate) fan_out: Arc<FanOut>,
    pub(crate) together: Arc<Together>,
    /// Which attempts this server wrote down as begun.
    pub(crate) begun: Arc<Begun>,
    /// Messages that lanes have in memory.
    pub(crate) copies: Arc<OneCopy>,
    /// Opened targets, for the next delivery of the same subscription.
    pub(crate) targets: Arc<Kept<SubscriptionId, Arc<Target>>>,
    pub(crate) recipients: Arc<Kept<TopicId, Arc<TopicRecipients>>>,
    pub(crate) topics: Arc<Kept<(ProjectId, TopicName), Topic>>,
    /// Who holds a token, by its hash, and when it ends.
    pub(crate) holders: Arc<Kept<[u8; 32], Held>>,
    /// What has been counted for charts and is not written yet.
    pub(crate) counted: Arc<Counted>,
    /// What apps called this month, and how much of it may be.
    pub(crate) calls: Arc<Calls>,
    /// How many messages went to nobody because they say the same as another, since that was asked for last.
    pub(crate) suppressed: Arc<AtomicU64>,
    /// Behind which message to look for old ones: those before it must stay for now.
    pub(crate) passed_over: Arc<Mutex<String>>,
    /// Held for as long as the store is open.
    pub(crate) lock: Arc<File>,
}

impl Store {
    /// Opens the store, and makes its directory, key and database when they are missing.
    ///
    /// # Errors
    /// When the directory is in use by another server, a file in it cannot be read or written or is of a newer
    /// version, or the key file is another installation's.
    pub fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Error> {
        let lock = claim(&settings.data_dir)?;
        let (database, key_file) = settings.files();
        let (db, vault) = match &settings.database_url {
            None => open_file(&database, &key_file, clock.now(), chance.as_ref(), observer)?,
            Some(url) => open_server(url, &key_file, clock.now(), chance.as_ref(), observer)?,
        };
        Ok(Self::new(db, vault, clock, chance, lock))
    }

    /// Brings the store to this program's version and tells what was done to it: what [`Store::open`] does by itself,
    /// beforehand.
    ///
    /// # Errors
    /// As [`Store::open`], and when servers are running that could not go on.
    pub fn migrate(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Result<Standing, Error> {
        let store = Self::open(settings, clock, chance, Arc::new(db::NoObserver))?;
        Ok(store.db.standing().clone())
    }

    /// Brings a store on PostgreSQL to a version behind this program's, by `more` migrations, each a name and its file: how
    /// migrations are applied is tried with it.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    pub fn migrate_behind(
        settings: &Settings,
        now: Timestamp,
        more: &[(&'static str, &'static str)],
    ) -> Result<(), Error> {
        let Some(url) = &settings.database_url else {
            return Err(Error::Setup("only a database that servers share".to_owned()));
        };
        Db::migrate_behind(url.reveal(), now, more)
    }

    /// How a store stands to this program, and what [`Store::migrate`] would do. Changes nothing.
    ///
    /// # Errors
    /// When it cannot be read, or this program cannot serve it.
    pub fn look(settings: &Settings) -> Result<Standing, Error> {
        match &settings.database_url {
            None => Db::look(db::Place::Sqlite(&settings.files().0)),
            Some(url) => Db::look(db::Place::Postgres(url.reveal())),
        }
    }

    /// How a store and its key file stand to this program and to each other. Changes nothing.
    ///
    /// # Errors
    /// When one of them cannot be read, or this program cannot serve the store.
    pub fn examine(settings: &Settings) -> Result<(Standing, KeyStanding), Error> {
        let standing = Self::look(settings)?;
        let (database, key_file) = settings.files();
        let vault = Vault::read(&key_file)?;
        // The known word came with the second migration.
        if standing.version < 2 {
            return Ok((standing, KeyStanding::Nothing));
        }
        let place = match &settings.database_url {
            None => db::Place::Sqlite(&database),
            Some(url) => db::Place::Postgres(url.reveal()),
        };
        Ok((standing, Db::look_into(place, |tx| key_check::stands(tx, vault.as_ref()))?))
    }

    /// Opens the store in the directory as [`Store::open`] does, but so that it does nothing before the hand is told
    /// to: a simulation decides what is done when, and where it is cut.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_by_hand(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        observer: Arc<dyn Observer>,
    ) -> Result<(Self, Hand), Error> {
        let lock = claim(&settings.data_dir)?;
        let (database, key_file) = settings.files();
        let vault = open_vault(&database, &key_file, chance.as_ref())?;
        let own = |tx: &mut Tx<'_>| check_key(tx, &vault, &database, &key_file, chance.as_ref());
        let (db, hand) = Db::open_by_hand(&database, clock.now(), observer, own)?;
        Ok((Self::new(db, vault, clock, chance, lock), hand))
    }

    fn new(db: Db, vault: Vault, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>, lock: File) -> Self {
        Self {
            db,
            vault: Arc::new(vault),
            clock,
            chance,
            wake: Arc::new(Wake::default()),
            shards: Arc::new(Shards::default()),
            quotas: Quotas::default(),
            fan_out: Arc::default(),
            copies: Arc::default(),
            together: Arc::default(),
            begun: Arc::default(),
            targets: Arc::new(Kept::new(TARGETS_KEPT_MAX)),
            recipients: Arc::new(Kept::new(TOPICS_KEPT_MAX)),
            topics: Arc::new(Kept::new(TOPICS_KEPT_MAX)),
            holders: Arc::new(Kept::new(HOLDERS_KEPT_MAX)),
            counted: Arc::default(),
            calls: Arc::default(),
            suppressed: Arc::default(),
            passed_over: Arc::default(),
            lock: Arc::new(lock),
        }
    }

    /// The same store, which takes in as much as the operator says.
    #[must_use]
    pub fn with_quotas(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// The same store, which fans out messages to more than `over` recipients afterwards, `portion` of them in a step.
    #[must_use]
    pub fn with_fan_out(self, over: usize, portion: usize) -> Self {
        Self { fan_out: Arc::new(FanOut::new(over, portion.max(1))), ..self }
    }

    /// How much the operator says that it takes in.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        self.quotas
    }

    /// Whether a write can be made durable now.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), Error> {
        let write =
            |tx: &mut Tx<'_>| tx.execute("UPDATE migration SET number = number WHERE number = 0", &[]);
        self.db.write_flow(write, |_rows| ()).await?;
        Ok(())
    }

    /// The version of the database: how many migrations were applied when it was opened.
    #[must_use]
    pub fn version(&self) -> usize {
        self.db.standing().version
    }

    /// Whether servers can share the database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.db.is_shared()
    }

    /// The wake through which new deliveries reach the engine.
    #[must_use]
    pub fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }
}

fn open_file(
    database: &Path,
    key_file: &Path,
    now: Timestamp,
    chance: &dyn Chance,
    observer: Arc<dyn Observer>,
) -> Result<(Db, Vault), Error> {
    let vault = open_vault(database, key_file, chance)?;
    let own = |tx: &mut Tx<'_>| check_key(tx, &vault, database, key_file, chance);
    let db = Db::open(db::Place::Sqlite(database), now, observer, own)?;
    Ok((db, vault))
}

/// The database's file in a data directory.
pub(crate) fn database(data_dir: &Path) -> PathBuf {
    data_dir.join("carillon.db")
}

/// How often a data directory that another process holds is asked for, and how long lies between.
const LOCK_TRIES: u32 = 10;
const LOCK_WAIT: Duration = Duration::from_millis(25);

/// Makes the directory, if there is none, and claims it for this process.
#[expect(clippy::disallowed_methods, reason = "nobody tells when another process lets go")]
pub(crate) fn claim(dir: &Path) -> Result<File, Error> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        Error::Setup(format!("the data directory {} cannot be made: {error}", dir.display()))
    })?;
    lock(dir, || std::thread::sleep(LOCK_WAIT))
}

fn open_vault(database: &Path, key_file: &Path, chance: &dyn Chance) -> Result<Vault, Error> {
    if database.exists() && !key_file.exists() {
        return Err(Error::Setup(format!(
            "the database {} exists but its key file {} does not: put the key file back, nothing sealed can be \
             opened without it",
            database.display(),
            key_file.display()
        )));
    }
    let vault = Vault::open(key_file, chance)?;
    close_to_others(database).map_err(|error| {
        Error::Setup(format!("the database {} cannot be closed to others: {error}", database.display()))
    })?;
    Ok(vault)
}

fn check_key(
    tx: &mut Tx<'_>,
    vault: &Vault,
    database: &Path,
    key_file: &Path,
    chance: &dyn Chance,
) -> Result<(), Error> {
    copy::is_whole(tx)?;
    match key_check::fits(tx, vault, chance)? {
        true => Ok(()),
        false => Err(foreign_key(key_file, &format!("the database {}", database.display()))),
    }
}

/// The key file is made only for a database that has none yet, so that a server which was started without the key
/// leaves no wrong one behind.
fn open_server(
    url: &SecretText,
    key_file: &Path,
    now: Timestamp,
    chance: &dyn Chance,
    observer: Arc<dyn Observer>,
) -> Result<(Db, Vault), Error> {
    let mut opened = None;
    let own = |tx: &mut Tx<'_>| {
        copy::is_whole(tx)?;
        if key_check::is_kept(tx)? && !key_file.exists() {
            return Err(Error::Setup(format!(
                "the database is in use but the key file {} does not exist: give this server a copy of the key file \
                 that the others have, nothing sealed can be opened without it",
                key_file.display()
            )));
        }
        let vault = opened.insert(Vault::open(key_file, chance)?);
        match key_check::fits(tx, vault, chance)? {
            true => Ok(()),
            false => Err(foreign_key(key_file, "this database")),
        }
    };
    let db = Db::open(db::Place::Postgres(url.reveal()), now, observer, own)?;
    let vault = opened.ok_or_else(|| Error::Setup("the key file was not opened".to_owned()))?;
    Ok((db, vault))
}

fn foreign_key(key_file: &Path, database: &str) -> Error {
    Error::Setup(format!(
        "the key file {} does not hold the keys of {database}: put this installation's own key file back, or name it \
         with --key-file; no address, secret or token can be read with another",
        key_file.display()
    ))
}

/// Makes the database's file, if there is none, and closes it and its companions to others. SQLite gives its
/// companions the rights that the file has when they are made.
pub(crate) fn close_to_others(database: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true).mode(0o600).open(database)?;
    for ending in ["", "-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(ending);
        let path = PathBuf::from(path);
        if path.exists() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Two servers on one directory would send twice and out of order. One that is just ending holds it for a moment more, and so
/// does a program that was started while it was held, until it is that program.
fn lock(dir: &Path, mut wait: impl FnMut()) -> Result<File, Error> {
    let path = dir.join("carillon.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Error::Setup(format!("{} cannot be opened: {error}", path.display())))?;
    for _try in 1..LOCK_TRIES {
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        wait();
    }
    file.try_lock().map_err(|_held| {
        Error::Setup(format!("another carillon uses the data directory {}", dir.display()))
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::{LOCK_TRIES, lock};

    #[test]
    fn a_directory_that_is_let_go_in_time_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut before = Some(lock(dir.path(), || panic!("nobody holds it")).unwrap());
        let mut waits = 0;
        let held = lock(dir.path(), || {
            waits += 1;
            if waits == 3 {
                before = None;
            }
        });
        assert!(held.is_ok() && before.is_none());
        assert_eq!(waits, 3);
        let mut waits = 0;
        let refused = lock(dir.path(), || waits += 1);
        assert!(refused.unwrap_err().to_string().contains("another carillon uses the data directory"));
        assert_eq!(waits, LOCK_TRIES - 1, "it waits for none that stays");
    }
}
