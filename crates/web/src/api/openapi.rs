//! The API's OpenAPI document.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use super::{
    account, attachment, audit, callback, calls, change, connection, credential, delivery, directory,
    endpoint, installation, message, people, project, push, reach, recall, rotation, suppression, traffic,
    trial,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Carillon",
        description = "What SMN's API cannot tell: messages, deliveries, attempts, and the company's own office apps. Every error is \
                       {code, message, field?, request_id}. Every list holds its items under their own name, as in \
                       {messages: [...], next} and {deliveries: [...], next}, and takes limit and after: next is what to \
                       give as after for the next page, and null on the last one."
    ),
    paths(
        message::publish,
        trial::preview,
        trial::test,
        trial::look,
        message::list,
        message::show,
        message::deliveries,
        message::delivery,
        delivery::dead_letters,
        delivery::resend_one,
        delivery::resend,
        delivery::cancel_one,
        delivery::cancel,
        delivery::explain,
        delivery::explain_who,
        connection::add,
        connection::list,
        connection::show,
        connection::change,
        connection::remove,
        connection::check,
        connection::notices,
        connection::set_notices,
        callback::show,
        callback::set,
        directory::change_chat,
        reach::show,
        calls::list,
        calls::show,
        calls::set,
        directory::update,
        directory::list,
        directory::show,
        change::list,
        directory::confirm,
        directory::cancel,
        directory::members,
        directory::departments,
        directory::chats,
        directory::groups,
        directory::put_group,
        directory::remove_group,
        people::bind,
        people::gone,
        people::merge,
        people::unmerge,
        attachment::add,
        push::push,
        push::preview,
        recall::recall,
        endpoint::list,
        endpoint::show,
        endpoint::resume,
        endpoint::set_fallback,
        endpoint::set_overflow,
        suppression::show,
        suppression::set,
        message::who_am_i,
        traffic::show,
        rotation::list,
        rotation::begin,
        rotation::step,
        rotation::end,
        rotation::retire,
        project::list,
        project::create,
        project::remove,
        account::list,
        account::add,
        account::show,
        account::role,
        account::password,
        account::remove,
        credential::list_keys,
        credential::create_key,
        credential::delete_key,
        credential::list_tokens,
        credential::create_token,
        credential::delete_token,
        audit::list,
        installation::show
    ),
    security(("token" = []), ("bearer" = []))
)]
struct Document;

/// The OpenAPI document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let mut document = Document::openapi();
    let token = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Auth-Token")));
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", token);
    components.add_security_scheme("bearer", bearer);
    document.to_pretty_json().unwrap_or_default()
}

/// `GET /api/openapi.json`: open to all.
pub(crate) async fn show() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], document()).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn a_token_is_taken_in_both_headers() {
        let document: Value = serde_json::from_str(&super::document()).unwrap();
        assert_eq!(document["security"], json!([{ "token": [] }, { "bearer": [] }]));
        let schemes = &document["components"]["securitySchemes"];
        assert_eq!(schemes["token"], json!({ "type": "apiKey", "in": "header", "name": "X-Auth-Token" }));
        assert_eq!(schemes["bearer"]["scheme"], "bearer");
        let description = document["info"]["description"].as_str().unwrap();
        assert!(description.contains("{messages: [...], next}"), "{description}");
    }
}
