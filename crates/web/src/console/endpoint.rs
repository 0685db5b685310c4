//! Addresses and how they fare: which are in trouble, why, what to change, and letting one be tried again.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::health::Standing;
use carillon_model::id::EndpointId;
use carillon_service::Error;
use carillon_service::endpoint::NamedEndpoint;

use super::frame::{Frame, Place};
use super::problem::Problem;
use super::topics::ROWS;
use super::visit::Visit;
use super::{go, page, words};
use crate::App;

/// What the list shows when the address does not say: those that are not well.
const UNWELL: &str = "unwell";
/// What the list shows to whom asks for all.
const ALL: &str = "all";

/// A choice above the list.
struct Tab {
    state: &'static str,
    text: &'static str,
    count: Option<u64>,
}

#[derive(Template)]
#[template(path = "endpoints.html")]
struct ListPage {
    f: Frame,
    endpoints: Vec<NamedEndpoint>,
    state: String,
    tabs: Vec<Tab>,
    first: bool,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "endpoint.html")]
struct OnePage {
    f: Frame,
    endpoints: [NamedEndpoint; 1],
}

fn tabs(visit: &Visit, standings: &[(Standing, u64)]) -> Vec<Tab> {
    let t = &visit.t().endpoint;
    let of = |standing: Standing| {
        standings.iter().find(|(it, _count)| *it == standing).map_or(0, |(_standing, count)| *count)
    };
    let all = standings.iter().map(|(_standing, count)| count).sum();
    let mut tabs = vec![Tab { state: UNWELL, text: t.unwell, count: Some(all) }];
    tabs.push(Tab { state: "waiting", text: t.waiting, count: None });
    tabs.extend([Standing::Paused, Standing::Open, Standing::Failing, Standing::Limited].map(|standing| {
        let (_tone, text) = words::wellness(Some(standing), visit.look.lang);
        Tab { state: standing.name(), text, count: Some(of(standing)) }
    }));
    let (_tone, working) = words::wellness(None, visit.look.lang);
    tabs.push(Tab { state: "working", text: working, count: None });
    tabs.push(Tab { state: ALL, text: t.all, count: None });
    tabs
}

/// The list.
pub(crate) async fn list(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let shown = async {
        let state = visit.query("state").unwrap_or(UNWELL).to_owned();
        let after = visit.query("after").map(EndpointId::parse).transpose()?;
        let wanted = Some(state.as_str()).filter(|state| *state != ALL);
        let mut endpoints = app.service.list_endpoints(&visit.caller, wanted, after, ROWS + 1).await?;
        let standings = app.service.endpoint_standings(&visit.caller).await?;
        let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
        let more = endpoints.len() > rows;
        endpoints.truncate(rows);
        let next = endpoints
            .last()
            .filter(|_last| more)
            .map(|last| format!("/console/endpoints?state={state}&after={}", last.record.id));
        let tabs = tabs(&visit, &standings);
        let f = visit.frame(Place::Endpoints);
        Ok::<_, Error>(ListPage { f, endpoints, state, tabs, first: after.is_none(), next })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}

fn endpoint_id(visit: &Visit) -> Result<EndpointId, Error> {
    EndpointId::parse(visit.path("endpoint_id")).map_err(|_malformed| Error::EndpointNotFound)
}

/// One of them.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let found = async { app.service.endpoint(&visit.caller, endpoint_id(&visit)?).await };
    let endpoint = found.await.map_err(|error| visit.problem(error))?;
    let f = visit.frame(Place::Endpoints);
    Ok(page(StatusCode::OK, &OnePage { f, endpoints: [endpoint] }))
}

/// Lets one be tried again at once.
pub(crate) async fn resume(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let resumed = async { app.service.resume_endpoint(&visit.caller, endpoint_id(&visit)?).await };
    let endpoint = resumed.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/endpoints/{}?done=resumed", endpoint.record.id)))
}
