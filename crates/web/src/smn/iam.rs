//! The small IAM: as much of it as SMN clients ask (Huawei Cloud IAM, "Obtaining a User Token Through Password
//! Authentication", "Querying Project Information").

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use carillon_model::Timestamp;
use carillon_service::Caller;
use carillon_service::sign_in::Scope;
use serde_json::{Value, json};

use super::SmnCall;
use super::error::SmnError;
use crate::call::{Refused, read_body};
use crate::{App, layer};

/// The one domain (account) of an installation.
const DOMAIN: &str = "carillon";

/// `POST /v3/auth/tokens`: a token for a name and a password. Takes no credentials but those in its body.
pub(crate) async fn sign_in(State(app): State<App>, request: Request) -> Result<Response, SmnError> {
    let id = layer::request_id(request.extensions());
    let (parts, body) = request.into_parts();
    let host =
        parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let refuse = |refused: Refused| SmnError::from(refused).with(id);
    let body = read_body(body).await.map_err(refuse)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = |path: &str| body.pointer(path).and_then(Value::as_str);
    let user = text("/auth/identity/password/user/name").unwrap_or_default();
    let password = text("/auth/identity/password/user/password").unwrap_or_default();
    let scope = match (text("/auth/scope/project/id"), text("/auth/scope/project/name")) {
        (Some(id), _) => Scope::Id(id.to_owned()),
        (None, Some(name)) => Scope::Name(name.to_owned()),
        (None, None) => Scope::Any,
    };
    let issued = app.service.sign_in(user, layer::client(&parts.extensions), password.into(), &scope).await;
    let issued = issued.map_err(|error| SmnError::from(error).with(id))?;
    let no_catalog = parts.uri.query().is_some_and(|query| query.contains("nocatalog=true"));
    let role = issued.caller.standing.role().name();
    let token = json!({
        "methods": ["password"],
        "expires_at": micros(issued.expires_at),
        "issued_at": micros(issued.issued_at),
        "user": { "id": issued.caller.account.to_string(), "name": issued.caller.account_name,
                  "domain": { "id": DOMAIN, "name": DOMAIN }, "password_expires_at": "" },
        "project": { "id": issued.caller.project.as_str(), "name": issued.caller.project_name,
                     "domain": { "id": DOMAIN, "name": DOMAIN } },
        "roles": [{ "id": role, "name": role }],
        "catalog": if no_catalog { json!([]) } else { catalog(&app, &issued.caller, &host) },
    });
    let mut response = layer::json(StatusCode::CREATED, &json!({ "token": token }));
    if let Ok(value) = HeaderValue::from_str(issued.token.reveal()) {
        response.headers_mut().insert("x-subject-token", value);
    }
    Ok(response)
}

fn catalog(app: &App, caller: &Caller, host: &str) -> Value {
    let region = app.service.region();
    json!([{ "type": "smn", "id": "smn", "name": "smn", "endpoints": [{
        "id": "smn", "interface": "public", "region": region, "region_id": region,
        "url": format!("http://{host}/v2/{}", caller.project),
    }] }])
}

/// IAM's times have six decimals.
fn micros(time: Timestamp) -> String {
    time.to_millis_text().replace('Z', "000Z")
}

/// `GET /v3/projects`: the caller's project, if its name is the one asked for. The SDKs want exactly one.
pub(crate) async fn projects(call: SmnCall) -> Response {
    let caller = &call.0.caller;
    let fits = call.0.query("name").is_none_or(|name| name == caller.project_name);
    let project = json!({
        "id": caller.project.as_str(), "name": caller.project_name, "domain_id": DOMAIN, "parent_id": DOMAIN,
        "enabled": true, "is_domain": false, "description": "", "links": {},
    });
    let projects = if fits { json!([project]) } else { json!([]) };
    layer::json(StatusCode::OK, &json!({ "projects": projects, "links": {} }))
}

/// `GET /v3/auth/domains`: the one domain.
pub(crate) async fn domains(_call: SmnCall) -> Response {
    let domain = json!({ "id": DOMAIN, "name": DOMAIN, "enabled": true, "description": "", "links": {} });
    layer::json(StatusCode::OK, &json!({ "domains": [domain], "links": {} }))
}
