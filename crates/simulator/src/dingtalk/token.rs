//! Access tokens of internal apps: three ways to fetch one, one lifetime.

use std::collections::HashMap;

use serde_json::json;

use super::Dingtalk;
use crate::registry::{DingtalkApp, Registry};
use crate::sign;
use crate::verdict::{Asked, Verdict, text_at};

/// How long a token lives after it was last asked for, in milliseconds.
const LIFETIME_MS: i64 = 7_200_000;
const LIFETIME_S: i64 = 7200;

#[derive(Debug)]
struct Token {
    value: String,
    expires_ms: i64,
}

/// The living token of each app key.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_app: HashMap<String, Token>,
    made: u64,
}

impl Tokens {
    /// Asking again inside the lifetime returns the same token and extends it.
    fn issue(&mut self, app: &DingtalkApp, now_ms: i64) -> String {
        if let Some(token) = self.by_app.get_mut(&app.app_key)
            && now_ms < token.expires_ms
        {
            token.expires_ms = now_ms + LIFETIME_MS;
            return token.value.clone();
        }
        self.made += 1;
        let value = sign::derive(&app.app_secret, &format!("token {now_ms} {}", self.made));
        let token = Token { value: value.clone(), expires_ms: now_ms + LIFETIME_MS };
        self.by_app.insert(app.app_key.clone(), token);
        value
    }

    /// Names the app a living token belongs to.
    pub(crate) fn app_key(&self, value: &str, now_ms: i64) -> Option<&str> {
        let mut living = self.by_app.iter().filter(|(_, token)| now_ms < token.expires_ms);
        living.find(|(_, token)| sign::same(&token.value, value)).map(|(app_key, _)| app_key.as_str())
    }

    pub(crate) fn living(&self) -> Vec<String> {
        self.by_app.values().map(|token| token.value.clone()).collect()
    }

    pub(crate) fn expire(&mut self, app_key: &str) {
        self.by_app.remove(app_key);
    }
}

/// `POST /v1.0/oauth2/accessToken`.
pub(crate) fn access_token(
    state: &mut Dingtalk,
    registry: &Registry,
    asked: &Asked<'_>,
    id: &str,
) -> Verdict {
    let Some(body) = asked.json_object() else { return super::app::bad_body(id) };
    for field in ["appKey", "appSecret"] {
        if text_at(&body, field).is_none() {
            return super::app::missing(field, id);
        }
    }
    match find(registry, text_at(&body, "appKey"), text_at(&body, "appSecret")) {
        None => Verdict::dingtalk_api(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret", id),
        Some(app) => {
            let token = state.tokens.issue(app, asked.now_ms);
            Verdict::accepted("ok", json!({"accessToken": token, "expireIn": LIFETIME_S}))
        }
    }
}

/// `POST /v1.0/oauth2/{corpId}/token`.
pub(crate) fn corp_token(state: &mut Dingtalk, registry: &Registry, asked: &Asked<'_>, id: &str) -> Verdict {
    let Some(body) = asked.json_object() else { return super::app::bad_body(id) };
    if text_at(&body, "grant_type") != Some("client_credentials") {
        return Verdict::dingtalk_api(400, "unsupported.grant.type", "unsupported grant type", id);
    }
    match find(registry, text_at(&body, "client_id"), text_at(&body, "client_secret")) {
        None => Verdict::dingtalk_api(400, "invalid.client", "invalid client id or secret", id),
        Some(app) => {
            let token = state.tokens.issue(app, asked.now_ms);
            Verdict::accepted("ok", json!({"access_token": token, "expires_in": LIFETIME_S}))
        }
    }
}

/// `GET /gettoken`, the legacy way: HTTP 200 and `errcode`.
pub(crate) fn legacy_token(state: &mut Dingtalk, registry: &Registry, asked: &Asked<'_>) -> Verdict {
    match find(registry, asked.query("appkey"), asked.query("appsecret")) {
        None => Verdict::errcode(40_089, "不合法的corpid或corpsecret"),
        Some(app) => {
            let token = state.tokens.issue(app, asked.now_ms);
            let answer =
                json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": LIFETIME_S});
            Verdict::accepted("0", answer)
        }
    }
}

fn find<'a>(registry: &'a Registry, key: Option<&str>, secret: Option<&str>) -> Option<&'a DingtalkApp> {
    let (key, secret) = (key?, secret?);
    registry.app_by_key(key).filter(|app| sign::same(&app.app_secret, secret))
}
