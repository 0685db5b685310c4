//! The small IAM: as much of it as SMN clients ask (Huawei Cloud IAM, "Obtaining a User Token Through Password
//! Authentication", "Querying Project Information").

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use carillon_model::Timestamp;
use carillon_service::Caller;
use carillon_service::sign_in::Scope;
use serde_json::{Value, json};

use super::error::SmnError;
use super::{SmnCall, base};
use crate::call::{Refused, read_body};
use crate::{App, layer};

/// The one domain (account) of an installation.
pub(super) const DOMAIN: &str = "carillon";

/// `POST /v3/auth/tokens`: a token for a name and a password. Takes no credentials but those in its body.
pub(crate) async fn sign_in(State(app): State<App>, request: Request) -> Result<Response, SmnError> {
    let id = layer::request_id(request.extensions());
    let (parts, body) = request.into_parts();
    let host = host(&parts.headers).map(str::to_owned);
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
    let domain = json!({ "id": DOMAIN, "name": DOMAIN });
    let catalog =
        if no_catalog { json!([]) } else { catalog(&app, &issued.caller, &base(&app, host.as_deref())) };
    let mut token = json!({
        "methods": ["password"],
        "expires_at": micros(issued.expires_at),
        "issued_at": micros(issued.issued_at),
        "user": { "id": issued.caller.account.to_string(), "name": issued.caller.account_name,
                  "domain": domain, "password_expires_at": "" },
        "roles": [{ "id": role, "name": role }],
        "catalog": catalog,
    });
    // A client that asks for the whole domain must not take the token for one project's.
    if scope == Scope::Any && body.pointer("/auth/scope/domain").is_some() {
        token["domain"] = domain;
    } else {
        token["project"] = json!({ "id": issued.caller.project.as_str(), "name": issued.caller.project_name,
                                   "domain": domain });
    }
    let mut response = layer::json(StatusCode::CREATED, &json!({ "token": token }));
    if let Ok(value) = HeaderValue::from_str(issued.token.reveal()) {
        response.headers_mut().insert("x-subject-token", value);
    }
    Ok(response)
}

/// Where the services are: SMN for the caller's project, and the IAM itself.
fn catalog(app: &App, caller: &Caller, base: &str) -> Value {
    let region = app.service.region();
    let service = |kind: &str, name: &str, url: String| {
        json!({ "type": kind, "id": name, "name": name, "endpoints": [{
            "id": name, "interface": "public", "region": region, "region_id": region, "url": url,
        }] })
    };
    json!([
        service("smn", "smn", format!("{base}/v2/{}", caller.project)),
        service("identity", "iam", format!("{base}/v3")),
    ])
}

/// What clients that look for it are told of the IAM: its version, and where it is.
pub(super) fn about(base: &str, status: &str) -> Value {
    json!({
        "id": "v3.6",
        "status": status,
        "updated": "2013-03-06T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{base}/v3/") }],
        "media-types": [{ "base": "application/json",
                          "type": "application/vnd.openstack.identity-v3+json" }],
    })
}

/// `GET /v3`: open to all, as on the cloud.
pub(crate) async fn version(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = base(&app, host(&headers));
    layer::json(StatusCode::OK, &json!({ "version": about(&base, "stable") }))
}

/// IAM's times have six decimals.
fn micros(time: Timestamp) -> String {
    time.to_millis_text().replace('Z', "000Z")
}

/// The name under which the client knows the server.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn project(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "domain_id": DOMAIN, "parent_id": DOMAIN,
        "enabled": true, "is_domain": false, "description": "", "links": {},
    })
}

/// `GET /v3/projects`: the caller's project, if its name is the one asked for. The SDKs want exactly one.
pub(crate) async fn projects(call: SmnCall) -> Response {
    let caller = &call.0.caller;
    let fits = call.0.query("name").is_none_or(|name| name == caller.project_name);
    let project = project(caller.project.as_str(), &caller.project_name);
    let projects = if fits { json!([project]) } else { json!([]) };
    layer::json(StatusCode::OK, &json!({ "projects": projects, "links": {} }))
}

/// `GET /v3/auth/projects`: the projects that the caller's account can have tokens for.
pub(crate) async fn own_projects(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = app.service.own_projects(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    let projects: Vec<Value> = found.iter().map(|it| project(it.id.as_str(), &it.name)).collect();
    let links =
        json!({ "self": format!("{}/v3/auth/projects", call.base(&app)), "previous": null, "next": null });
    Ok(layer::json(StatusCode::OK, &json!({ "projects": projects, "links": links })))
}

/// `GET /v3/auth/catalog`: what a token by password says of the services, for whoever comes with another credential.
pub(crate) async fn list_catalog(State(app): State<App>, call: SmnCall) -> Response {
    let base = call.base(&app);
    let links = json!({ "self": format!("{base}/v3/auth/catalog"), "previous": null, "next": null });
    let catalog = catalog(&app, &call.0.caller, &base);
    layer::json(StatusCode::OK, &json!({ "catalog": catalog, "links": links }))
}

/// `GET /v3/auth/domains`: the one domain.
pub(crate) async fn domains(_call: SmnCall) -> Response {
    let domain = json!({ "id": DOMAIN, "name": DOMAIN, "enabled": true, "description": "", "links": {} });
    layer::json(StatusCode::OK, &json!({ "domains": [domain], "links": {} }))
}
