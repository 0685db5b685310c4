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
use carillon_service::delivery::{NamedDelivery, NamedMessage, Whom};
use carillon_service::explain::Explanation;
use carillon_service::explain_who::{Answer, Sought};
use carillon_service::resend::Meant;
use carillon_service::subscription::NamedSubscription;
use carillon_service::{Error, Page, SubscriptionFilter};

use super::frame::{Frame, Place};
use super::problem::Problem;
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
    /// How many messages went to nobody because they say the same.
    suppressed: u64,
    rows: Vec<Explanation>,
    next: Option<String>,
    /// Who the deliveries go to.
    whom: Vec<Whom>,
    subscriptions: Vec<NamedSubscription>,
    why: Why,
}

/// The question "why", and what came of it.
#[derive(Default)]
struct Why {
    /// The answers, once something was asked.
    answers: Option<Vec<Answer>>,
    more: bool,
    wrong: String,
}

impl MessagePage {
    /// Who a delivery goes to: the owner's note, a person, or the address as it may be shown.
    fn whom(&self, delivery: &NamedDelivery) -> Option<&str> {
        let found = self.whom.iter().find(|whom| whom.number == delivery.record.id.number)?;
        let remark = Some(found.remark.as_str()).filter(|remark| !remark.is_empty());
        found.person.as_deref().or(remark).or(found.endpoint_masked.as_deref())
    }

    fn has(&self, states: &[DeliveryState]) -> bool {
        self.shares.iter().any(|share| states.contains(&share.state))
    }

    fn can_resend(&self) -> bool {
        self.has(&[DeliveryState::Failed, DeliveryState::Expired, DeliveryState::Cancelled])
    }

    fn can_cancel(&self) -> bool {
        self.has(&[DeliveryState::Pending])
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

/// The page; with a subscription's URN behind it, why that one did or did not get it.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let asked = visit.query("why").map(|urn| Sought::Subscription(urn.to_owned()));
    shown(&app, &visit, asked).await
}

/// Why somebody did or did not get it. What was typed may be an address: it stands in no path and comes back in no page.
pub(crate) async fn why(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let asked = visit.form.secret("who").map(Sought::Anyone);
    shown(&app, &visit, asked).await
}

async fn shown(app: &App, visit: &Visit, asked: Option<Sought>) -> Result<Response, Problem> {
    let shown = async {
        let id = message_id(visit)?;
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
        let whom = app.service.delivery_recipients(&visit.caller, id, after, ROWS).await?;
        let subscriptions = subscriptions(app, visit, &explained.message).await?;
        let why = why_of(app, visit, id, asked).await?;
        let (shares, suppressed) = (shares(&explained.counts), explained.suppressed);
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
            suppressed,
            rows,
            whom,
            next,
            subscriptions,
            why,
        })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    let status =
        if template.why.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(page(status, &template))
}

/// What was asked, and the answers.
async fn why_of(app: &App, visit: &Visit, id: MessageId, asked: Option<Sought>) -> Result<Why, Error> {
    let Some(asked) = asked else { return Ok(Why::default()) };
    match app.service.explain_who(&visit.caller, id, asked).await {
        Ok(found) => Ok(Why { answers: Some(found.answers), more: found.more, wrong: String::new() }),
        Err(Error::Invalid(Invalid { field: Field::To, .. })) => {
            Ok(Why { wrong: visit.t().message.why_wrong.to_owned(), ..Why::default() })
        }
        Err(error) => Err(error),
    }
}

/// The subscriptions that the question "why" offers to choose from; none when the topic is gone.
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
