//! Which attempts have begun and may be under way: lists of many, each one row, so that a crash in their middle is known
//! afterwards and no delivery costs a row more for it (ADR 38).
//!
//! A list says nothing of an attempt that has ended: its delivery counts that one already. So nobody takes attempts out
//! of a list, but for what turned out to be none; a row is written anew as soon as all of them have ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use carillon_model::clock::Timestamp;
use carillon_model::id::{DeliveryId, MessageId};

use crate::db::{Row, Tx, params};
use crate::delivery::{Settlement, Start, insert_interrupted};
use crate::error::Error;

/// An attempt that has begun: its number, from 1, and when.
type Attempt = (u32, Timestamp);
/// The attempts of a list, by the places of their deliveries.
type List = BTreeMap<i64, Attempt>;

/// The lists that this server has written.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    /// What is still under way, by row.
    under_way: HashMap<u32, List>,
    /// In which row a place stands.
    rows: HashMap<i64, u32>,
    /// Rows to be written anew.
    free: Vec<u32>,
    /// The last row that ever was.
    next: u32,
}

/// What is to be written of lists when attempts begin and end.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What has begun, and its row.
    new: Option<(u32, List)>,
    /// Rows in which something ended without having been an attempt, of which its delivery will know nothing.
    less: Vec<(u32, List)>,
    /// Where attempts have ended, or are known by their deliveries' own rows.
    ended: Vec<i64>,
}

impl Plan {
    /// Rows as they are to be written.
    pub(crate) fn rows(&self) -> Vec<(u32, Vec<u8>)> {
        self.less.iter().chain(&self.new).map(|(row, list)| (*row, pack(list))).collect()
    }
}

impl Begun {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().expect("no code panics while it holds the lists")
    }

    /// Gives what has begun a row, and finds the rows that say too much.
    pub(crate) fn plan(&self, listed: &[Start], shown: &[Start], settlements: &[Settlement]) -> Plan {
        let mut lists = self.lists();
        let list: List = listed.iter().map(|start| (start.seq, (start.attempt, start.at))).collect();
        let new = (!list.is_empty()).then(|| (lists.reserve(), list));
        let ended = shown.iter().map(|start| start.seq).chain(settlements.iter().map(|one| one.seq));
        let mut less: BTreeMap<u32, List> = BTreeMap::new();
        for one in settlements.iter().filter(|one| one.attempt.is_none()) {
            let Some(row) = lists.rows.get(&one.seq) else { continue };
            let list = less.entry(*row);
            let list = list.or_insert_with(|| lists.under_way.get(row).cloned().unwrap_or_default());
            list.remove(&one.seq);
        }
        Plan { new, less: less.into_iter().collect(), ended: ended.collect() }
    }

    /// A plan is durable, or was not written.
    pub(crate) fn done(&self, plan: Plan, written: bool) {
        let mut lists = self.lists();
        if !written {
            lists.free.extend(plan.new.map(|(row, _list)| row));
            return;
        }
        plan.ended.iter().for_each(|place| lists.end(*place));
        if let Some((row, list)) = plan.new {
            for place in list.keys() {
                // Another attempt of the same stands for this one, too.
                lists.end(*place);
                lists.rows.insert(*place, row);
            }
            lists.under_way.insert(row, list);
        }
    }
}

impl Lists {
    /// A row in which nothing is under way.
    fn reserve(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next
        })
    }

    fn end(&mut self, place: i64) {
        let Some(row) = self.rows.remove(&place) else { return };
        let Some(list) = self.under_way.get_mut(&row) else { return };
        list.remove(&place);
        if list.is_empty() {
            self.under_way.remove(&row);
            self.free.push(row);
        }
    }
}

/// Numbers in groups of seven bits, the lowest first: the difference to the place before, the attempt's number, and the
/// difference between its time and the first one's, which comes before all.
fn pack(list: &List) -> Vec<u8> {
    let first = list.values().map(|(_number, at)| at.0).min().unwrap_or(0);
    let mut packed = Vec::with_capacity(10 + list.len() * 5);
    put(&mut packed, first.cast_unsigned());
    let mut before = 0_i64;
    for (place, (number, at)) in list {
        put(&mut packed, place.wrapping_sub(before).cast_unsigned());
        put(&mut packed, u64::from(*number));
        put(&mut packed, at.0.wrapping_sub(first).cast_unsigned());
        before = *place;
    }
    packed
}

fn put(packed: &mut Vec<u8>, mut number: u64) {
    while let low @ 0x80.. = number {
        packed.push(u8::try_from(low & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    packed.push(u8::try_from(number).unwrap_or(0));
}

/// Reads what [`pack`] wrote.
fn unpack(packed: &[u8]) -> Option<List> {
    let mut rest = packed.iter().copied();
    let first = take(&mut rest)?.cast_signed();
    let (mut list, mut place) = (List::new(), 0_i64);
    while rest.len() > 0 {
        place = place.wrapping_add(take(&mut rest)?.cast_signed());
        let number = u32::try_from(take(&mut rest)?).ok()?;
        list.insert(place, (number, Timestamp(first.wrapping_add(take(&mut rest)?.cast_signed()))));
    }
    Some(list)
}

fn take(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Writes rows of a server.
pub(crate) fn write(tx: &mut Tx<'_>, node: &str, rows: &[(u32, Vec<u8>)]) -> Result<(), Error> {
    let sql = "INSERT INTO attempt_begun (node_id, slot, begun) VALUES ($1, $2, $3)
         ON CONFLICT (node_id, slot) DO UPDATE SET begun = excluded.begun";
    for (row, packed) in rows {
        tx.execute(sql, params![node, *row, packed.clone()])?;
    }
    Ok(())
}

/// A row as a server left it.
struct Left {
    node: String,
    slot: i64,
    list: List,
}

/// The delivery of a place waits, though a list says that an attempt has begun of which it does not know.
struct Open {
    place: i64,
    id: DeliveryId,
    attempt: Attempt,
}

/// The attempts that have begun and not ended become known to their deliveries, as unknown: in all lanes, or in those whose
/// ids end so. Tells how many there were. What servers left that are gone is forgotten with its last open attempt.
pub(crate) fn recover(tx: &mut Tx<'_>, now: Timestamp, endings: Option<&[String]>) -> Result<u64, Error> {
    let rows = read(tx)?;
    let mut lists = List::new();
    for (place, attempt) in rows.iter().flat_map(|row| &row.list) {
        let latest = lists.entry(*place).or_insert(*attempt);
        *latest = (*latest).max(*attempt);
    }
    if rows.is_empty() {
        return Ok(0);
    }
    let (mut open, mut elsewhere) = (Vec::new(), Vec::new());
    let sql = "SELECT seq, message_id, number, attempts, substr(endpoint_id, 31) FROM delivery
         WHERE seq IN (SELECT value FROM json_each($1)) AND state + 0 = 0";
    let places: Vec<i64> = lists.keys().copied().collect();
    for mut row in tx.query("delivery", sql, params![places])? {
        let place = row.int()?;
        let id = DeliveryId::new(row.parsed(|text| MessageId::parse(text).ok())?, row.count()?);
        let (attempts, ending) = (row.count()?, row.text()?);
        let Some(attempt) = lists.get(&place).copied().filter(|(number, _at)| attempts < *number) else {
            continue;
        };
        match endings {
            Some(endings) if !endings.contains(&ending) => elsewhere.push(place),
            Some(_) | None => open.push(Open { place, id, attempt }),
        }
    }
    make_known(tx, now, &open)?;
    let live = live(tx)?;
    let is_over = |row: &&Left| {
        !live.contains(&row.node) && !elsewhere.iter().any(|place| row.list.contains_key(place))
    };
    for row in rows.iter().filter(is_over) {
        let sql = "DELETE FROM attempt_begun WHERE node_id = $1 AND slot = $2";
        tx.execute(sql, params![row.node.as_str(), row.slot])?;
    }
    Ok(open.len() as u64)
}

fn read(tx: &mut Tx<'_>) -> Result<Vec<Left>, Error> {
    let rows = tx.query("attempt_begun", "SELECT node_id, slot, begun FROM attempt_begun", &[])?;
    let read = |mut row: Row| {
        let (node, slot, packed) = (row.text()?, row.int()?, row.bytes()?);
        let list = unpack(&packed).ok_or_else(|| row.corrupt("it is no list of attempts"))?;
        Ok(Left { node, slot, list })
    };
    rows.into_iter().map(read).collect()
}

/// The servers that are there, which go on with their own rows.
fn live(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let rows = tx.query("node", "SELECT id FROM node", &[])?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

fn make_known(tx: &mut Tx<'_>, now: Timestamp, open: &[Open]) -> Result<(), Error> {
    for Open { place, id, attempt: (number, started_at) } in open {
        insert_interrupted(tx, *id, *number, *started_at, now)?;
        let sql = "UPDATE delivery SET attempts = $2, started_at = $3, due_at = $4 WHERE seq = $1 AND state + 0 = 0";
        tx.execute(sql, params![*place, *number, *started_at, now])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use carillon_model::clock::Timestamp;
    use proptest::prelude::*;

    use super::{Begun, List, pack, unpack};
    use crate::delivery::Start;

    fn starts(places: &[i64]) -> Vec<Start> {
        let at = Timestamp(7);
        places.iter().map(|seq| Start { shown: false, seq: *seq, attempt: 1, at, parts_done: 0 }).collect()
    }

    /// In which row attempts in these places are written down, when those in others are seen from outside.
    fn begin(begun: &Begun, places: &[i64], shown: &[i64], written: bool) -> Option<u32> {
        let plan = begun.plan(&starts(places), &starts(shown), &[]);
        let row = plan.new.as_ref().map(|(row, _list)| *row);
        begun.done(plan, written);
        row
    }

    #[test]
    fn a_row_is_taken_again_when_all_of_it_has_ended() {
        let begun = Begun::default();
        assert_eq!(begin(&begun, &[1, 2], &[], true), Some(1));
        assert_eq!(begin(&begun, &[3], &[], true), Some(2));
        assert_eq!(begin(&begun, &[4], &[1], true), Some(3), "one of the first is under way");
        assert_eq!(begin(&begun, &[], &[2, 9], true), None);
        assert_eq!(begin(&begun, &[5], &[], false), Some(1));
        // What could not be written is not in the row; the next attempt of the third is in another one than the first.
        assert_eq!(begin(&begun, &[3], &[], true), Some(1));
        assert_eq!(begin(&begun, &[6], &[], true), Some(2));
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(
            attempts in proptest::collection::btree_map(any::<i64>(), (any::<u32>(), any::<i64>()), 0..40),
        ) {
            let list: List =
                attempts.into_iter().map(|(place, (number, at))| (place, (number, Timestamp(at)))).collect();
            prop_assert_eq!(unpack(&pack(&list)), Some(list));
        }

        #[test]
        fn what_is_no_list_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop(unpack(&bytes));
        }
    }

    #[test]
    fn a_list_of_the_usual_kind_is_short() {
        let at = |place: i64| (place, (1, Timestamp(1_750_000_000_000 + place % 50)));
        let list: List = (1_000_000..1_000_512).map(at).collect();
        assert!(pack(&list).len() <= 512 * 3 + 16, "{} bytes", pack(&list).len());
    }
}
