//! One delivery: its attempts, the platform's words, and what to change.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::DeliveryId;
use carillon_service::Error;
use carillon_service::delivery::{NamedDelivery, Whom};
use carillon_service::endpoint::NamedEndpoint;
use carillon_service::explain::Explanation;

use super::frame::{Frame, Place};
use super::problem::Problem;
use super::visit::Visit;
use super::{go, page};
use crate::App;

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    f: Frame,
    delivery: NamedDelivery,
    /// Who it goes to, where that may be shown.
    whom: Option<Whom>,
    explanation: Explanation,
    /// Its address, when that is not well.
    endpoint: Option<NamedEndpoint>,
}

impl DeliveryPage {
    fn can_resend(&self) -> bool {
        use DeliveryState::{Cancelled, Expired, Failed};
        matches!(self.delivery.record.state, Failed | Expired | Cancelled)
    }

    fn can_cancel(&self) -> bool {
        self.delivery.record.state == DeliveryState::Pending
    }

    fn waits(&self) -> bool {
        !self.delivery.record.state.is_final()
    }
}

fn delivery_id(visit: &Visit) -> Result<DeliveryId, Error> {
    DeliveryId::parse(visit.path("delivery_id")).map_err(|_malformed| Error::DeliveryNotFound)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let shown = async {
        let id = delivery_id(&visit)?;
        let delivery = app.service.delivery(&visit.caller, id).await?;
        let explanation = app.service.explain_one(&visit.caller, delivery.clone()).await?;
        let before = id.number.saturating_sub(1);
        let whom = app.service.delivery_recipients(&visit.caller, id.message, before, 1).await?;
        let endpoint = app.service.delivery_endpoint(&visit.caller, &delivery).await?;
        let endpoint = endpoint.filter(|it| it.record.health.is_some());
        let (f, whom) = (visit.frame(Place::Messages), whom.into_iter().next());
        Ok::<_, Error>(DeliveryPage { f, delivery, whom, explanation, endpoint })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}

/// Sends it again.
pub(crate) async fn resend(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let resent = async {
        let id = delivery_id(&visit)?;
        app.service.resend_delivery(&visit.caller, id, None).await?;
        Ok::<_, Error>(id)
    };
    let id = resent.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/deliveries/{id}?done=resent")))
}

/// Cancels it.
pub(crate) async fn cancel(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let cancelled = async {
        let id = delivery_id(&visit)?;
        app.service.cancel_delivery(&visit.caller, id).await?;
        Ok::<_, Error>(id)
    };
    let id = cancelled.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/deliveries/{id}?done=cancelled")))
}
