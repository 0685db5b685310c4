//! Answers questions that many ask at the same time. Whoever asks while others are being answered goes with the next, and
//! all who ask the same query with parameters of their own are answered by one statement: under load a query costs as
//! many ways to the server as there are rounds, not as there are callers. Nobody waits for somebody to join.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};

use super::wire::Wire;
use crate::db::{Row, Value};
use crate::error::Error;

/// How many questions are answered in one round at most.
const ROUND_MAX: usize = 256;

/// A query that only reads, outside of a transaction.
pub(super) struct Question {
    pub(super) table: &'static str,
    pub(super) sql: &'static str,
    /// The first parameters: the asker's own.
    pub(super) own: Vec<Value>,
    /// Those behind them: such as a limit, with which only others of the same are asked together.
    pub(super) common: Vec<Value>,
    pub(super) reply: oneshot::Sender<Result<Vec<Row>, Error>>,
}

impl Question {
    fn is_like(&self, other: &Self) -> bool {
        self.sql == other.sql && self.own.len() == other.own.len() && self.common == other.common
    }
}

pub(super) type Inbox = Arc<Mutex<mpsc::Receiver<Question>>>;

pub(super) struct Asker {
    wire: Wire,
    inbox: Inbox,
    texts: HashMap<&'static str, Arc<str>>,
}

impl Asker {
    pub(super) fn new(wire: Wire, inbox: Inbox) -> Self {
        Self { wire, inbox, texts: HashMap::new() }
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

    fn answer(&mut self, alike: Vec<Question>) {
        if alike.len() > 1 {
            match self.ask_together(&alike) {
                Ok(answers) => {
                    for (question, rows) in alike.into_iter().zip(answers) {
                        // Nobody waits any more when the caller went away.
                        drop(question.reply.send(Ok(rows)));
                    }
                    return;
                }
                Err(error) if !self.wire.is_connected() => return refuse(alike, &error),
                // One of them is at fault, and must not be the others'.
                Err(_one) => {}
            }
        }
        for question in alike {
            let Question { table, sql, mut own, common, reply } = question;
            own.extend(common);
            drop(reply.send(self.connected().and_then(|()| self.wire.query(table, sql, &own))));
        }
    }

    /// Reads outside of a transaction. A connection that had died unseen is made anew for the first query.
    fn connected(&mut self) -> Result<(), Error> {
        self.wire.forget_failure();
        self.wire.connect_again_once();
        self.wire.connect()
    }

    /// The rows of each question.
    fn ask_together(&mut self, alike: &[Question]) -> Result<Vec<Vec<Row>>, Error> {
        let mut answers: Vec<Vec<Row>> = alike.iter().map(|_question| Vec::new()).collect();
        let Some(first) = alike.first() else { return Ok(answers) };
        self.connected()?;
        let text = self.texts.entry(first.sql);
        let text = text.or_insert_with(|| together(&super::dialect::rewrite(first.sql), &first.own).into());
        let lists = (0..first.own.len()).map(|place| {
            let own = alike.iter().filter_map(|question| question.own.get(place));
            own.cloned().collect::<Vec<_>>()
        });
        let rows = self.wire.query_lists(first.table, &Arc::clone(text), lists, &first.common)?;
        for (place, row) in rows {
            answers.get_mut(place).ok_or(Error::Conflict)?.push(row);
        }
        Ok(answers)
    }
}

/// Puts together what can be asked together.
fn sort(round: Vec<Question>) -> Vec<Vec<Question>> {
    let mut sorted: Vec<Vec<Question>> = Vec::new();
    for question in round {
        match sorted.iter_mut().find(|alike| alike.first().is_some_and(|first| first.is_like(&question))) {
            Some(alike) => alike.push(question),
            None => sorted.push(vec![question]),
        }
    }
    sorted
}

fn refuse(alike: Vec<Question>, error: &Error) {
    for question in alike {
        drop(question.reply.send(Err(error.clone())));
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

    use super::{Question, sort, together};
    use crate::db::Value;

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

    #[test]
    fn only_what_has_the_same_in_common_is_asked_together() {
        let question = |sql, own: i64, common: &[Value]| {
            let (reply, _answer) = oneshot::channel();
            Question { table: "t", sql, own: vec![own.into()], common: common.to_vec(), reply }
        };
        let (few, many) = ([Value::from(1_i64)], [Value::from(2_i64)]);
        let round = vec![
            question("a", 1, &few),
            question("b", 2, &few),
            question("a", 3, &many),
            question("a", 4, &few),
        ];
        let own = |alike: &Vec<Question>| alike.iter().flat_map(|one| one.own.clone()).collect::<Vec<_>>();
        let sorted: Vec<_> = sort(round).iter().map(own).collect();
        let expected = [vec![1_i64, 4], vec![2], vec![3]];
        let expected: Vec<Vec<Value>> =
            expected.into_iter().map(|own| own.into_iter().map(Value::from).collect()).collect();
        assert_eq!(sorted, expected);
    }
}
