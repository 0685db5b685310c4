//! Images and files that go with messages: their bytes, in pieces, until nothing needs them any more.
//!
//! They are as little sealed as the texts of messages (ADR 27). Whatever is written or taken out is a few pieces at a time,
//! so that publishing never waits behind a large file.

use aws_lc_rs::digest;
use carillon_model::attachment::{Picture, PictureFormat};
use carillon_model::clock::Timestamp;
use carillon_model::id::{AttachmentId, ProjectId};
use carillon_model::limits;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// The bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;
/// How many pieces are written, read or taken out at once.
const PIECES: usize = 16;

/// What is kept of an image or a file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttachment {
    /// Its id.
    pub id: AttachmentId,
    /// How many bytes it has.
    pub bytes: u64,
    /// What its first bytes tell, if it is a picture.
    pub picture: Option<Picture>,
}

/// What became of bytes that were handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentAdded {
    /// They are kept, now or since before.
    Kept(KeptAttachment),
    /// The project keeps as much as it may.
    Full,
}

/// The id of some bytes in a project: the same bytes again are the same attachment.
fn id_of(project: &ProjectId, bytes: &[u8]) -> AttachmentId {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(project.as_str().as_bytes());
    context.update(b"\n");
    context.update(bytes);
    let mut id = [0_u8; 16];
    for (to, from) in id.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    AttachmentId::from_bytes(id)
}

/// Reads the columns `id, bytes, picture, width, height`.
fn read_kept(row: &mut Row) -> Result<KeptAttachment, Error> {
    let id = row.parsed(|text| AttachmentId::parse(text).ok())?;
    let bytes = u64::try_from(row.int()?).map_err(|_negative| row.corrupt("it is no count"))?;
    let format = row.maybe_parsed(PictureFormat::from_name)?;
    let (width, height) = (row.maybe_int()?, row.maybe_int()?);
    let side = |side: Option<i64>| side.and_then(|side| u32::try_from(side).ok());
    let size = side(width).zip(side(height));
    Ok(KeptAttachment { id, bytes, picture: format.map(|format| Picture { format, size }) })
}

/// Notes that the bytes are on their way, and tells whether all of them are there since before; nothing when the project is
/// full.
fn begin(
    tx: &mut Tx<'_>,
    project: &str,
    kept: &KeptAttachment,
    now: Timestamp,
) -> Result<Option<bool>, Error> {
    let id = kept.id.to_string();
    let sql = "UPDATE attachment SET used_at = $2 WHERE id = $1 RETURNING whole";
    if let Some(mut row) = tx.query_one("attachment", sql, params![id.as_str(), now])? {
        return Ok(Some(row.int()? == 1));
    }
    let sql = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM attachment WHERE project_id = $1";
    let taken = tx.query_one("attachment", sql, params![project])?.map_or(Ok(0), |mut row| row.int())?;
    let taken = u64::try_from(taken).unwrap_or(u64::MAX);
    if taken.saturating_add(kept.bytes) > limits::ATTACHMENTS_BYTES_MAX {
        return Ok(None);
    }
    let size = kept.picture.and_then(|picture| picture.size);
    tx.execute(
        "INSERT INTO attachment (id, project_id, bytes, picture, width, height, whole, pushed, used_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)",
        params![
            id,
            project,
            kept.bytes,
            kept.picture.map(|picture| picture.format.name().to_owned()),
            size.map(|(width, _height)| i64::from(width)),
            size.map(|(_width, height)| i64::from(height)),
            now
        ],
    )?;
    Ok(Some(false))
}

impl Store {
    /// Keeps the bytes of an image or a file. When this has answered, they survive whatever the disk survives.
    ///
    /// # Errors
    /// When nothing can be written; then it is not kept, and handing it in again goes on.
    pub async fn attachment_add(&self, project: &ProjectId, bytes: &[u8]) -> Result<AttachmentAdded, Error> {
        let id = id_of(project, bytes);
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let kept = KeptAttachment { id, bytes: count, picture: Picture::read(bytes) };
        let (project, now, begun) = (project.clone(), self.clock.now(), kept.clone());
        let work = move |tx: &mut Tx<'_>| begin(tx, project.as_str(), &begun, now);
        match self.db.write_flow(work, |_begun| ()).await? {
            None => return Ok(AttachmentAdded::Full),
            Some(true) => return Ok(AttachmentAdded::Kept(kept)),
            Some(false) => {}
        }
        for (group, some) in bytes.chunks(PIECE_BYTES * PIECES).enumerate() {
            let pieces: Vec<Vec<u8>> = some.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
            let put = move |tx: &mut Tx<'_>| {
                for (number, piece) in pieces.into_iter().enumerate() {
                    let number = u64::try_from(group * PIECES + number).unwrap_or(u64::MAX);
                    let sql =
                        "INSERT INTO attachment_piece (attachment_id, number, bytes) VALUES ($1, $2, $3)
                         ON CONFLICT (attachment_id, number) DO NOTHING";
                    tx.execute(sql, params![id.to_string(), number, piece])?;
                }
                Ok(())
            };
            self.db.write_beside(put, |()| ()).await?;
        }
        let now = self.clock.now();
        let end = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE attachment SET whole = 1, used_at = $2 WHERE id = $1";
            tx.execute(sql, params![id.to_string(), now])
        };
        self.db.write_beside(end, |_changed| ()).await?;
        Ok(AttachmentAdded::Kept(kept))
    }

    /// What is kept under these ids in a project; what is not there is left out. From now on they are kept as long as a
    /// message needs them.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn attachment_use(
        &self,
        project: &ProjectId,
        ids: &[AttachmentId],
    ) -> Result<Vec<KeptAttachment>, Error> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let (project, now) = (project.clone(), self.clock.now());
        let mark = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE attachment SET pushed = 1, used_at = $3 WHERE project_id = $1 AND whole = 1
                 AND id IN (SELECT value FROM json_each($2)) RETURNING id, bytes, picture, width, height";
            tx.query("attachment", sql, params![project.as_str(), ids, now])
        };
        let rows = self.db.write_beside(mark, |_rows| ()).await?;
        rows.into_iter().map(|mut row| read_kept(&mut row)).collect()
    }

    /// The bytes of an image or a file; nothing when they are not there, or no longer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn attachment_bytes(&self, id: AttachmentId) -> Result<Option<Vec<u8>>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT bytes FROM attachment WHERE id = $1 AND whole = 1";
            tx.query_one("attachment", sql, params![id.to_string()])
        };
        let Some(mut row) = self.db.read_alone(find).await? else { return Ok(None) };
        let count = usize::try_from(row.int()?).unwrap_or(usize::MAX).min(limits::ATTACHMENT_BYTES_MAX);
        let mut bytes = Vec::with_capacity(count);
        let mut from = 0;
        while bytes.len() < count {
            let read = move |tx: &mut Tx<'_>| {
                let sql = "SELECT bytes FROM attachment_piece WHERE attachment_id = $1 AND number >= $2
                     ORDER BY number LIMIT $3";
                let most = u64::try_from(PIECES).unwrap_or(u64::MAX);
                tx.query("attachment_piece", sql, params![id.to_string(), from, most])
            };
            let pieces = self.db.read_alone(read).await?;
            if pieces.is_empty() {
                // It is being forgotten at this moment.
                return Ok(None);
            }
            for mut piece in pieces {
                bytes.extend_from_slice(&piece.bytes()?);
                from += 1_u64;
            }
        }
        Ok((bytes.len() == count).then_some(bytes))
    }

    /// Takes out a few pieces of what no message needs any more, and tells whether there was something.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn attachment_forget(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let before = |life: std::time::Duration| {
            now.0.saturating_sub(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
        };
        let (used, unused) = (before(limits::ATTACHMENT_LIFE), before(limits::ATTACHMENT_UNUSED_LIFE));
        let old = move |tx: &mut Tx<'_>| {
            let sql = "SELECT id FROM attachment WHERE (pushed = 1 AND used_at < $1) OR (pushed = 0 AND used_at < $2)
                 LIMIT 1";
            tx.query_one("attachment", sql, params![used, unused])
        };
        let Some(mut found) = self.db.read_alone(old).await? else { return Ok(false) };
        let id = found.text()?;
        let forget = move |tx: &mut Tx<'_>| {
            // It may have been handed in or named again since it was looked for.
            let sql = "UPDATE attachment SET whole = 0 WHERE id = $1
                 AND ((pushed = 1 AND used_at < $2) OR (pushed = 0 AND used_at < $3))";
            if tx.execute(sql, params![id.as_str(), used, unused])? == 0 {
                return Ok(());
            }
            let sql = "DELETE FROM attachment_piece WHERE attachment_id = $1 AND number IN
                 (SELECT number FROM attachment_piece WHERE attachment_id = $1 ORDER BY number LIMIT $2)";
            let most = u64::try_from(PIECES).unwrap_or(u64::MAX);
            if tx.execute(sql, params![id.as_str(), most])? < most {
                tx.execute("DELETE FROM attachment WHERE id = $1", params![id.as_str()])?;
            }
            Ok(())
        };
        // Nothing of it is kept in memory.
        self.db.write_flow(forget, |()| ()).await?;
        Ok(true)
    }
}
