//! One's own password. Changing it ends every session of the account, this one too.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_service::Error;

use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::visit::{SESSION, Visit, set_cookie};
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "access/password.html")]
struct PasswordPage {
    f: Frame,
    /// What is wrong with the present one, with the new one, and with its repetition.
    present: String,
    new: String,
    repeated: &'static str,
}

/// The form.
pub(crate) async fn show(visit: Visit) -> Response {
    let f = visit.frame(Place::Access);
    page(StatusCode::OK, &PasswordPage { f, present: String::new(), new: String::new(), repeated: "" })
}

/// Changes it, and leads to signing in again.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let (mut present, mut new, mut repeated) = (String::new(), String::new(), "");
    if visit.form.get("password") == visit.form.get("repeated") {
        let (old, fresh) = (visit.form.secret("present"), visit.form.get("password").into());
        let id = visit.caller.account;
        match app.service.change_password(&visit.caller, id, visit.client, old, fresh).await {
            Ok(()) => {
                let mut response = go("/console/sign-in?done=password");
                set_cookie(&mut response, &app, SESSION, "", 0);
                return Ok(response);
            }
            Err(error @ (Error::WrongPassword | Error::Unauthenticated(_))) => {
                present = crate::console::words::refusal(&error, visit.look.lang);
            }
            Err(error) => {
                let wrong = visit.wrong(error)?;
                // Without the present one the rule is about that, else about the new one.
                let is_missing = visit.form.secret("present").is_none();
                let of_new = !wrong.at(Field::Password.name()).is_empty() && !is_missing;
                *if of_new { &mut new } else { &mut present } = wrong.text().to_owned();
            }
        }
    } else {
        repeated = visit.t().access.repeated_wrong;
    }
    let f = visit.frame(Place::Access);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &PasswordPage { f, present, new, repeated }))
}
