use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::http::uri::{Authority, Scheme};
use tokio::sync::oneshot;
use tokio::time::{Instant, advance};

use super::{IDLE_MAX, IDLE_PER_PLACE_MAX, Lines, Pool, locked};
use crate::http::Failure;
use crate::pool;

/// A connection that ends when the test says so.
#[derive(Debug, Clone)]
struct Line {
    number: usize,
    many: bool,
    ended: Arc<AtomicBool>,
}

impl Line {
    fn one(number: usize) -> Self {
        Self { number, many: false, ended: Arc::default() }
    }

    fn many(number: usize) -> Self {
        Self { many: true, ..Self::one(number) }
    }
}

impl pool::Line for Line {
    fn is_ready(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    async fn ready(&mut self) -> bool {
        pool::Line::is_ready(self)
    }

    fn again(&self) -> Option<Self> {
        self.many.then(|| self.clone())
    }
}

fn lines(pool: &Pool<Line>) -> Arc<Lines<Line>> {
    pool.lines(&(Scheme::HTTPS, Authority::from_static("far.example")))
}

fn taken(lines: &Arc<Lines<Line>>) -> Option<usize> {
    lines.take(Instant::now()).map(|lease| lease.line.number)
}

#[tokio::test(start_paused = true)]
async fn the_one_that_was_used_last_is_taken_first() {
    let pool = Pool::default();
    let lines = lines(&pool);
    let first = lines.wait(async { Ok(Line::one(1)) }).await.unwrap();
    let second = lines.wait(async { Ok(Line::one(2)) }).await.unwrap();
    assert!(!first.kept && !second.kept);
    first.give_back();
    second.give_back();
    let again = lines.take(Instant::now()).unwrap();
    assert_eq!((again.line.number, again.kept), (2, true));
    assert_eq!((taken(&lines), taken(&lines)), (Some(1), None));
    drop(again);
    assert_eq!(taken(&lines), None, "what is not given back is gone");
}

#[tokio::test(start_paused = true)]
async fn what_ended_or_lay_too_long_is_not_taken() {
    let pool = Pool::default();
    let lines = lines(&pool);
    let (ended, old) = (Line::one(1), Line::one(2));
    let end = Arc::clone(&ended.ended);
    lines.put(old);
    lines.put(ended);
    end.store(true, Ordering::Relaxed);
    advance(IDLE_MAX.mul_f32(0.9)).await;
    lines.put(Line::one(3));
    advance(IDLE_MAX.mul_f32(0.2)).await;
    assert_eq!((taken(&lines), taken(&lines)), (Some(3), None));
    for number in 0..=IDLE_PER_PLACE_MAX {
        lines.put(Line::one(number));
    }
    assert_eq!(locked(&lines.idle).len(), IDLE_PER_PLACE_MAX, "there is an end to it");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_is_closed_and_its_place_forgotten() {
    let pool = Pool::default();
    let held = Arc::default();
    let kept = lines(&pool);
    kept.put(Line { ended: Arc::clone(&held), ..Line::one(1) });
    drop(kept);
    let closed = || Arc::strong_count(&held) == 1;
    tokio::time::sleep(IDLE_MAX / 2).await;
    assert!(!closed());
    tokio::time::sleep(IDLE_MAX).await;
    assert!(closed() && locked(&pool.places).kept.is_empty() && !locked(&pool.places).swept);
    // And it begins anew.
    lines(&pool).put(Line::one(2));
    assert!(locked(&pool.places).swept);
    assert_eq!(taken(&lines(&pool)), Some(2));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_takes_what_another_gives_back() {
    let pool = Pool::default();
    let lines = lines(&pool);
    let busy = lines.wait(async { Ok(Line::one(1)) }).await.unwrap();
    let (made, dialled) = oneshot::channel();
    let waits = lines.wait(async move { dialled.await.map_err(|_gone| Failure::Connect) });
    let (taken_over, ()) = tokio::join!(waits, async { busy.give_back() });
    assert_eq!(taken_over.unwrap().line.number, 1);
    // What was made for nothing is there for the next.
    made.send(Line::one(2)).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(taken(&lines), Some(2));
}

#[tokio::test(start_paused = true)]
async fn who_makes_a_connection_has_it_and_is_told_why_there_is_none() {
    let pool = Pool::default();
    let lines = lines(&pool);
    let dial = |number| async move { Ok(Line::one(number)) };
    // All at once, as in a burst: each gets the one that it made.
    let (first, second) = tokio::join!(lines.wait(dial(1)), lines.wait(dial(2)));
    assert_eq!((first.unwrap().line.number, second.unwrap().line.number), (1, 2));
    assert_eq!(lines.wait(async { Err(Failure::Resolve) }).await.err(), Some(Failure::Resolve));
    assert_eq!(
        lines.wait(async { panic!("a fault in whatever connects") }).await.err(),
        Some(Failure::Connect)
    );
    assert_eq!(taken(&lines), None);
}

#[tokio::test(start_paused = true)]
async fn one_that_carries_many_is_shared_and_enough() {
    let pool = Pool::default();
    let lines = lines(&pool);
    let first = lines.wait(async { Ok(Line::many(1)) }).await.unwrap();
    lines.put(Line::many(2));
    assert_eq!((taken(&lines), taken(&lines)), (Some(1), Some(1)));
    advance(IDLE_MAX.mul_f32(0.9)).await;
    assert_eq!(taken(&lines), Some(1));
    advance(IDLE_MAX.mul_f32(0.9)).await;
    assert_eq!(taken(&lines), Some(1), "each use keeps it");
    first.line.ended.store(true, Ordering::Relaxed);
    lines.put(Line::many(3));
    assert_eq!(taken(&lines), Some(3));
}
