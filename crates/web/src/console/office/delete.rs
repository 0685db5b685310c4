//! Deleting a connection: says what goes with it, and wants its name.

use axum::extract::State;
use axum::response::Response;
use carillon_model::office::Connection;
use carillon_model::role::Right;

use super::found;
use crate::App;
use crate::console::frame::Place;
use crate::console::go;
use crate::console::problem::Problem;
use crate::console::show::{filled, grouped};
use crate::console::sure::{Sure, Typed};
use crate::console::visit::Visit;

fn sure(visit: &Visit, it: &Connection) -> Sure {
    let t = &visit.t().office;
    let here = format!("/console/office/{}", it.id);
    let directory = filled(filled(t.delete_directory, grouped(it.members)), grouped(it.departments));
    let goes = [t.delete_credentials.to_owned(), directory];
    let goes = goes.into_iter().chain([t.delete_groups, t.delete_waiting].map(str::to_owned)).collect();
    Sure {
        typed: Some(Typed { label: t.delete_type, wrong: t.delete_wrong }),
        goes,
        stays: t.delete_stays,
        crumbs: vec![("/console/office".to_owned(), t.access.to_owned()), (here.clone(), it.name.clone())],
        ..Sure::new(filled(t.delete_title, &it.name), &it.name, format!("{here}/delete"))
    }
}

/// Asks.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(sure(&visit, &it).ask(&visit, Place::Office))
}

/// Deletes, if the name was typed.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let sure = sure(&visit, &it);
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Office));
    }
    let deleted = app.service.disconnect(&visit.caller, it.id).await;
    deleted.map_err(|error| visit.problem(error))?;
    Ok(go("/console/office?done=deleted"))
}
