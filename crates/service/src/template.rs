//! Keep message templates, and make a message from one.

use std::collections::BTreeMap;

use carillon_model::audit::Deed;
use carillon_model::id::TemplateId;
use carillon_model::message::{Body, Content, Locale};
use carillon_model::role::Right;
use carillon_model::template::{DEFAULT_PROTOCOL, Template, TemplateName, TemplateText, Values};
use carillon_model::{Channel, Field, Invalid};
use carillon_store::Page;
use carillon_store::template::{TemplateFilter, TemplateMade};

use crate::error::Error;
use crate::trial::Form;
use crate::{Caller, Service};

/// What a caller says of a variant to be made.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// The name.
    pub name: String,
    /// The protocol in the caller's dialect, or [`DEFAULT_PROTOCOL`].
    pub protocol: String,
    /// The channel that the protocol means, if subscriptions can be made of it.
    pub channel: Option<Channel>,
    /// The text with its placeholders.
    pub content: String,
}

/// A message to be made from a template.
#[derive(Debug, Clone)]
pub struct ByTemplate {
    /// The template's name.
    pub name: String,
    /// What stands in the place of its placeholders.
    pub values: Values,
}

impl Service {
    /// Makes a variant of a template.
    ///
    /// # Errors
    /// When the name or the text breaks its rule, one of that name and protocol is there, or the project is full.
    pub async fn create_template(&self, caller: &Caller, new: NewTemplate) -> Result<TemplateId, Error> {
        caller.may(Right::Change)?;
        let name = TemplateName::parse(&new.name)?;
        let text = TemplateText::parse(&new.content)?;
        let now = self.clock.now();
        let template = Template {
            id: TemplateId::new(now, self.chance.as_ref()),
            project: caller.project.clone(),
            name,
            protocol: new.protocol,
            channel: new.channel,
            placeholders: text.placeholders(),
            created_at: now,
            updated_at: now,
        };
        let id = template.id;
        let detail = format!("{} for {}", template.name.as_str(), template.protocol);
        let store = self.acting_on(caller, Deed::TemplateCreate, vec![id.to_string()], detail);
        match store.template_create(template, new.content).await? {
            TemplateMade::New => Ok(id),
            TemplateMade::There => Err(Error::TemplateExists),
            TemplateMade::Full => Err(Error::TemplatesFull),
        }
    }

    /// Lists the project's templates, oldest first, with the count of all that fit the filter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_templates(
        &self,
        caller: &Caller,
        filter: TemplateFilter,
        page: Page,
    ) -> Result<(u64, Vec<Template>), Error> {
        caller.may(Right::Look)?;
        Ok(self.store.template_list(&caller.project, filter, page).await?)
    }

    /// Looks at one variant with its text.
    ///
    /// # Errors
    /// When the id is malformed or there is no such template in the caller's project.
    pub async fn template(&self, caller: &Caller, id: &str) -> Result<(Template, String), Error> {
        caller.may(Right::Look)?;
        let found = self.store.template_find(&caller.project, template_id(id)?).await?;
        found.ok_or(Error::TemplateNotFound)
    }

    /// Gives a variant another text.
    ///
    /// # Errors
    /// When the text breaks its rule or there is no such template.
    pub async fn rewrite_template(&self, caller: &Caller, id: &str, content: String) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let placeholders = TemplateText::parse(&content)?.placeholders();
        let id = template_id(id)?;
        let store = self.acting(caller, Deed::TemplateUpdate, &id);
        let there = store.template_rewrite(&caller.project, id, placeholders, content).await?;
        if there { Ok(()) } else { Err(Error::TemplateNotFound) }
    }

    /// Removes a variant.
    ///
    /// # Errors
    /// When there is no such template.
    pub async fn delete_template(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let id = template_id(id)?;
        let store = self.acting(caller, Deed::TemplateDelete, &id);
        let there = store.template_delete(&caller.project, id).await?;
        if there { Ok(()) } else { Err(Error::TemplateNotFound) }
    }

    /// Shows what a template's text would become: on its own channel, or on each chat when it is the default one. A
    /// placeholder without a value stands there as it is written. Nothing is stored or sent.
    ///
    /// # Errors
    /// When the text breaks its rule, or a value does.
    pub fn preview_template(
        &self,
        caller: &Caller,
        channel: Option<Channel>,
        content: &str,
        values: BTreeMap<String, String>,
        locale: Locale,
    ) -> Result<Vec<Form>, Error> {
        caller.may(Right::Look)?;
        let text = TemplateText::parse(content)?;
        let written = text.placeholders().into_iter().map(|name| {
            let itself = format!("{{{name}}}");
            (name, itself)
        });
        let mut all: BTreeMap<_, _> = written.collect();
        all.extend(values);
        let content = Content { default: Body::text(text.render(&Values::new(all)?)?), ..Content::default() };
        content.check()?;
        Ok(self.forms(caller, &content, channel, locale))
    }

    /// Makes a message's content from all variants of a template: each channel that has a variant gets it, all others
    /// the default. The values must cover the placeholders of every variant, whoever is subscribed (SMN API
    /// reference, "Publishing a Message Using a Message Template").
    pub(crate) async fn render(&self, caller: &Caller, by: &ByTemplate) -> Result<Content, Error> {
        let name = TemplateName::parse(&by.name)?;
        let variants = self.store.template_variants(&caller.project, &name).await?;
        if variants.is_empty() {
            return Err(Error::TemplateNotFound);
        }
        let (mut content, mut default) = (Content::default(), None);
        for (template, text) in variants {
            let body = Body::text(TemplateText::parse(&text)?.render(&by.values)?);
            if template.protocol == DEFAULT_PROTOCOL {
                default = Some(body);
            } else if let Some(channel) = template.channel {
                content.channels.insert(channel, body);
            }
        }
        content.default = default.ok_or(Error::DefaultTemplateNotFound)?;
        Ok(content)
    }
}

fn template_id(text: &str) -> Result<TemplateId, Invalid> {
    TemplateId::parse(text).map_err(|invalid| Invalid { field: Field::TemplateId, ..invalid })
}
