//! Keeps this server's shards: says every moment that it is there, takes out who is not, divides the lanes, and passes
//! on which lanes got something to do. One thread with two connections: one speaks, one listens.
//!
//! Time is the database's where servers judge each other, and this machine's monotonic one where a server judges itself:
//! it believes in its lease for [`BELIEF`] from before it last asked, and others take it out only after [`LEASE_MS`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::id::EndpointId;
use carillon_model::message::Priority;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::error::Error;
use crate::migrate;
use crate::shard::{SHARDS, Shard, Shards, divide};
use crate::wake::{Lanes, Wake};

/// How often a server says that it is there.
const BEAT: Duration = Duration::from_millis(700);
/// How long a server believes in its lease after it said so.
const BELIEF: Duration = Duration::from_millis(2_400);
/// How long others believe in it.
pub(super) const LEASE_MS: i64 = 3_500;
/// How long the database may be silent.
const ANSWER_WAIT: Duration = Duration::from_millis(2_000);
/// How long word of new deliveries is gathered before more of it is passed on: each costs a lock of the whole database.
const GATHER: Duration = Duration::from_millis(15);
/// How many bytes fit into one notification.
const WORD_MAX: usize = 7_900;
/// How many notifications name lanes; of more than fit into them, it is told that there are some, and whoever hears looks for
/// them, among all that was written down lately.
const WORDS_MAX: usize = 8;
/// What stands before a lane that got something urgent to do. Older servers take the whole for the name of no lane, so that
/// it is named without it, too.
const URGENT: char = '!';
const CHANNEL_LANES: &str = "carillon_lanes";
/// What is said there when a directory is to be read. Older servers take it for the name of no lane.
const UPDATES: &str = "updates";
const CHANNEL_NODES: &str = "carillon_nodes";

pub(super) struct Keeper {
    options: PgConnectOptions,
    shards: Arc<Shards>,
    wake: Arc<Wake>,
    /// The name of this process, behind its seat if that is known; each time it joins it is another node.
    name: String,
    joined: u32,
    speaker: Option<PgConnection>,
    stop: oneshot::Receiver<()>,
}

/// What one look at the tables told.
struct Seen {
    nodes: Vec<String>,
    expired: bool,
    owners: Vec<Option<String>>,
}

impl Keeper {
    pub(super) fn new(
        options: PgConnectOptions,
        shards: Arc<Shards>,
        wake: Arc<Wake>,
        name: String,
        stop: oneshot::Receiver<()>,
    ) -> Self {
        Self { options, shards, wake, name, joined: 0, speaker: None, stop }
    }

    /// Runs until it is told to stop; then gives up what is held, so that the others need not wait for the lease's end.
    pub(super) async fn run(mut self) {
        let (heard, mut hear) = mpsc::channel(64);
        let listener = listen(self.options.clone(), heard);
        tokio::pin!(listener);
        let mut beat = Instant::now();
        loop {
            let wait = beat.saturating_duration_since(Instant::now());
            tokio::select! {
                _gone = &mut self.stop => break,
                () = &mut listener => break,
                () = sleep(wait) => {
                    beat = Instant::now() + BEAT;
                    self.beat().await;
                }
                () = self.shards.released.notified() => {
                    self.beat().await;
                }
                () = self.wake.foreign_arrived() => {
                    self.tell().await;
                }
                Some(word) = hear.recv() => match word {
                    Heard::Lanes(lanes) => {
                        let mine = lanes.into_iter().filter(|(lane, _)| self.shards.is_mine(*lane));
                        self.wake.look_into(mine);
                    }
                    Heard::All => self.wake.look_around(),
                    Heard::Updates => self.wake.look_at_updates(),
                    Heard::Nodes => self.beat().await,
                },
            }
        }
        drop(self.shards.leave_all());
        self.shards.release_all();
        drop(timeout(ANSWER_WAIT, self.part()).await);
    }

    fn next_name(&mut self) -> String {
        self.joined += 1;
        format!("{}-{}", self.name, self.joined)
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let connection = match self.speaker.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.speaker.insert(connection))
    }

    async fn beat(&mut self) {
        let asked = Instant::now();
        let done = timeout(ANSWER_WAIT, self.look()).await;
        match done {
            Ok(Ok(true)) => self.shards.extend(asked + BELIEF),
            Ok(Ok(false)) => self.rejoin(),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer; the lease of the lanes runs out");
                self.speaker = None;
            }
            Err(_elapsed) => {
                tracing::warn!("the database is silent; the lease of the lanes runs out");
                self.speaker = None;
            }
        }
    }

    /// Others took this server out. It gives everything up, and comes back under another name when nothing is under way
    /// any more that would be written down under the new one.
    fn rejoin(&mut self) {
        let left = self.shards.leave_all();
        if !left.is_empty() {
            tracing::warn!(shards = left.len(), "other servers took over the lanes of this one");
            self.wake.left(left);
        }
        if self.shards.is_quiet() {
            let name = self.next_name();
            self.shards.join(name);
        }
    }

    /// Says that this server is there and does what is to be done. Tells whether it still takes part.
    async fn look(&mut self) -> Result<bool, sqlx::Error> {
        let shards = Arc::clone(&self.shards);
        let Some(me) = shards.node() else { return Ok(true) };
        let is_new = shards.is_quiet() && shards.gone().is_empty();
        let connection = self.connection().await?;
        if !say(connection, &me, !shards.is_closing()).await? {
            if !is_new {
                return Ok(false);
            }
            displace(connection, &me).await?;
            enter(connection, &me).await?;
        }
        let seen = see(connection).await?;
        shards.count_servers(seen.nodes.len());
        let change = divide(&me, &seen.nodes, &seen.owners);
        let gone = shards.gone();
        let (take, mut freed) = if seen.expired || !change.take.is_empty() || !gone.is_empty() {
            settle(connection, &me, &gone).await?
        } else {
            (owned(&me, &seen.owners), false)
        };
        shards.forget(&gone);
        let gained = shards.gain(take.into_iter().filter(|shard| !change.give.contains(shard)));
        let left = shards.leave(change.give);
        freed |= is_new || shards.is_closing();
        if freed {
            notify(connection, CHANNEL_NODES, "").await?;
        }
        if !gained.is_empty() {
            tracing::info!(gained = gained.len(), servers = seen.nodes.len(), "lanes were taken over");
            self.wake.gained(gained);
        }
        if !left.is_empty() {
            tracing::info!(left = left.len(), servers = seen.nodes.len(), "lanes are handed over");
            self.wake.left(left);
        }
        Ok(true)
    }

    /// Passes on which lanes of others got something to do.
    async fn tell(&mut self) {
        let updates = self.wake.take_foreign_update();
        let lanes = self.wake.take_foreign();
        let any = lanes.as_ref().is_none_or(|lanes| !lanes.is_empty());
        let words = words(lanes.as_ref());
        let told = async {
            let connection = self.connection().await?;
            if updates {
                notify(connection, CHANNEL_LANES, UPDATES).await?;
            }
            if any {
                let sql = "SELECT pg_notify($1, word) FROM unnest($2::text[]) AS word";
                sqlx::query(sql).bind(CHANNEL_LANES).bind(&words).execute(connection).await?;
            }
            Ok::<_, sqlx::Error>(())
        };
        match timeout(ANSWER_WAIT, told).await {
            Ok(Ok(())) => sleep(GATHER).await,
            Ok(Err(_)) | Err(_) => {
                // The others look by themselves after a while.
                self.speaker = None;
            }
        }
    }

    /// Goes away in order.
    async fn part(&mut self) -> Result<(), sqlx::Error> {
        let Some(me) = self.shards.node() else { return Ok(()) };
        let connection = self.connection().await?;
        let mut tx = connection.begin().await?;
        sqlx::query("UPDATE shard SET node_id = NULL WHERE node_id = $1").bind(&me).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM node WHERE id = $1").bind(&me).execute(&mut *tx).await?;
        tx.commit().await?;
        notify(connection, CHANNEL_NODES, "").await
    }
}

const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

async fn say(connection: &mut PgConnection, me: &str, serves: bool) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE node SET seen_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint, serves = $2
         WHERE id = $1";
    Ok(sqlx::query(sql).bind(me).bind(i64::from(serves)).execute(connection).await?.rows_affected() > 0)
}

/// Takes out whoever had this server's seat: it is dead, or this server would not have it, and nobody need wait for its lease to
/// end. What it was writing down is written by then or never: that has its row locked.
async fn displace(connection: &mut PgConnection, me: &str) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM node WHERE split_part(id, '-', 1) = split_part($1, '-', 1) AND id <> $1";
    let dead = sqlx::query(sql).bind(me).execute(connection).await?.rows_affected();
    if dead > 0 {
        tracing::info!(
            "the server that ran in this directory before did not stop in order; its lanes are free"
        );
    }
    Ok(())
}

async fn enter(connection: &mut PgConnection, me: &str) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO node (id, seen_at, serves, version)
         VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, 1, $2)";
    let version = i64::try_from(migrate::VERSION).unwrap_or(i64::MAX);
    sqlx::query(sql).bind(me).bind(version).execute(connection).await.map(drop)
}

async fn see(connection: &mut PgConnection) -> Result<Seen, sqlx::Error> {
    let now: i64 = sqlx::query(NOW).fetch_one(&mut *connection).await?.try_get(0)?;
    let mut seen = Seen { nodes: Vec::new(), expired: false, owners: vec![None; SHARDS] };
    let nodes =
        sqlx::query("SELECT id, seen_at, serves FROM node ORDER BY id").fetch_all(&mut *connection).await?;
    for node in nodes {
        let seen_at: i64 = node.try_get(1)?;
        if seen_at < now - LEASE_MS {
            seen.expired = true;
        } else if node.try_get::<i64, _>(2)? != 0 {
            seen.nodes.push(node.try_get(0)?);
        }
    }
    let sql = "SELECT number, node_id FROM shard WHERE node_id IS NOT NULL";
    for shard in sqlx::query(sql).fetch_all(connection).await? {
        let number: i64 = shard.try_get(0)?;
        if let Some(owner) = usize::try_from(number).ok().and_then(|number| seen.owners.get_mut(number)) {
            *owner = shard.try_get(1)?;
        }
    }
    Ok(seen)
}

fn owned(me: &str, owners: &[Option<String>]) -> Vec<Shard> {
    let numbered = owners.iter().zip(0_u8..=u8::MAX);
    numbered.filter(|(owner, _)| owner.as_deref() == Some(me)).map(|(_, number)| Shard(number)).collect()
}

/// Takes out who is not there any more, gives back what was given up, takes what is nobody's: one server at a time.
/// Tells what is this server's then, and whether others have something to take now.
async fn settle(
    connection: &mut PgConnection,
    me: &str,
    gone: &[Shard],
) -> Result<(Vec<Shard>, bool), sqlx::Error> {
    let numbers = |shards: &[Shard]| -> Vec<i64> { shards.iter().map(|shard| i64::from(shard.0)).collect() };
    let mut tx = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(7157141300000003)").execute(&mut *tx).await?;
    let now: i64 = sqlx::query(NOW).fetch_one(&mut *tx).await?.try_get(0)?;
    let sql = "DELETE FROM node WHERE seen_at < $1";
    let dead = sqlx::query(sql).bind(now - LEASE_MS).execute(&mut *tx).await?.rows_affected();
    let sql = "UPDATE shard SET node_id = NULL WHERE node_id = $1 AND number = ANY($2)";
    let given = sqlx::query(sql).bind(me).bind(numbers(gone)).execute(&mut *tx).await?.rows_affected();
    let seen = see(&mut tx).await?;
    let change = divide(me, &seen.nodes, &seen.owners);
    let sql = "UPDATE shard SET node_id = $1, epoch = epoch + 1 WHERE number = ANY($2)";
    sqlx::query(sql).bind(me).bind(numbers(&change.take)).execute(&mut *tx).await?;
    tx.commit().await?;
    let mut mine: BTreeSet<Shard> = owned(me, &seen.owners).into_iter().collect();
    mine.extend(change.take);
    Ok((mine.into_iter().collect(), dead > 0 || given > 0))
}

async fn notify(connection: &mut PgConnection, channel: &str, payload: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(payload).execute(connection).await.map(drop)
}

/// Lanes as the others are told of them: as many to a word as fit.
fn words(lanes: Option<&Lanes>) -> Vec<String> {
    let all = || vec!["*".to_owned()];
    let Some(lanes) = lanes else { return all() };
    let (mut words, mut count) = (vec![String::new()], 1);
    for (lane, priority) in lanes {
        let name = match priority {
            Priority::Normal => lane.to_string(),
            Priority::Urgent => format!("{lane},{URGENT}{lane}"),
        };
        match words.last_mut().filter(|word| word.len() + 1 + name.len() <= WORD_MAX) {
            Some(word) if word.is_empty() => *word = name,
            Some(word) => {
                word.push(',');
                word.push_str(&name);
            }
            None if count >= WORDS_MAX => return all(),
            None => {
                words.push(name);
                count += 1;
            }
        }
    }
    words
}

/// Reads one of what [`words`] wrote.
fn lanes_of(word: &str) -> Vec<(EndpointId, Priority)> {
    let lane = |name: &str| match name.strip_prefix(URGENT) {
        Some(lane) => Some((EndpointId::parse(lane).ok()?, Priority::Urgent)),
        None => Some((EndpointId::parse(name).ok()?, Priority::Normal)),
    };
    word.split(',').filter_map(lane).collect()
}

enum Heard {
    Lanes(Vec<(EndpointId, Priority)>),
    All,
    Updates,
    Nodes,
}

/// Listens for as long as somebody hears. A connection that was lost is made anew, and whoever hears looks around, since
/// something may have been missed.
async fn listen(options: PgConnectOptions, heard: mpsc::Sender<Heard>) {
    loop {
        // A listener has no transaction to be idle in, and waits as long as it takes.
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        let ended = hear(&pool, &heard).await;
        pool.close().await;
        match ended {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "word of the other servers does not arrive; listening again");
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn hear(pool: &sqlx::PgPool, heard: &mpsc::Sender<Heard>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([CHANNEL_LANES, CHANNEL_NODES]).await?;
    let mut word = Heard::All;
    loop {
        if heard.send(word).await.is_err() {
            return Ok(());
        }
        let Some(told) = listener.try_recv().await? else {
            return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
        };
        word = match (told.channel(), told.payload()) {
            (CHANNEL_LANES, "*") => Heard::All,
            (CHANNEL_LANES, UPDATES) => Heard::Updates,
            (CHANNEL_LANES, lanes) => Heard::Lanes(lanes_of(lanes)),
            _ => Heard::Nodes,
        };
    }
}

/// Starts the keeper on a thread of its own. Dropping what is given stops it, and waits for its end.
pub(super) fn start(
    options: PgConnectOptions,
    shards: Arc<Shards>,
    wake: Arc<Wake>,
    name: String,
) -> Result<Running, Error> {
    let (stop, stopped) = oneshot::channel();
    let mut keeper = Keeper::new(options, shards, wake, name, stopped);
    let name = keeper.next_name();
    keeper.shards.join(name);
    let fail = |error: std::io::Error| Error::Setup(format!("no thread for the store: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
    let thread = std::thread::Builder::new().name("store-keeper".to_owned());
    let thread = thread.spawn(move || runtime.block_on(keeper.run())).map_err(fail)?;
    Ok(Running { stop: Some(stop), thread: Some(thread) })
}

pub(super) struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of the lanes ended in a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::id::EndpointId;
    use carillon_model::message::Priority;

    use super::{Lanes, WORD_MAX, WORDS_MAX, lanes_of, words};

    #[test]
    fn lanes_are_told_with_what_is_urgent() {
        let lane = |byte: u8| EndpointId::from_bytes([byte; 16]);
        let lanes = Lanes::from([(lane(1), Priority::Normal), (lane(2), Priority::Urgent)]);
        let told = words(Some(&lanes)).remove(0);
        let (normal, urgent) = (lane(1).to_string(), lane(2).to_string());
        assert_eq!(told, format!("{normal},{urgent},!{urgent}"));
        let heard = lanes_of(&told);
        assert_eq!(
            heard,
            [(lane(1), Priority::Normal), (lane(2), Priority::Normal), (lane(2), Priority::Urgent)]
        );
        let older: Vec<_> = told.split(',').filter_map(|lane| EndpointId::parse(lane).ok()).collect();
        assert_eq!(older, [lane(1), lane(2)], "an older server hears of both");
    }

    #[test]
    fn many_lanes_are_told_in_several_words_and_more_in_none() {
        let lane = |number: usize| {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
            EndpointId::from_bytes(bytes)
        };
        let lanes = |count| (0..count).map(|number| (lane(number), Priority::Normal)).collect::<Lanes>();
        // A name is of 32 letters, and a comma.
        let in_one = (WORD_MAX + 1) / 33;
        for count in [1, in_one, in_one + 1, WORDS_MAX * in_one] {
            let told = words(Some(&lanes(count)));
            assert_eq!(told.len(), count.div_ceil(in_one));
            assert!(told.iter().all(|word| word.len() <= WORD_MAX));
            let heard = told.iter().flat_map(|word| lanes_of(word)).collect::<Lanes>();
            assert_eq!(heard, lanes(count));
        }
        assert_eq!(words(Some(&lanes(WORDS_MAX * in_one + 1))), ["*"]);
        assert_eq!(words(None), ["*"]);
    }
}
