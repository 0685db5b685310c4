//! What was typed into a form, and what is wrong with it.

use std::collections::HashMap;

use carillon_model::{Field, Invalid, SecretText};
use carillon_service::Error;

use super::text::Lang;
use super::words;
use crate::call::query;

/// The fields of a form as they came.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form {
    values: HashMap<String, String>,
}

impl Form {
    /// Reads a body of the kind that browsers send.
    pub(crate) fn parse(body: &str) -> Self {
        Self { values: query(body) }
    }

    /// A form as it would be typed.
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { values: fields.iter().map(own).collect() }
    }

    /// A field as it was typed, with plain line ends; empty when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A field of several lines, with plain line ends: browsers send two signs for one.
    pub(crate) fn lines(&self, name: &str) -> String {
        self.get(name).replace("\r\n", "\n")
    }

    /// A field without the spaces around it, if there is something in it.
    pub(crate) fn maybe(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty())
    }

    /// A secret, if one was typed.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretText> {
        self.maybe(name).map(SecretText::from)
    }
}

/// What is wrong with a form: beside a field, or with the whole.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wrong {
    field: Option<Field>,
    text: String,
}

impl Wrong {
    /// Turns a refusal into what stands in the form; what no change of the form can mend is given back.
    pub(crate) fn of(error: Error, lang: Lang) -> Result<Self, Error> {
        if let Error::Invalid(Invalid { field, rule }) = error {
            return Ok(Self { field: Some(field), text: words::rule(field, &rule, lang) });
        }
        if let Error::PlatformRefuses { field, .. } = &error {
            return Ok(Self { field: *field, text: words::refusal(&error, lang) });
        }
        if words::status(&error).is_server_error() {
            return Err(error);
        }
        Ok(Self { field: None, text: words::refusal(&error, lang) })
    }

    /// A sentence of a page's own beside a field.
    pub(crate) fn beside(field: Field, text: &str) -> Self {
        Self { field: Some(field), text: text.to_owned() }
    }

    /// What is wrong with a field, by its name in the API; empty when nothing is.
    pub(crate) fn at(&self, name: &str) -> &str {
        if self.field.is_some_and(|field| field.name() == name) { &self.text } else { "" }
    }

    /// What is wrong, wherever.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with the whole; also with a field that none of `shown` is.
    pub(crate) fn whole(&self, shown: &[&str]) -> &str {
        match self.field {
            Some(field) if shown.contains(&field.name()) => "",
            _ => &self.text,
        }
    }
}
