//! What a pause may reach beyond one endpoint: the host that is sent to, and the organisation behind it.

use std::borrow::Cow;

use crate::endpoint::{DINGTALK_API_HOST, DINGTALK_ROBOT_HOST, Endpoint, FEISHU_HOST, LARK_HOST, WECOM_HOST};
use crate::office::App;
use crate::outcome::Scope;
use crate::secret::SecretText;
use crate::subscription::{AppCredentials, Target};

/// The host that a target's messages are sent to, with its port if it has one of its own.
#[must_use]
pub fn host(target: &Target) -> &str {
    match &target.endpoint {
        Endpoint::Office { .. } => {
            target.extension.office.as_ref().map_or("", |office| app_host(&office.app))
        }
        Endpoint::DingtalkRobot { .. } => DINGTALK_ROBOT_HOST,
        Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } => DINGTALK_API_HOST,
        Endpoint::LarkRobot { feishu: true, .. } => FEISHU_HOST,
        Endpoint::LarkRobot { feishu: false, .. } => LARK_HOST,
        Endpoint::WecomRobot { .. } => WECOM_HOST,
        // All mail goes to the operator's one relay; no host of a URL has a blank in it.
        Endpoint::Mailbox { .. } => "mail relay",
        Endpoint::Web { url } => {
            let url = url.reveal();
            let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            authority.rsplit_once('@').map_or(authority, |(_user, host)| host)
        }
    }
}

fn app_host(app: &App) -> &'static str {
    match app {
        App::Lark(_) | App::Feishu(_) => app.lark_host(),
        App::Dingtalk(_) => DINGTALK_API_HOST,
        App::Wecom(_) => WECOM_HOST,
    }
}

/// The name of an organisation's app: whatever reaches all that is sent through it, and whatever is counted for all of
/// it. It may hold a secret and is for hashing only.
#[must_use]
pub fn app_name(app: &App) -> String {
    named(app_host(app), &app.id())
}

/// The name of an app that subscriptions bring along.
#[must_use]
pub fn credentials_name(app: &AppCredentials) -> String {
    named(DINGTALK_API_HOST, &app.app_key)
}

fn named(host: &str, id: &SecretText) -> String {
    format!("app {host} {}", id.reveal())
}

/// The name of what a pause of this scope reaches; nothing when it is the endpoint alone, or when nobody can tell which
/// other endpoints it reaches: a robot's webhook does not say whose it is. An organisation's name may hold a secret and
/// is for hashing only.
#[must_use]
pub fn name(target: &Target, scope: Scope) -> Option<Cow<'_, str>> {
    match scope {
        Scope::Endpoint => None,
        Scope::Host => Some(format!("host {}", host(target)).into()),
        Scope::Organisation => {
            let name = match (&target.extension.app, &target.extension.office) {
                (Some(app), _) => credentials_name(app),
                (None, Some(office)) => app_name(&office.app),
                (None, None) => return None,
            };
            Some(name.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{host, name};
    use crate::channel::Channel;
    use crate::endpoint::Endpoint;
    use crate::outcome::Scope;
    use crate::subscription::{AppCredentials, Extension, Target};

    #[test]
    fn hosts_are_told_apart_and_apps_too() {
        let web = |url: &str| Target {
            endpoint: Endpoint::Web { url: url.into() },
            extension: Extension::default(),
        };
        for (url, wanted) in [
            ("https://hooks.example/x?y", "hooks.example"),
            ("http://u:p@hooks.example:8080", "hooks.example:8080"),
            ("https://[2001:db8::1]:9?x", "[2001:db8::1]:9"),
        ] {
            assert_eq!(host(&web(url)), wanted);
        }
        let person = |key: &str| Target {
            endpoint: Endpoint::parse(Channel::DingtalkPerson, "u001").unwrap(),
            extension: Extension {
                app: Some(AppCredentials {
                    app_key: key.into(),
                    app_secret: "s".into(),
                    robot_code: "r".into(),
                }),
                ..Extension::default()
            },
        };
        let (one, other) = (person("one"), person("other"));
        assert_eq!(name(&one, Scope::Host), name(&other, Scope::Host));
        assert_ne!(name(&one, Scope::Organisation), name(&other, Scope::Organisation));
        assert_eq!(name(&one, Scope::Endpoint), None);
        let robot = web("https://a.example");
        assert_eq!(name(&robot, Scope::Organisation), None);
    }
}
