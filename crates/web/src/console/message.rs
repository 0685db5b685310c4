//! One message: what it says, who got it, who did not, and why.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::MessageId;
use carillon_model::message::Format;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_service::delivery::NamedMessage;
use carillon_service::explain::Explanation;
use carillon_service::resend::Meant;
use carillon_service::subscription::NamedSubscription;
use carillon_service::{Error, Page, SubscriptionFilter};

use super::frame::{Frame, Place};
use super::problem::Problem;
use super::text::Lang;
use super::topics::ROWS;
use super::visit::Visit;
use super::{go, page, prose};
use crate::App;

/// How many subscriptions the question "why" offers.
const ASKED: u64 = 200;

/// A share of a message's deliveries, for the bar: where it begins and how wide it is, of 1000.
struct Share {
    state: DeliveryState,
    count: u64,
    from: u64,
    width: u64,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    f: Frame,
    id: MessageId,
    message: NamedMessage,
    /// What it says, as safe HTML.
    content: String,
    shares: Vec<Share>,
    rows: Vec<Explanation>,
    next: Option<String>,
    subscriptions: Vec<NamedSubscription>,
    asked: String,
    answer: Option<Explanation>,
}

impl MessagePage {
    fn has(&self, states: &[DeliveryState]) -> bool {
        self.shares.iter().any(|share| states.contains(&share.state))
    }

    fn can_resend(&self) -> bool {
        self.has(&[DeliveryState::Failed, DeliveryState::Expired, DeliveryState::Cancelled])
    }

    fn can_cancel(&self) -> bool {
        self.has(&[DeliveryState::Pending])
    }

    fn sentence<'a>(&self, explanation: &'a Explanation) -> &'a str {
        match self.f.lang {
            Lang::English => &explanation.sentence.en,
            Lang::Chinese => &explanation.sentence.zh,
        }
    }

    fn advice<'a>(&self, explanation: &'a Explanation) -> Option<&'a str> {
        let advice = explanation.advice.as_ref()?;
        Some(match self.f.lang {
            Lang::English => &advice.en,
            Lang::Chinese => &advice.zh,
        })
    }
}

fn shares(counts: &[(DeliveryState, u64)]) -> Vec<Share> {
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut from = 0;
    let mut shares = Vec::new();
    for (state, count) in counts {
        let width = (count * 1000).div_ceil(all.max(1));
        shares.push(Share { state: *state, count: *count, from, width });
        from += width;
    }
    shares
}

fn message_id(visit: &Visit) -> Result<MessageId, Error> {
    let id = MessageId::parse(visit.path("message_id"));
    id.map_err(|_malformed| Error::MessageNotFound)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let asked = visit.query("why").unwrap_or_default().to_owned();
    let shown = async {
        let id = message_id(&visit)?;
        let after = visit.query("after").map_or(Ok(0), |after| {
            after.parse::<u32>().map_err(|_parse| Invalid::new(Field::Id, "after must be a number"))
        })?;
        let explained = app.service.explain(&visit.caller, id, None, after, ROWS + 1).await?;
        let mut rows = explained.explanations;
        let limit = usize::try_from(ROWS).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().and_then(|last| last.delivery.as_ref()).filter(|_last| more);
        let next = last.map(|last| format!("/console/messages/{id}?after={}", last.record.id.number));
        let subscriptions = subscriptions(&app, &visit, &explained.message).await?;
        let mut answer = None;
        if !asked.is_empty() {
            let told = app.service.explain(&visit.caller, id, Some(&asked), 0, 1).await?;
            answer = told.explanations.into_iter().next();
        }
        let shares = shares(&explained.counts);
        let (f, message) = (visit.frame(Place::Messages), explained.message);
        let body = &message.summary.message.message.content.default;
        let content = match body.format {
            Format::Text => prose::plain(&body.text),
            Format::Markdown => prose::markdown(&body.text),
        };
        Ok::<_, Error>(MessagePage {
            f,
            id,
            message,
            content,
            shares,
            rows,
            next,
            subscriptions,
            asked,
            answer,
        })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}

/// The subscriptions that the question "why" may be about; none when the topic is gone.
async fn subscriptions(
    app: &App,
    visit: &Visit,
    message: &NamedMessage,
) -> Result<Vec<NamedSubscription>, Error> {
    if !visit.caller.has(Right::Look) {
        return Ok(Vec::new());
    }
    let urn = message.topic_urn.to_string();
    let first = Page { offset: 0, limit: ASKED };
    let filter = SubscriptionFilter::default();
    match app.service.list_subscriptions(&visit.caller, Some(&urn), filter, first).await {
        Ok((_count, found)) => Ok(found),
        Err(Error::TopicNotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn meant(id: MessageId) -> Meant {
    Meant { message_id: Some(id.to_string()), ..Meant::default() }
}

/// Sends again all of its deliveries that did not arrive.
pub(crate) async fn resend(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let moved = async {
        let id = message_id(&visit)?;
        app.service.message(&visit.caller, id).await?;
        let mut meant = meant(id);
        loop {
            let moved = app.service.resend_deliveries(&visit.caller, &meant, None).await?;
            match moved.next {
                Some(next) => meant.after = Some(next),
                None => return Ok::<_, Error>(id),
            }
        }
    };
    let id = moved.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/messages/{id}?done=resent")))
}

/// Cancels all of its deliveries that wait.
pub(crate) async fn cancel(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let moved = async {
        let id = message_id(&visit)?;
        app.service.message(&visit.caller, id).await?;
        let mut meant = meant(id);
        loop {
            let moved = app.service.cancel_deliveries(&visit.caller, &meant).await?;
            match moved.next {
                Some(next) => meant.after = Some(next),
                None => return Ok::<_, Error>(id),
            }
        }
    };
    let id = moved.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/messages/{id}?done=cancelled")))
}

#[cfg(test)]
mod tests {
    use carillon_model::delivery::DeliveryState;

    use super::shares;

    #[test]
    fn shares_fill_the_bar() {
        let shares = shares(&[(DeliveryState::Delivered, 2), (DeliveryState::Failed, 1)]);
        let ends: Vec<_> = shares.iter().map(|share| (share.from, share.width)).collect();
        assert_eq!(ends, [(0, 667), (667, 334)]);
    }
}
