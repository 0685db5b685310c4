//! Writes down many beginnings and ends of attempts with a few statements, each for all of them: on a server's database
//! every statement is a way there and back.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::db::{Tx, params};
use crate::delivery::{Settlement, Start, Tried, is_told_apart};
use crate::error::Error;

/// Whether a list says each place only once, so that it does not matter what is written first.
pub(crate) fn is_simple(starts: &[Start], settlements: &[Settlement]) -> bool {
    let starts_simple = starts.iter().map(|start| start.seq).collect::<BTreeSet<_>>().len() == starts.len();
    let ends: BTreeSet<_> = settlements.iter().map(|settlement| settlement.seq).collect();
    starts_simple && ends.len() == settlements.len()
}

fn json<T: Serialize>(rows: &[T]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|_json| Error::Conflict)
}

/// PostgreSQL's JSON cannot hold the character U+0000, which a platform may well answer with.
fn without_nul(text: Option<&String>) -> Option<String> {
    text.map(|text| text.replace('\0', "\u{fffd}"))
}

const START: &str = "UPDATE delivery SET state = 1, attempts = s.attempt, started_at = s.at, parts_done = s.parts
     FROM (SELECT CAST(json_extract(value, '$[0]') AS BIGINT) AS seq, CAST(json_extract(value, '$[1]') AS BIGINT) AS attempt,
         CAST(json_extract(value, '$[2]') AS BIGINT) AS at, CAST(json_extract(value, '$[3]') AS BIGINT) AS parts
         FROM json_each($1)) AS s
     WHERE delivery.seq = s.seq AND delivery.attempts <= s.attempt AND delivery.state + 0 IN (0, 1)";

/// What was cancelled meanwhile moves only when the message did arrive.
const TRIED: &str = "UPDATE delivery SET state = s.state, due_at = s.due_at, attempts = s.attempt, parts_done = s.parts,
     started_at = s.at, elapsed_ms = s.elapsed, platform_code = s.code, platform_text = s.words, merged = s.merged
     FROM (SELECT CAST(json_extract(value, '$[0]') AS BIGINT) AS seq, CAST(json_extract(value, '$[1]') AS BIGINT) AS state,
         CAST(json_extract(value, '$[2]') AS BIGINT) AS due_at, CAST(json_extract(value, '$[3]') AS BIGINT) AS attempt,
         CAST(json_extract(value, '$[4]') AS BIGINT) AS parts, CAST(json_extract(value, '$[5]') AS BIGINT) AS at,
         CAST(json_extract(value, '$[6]') AS BIGINT) AS elapsed, json_extract(value, '$[7]') AS code,
         json_extract(value, '$[8]') AS words, CAST(json_extract(value, '$[9]') AS BIGINT) AS merged
         FROM json_each($1)) AS s
     WHERE delivery.seq = s.seq AND delivery.attempts <= s.attempt
     AND (delivery.state + 0 IN (0, 1) OR (delivery.state + 0 = 5 AND s.state = 2))";

const UNTRIED: &str = "UPDATE delivery SET state = s.state, due_at = s.due_at, parts_done = s.parts
     FROM (SELECT CAST(json_extract(value, '$[0]') AS BIGINT) AS seq, CAST(json_extract(value, '$[1]') AS BIGINT) AS state,
         CAST(json_extract(value, '$[2]') AS BIGINT) AS due_at, CAST(json_extract(value, '$[3]') AS BIGINT) AS parts
         FROM json_each($1)) AS s WHERE delivery.seq = s.seq AND delivery.state + 0 IN (0, 1)";

/// What was cancelled while the attempt was under way stays so, and keeps count of it.
const CANCELLED: &str = "UPDATE delivery SET attempts = s.attempt, parts_done = s.parts
     FROM (SELECT CAST(json_extract(value, '$[0]') AS BIGINT) AS seq, CAST(json_extract(value, '$[3]') AS BIGINT) AS attempt,
         CAST(json_extract(value, '$[4]') AS BIGINT) AS parts FROM json_each($1)) AS s
     WHERE delivery.seq = s.seq AND delivery.state + 0 = 5 AND delivery.attempts < s.attempt";

const ATTEMPTS: &str = "INSERT INTO attempt (message_id, number, attempt, outcome, reason, platform_code, platform_text,
     started_at, elapsed_ms, merged)
     SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT),
         CAST(json_extract(value, '$[2]') AS BIGINT), json_extract(value, '$[3]'), json_extract(value, '$[4]'),
         json_extract(value, '$[5]'), json_extract(value, '$[6]'), CAST(json_extract(value, '$[7]') AS BIGINT),
         CAST(json_extract(value, '$[8]') AS BIGINT), CAST(json_extract(value, '$[9]') AS BIGINT)
     FROM json_each($1) WHERE true ON CONFLICT (message_id, number, attempt) DO NOTHING";

/// Writes all of it down.
pub(crate) fn settle(tx: &mut Tx<'_>, starts: &[Start], settlements: &[Settlement]) -> Result<(), Error> {
    if !starts.is_empty() {
        let rows: Vec<_> =
            starts.iter().map(|start| (start.seq, start.attempt, start.at.0, start.parts_done)).collect();
        tx.execute(START, params![json(&rows)?])?;
    }
    let tried: Vec<(&Settlement, &Tried)> =
        settlements.iter().filter_map(|one| Some((one, one.attempt.as_ref()?))).collect();
    if tried.len() < settlements.len() {
        let untried = settlements.iter().filter(|one| one.attempt.is_none());
        let rows: Vec<_> =
            untried.map(|one| (one.seq, one.state.number(), one.due_at.0, one.parts_done)).collect();
        tx.execute(UNTRIED, params![json(&rows)?])?;
    }
    if tried.is_empty() {
        return Ok(());
    }
    let row = |(one, tried): &(&Settlement, &Tried)| {
        let (code, words) = (&tried.verdict.platform_code, &tried.verdict.platform_text);
        let said = (without_nul(code.as_ref()), without_nul(words.as_ref()));
        let ends = (one.seq, one.state.number(), one.due_at.0);
        (
            ends.0,
            ends.1,
            ends.2,
            tried.number,
            one.parts_done,
            tried.started_at.0,
            tried.elapsed_ms,
            said.0,
            said.1,
            tried.merged,
        )
    };
    let rows = json(&tried.iter().map(row).collect::<Vec<_>>())?;
    let moved = tx.execute(TRIED, params![rows.as_str()])?;
    if moved < tried.len() as u64 {
        tx.execute(CANCELLED, params![rows])?;
    }
    let attempt = |(one, tried): &(&Settlement, &Tried)| {
        let verdict = &tried.verdict;
        let said = (without_nul(verdict.platform_code.as_ref()), without_nul(verdict.platform_text.as_ref()));
        let names = (verdict.outcome.name(), verdict.reason.name());
        let id = (one.id.message.to_string(), one.id.number);
        (
            id.0,
            id.1,
            tried.number,
            names.0,
            names.1,
            said.0,
            said.1,
            tried.started_at.0,
            tried.elapsed_ms,
            tried.merged,
        )
    };
    let apart: Vec<_> = tried.iter().filter(|(_one, tried)| is_told_apart(tried)).map(attempt).collect();
    if !apart.is_empty() {
        tx.execute(ATTEMPTS, params![json(&apart)?])?;
    }
    Ok(())
}
