//! Which far end a request is meant for, by method, path and host.

use axum::http::request::Parts;
use axum::http::{Method, header};
use percent_encoding::percent_decode_str;

use crate::dingtalk::app::Target;
use crate::office;
use crate::registry::{Platform, masked};

/// The three ways to fetch a DingTalk access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenCall {
    App,
    Corp,
    Legacy,
}

/// A far end, with what its path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Far {
    DingtalkRobot,
    DingtalkToken(TokenCall),
    DingtalkSend(Target),
    LarkHook(String),
    WecomSend,
    WecomUpload,
    Webhook(String),
    Office(office::Call),
}

impl Far {
    /// The method the platform wants.
    fn method(&self) -> Method {
        if *self == Self::DingtalkToken(TokenCall::Legacy) { Method::GET } else { Method::POST }
    }

    /// The hosts the real far end answers on.
    fn hosts(&self) -> &'static [&'static str] {
        match self {
            Self::Office(call) => call.hosts(),
            Self::DingtalkRobot | Self::DingtalkToken(TokenCall::Legacy) => &["oapi.dingtalk.com"],
            Self::DingtalkToken(TokenCall::App | TokenCall::Corp) | Self::DingtalkSend(_) => {
                &["api.dingtalk.com"]
            }
            Self::LarkHook(_) => &["open.feishu.cn", "open.larksuite.com"],
            Self::WecomSend | Self::WecomUpload => &["qyapi.weixin.qq.com"],
            Self::Webhook(_) => &[],
        }
    }
}

const KNOWN_HOSTS: &[&str] =
    &["oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com"];

/// Finds the far end; `None` where the real host would answer 404, also when path and host do not belong together.
pub(crate) fn find(parts: &Parts) -> Option<Far> {
    let host = host(parts);
    let Some(far) = by_path(parts.uri.path()) else { return by_office(parts, &host) };
    let host_fits = !KNOWN_HOSTS.contains(&host.as_str()) || far.hosts().contains(&host.as_str());
    (host_fits && far.method() == parts.method).then_some(far)
}

/// An office app's interface; each judges its method itself.
fn by_office(parts: &Parts, host: &str) -> Option<Far> {
    let pieces: Vec<String> = parts.uri.path().strip_prefix('/')?.split('/').map(decoded).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let call = office::find(&parts.method, host, &pieces)?;
    let fits = !KNOWN_HOSTS.contains(&host) || call.hosts().contains(&host);
    fits.then_some(Far::Office(call))
}

/// Returns the called host in lower case, without port; empty when the request names none.
fn host(parts: &Parts) -> String {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host =
        named.or_else(|| parts.uri.authority().map(|authority| authority.as_str())).unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// Says which of the two clouds was called, when the host tells.
pub(crate) fn cloud(parts: &Parts) -> Option<Platform> {
    match host(parts).as_str() {
        "open.feishu.cn" => Some(Platform::Feishu),
        "open.larksuite.com" => Some(Platform::Lark),
        _ => None,
    }
}

fn by_path(path: &str) -> Option<Far> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    Some(match segments.as_slice() {
        ["robot", "send"] => Far::DingtalkRobot,
        ["gettoken"] => Far::DingtalkToken(TokenCall::Legacy),
        ["v1.0", "oauth2", "accessToken"] => Far::DingtalkToken(TokenCall::App),
        ["v1.0", "oauth2", corp, "token"] if !corp.is_empty() => Far::DingtalkToken(TokenCall::Corp),
        ["v1.0", "robot", "groupMessages", "send"] => Far::DingtalkSend(Target::Group),
        ["v1.0", "robot", "oToMessages", "batchSend"] => Far::DingtalkSend(Target::People),
        ["open-apis", "bot", "v2", "hook", token] => Far::LarkHook(decoded(token)),
        ["cgi-bin", "webhook", "send"] => Far::WecomSend,
        ["cgi-bin", "webhook", "upload_media"] => Far::WecomUpload,
        ["hook", name] if !name.is_empty() => Far::Webhook(decoded(name)),
        _ => return None,
    })
}

/// Whether files are uploaded at a path.
pub(crate) fn takes_files(path: &str) -> bool {
    ["/open-apis/im/v1/images", "/open-apis/im/v1/files", "/media/upload", "/cgi-bin/media/upload"]
        .contains(&path)
}

/// Guesses whom a request was meant for that fits no far end.
pub(crate) fn guess(path: &str) -> Platform {
    match path.split('/').nth(1).unwrap_or_default() {
        "robot" => Platform::Dingtalk,
        "v1.0" | "gettoken" | "topapi" | "media" => Platform::DingtalkApp,
        "open-apis" => Platform::Feishu,
        "cgi-bin" => Platform::Wecom,
        _ => Platform::Webhook,
    }
}

/// Writes a path that shows no credential.
pub(crate) fn safe_path(far: Option<&Far>, path: &str, query: &[(String, String)]) -> String {
    let with = |field: &str| {
        let value = query.iter().find(|(name, _)| name == field).map(|(_, value)| masked(value));
        value.map_or_else(|| path.to_owned(), |value| format!("{path}?{field}={value}"))
    };
    match far {
        Some(Far::DingtalkRobot) => with("access_token"),
        Some(Far::DingtalkToken(TokenCall::Legacy)) => with("appkey"),
        Some(Far::WecomSend | Far::WecomUpload) => with("key"),
        Some(Far::LarkHook(token)) => format!("/open-apis/bot/v2/hook/{}", masked(token)),
        Some(Far::Webhook(name)) => format!("/hook/{name}"),
        Some(
            Far::DingtalkToken(TokenCall::App | TokenCall::Corp) | Far::DingtalkSend(_) | Far::Office(_),
        ) => path.to_owned(),
        None => {
            let safe = |part: &str| if part.len() < 20 { part.to_owned() } else { masked(part) };
            path.split('/').map(safe).collect::<Vec<_>>().join("/")
        }
    }
}

/// Takes a query apart; `+` is a blank, as every one of the platforms reads it.
pub(crate) fn query_fields(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_once() {
        assert_eq!(
            query_fields("a=%2B8&b=+x&c&d=%252B"),
            [("a", "+8"), ("b", " x"), ("c", ""), ("d", "%2B")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn paths_show_no_credential() {
        let token = "0f0e0d0c-0b0a-4908-8706-050403020100";
        let far = by_path(&format!("/open-apis/bot/v2/hook/{token}"));
        assert_eq!(safe_path(far.as_ref(), "", &[]), "/open-apis/bot/v2/hook/0f0e****0100");
        let query = query_fields(&format!("access_token={token}&sign=x"));
        let shown = safe_path(Some(&Far::DingtalkRobot), "/robot/send", &query);
        assert_eq!(shown, "/robot/send?access_token=0f0e****0100");
        assert_eq!(
            safe_path(None, &format!("/open-apis/bot/hook/{token}"), &[]),
            "/open-apis/bot/hook/0f0e****0100"
        );
    }
}
