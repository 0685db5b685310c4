//! The rows of the index by lane in a file (`lane_places`): lists of up to [`PLACES_MAX`] places of one lane and priority, in
//! their order. A list is written once and never changed. What is over stays in it, and whoever reads looks at the
//! deliveries themselves; a list in which nothing waits any more is taken out, by whoever meets one.
//!
//! PostgreSQL never sees these statements: there the deliveries have an index of their own.

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::lane::Room;

/// How many places stand in one list: as many as a lane takes at once.
const PLACES_MAX: usize = 128;
/// How many lists in which nothing waits one reading of a lane tells of.
const OVER_MAX: u64 = 1_024;

/// Which list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Key {
    endpoint: String,
    priority: i64,
    first: i64,
}

/// A list that is to be entered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct List {
    key: Key,
    places: String,
}

/// The lists of what waits behind one place and up to another, in the order in which they stand.
pub(crate) fn collect(tx: &mut Tx<'_>, after: i64, upto: i64) -> Result<Vec<List>, Error> {
    let sql = "SELECT endpoint_id, priority, json_group_array(seq ORDER BY seq) FROM delivery
         WHERE seq > $1 AND seq <= $2 AND state IN (0, 1)
         GROUP BY endpoint_id, priority ORDER BY endpoint_id, priority DESC";
    let mut lists = Vec::new();
    for mut row in tx.query("delivery", sql, params![after, upto])? {
        let (endpoint, priority) = (row.text()?, row.int()?);
        let places = row.parsed(|text| serde_json::from_str::<Vec<i64>>(text).ok())?;
        for part in places.chunks(PLACES_MAX) {
            let first = part.first().copied().unwrap_or_default();
            let places = serde_json::to_string(part).map_err(|_json| Error::Conflict)?;
            lists.push(List { key: Key { endpoint: endpoint.clone(), priority, first }, places });
        }
    }
    Ok(lists)
}

pub(crate) fn enter(tx: &mut Tx<'_>, lists: &[List]) -> Result<(), Error> {
    for List { key, places } in lists {
        let sql = "INSERT INTO lane_places (endpoint_id, priority, first, places) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![key.endpoint.as_str(), key.priority, key.first, places.as_str()])?;
    }
    Ok(())
}

/// What comes next in a lane.
pub(crate) struct Next {
    /// The places of what is to be read.
    pub(crate) places: Vec<i64>,
    /// How many deliveries were found; more than places where they are large.
    pub(crate) found: usize,
    /// Lists before them in which nothing waits.
    pub(crate) over: Vec<Key>,
}

/// The places of the next deliveries of a lane, urgent ones first. Contents are measured here, which takes no reading of them.
pub(crate) fn take(tx: &mut Tx<'_>, endpoint: &str, room: Room) -> Result<Next, Error> {
    // In the order of the lists, so that no more are read than are needed.
    let sql = "SELECT w.seq, w.priority, w.first, octet_length(m.content) FROM lane_waiting w
         CROSS JOIN message m WHERE m.id = w.message_id AND w.endpoint_id = $1
         ORDER BY w.priority DESC, w.first LIMIT $2";
    let rows = tx.query("lane_places", sql, params![endpoint, room.most])?;
    let (mut places, mut from, found) = (Vec::with_capacity(rows.len()), None, rows.len());
    let mut bytes = 0_u64;
    for (before, mut row) in (0_u64..).zip(rows) {
        let (place, key) = (row.int()?, (row.int()?, row.int()?));
        from.get_or_insert(key);
        if before >= room.least && bytes >= room.bytes {
            break;
        }
        places.push(place);
        bytes = bytes.saturating_add(u64::try_from(row.int()?).unwrap_or(0));
    }
    let (priority, first) = from.map_or((None, None), |(priority, first)| (Some(priority), Some(first)));
    let sql = "SELECT endpoint_id, priority, first FROM lane_places
         WHERE endpoint_id = $1 AND ($2 IS NULL OR priority > $2 OR (priority = $2 AND first < $3)) LIMIT $4";
    let over = tx.query("lane_places", sql, params![endpoint, priority, first, OVER_MAX])?;
    let over = over.into_iter().map(read_key).collect::<Result<_, _>>()?;
    Ok(Next { places, found, over })
}

fn read_key(mut row: Row) -> Result<Key, Error> {
    Ok(Key { endpoint: row.text()?, priority: row.int()?, first: row.int()? })
}

/// Looks at so many lists behind one, and tells in which of them nothing waits, and where to go on: at the beginning again
/// behind the last.
pub(crate) fn look(tx: &mut Tx<'_>, after: &Key, count: u64) -> Result<(Vec<Key>, Key), Error> {
    let sql = "SELECT l.endpoint_id, l.priority, l.first, EXISTS (SELECT 1 FROM json_each(l.places) p
         CROSS JOIN delivery d WHERE d.seq = p.value AND d.state IN (0, 1)) FROM lane_places l
         WHERE l.endpoint_id >= $1 AND (l.endpoint_id > $1 OR l.priority < $2 OR (l.priority = $2 AND l.first > $3))
         ORDER BY l.endpoint_id, l.priority DESC, l.first LIMIT $4";
    let shown = params![after.endpoint.as_str(), after.priority, after.first, count];
    let (mut over, mut last, mut seen) = (Vec::new(), Key::default(), 0);
    for mut row in tx.query("lane_places", sql, shown)? {
        last = Key { endpoint: row.text()?, priority: row.int()?, first: row.int()? };
        seen += 1;
        if row.int()? == 0 {
            over.push(last.clone());
        }
    }
    Ok((over, if seen < count { Key::default() } else { last }))
}

/// Takes out lists in which nothing waited: nothing ever will, since what is sent again gets another place.
pub(crate) fn remove(tx: &mut Tx<'_>, over: &[Key]) -> Result<(), Error> {
    for key in over {
        let sql = "DELETE FROM lane_places WHERE endpoint_id = $1 AND priority = $2 AND first = $3";
        tx.execute(sql, params![key.endpoint.as_str(), key.priority, key.first])?;
    }
    Ok(())
}
