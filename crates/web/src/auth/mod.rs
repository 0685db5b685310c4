//! From a token or a signature to a caller.

pub(crate) mod sign;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use carillon_model::{SecretText, Timestamp};
use carillon_service::{Caller, Error, Service, Unauthenticated};

use crate::layer;

/// Asks who calls: a signature if there is one, else a token in `X-Auth-Token` or as `Authorization: Bearer`. Where a
/// request has both (the official SDKs sign whatever a user adds), a token that is good is enough.
pub(crate) async fn caller(service: &Service, parts: &Parts, body: &[u8]) -> Result<Caller, Error> {
    if let Some(found) = caller_by_token(service, parts).await {
        return found;
    }
    let Some(authorization) = text(&parts.headers, header::AUTHORIZATION.as_str()) else {
        return Err(Unauthenticated::Missing.into());
    };
    let signature = sign::Signature::parse(authorization).ok_or(Unauthenticated::Malformed)?;
    let date = text(&parts.headers, sign::DATE_HEADER).ok_or(Unauthenticated::Malformed)?;
    let signed_at = Timestamp::from_basic_text(date).ok_or(Unauthenticated::Malformed)?;
    let fits = |secret: &SecretText| sign::fits(&signature, parts, body, date, secret);
    let client = layer::client(&parts.extensions);
    service.caller_by_signature(&signature.access_key, client, signed_at, fits).await
}

/// Asks who calls by a token alone; nothing when there is none, or only a signature may tell.
pub(crate) async fn caller_by_token(service: &Service, parts: &Parts) -> Option<Result<Caller, Error>> {
    let found = service.caller_by_token(&token(&parts.headers)?).await;
    let signed = matches!(&found, Err(Error::Unauthenticated(_))) && has_signature(&parts.headers);
    (!signed).then_some(found)
}

fn has_signature(headers: &HeaderMap) -> bool {
    text(headers, header::AUTHORIZATION.as_str()).is_some_and(|value| value.starts_with(sign::ALGORITHM))
}

fn token(headers: &HeaderMap) -> Option<SecretText> {
    if let Some(token) = text(headers, "x-auth-token") {
        return Some(token.into());
    }
    let (scheme, token) = text(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().into())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}
