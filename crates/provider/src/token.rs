//! Access tokens of the companies' apps: one request at a time for each app, renewed ten minutes before the end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use carillon_model::outcome::{Outcome, Scope, Verdict};
use carillon_model::subscription::AppCredentials;
use carillon_model::{Clock, SecretText, Timestamp};
use hyper::Method;
use moka::future::Cache;
use moka::ops::compute::Op;

use crate::Context;
use tokio::time::sleep;

use crate::http::{ANSWER_BYTES_MAX, Answer, Request};
use crate::shelf::{Shelf, Shelved};
use crate::wire::Fields;

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_secs(10 * 60);
/// How long a token is good when the platform does not say, in seconds.
pub(crate) const TOKEN_LIFE: u64 = 7200;
/// How often a token that another server fetches is looked for before it is fetched here all the same.
const LOOKS_MAX: u32 = 200;
/// The wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The most apps whose tokens are kept.
const TOKENS_MAX: u64 = 10_000;

/// An access token.
#[derive(Clone)]
pub(crate) struct Token {
    /// The token.
    pub(crate) text: SecretText,
    /// When it is to be renewed.
    renew_at: Timestamp,
}

impl Token {
    /// A token that was given at `now` for `life`; a short life is used for its first half.
    pub(crate) fn new(text: SecretText, now: Timestamp, life: Duration) -> Self {
        let margin = MARGIN.min(life / 2);
        Self { text, renew_at: now.plus(life.saturating_sub(margin)) }
    }
}

/// Asks a platform for a token. `read` finds the token and its life in seconds in the answer, or says what the answer
/// means instead.
pub(crate) async fn fetch(
    context: &Context<'_>,
    method: Method,
    request: Request<'_>,
    read: impl FnOnce(&Answer) -> Result<(String, u64), Verdict> + Send,
) -> Result<Token, Verdict> {
    let now = context.clock.now();
    let verdict = match context.http.send(method, request, ANSWER_BYTES_MAX).await {
        Ok(answer) => match read(&answer) {
            Ok((text, life)) => return Ok(Token::new(text.into(), now, Duration::from_secs(life))),
            Err(verdict) => verdict,
        },
        Err(failure) => failure.verdict(),
    };
    Err(nothing_left(verdict))
}

/// The token in the field `name` of an accepted answer, and its life from the field `life`; else the verdict.
pub(crate) fn in_field(
    answer: &Answer,
    verdict: Verdict,
    name: &str,
    life: &str,
) -> Result<(String, u64), Verdict> {
    let fields = Fields::read(&answer.body).filter(|_| verdict.outcome == Outcome::Accepted);
    match fields.map(|fields| (fields.text(name).to_owned(), fields.number(life))) {
        Some((text, life)) if !text.is_empty() => Ok((text, life.unwrap_or(TOKEN_LIFE))),
        Some(_) | None => Err(verdict),
    }
}

/// A verdict on fetching a token, or on an upload: whatever became of that request, the message itself has not left.
pub(crate) fn nothing_left(verdict: Verdict) -> Verdict {
    match verdict.outcome {
        Outcome::Unknown | Outcome::Accepted => {
            Verdict { outcome: Outcome::Later { wait: None, scope: Scope::Endpoint }, ..verdict }
        }
        Outcome::Refused | Outcome::Misconfigured | Outcome::Later { .. } => verdict,
    }
}

/// The tokens of all apps. A key is a digest of an app's credentials: another secret is another entry.
pub(crate) struct Tokens {
    cache: Cache<[u8; 32], Token>,
    /// Where other servers look, too.
    shelf: Option<Arc<dyn Shelf>>,
}

impl Tokens {
    /// No tokens yet, but for those on the shelf.
    pub(crate) fn on(shelf: Option<Arc<dyn Shelf>>) -> Self {
        Self { cache: Cache::new(TOKENS_MAX), shelf }
    }

    /// The token of `app`; `fetch` is called when there is none that is fresh, and all who wait share its result.
    pub(crate) async fn get(
        &self,
        app: &AppCredentials,
        clock: &dyn Clock,
        fetch: impl Future<Output = Result<Token, Verdict>>,
    ) -> Result<Token, Verdict> {
        self.get_by(key(app), clock, fetch).await
    }

    /// The token under a key; `fetch` is called when there is none that is fresh, and all who wait share its result.
    pub(crate) async fn get_by(
        &self,
        key: [u8; 32],
        clock: &dyn Clock,
        fetch: impl Future<Output = Result<Token, Verdict>>,
    ) -> Result<Token, Verdict> {
        if let Some(token) = self.cache.get(&key).await {
            if clock.now() < token.renew_at {
                return Ok(token);
            }
            self.drop_if(key, &token).await;
        }
        self.cache.try_get_with(key, Box::pin(self.shelved(key, fetch))).await.map_err(Arc::unwrap_or_clone)
    }

    /// The token on the shelf; else it is fetched, by one of all servers, and put there.
    async fn shelved(
        &self,
        key: [u8; 32],
        fetch: impl Future<Output = Result<Token, Verdict>>,
    ) -> Result<Token, Verdict> {
        let Some(shelf) = &self.shelf else { return fetch.await };
        for _look in 0..LOOKS_MAX {
            match shelf.take(key).await {
                Shelved::Token(text, renew_at) => return Ok(Token { text, renew_at }),
                Shelved::Unknown => break,
                Shelved::Wait => sleep(LOOK_AGAIN).await,
                Shelved::Fetch => {
                    let fetched = fetch.await;
                    match &fetched {
                        Ok(token) => shelf.put(key, token.text.clone(), token.renew_at).await,
                        Err(_verdict) => shelf.leave(key).await,
                    }
                    return fetched;
                }
            }
        }
        fetch.await
    }

    /// Forgets a token that the platform called dead, unless another has taken its place meanwhile.
    pub(crate) async fn forget(&self, app: &AppCredentials, dead: &Token) {
        self.forget_by(key(app), dead).await;
    }

    /// Forgets a dead token under a key, unless another has taken its place meanwhile.
    pub(crate) async fn forget_by(&self, key: [u8; 32], dead: &Token) {
        self.drop_if(key, dead).await;
        if let Some(shelf) = &self.shelf {
            shelf.forget(key, dead.renew_at).await;
        }
    }

    async fn drop_if(&self, key: [u8; 32], stale: &Token) {
        self.cache
            .entry(key)
            .and_compute_with(|entry| {
                let same = entry.is_some_and(|entry| entry.into_value().text == stale.text);
                std::future::ready(if same { Op::Remove } else { Op::Nop })
            })
            .await;
    }
}

fn key(app: &AppCredentials) -> [u8; 32] {
    digest_of(&[app.app_key.reveal(), app.app_secret.reveal()])
}

/// The key of credentials: another secret is another key.
pub(crate) fn digest_of(texts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        context.update(text.as_bytes());
        // None of them holds a line feed, so that one divides them.
        context.update(b"\n");
    }
    let mut key = [0_u8; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use carillon_model::clock::TestClock;
    use carillon_model::outcome::{Outcome, Reason, Verdict};
    use carillon_model::subscription::AppCredentials;
    use carillon_model::{Clock, SecretText, Timestamp};

    use super::{Token, Tokens};
    use crate::shelf::{Promise, Shelf, Shelved};

    fn app() -> AppCredentials {
        AppCredentials { app_key: "k".into(), app_secret: "s".into(), robot_code: "r".into() }
    }

    /// A shelf in memory, which two servers share.
    #[derive(Default)]
    struct Board(Mutex<(Option<(SecretText, Timestamp)>, bool)>);

    impl Shelf for Board {
        fn take(&self, _key: [u8; 32]) -> Promise<'_, Shelved> {
            let mut board = self.0.lock().unwrap();
            let taken = match &*board {
                (Some((text, renew_at)), _) => Shelved::Token(text.clone(), *renew_at),
                (None, true) => Shelved::Wait,
                (None, false) => Shelved::Fetch,
            };
            board.1 |= taken == Shelved::Fetch;
            Box::pin(std::future::ready(taken))
        }

        fn put(&self, _key: [u8; 32], text: SecretText, renew_at: Timestamp) -> Promise<'_, ()> {
            *self.0.lock().unwrap() = (Some((text, renew_at)), false);
            Box::pin(std::future::ready(()))
        }

        fn leave(&self, _key: [u8; 32]) -> Promise<'_, ()> {
            self.0.lock().unwrap().1 = false;
            Box::pin(std::future::ready(()))
        }

        fn forget(&self, _key: [u8; 32], renew_at: Timestamp) -> Promise<'_, ()> {
            let mut board = self.0.lock().unwrap();
            if board.0.as_ref().is_some_and(|kept| kept.1 == renew_at) {
                board.0 = None;
            }
            Box::pin(std::future::ready(()))
        }
    }

    struct Source {
        clock: TestClock,
        fetched: AtomicUsize,
        tokens: Tokens,
    }

    impl Source {
        fn new() -> Self {
            Self::on(None)
        }

        fn on(shelf: Option<Arc<dyn Shelf>>) -> Self {
            let clock = TestClock::at(Timestamp(1_700_000_000_000));
            Self { clock, fetched: AtomicUsize::new(0), tokens: Tokens::on(shelf) }
        }

        async fn get(&self, app: &AppCredentials) -> Token {
            let fetch = async {
                let number = self.fetched.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await;
                Ok(Token::new(format!("t{number}").into(), self.clock.now(), Duration::from_secs(7200)))
            };
            self.tokens.get(app, &self.clock, fetch).await.unwrap()
        }
    }

    #[tokio::test]
    async fn all_who_wait_share_one_request() {
        let source = Source::new();
        let app = app();
        let (a, b, c) = tokio::join!(source.get(&app), source.get(&app), source.get(&app));
        assert!([a, b, c].iter().all(|token| token.text.reveal() == "t1"));
        assert_eq!(source.fetched.load(Ordering::SeqCst), 1);
        let other = AppCredentials { app_secret: "another".into(), ..app };
        assert_eq!(source.get(&other).await.text.reveal(), "t2");
    }

    #[tokio::test]
    async fn servers_with_one_shelf_share_one_request() {
        let board: Arc<dyn Shelf> = Arc::new(Board::default());
        let (one, other) = (Source::on(Some(Arc::clone(&board))), Source::on(Some(board)));
        let app = app();
        let (here, there) = tokio::join!(one.get(&app), other.get(&app));
        assert_eq!((here.text.reveal(), there.text.reveal()), ("t1", "t1"));
        let fetched = || one.fetched.load(Ordering::SeqCst) + other.fetched.load(Ordering::SeqCst);
        assert_eq!(fetched(), 1);
        // A dead token is forgotten by all; one that took its place stays.
        one.clock.advance(Duration::from_secs(1));
        one.tokens.forget(&app, &here).await;
        let fresh = one.get(&app).await;
        other.tokens.forget(&app, &there).await;
        assert_eq!((other.get(&app).await.text.reveal(), fetched()), (fresh.text.reveal(), 2));
        // Whoever cannot fetch leaves it to the next.
        let refusal = Verdict::plain(Outcome::Misconfigured, Reason::Credentials);
        one.tokens.forget(&app, &fresh).await;
        let failed = one.tokens.get(&app, &one.clock, async { Err(refusal.clone()) }).await;
        assert_eq!(failed.err(), Some(refusal));
        other.tokens.forget(&app, &fresh).await;
        other.get(&app).await;
        assert_eq!(fetched(), 3);
    }

    #[tokio::test]
    async fn renews_ten_minutes_early() {
        let source = Source::new();
        source.get(&app()).await;
        source.clock.advance(Duration::from_secs(6599));
        assert_eq!(source.get(&app()).await.text.reveal(), "t1");
        source.clock.advance(Duration::from_secs(1));
        assert_eq!(source.get(&app()).await.text.reveal(), "t2");
    }

    #[tokio::test]
    async fn forgets_a_dead_token_only_while_it_is_the_same() {
        let source = Source::new();
        let first = source.get(&app()).await;
        source.tokens.forget(&app(), &first).await;
        assert_eq!(source.get(&app()).await.text.reveal(), "t2");
        source.tokens.forget(&app(), &first).await;
        assert_eq!(source.get(&app()).await.text.reveal(), "t2");
    }

    #[tokio::test]
    async fn keeps_no_failure() {
        let source = Source::new();
        let refusal = Verdict::plain(Outcome::Misconfigured, Reason::Credentials);
        let fetch = async { Err(refusal.clone()) };
        let failed = source.tokens.get(&app(), &source.clock, fetch).await;
        assert_eq!(failed.err(), Some(refusal));
        assert_eq!(source.get(&app()).await.text.reveal(), "t1");
    }
}
