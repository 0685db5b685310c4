//! Columns to values and back.

use crate::error::Error;

/// A value of a column, or a parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// Nothing, in the place of something of this kind: PostgreSQL wants to know what it might have been.
    Null(Kind),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// A parameter only: numbers to be taken with `IN (SELECT value FROM json_each($1))`.
    Ints(Vec<i64>),
    /// A parameter only: texts to be taken with `IN (SELECT value FROM json_each($1))`.
    Texts(Vec<String>),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
    Ints,
    Texts,
}

impl Value {
    /// What it is, or would be.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Int(_) => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Ints(_) => Kind::Ints,
            Self::Texts(_) => Kind::Texts,
        }
    }
}

impl Kind {
    /// What PostgreSQL calls it.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Bytes => "bytea",
            Self::Ints => "bigint[]",
            Self::Texts => "text[]",
        }
    }
}

/// What may be nothing, and what it is when it is something.
pub(crate) trait Typed: Into<Value> {
    const KIND: Kind;
}

macro_rules! typed {
    ($($kind:ident: $($type:ty),+;)+) => { $($(impl Typed for $type { const KIND: Kind = Kind::$kind; })+)+ };
}
typed! {
    Int: i64, u32, u64, carillon_model::Timestamp;
    Text: &str, String;
    Bytes: Vec<u8>, [u8; 32];
    Ints: Vec<i64>, &[i64];
    Texts: Vec<String>;
}

impl From<Vec<i64>> for Value {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}

impl From<&[i64]> for Value {
    fn from(value: &[i64]) -> Self {
        Self::Ints(value.to_vec())
    }
}

impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::Texts(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<[u8; 32]> for Value {
    fn from(value: [u8; 32]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<carillon_model::Timestamp> for Value {
    fn from(value: carillon_model::Timestamp) -> Self {
        Self::Int(value.0)
    }
}

impl<T: Typed> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null(T::KIND), Into::into)
    }
}

/// A row, read column by column in the order of the query.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    table: &'static str,
    column: usize,
    values: std::vec::IntoIter<Value>,
}

impl Row {
    pub(crate) fn new(table: &'static str, values: Vec<Value>) -> Self {
        Self { table, column: 0, values: values.into_iter() }
    }

    /// All columns that were not read yet.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values.collect()
    }

    fn next(&mut self) -> Result<Value, Error> {
        self.column += 1;
        self.values.next().ok_or_else(|| self.corrupt("the column is missing"))
    }

    /// Says what is wrong with the column read last.
    pub(crate) fn corrupt(&self, problem: &'static str) -> Error {
        Error::Corrupt { table: self.table, column: self.column.saturating_sub(1), problem }
    }

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.maybe_int()?.ok_or_else(|| self.corrupt("a number is missing"))
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, Error> {
        match self.next()? {
            Value::Int(value) => Ok(Some(value)),
            Value::Null(_) => Ok(None),
            Value::Text(_) | Value::Bytes(_) | Value::Ints(_) | Value::Texts(_) => {
                Err(self.corrupt("it is no number"))
            }
        }
    }

    pub(crate) fn count(&mut self) -> Result<u32, Error> {
        let value = self.int()?;
        u32::try_from(value).map_err(|_out_of_range| self.corrupt("it is no count"))
    }

    pub(crate) fn time(&mut self) -> Result<carillon_model::Timestamp, Error> {
        self.int().map(carillon_model::Timestamp)
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<carillon_model::Timestamp>, Error> {
        Ok(self.maybe_int()?.map(carillon_model::Timestamp))
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.maybe_text()?.ok_or_else(|| self.corrupt("a text is missing"))
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, Error> {
        match self.next()? {
            Value::Text(value) => Ok(Some(value)),
            Value::Null(_) => Ok(None),
            Value::Int(_) | Value::Bytes(_) | Value::Ints(_) | Value::Texts(_) => {
                Err(self.corrupt("it is no text"))
            }
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        self.maybe_bytes()?.ok_or_else(|| self.corrupt("it holds no bytes"))
    }

    pub(crate) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.next()? {
            Value::Bytes(value) => Ok(Some(value)),
            Value::Null(_) => Ok(None),
            Value::Int(_) | Value::Text(_) | Value::Ints(_) | Value::Texts(_) => {
                Err(self.corrupt("it holds no bytes"))
            }
        }
    }

    /// Reads a text with a rule of its own, such as an id.
    pub(crate) fn parsed<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| self.corrupt("the text breaks its rule"))
    }

    /// The same where there may be none.
    pub(crate) fn maybe_parsed<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| self.corrupt("the text breaks its rule"))
    }
}
