//! The ways the store can fail.

/// Why the store did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing can be made durable at present: the disk is full, the file cannot be written, the store is closing.
    #[error("the store cannot be written: {0}")]
    Unavailable(String),
    /// What was asked for is done and durable, but the bytes that it erased are not out of the database's log yet.
    #[error(
        "done, but the erased bytes are still in the database's log, which another program is reading; they leave it \
         when that program lets go, the server tries every second"
    )]
    Unpurged,
    /// A row holds what it must not.
    #[error("table {table}, column {column}: {problem}")]
    Corrupt {
        /// The table read from.
        table: &'static str,
        /// Which of the columns asked for, from 0.
        column: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A sealed value cannot be opened: its key is missing, or it was changed.
    #[error("a sealed value cannot be opened: {0}")]
    Sealed(&'static str),
    /// A row of that name exists already.
    #[error("it exists already")]
    Conflict,
    /// The data directory, the key file or the database cannot be used as it is.
    #[error("{0}")]
    Setup(String),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            return Self::Conflict;
        }
        Self::Unavailable(error.to_string())
    }
}
