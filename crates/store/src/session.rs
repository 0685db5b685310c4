//! Sessions of the console: kept as keyed hashes, ended by idleness, by age, and by a change of the password.

use carillon_model::id::{AccountId, ProjectId};
use carillon_model::{SecretText, limits};

use crate::account::{Credential, Holder, read_holder};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::vault::Vault;

/// Names the password that a session was opened with.
fn password_mark(vault: &Vault, password_hash: &str) -> [u8; 32] {
    vault.hash("session password", password_hash.as_bytes())
}

impl Store {
    /// Keeps a session that was opened with a password, and forgets those that have ended.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn session_add(
        &self,
        session: &SecretText,
        project: ProjectId,
        account: AccountId,
        password_hash: &str,
    ) -> Result<(), Error> {
        let hash = self.vault.hash("session", session.reveal().as_bytes());
        let mark = password_mark(&self.vault, password_hash);
        let now = self.clock.now();
        let add = move |tx: &mut Tx<'_>| {
            tx.execute("DELETE FROM session WHERE expires_at <= $1", params![now])?;
            tx.execute(
                "INSERT INTO session (hash, project_id, account_id, password_mark, created_at, seen_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $5, $6)",
                params![
                    hash,
                    project.as_str(),
                    account.to_string(),
                    mark,
                    now,
                    now.plus(limits::SESSION_LIFE)
                ],
            )
        };
        self.db.write(add).await.map(drop)
    }

    /// Finds who holds a session that has not ended, and notes that it is used.
    ///
    /// # Errors
    /// When the store cannot be read, or the note cannot be written.
    pub async fn session_find(&self, session: &SecretText) -> Result<Option<Holder>, Error> {
        let hash = self.vault.hash("session", session.reveal().as_bytes());
        let now = self.clock.now();
        let (sought, idle) = (hash, now.minus(limits::SESSION_IDLE));
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one(
                "session",
                "SELECT p.id, p.name, a.id, a.name, a.operator, m.role, m.topics, NULL, '', a.password_hash,
                 s.password_mark, s.seen_at FROM session s
                 JOIN project p ON p.id = s.project_id JOIN account a ON a.id = s.account_id
                 JOIN membership m ON m.project_id = s.project_id AND m.account_id = s.account_id
                 WHERE s.hash = $1 AND s.expires_at > $2 AND s.seen_at > $3",
                params![sought, now, idle],
            )
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let holder = read_holder(&mut row, |_row| Ok(Credential::Session))?;
        let (password_hash, mark, seen_at) = (row.text()?, row.bytes()?, row.time()?);
        if password_mark(&self.vault, &password_hash).as_slice() != mark {
            self.session_delete(session).await?;
            return Ok(None);
        }
        // Not at every request: a page that is looked at costs no write.
        if now.since(seen_at) >= limits::SESSION_NOTE_EVERY {
            let note = move |tx: &mut Tx<'_>| {
                tx.execute("UPDATE session SET seen_at = $2 WHERE hash = $1", params![hash, now])
            };
            // When somebody was seen last is nothing that is kept in memory.
            self.db.write_flow(note, |_noted| ()).await?;
        }
        Ok(Some(holder))
    }

    /// Ends a session, if it is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn session_delete(&self, session: &SecretText) -> Result<(), Error> {
        let hash = self.vault.hash("session", session.reveal().as_bytes());
        let delete = move |tx: &mut Tx<'_>| tx.execute("DELETE FROM session WHERE hash = $1", params![hash]);
        self.db.write(delete).await.map(drop)
    }
}
