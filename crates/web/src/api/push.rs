//! Pushes: straight to people and chats of an office app.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::attachment::AttachmentKind;
use carillon_model::id::{AttachmentId, ConnectionId};
use carillon_model::message::{Body, Button, Color, Content, Locale, Mentions, Priority};
use carillon_model::office::contact::ContactKind;
use carillon_model::office::{Recipient, RecipientKind};
use carillon_model::{Field, Invalid, SecretText};
use carillon_service::attachment::NamedAttachment;
use carillon_service::contact::Typed;
use carillon_service::push::Push;
use carillon_service::{Addressed, Error, Unreached};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::idempotency_key;
use super::{ApiCall, ok};
use crate::App;
use crate::call::mark_replayed;

/// One whom a push names.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct To {
    /// `member`, `department` (with those below it), `group` or `chat`; `email` or `phone` of a member that was bound to it.
    kind: String,
    /// The id: ours, or one of the platform's; the name of a group; the mail address or phone number.
    id: String,
}

/// A button that opens a page.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewButton {
    /// What it says.
    text: String,
    /// The page it opens, `https://…`.
    url: String,
}

/// An image or a file that was handed in at `/api/v1/attachments`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAttachment {
    /// Its id.
    id: String,
    /// The name of the file; images need none.
    #[serde(default)]
    name: Option<String>,
}

/// A message for people and chats: `markdown`, `text`, or images and files alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPush {
    /// The connection.
    connection_id: String,
    /// 1 to 1000 recipients.
    to: Vec<To>,
    /// The heading.
    #[serde(default)]
    title: Option<String>,
    /// The text in Markdown; or else `text`.
    #[serde(default)]
    markdown: Option<String>,
    /// Plain text.
    #[serde(default)]
    text: Option<String>,
    /// `critical`, `error`, `warning`, `info` or `ok`: the colour of the heading, where the platform has one.
    #[serde(default)]
    severity: Option<String>,
    /// Up to five buttons.
    #[serde(default)]
    buttons: Vec<NewButton>,
    /// Images, which follow the text; 10 images and files at most.
    #[serde(default)]
    images: Vec<NewAttachment>,
    /// Files, which follow the images.
    #[serde(default)]
    files: Vec<NewAttachment>,
    /// `robot`, or `work_notification` on DingTalk: people are notified without a robot, and asked about afterwards.
    #[serde(default)]
    via: Option<String>,
    /// Members who are pinged in chats: each a `member`, `email` or `phone`. DingTalk shows their names only.
    #[serde(default)]
    mentions: Vec<To>,
    /// Whether everybody is pinged in chats (Lark, Feishu).
    #[serde(default)]
    mention_all: bool,
    /// How many seconds it may wait, 1 to 86400; an hour when not given.
    #[serde(default)]
    time_to_live: Option<u64>,
    /// `urgent` goes first.
    #[serde(default)]
    #[schema(value_type = String)]
    priority: Priority,
    /// The language of what the service adds.
    #[serde(default)]
    #[schema(value_type = String)]
    locale: Locale,
    /// Stands in for the header `Idempotency-Key`.
    #[serde(default)]
    idempotency_key: Option<String>,
}

/// What a card says.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCard {
    /// The heading.
    #[serde(default)]
    title: Option<String>,
    /// The text in Markdown.
    markdown: String,
    /// `critical`, `error`, `warning`, `info` or `ok`: the colour of the heading.
    #[serde(default)]
    severity: Option<String>,
    /// Up to five buttons.
    #[serde(default)]
    buttons: Vec<NewButton>,
}

impl NewCard {
    pub(super) fn content(self) -> Result<Content, Invalid> {
        let body = Body {
            color: color(self.severity.as_deref())?,
            buttons: buttons(self.buttons)?,
            ..Body::markdown(self.markdown)
        };
        let subject = self.title.filter(|title| !title.is_empty());
        Ok(Content { default: body, subject, ..Content::default() })
    }
}

/// Whom a push would reach.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPreview {
    /// The connection.
    connection_id: String,
    /// 1 to 1000 recipients.
    to: Vec<To>,
}

/// A recipient that cannot be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unreachable {
    /// Its kind.
    kind: &'static str,
    /// Its id as it was given.
    id: String,
    /// `gone`, `no_department`, `no_group`, `empty`, or `not_bound` (a contact whose member is not known).
    reason: &'static str,
}

/// A push that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedPush {
    /// The message; its deliveries tell of everyone.
    message_id: String,
    /// How many people and chats it goes to.
    heads: usize,
    /// Who cannot be reached, and why.
    unreachable: Vec<Unreachable>,
}

/// One whom a push would reach.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reached {
    /// `member` or `chat`.
    kind: &'static str,
    /// Our id.
    id: String,
    /// The platform's id.
    platform_id: String,
    /// The name.
    name: String,
}

/// Whom a push would reach, and who cannot be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// How many people and chats.
    heads: usize,
    /// The first 200 of them.
    to: Vec<Reached>,
    /// Who cannot be reached, and why.
    unreachable: Vec<Unreachable>,
}

/// How many are shown of those whom a push would reach.
const SHOWN_MAX: usize = 200;

pub(super) fn recipient(to: &To) -> Result<Recipient, Invalid> {
    let rule = "kind must be member, department, group, chat, email or phone";
    let kind = RecipientKind::from_name(&to.kind).ok_or_else(|| Invalid::new(Field::To, rule))?;
    Recipient::parse(kind, &to.id).map_err(|invalid| Invalid::new(Field::To, invalid.rule))
}

/// Whom a push names; those named by a contact are looked up, and told apart when nobody knows them.
async fn recipients(
    app: &App,
    call: &ApiCall,
    connection: ConnectionId,
    to: Vec<To>,
) -> Result<(Vec<Recipient>, Vec<Unreachable>), Error> {
    let kind = |to: &To| ContactKind::from_name(&to.kind);
    let typed = |to: &To| kind(to).map(|kind| (kind, SecretText::from(to.id.as_str())));
    let contacts: Vec<Typed> = to.iter().filter_map(typed).collect();
    if contacts.is_empty() {
        return Ok((to.iter().map(recipient).collect::<Result<_, _>>()?, Vec::new()));
    }
    let mut bound = app.service.find_contacts(&call.0.caller, connection, contacts).await?.into_iter();
    let (mut recipients, mut unbound) = (Vec::new(), Vec::new());
    for one in to {
        match kind(&one) {
            None => recipients.push(recipient(&one)?),
            Some(kind) => match bound.next().flatten() {
                Some(member) => recipients.push(member),
                None => unbound.push(Unreachable { kind: kind.name(), id: one.id, reason: "not_bound" }),
            },
        }
    }
    Ok((recipients, unbound))
}

/// Whom a push names; somebody must be among them.
async fn some_recipients(
    app: &App,
    call: &ApiCall,
    connection: ConnectionId,
    to: Vec<To>,
) -> Result<(Vec<Recipient>, Vec<Unreachable>), Error> {
    let found = recipients(app, call, connection, to).await?;
    // Not to name anybody at all breaks a rule of the service's.
    if found.0.is_empty() && !found.1.is_empty() { Err(Error::NobodyReached(None)) } else { Ok(found) }
}

/// Who is pinged, by the platform's ids.
async fn mentions(
    app: &App,
    call: &ApiCall,
    connection: ConnectionId,
    new: &mut NewPush,
) -> Result<Mentions, Error> {
    let mut mentions = Mentions { all: new.mention_all, ..Mentions::default() };
    if new.mentions.is_empty() {
        return Ok(mentions);
    }
    let named = std::mem::take(&mut new.mentions);
    let (members, unbound) = recipients(app, call, connection, named).await?;
    if !unbound.is_empty() {
        return Err(Invalid::new(Field::Message, UNKNOWN).into());
    }
    mentions.user_ids = app.service.mention_words(&call.0.caller, connection, members).await?;
    Ok(mentions)
}

/// What is said of a mention that leads nowhere.
const UNKNOWN: &str = "who is mentioned must be a member who is there, or a contact that was bound";

fn color(severity: Option<&str>) -> Result<Option<Color>, Invalid> {
    let rule = "severity must be critical, error, warning, info or ok";
    match severity {
        None => Ok(None),
        Some("critical") => Ok(Some(Color::Red)),
        Some("error") => Ok(Some(Color::Carmine)),
        Some("warning") => Ok(Some(Color::Orange)),
        Some("info") => Ok(Some(Color::Blue)),
        Some("ok") => Ok(Some(Color::Green)),
        Some(_) => Err(Invalid::new(Field::Message, rule)),
    }
}

fn buttons(new: Vec<NewButton>) -> Result<Vec<Button>, Invalid> {
    if new.len() > Button::COUNT_MAX {
        return Err(Invalid::new(Field::Message, "a message has at most five buttons"));
    }
    new.into_iter().map(|button| Button::parse(&button.text, &button.url)).collect()
}

fn body(new: &mut NewPush) -> Result<Body, Invalid> {
    let color = color(new.severity.as_deref())?;
    let body = match (new.text.take(), new.markdown.take()) {
        (Some(text), None) if new.buttons.is_empty() => Body::text(text),
        (Some(_), None) => return Err(Invalid::new(Field::Message, "buttons need markdown")),
        (None, Some(markdown)) => {
            Body { buttons: buttons(std::mem::take(&mut new.buttons))?, ..Body::markdown(markdown) }
        }
        (None, None) if !new.images.is_empty() || !new.files.is_empty() => {
            let is_bare = new.title.is_none() && new.buttons.is_empty() && new.mentions.is_empty();
            if !is_bare || new.mention_all {
                let rule = "title, buttons and mentions need text or markdown";
                return Err(Invalid::new(Field::Message, rule));
            }
            Body::default()
        }
        _ => return Err(Invalid::new(Field::Message, "give either text or markdown")),
    };
    Ok(Body { color, ..body })
}

/// Whether people are to be notified.
fn notice(via: Option<&str>) -> Result<bool, Invalid> {
    match via {
        None | Some("robot") => Ok(false),
        Some("work_notification") => Ok(true),
        Some(_) => Err(Invalid::new(Field::Message, "via must be robot or work_notification")),
    }
}

/// What a push names, images first.
fn attachments(new: &mut NewPush) -> Result<Vec<NamedAttachment>, Invalid> {
    let lists = [
        (AttachmentKind::Image, std::mem::take(&mut new.images)),
        (AttachmentKind::File, std::mem::take(&mut new.files)),
    ];
    let mut all = Vec::new();
    for (kind, list) in lists {
        for one in list {
            let id = AttachmentId::parse(&one.id).map_err(|wrong| Invalid::new(kind.field(), wrong.rule))?;
            all.push(NamedAttachment { id, kind, name: one.name });
        }
    }
    Ok(all)
}

fn unreachable(unreached: &[(Recipient, Unreached)], unbound: Vec<Unreachable>) -> Vec<Unreachable> {
    let shown = |(recipient, why): &(Recipient, Unreached)| Unreachable {
        kind: recipient.kind.name(),
        id: recipient.id.clone(),
        reason: why.name(),
    };
    unreached.iter().map(shown).chain(unbound).collect()
}

/// Sends a message straight to people and chats of an office app. Everyone has a delivery of their own.
#[utoipa::path(post, path = "/api/v1/pushes", tag = "office", request_body = NewPush,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 128 printable ASCII characters")),
    responses((status = 202, body = AcceptedPush),
              (status = 200, body = AcceptedPush, description = "accepted before under the same key; \
               the header Idempotent-Replayed is true"),
              (status = 400), (status = 401), (status = 404),
              (status = 422, description = "nobody can be reached, or the key was used for another message"),
              (status = 503)))]
pub(crate) async fn push(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let pushed = async {
        let mut new: NewPush = call.body()?;
        let connection = ConnectionId::parse(&new.connection_id)?;
        let (to, unbound) = some_recipients(&app, &call, connection, std::mem::take(&mut new.to)).await?;
        let mut body = body(&mut new)?;
        let attachments = attachments(&mut new)?;
        body.mentions = mentions(&app, &call, connection, &mut new).await?;
        let idempotency_key = idempotency_key(&call, new.idempotency_key.take())?;
        let content = Content {
            default: body,
            subject: new.title.filter(|title| !title.is_empty()),
            ..Content::default()
        };
        let push = Push {
            connection,
            to,
            content,
            attachments,
            notice: notice(new.via.as_deref())?,
            time_to_live: new.time_to_live,
            priority: new.priority,
            locale: new.locale,
            idempotency_key,
        };
        Ok((app.service.push(&call.0.caller, push).await?, unbound))
    };
    let (pushed, unbound) = pushed.await.map_err(|error: Error| call.refuse(error))?;
    let answer = AcceptedPush {
        message_id: pushed.message.to_string(),
        heads: pushed.heads,
        unreachable: unreachable(&pushed.unreached, unbound),
    };
    if !pushed.replayed {
        return Ok(ok(StatusCode::ACCEPTED, &answer));
    }
    let mut response = ok(StatusCode::OK, &answer);
    mark_replayed(&mut response);
    Ok(response)
}

/// Tells whom a push would reach, and who cannot be reached. Sends nothing.
#[utoipa::path(post, path = "/api/v1/pushes/preview", tag = "office", request_body = NewPreview,
    responses((status = 200, body = Preview), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn preview(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let new: NewPreview = call.body()?;
        let connection = ConnectionId::parse(&new.connection_id)?;
        let (to, unbound) = some_recipients(&app, &call, connection, new.to).await?;
        Ok((app.service.preview_push(&call.0.caller, connection, to).await?, unbound))
    };
    let (found, unbound) = found.await.map_err(|error: Error| call.refuse(error))?;
    let there: Vec<Addressed> = found.to.into_iter().filter(|one| !one.gone).collect();
    let heads = there.len();
    let shown = |one: Addressed| Reached {
        kind: one.kind.name(),
        id: one.id.to_string(),
        platform_id: one.platform_id,
        name: one.name,
    };
    let to = there.into_iter().take(SHOWN_MAX).map(shown).collect();
    Ok(ok(StatusCode::OK, &Preview { heads, to, unreachable: unreachable(&found.unreached, unbound) }))
}
