//! Message templates, one row for each variant.

use carillon_model::Channel;
use carillon_model::id::{ProjectId, TemplateId};
use carillon_model::template::{Template, TemplateName};

use crate::Page;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// What came of making a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateMade {
    /// It is new.
    New,
    /// One of that name and protocol was there and stays as it is.
    There,
    /// The project has as many as it may.
    Full,
}

/// Which templates a list shows.
#[derive(Debug, Clone, Default)]
pub struct TemplateFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// Exactly this protocol.
    pub protocol: Option<String>,
}

macro_rules! select_template {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, name, protocol, channel, placeholders, created_at, updated_at, ",
            $rest
        )
    };
}

fn read_template(row: &mut Row) -> Result<Template, Error> {
    let id = row.parsed(|text| TemplateId::parse(text).ok())?;
    let project = row.parsed(|text| ProjectId::parse(text).ok())?;
    let name = row.parsed(|text| TemplateName::parse(text).ok())?;
    let protocol = row.text()?;
    let channel = row.maybe_text()?.map(|text| Channel::from_name(&text));
    let channel = match channel {
        Some(None) => return Err(row.corrupt("there is no such channel")),
        Some(channel) => channel,
        None => None,
    };
    let placeholders = row.parsed(|text| serde_json::from_str(text).ok())?;
    let (created_at, updated_at) = (row.time()?, row.time()?);
    Ok(Template { id, project, name, protocol, channel, placeholders, created_at, updated_at })
}

fn read_whole(mut row: Row) -> Result<(Template, String), Error> {
    Ok((read_template(&mut row)?, row.text()?))
}

fn json(placeholders: &[String]) -> Result<String, Error> {
    serde_json::to_string(placeholders).map_err(|_json| Error::Conflict)
}

fn create(tx: &mut Tx<'_>, template: &Template, content: String, most: u64) -> Result<TemplateMade, Error> {
    let project = template.project.as_str();
    let sql = "SELECT count(*), count(CASE WHEN name = $2 AND protocol = $3 THEN 1 END) FROM template
         WHERE project_id = $1";
    let counts =
        tx.query_one("template", sql, params![project, template.name.as_str(), template.protocol.as_str()])?;
    if let Some(mut row) = counts {
        let (all, same) = (row.int()?, row.int()?);
        if same > 0 {
            return Ok(TemplateMade::There);
        }
        if u64::try_from(all).unwrap_or(0) >= most {
            return Ok(TemplateMade::Full);
        }
    }
    tx.execute(
        "INSERT INTO template
         (id, project_id, name, protocol, channel, placeholders, content, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            template.id.to_string(),
            project,
            template.name.as_str(),
            template.protocol.as_str(),
            template.channel.map(Channel::name),
            json(&template.placeholders)?,
            content,
            template.created_at,
            template.updated_at
        ],
    )?;
    Ok(TemplateMade::New)
}

impl Store {
    /// Makes a variant of a template unless one of that name and protocol is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn template_create(&self, template: Template, content: String) -> Result<TemplateMade, Error> {
        let most = self.quotas.templates;
        self.db.write(move |tx| create(tx, &template, content, most)).await
    }

    /// Finds a variant with its text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn template_find(
        &self,
        project: &ProjectId,
        id: TemplateId,
    ) -> Result<Option<(Template, String)>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_template!("content FROM template WHERE project_id = $1 AND id = $2");
            tx.query_one("template", sql, params![project.as_str(), id.to_string()])?
                .map(read_whole)
                .transpose()
        };
        self.db.read(find).await
    }

    /// All variants of a name with their texts, in the order of their protocols.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn template_variants(
        &self,
        project: &ProjectId,
        name: &TemplateName,
    ) -> Result<Vec<(Template, String)>, Error> {
        let (project, name) = (project.clone(), name.clone());
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_template!(
                "content FROM template WHERE project_id = $1 AND name = $2 ORDER BY protocol"
            );
            let rows = tx.query("template", sql, params![project.as_str(), name.as_str()])?;
            rows.into_iter().map(read_whole).collect()
        };
        self.db.read(find).await
    }

    /// Lists a project's templates, oldest first, and counts all that fit the filter.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn template_list(
        &self,
        project: &ProjectId,
        filter: TemplateFilter,
        page: Page,
    ) -> Result<(u64, Vec<Template>), Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let shown = params![
                project.as_str(),
                filter.name.clone(),
                filter.protocol.clone(),
                page.limit,
                page.offset
            ];
            let sql = "SELECT count(*) FROM template WHERE project_id = $1 AND ($2 IS NULL OR name = $2)
                 AND ($3 IS NULL OR protocol = $3)";
            let count = tx.query_one("template", sql, shown.get(..3).unwrap_or_default())?;
            let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
            let sql = select_template!(
                "0 FROM template WHERE project_id = $1 AND ($2 IS NULL OR name = $2)
                 AND ($3 IS NULL OR protocol = $3) ORDER BY created_at, id LIMIT $4 OFFSET $5"
            );
            let rows = tx.query("template", sql, shown)?;
            let found = rows.into_iter().map(|mut row| read_template(&mut row)).collect::<Result<_, _>>()?;
            Ok((u64::try_from(count).unwrap_or(0), found))
        };
        self.db.read(list).await
    }

    /// Gives a variant another text and tells whether it is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn template_rewrite(
        &self,
        project: &ProjectId,
        id: TemplateId,
        placeholders: Vec<String>,
        content: String,
    ) -> Result<bool, Error> {
        let (project, now) = (project.clone(), self.clock.now());
        let change = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE template SET placeholders = $3, content = $4, updated_at = $5
                 WHERE project_id = $1 AND id = $2";
            let placeholders = json(&placeholders)?;
            tx.execute(sql, params![project.as_str(), id.to_string(), placeholders, content, now])
        };
        Ok(self.db.write(change).await? > 0)
    }

    /// Removes a variant and tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn template_delete(&self, project: &ProjectId, id: TemplateId) -> Result<bool, Error> {
        let project = project.clone();
        let delete = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM template WHERE project_id = $1 AND id = $2";
            tx.execute(sql, params![project.as_str(), id.to_string()])
        };
        Ok(self.db.write(delete).await? > 0)
    }
}
