//! Answers questions that many ask at the same time. Whoever asks while others are being answered goes with the next, and
//! all who ask the same query with parameters of their own are answered by one statement: under load a query costs as
//! many ways to the server as there are rounds, not as there are callers. Nobody waits for somebody to join.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};

use super::wire::Wire;
use crate::db::{Row, Value};
use crate::error::Error;

/// How many questions are answered in one round at most.
const ROUND_MAX: usize = 256;
/// How many rows one statement is to give at most, as far as can be foreseen.
const ROWS_MAX: usize = 2_048;
/// How many rows a question has that was never asked: as many as a lane takes into memory.
const ROWS_UNKNOWN: usize = 128;
/// How many rows are copied at once for those who asked the very same.
const COPIED_MAX: usize = 65_536;

type Reply = oneshot::Sender<Result<Vec<Row>, Error>>;

/// A query that only reads, outside of a transaction.
pub(super) struct Question {
    pub(super) table: &'static str,
    pub(super) sql: &'static str,
    /// The first parameters: the asker's own.
    pub(super) own: Vec<Value>,
    /// Those behind them: such as a limit, with which only others of the same are asked together.
    pub(super) common: Vec<Value>,
    pub(super) reply: Reply,
}

pub(super) type Inbox = Arc<Mutex<mpsc::Receiver<Question>>>;

/// What can be asked together.
struct Alike {
    table: &'static str,
    sql: &'static str,
    common: Vec<Value>,
    /// Each parameters of askers' own, with who asks for them.
    asked: VecDeque<Asked>,
    places: HashMap<Vec<Value>, usize>,
}

struct Asked {
    own: Vec<Value>,
    replies: Vec<Reply>,
}

impl Alike {
    fn takes(&self, question: &Question) -> bool {
        let count = self.asked.front().map_or(0, |first| first.own.len());
        self.sql == question.sql && count == question.own.len() && self.common == question.common
    }

    fn put(&mut self, question: Question) {
        let Question { own, reply, .. } = question;
        match self.places.get(&own).and_then(|place| self.asked.get_mut(*place)) {
            Some(same) => same.replies.push(reply),
            None => {
                self.places.insert(own.clone(), self.asked.len());
                self.asked.push_back(Asked { own, replies: vec![reply] });
            }
        }
    }
}

pub(super) struct Asker {
    wire: Wire,
    inbox: Inbox,
    texts: HashMap<&'static str, Arc<str>>,
    /// The most rows that one question had, when it was asked last.
    rows: HashMap<&'static str, usize>,
}

impl Asker {
    pub(super) fn new(wire: Wire, inbox: Inbox) -> Self {
        Self { wire, inbox, texts: HashMap::new(), rows: HashMap::new() }
    }

    pub(super) fn run(mut self) {
        while let Some(round) = self.gather() {
            for alike in sort(round) {
                self.answer(alike);
            }
        }
    }

    /// What waits, at least one question; nothing at the end.
    fn gather(&self) -> Option<Vec<Question>> {
        let mut inbox = self.inbox.lock().expect("no code panics while it holds the inbox");
        let mut round = vec![inbox.blocking_recv()?];
        while round.len() < ROUND_MAX
            && let Ok(question) = inbox.try_recv()
        {
            // Nobody waits any more for what a caller gave up.
            if !question.reply.is_closed() {
                round.push(question);
            }
        }
        Some(round)
    }

    fn answer(&mut self, mut alike: Alike) {
        while !alike.asked.is_empty() {
            let rows = self.rows.get(alike.sql).copied().unwrap_or(ROWS_UNKNOWN);
            let count = (ROWS_MAX / rows.max(1)).clamp(1, alike.asked.len());
            let some: Vec<Asked> = alike.asked.drain(..count).collect();
            let answers = match some.as_slice() {
                [_one] => Vec::new(),
                many => match self.ask_together(&alike, many) {
                    Ok(answers) => answers,
                    Err(error) if !self.wire.is_connected() => {
                        refuse(some, &error);
                        continue;
                    }
                    // One of them is at fault, and must not be the others'.
                    Err(_one) => Vec::new(),
                },
            };
            let mut answers = answers.into_iter().map(Ok);
            let mut most = 0;
            for asked in some {
                let answer = answers.next().unwrap_or_else(|| self.ask_alone(&alike, &asked.own));
                most = most.max(answer.as_ref().map_or(0, Vec::len));
                alike.asked.extend(reply(asked, answer));
            }
            self.rows.insert(alike.sql, most);
        }
    }

    /// Reads outside of a transaction. A connection that had died unseen is made anew for the first query.
    fn connected(&mut self) -> Result<(), Error> {
        self.wire.forget_failure();
        self.wire.connect_again_once();
        self.wire.connect()
    }

    fn ask_alone(&mut self, alike: &Alike, own: &[Value]) -> Result<Vec<Row>, Error> {
        self.connected()?;
        self.wire.query(alike.table, alike.sql, &[own, &alike.common].concat())
    }

    /// The rows of each question.
    fn ask_together(&mut self, alike: &Alike, asked: &[Asked]) -> Result<Vec<Vec<Row>>, Error> {
        let mut answers: Vec<Vec<Row>> = asked.iter().map(|_one| Vec::new()).collect();
        let Some(first) = asked.first() else { return Ok(answers) };
        self.connected()?;
        let text = self.texts.entry(alike.sql);
        let text = text.or_insert_with(|| together(&super::dialect::rewrite(alike.sql), &first.own).into());
        let lists = (0..first.own.len())
            .map(|place| asked.iter().filter_map(|one| one.own.get(place)).cloned().collect::<Vec<_>>());
        let rows = self.wire.query_lists(alike.table, &Arc::clone(text), lists, &alike.common)?;
        for (place, row) in rows {
            answers.get_mut(place).ok_or(Error::Conflict)?.push(row);
        }
        Ok(answers)
    }
}

/// Puts together what can be asked together.
fn sort(round: Vec<Question>) -> Vec<Alike> {
    let mut sorted: Vec<Alike> = Vec::new();
    for question in round {
        match sorted.iter_mut().find(|alike| alike.takes(&question)) {
            Some(alike) => alike.put(question),
            None => {
                let (table, sql, common) = (question.table, question.sql, question.common.clone());
                let (asked, places) = (VecDeque::new(), HashMap::new());
                let mut alike = Alike { table, sql, common, asked, places };
                alike.put(question);
                sorted.push(alike);
            }
        }
    }
    sorted
}

/// Answers all who asked the very same. Of those for whom that is too much to be copied, tells that they still ask.
fn reply(asked: Asked, answer: Result<Vec<Row>, Error>) -> Option<Asked> {
    let Asked { own, mut replies } = asked;
    let rows = answer.as_ref().map_or(0, Vec::len);
    let left = replies.split_off((COPIED_MAX / rows.max(1)).clamp(1, replies.len()));
    let last = replies.pop();
    for reply in replies {
        // Nobody waits any more when the caller went away.
        drop(reply.send(answer.clone()));
    }
    if let Some(last) = last {
        drop(last.send(answer));
    }
    Some(Asked { own, replies: left }).filter(|asked| !asked.replies.is_empty())
}

fn refuse(some: Vec<Asked>, error: &Error) {
    for reply in some.into_iter().flat_map(|asked| asked.replies) {
        drop(reply.send(Err(error.clone())));
    }
}

/// The query for many: it is asked for each row of its own parameters, which come as lists, and tells whose each row is.
/// `OFFSET` keeps PostgreSQL from joining the lists with whole tables, however few rows it takes these for.
fn together(sql: &str, own: &[Value]) -> String {
    let mut text = String::with_capacity(sql.len() + 160);
    let (mut lists, mut names) = (Vec::new(), Vec::new());
    for (number, value) in (1..).zip(own) {
        lists.push(format!("${number}::{}[]", value.kind().sql()));
        names.push(format!("p{number}"));
    }
    let mut parts = sql.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let is_own = number.parse::<usize>().is_ok_and(|number| number <= own.len());
        text.push_str(if is_own { "asked.p" } else { "$" });
        text.push_str(number);
        text.push_str(rest);
    }
    format!(
        "SELECT asked.place, answer.* FROM unnest({}) WITH ORDINALITY AS asked({}, place)
         CROSS JOIN LATERAL ({text} OFFSET 0) AS answer",
        lists.join(", "),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{Alike, Asked, COPIED_MAX, Question, reply, sort, together};
    use crate::db::{Row, Value};
    use crate::error::Error;

    #[test]
    fn a_query_is_asked_for_each_of_its_own_parameters() {
        let own = [Value::from("a"), Value::from(1_i64), Value::from([0_u8; 32])];
        let text = together("SELECT x FROM t WHERE a = $1 AND b > $2 AND c = $3 LIMIT $4", &own);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            text,
            "SELECT asked.place, answer.* FROM unnest($1::text[], $2::bigint[], $3::bytea[]) WITH ORDINALITY AS \
             asked(p1, p2, p3, place) CROSS JOIN LATERAL (SELECT x FROM t WHERE a = asked.p1 AND b > asked.p2 AND \
             c = asked.p3 LIMIT $4 OFFSET 0) AS answer"
        );
    }

    fn question(
        sql: &'static str,
        own: i64,
        common: i64,
    ) -> (Question, oneshot::Receiver<Result<Vec<Row>, Error>>) {
        let (reply, answer) = oneshot::channel();
        (Question { table: "t", sql, own: vec![own.into()], common: vec![common.into()], reply }, answer)
    }

    #[test]
    fn only_what_has_the_same_in_common_is_asked_together_and_the_very_same_once() {
        let asked = [("a", 1, 1), ("b", 2, 1), ("a", 3, 2), ("a", 4, 1), ("a", 1, 1)];
        let round = asked.map(|(sql, own, common)| question(sql, own, common).0);
        let told = |alike: &Alike| {
            let each = alike.asked.iter().map(|one| (one.own.clone(), one.replies.len()));
            each.collect::<Vec<_>>()
        };
        let sorted: Vec<_> = sort(round.into()).iter().map(told).collect();
        let own = |number: i64| vec![Value::from(number)];
        let expected = [vec![(own(1), 2), (own(4), 1)], vec![(own(2), 1)], vec![(own(3), 1)]];
        assert_eq!(sorted, expected);
    }

    #[test]
    fn all_who_ask_the_same_are_answered_unless_that_is_too_much_at_once() {
        let rows =
            |count: usize| (0..count).map(|_row| Row::new("t", vec![1_i64.into()])).collect::<Vec<_>>();
        for (count, left) in [(0, 0), (1, 0), (COPIED_MAX / 2, 1), (COPIED_MAX * 2, 2)] {
            let (replies, answers): (Vec<_>, Vec<_>) = (0..3).map(|_asker| oneshot::channel()).unzip();
            let again = reply(Asked { own: Vec::new(), replies }, Ok(rows(count)));
            assert_eq!(again.map_or(0, |asked| asked.replies.len()), left);
            let told = answers.into_iter().filter_map(|mut answer| answer.try_recv().ok());
            assert_eq!(told.map(|rows| rows.unwrap().len()).collect::<Vec<_>>(), vec![count; 3 - left]);
        }
    }
}
