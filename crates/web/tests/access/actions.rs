//! Every action of the console is in the API and on the command line, too: one table of every form of the console.

use std::collections::BTreeSet;

use crate::table::{CONSOLE, TABLE, whole, whole_page};

/// The help of every command, as the command line's own test keeps it.
const HELP: &str = include_str!("../../../app/tests/it/snapshots/it__cli__help.snap");

/// A form's path, and for each thing that can be done with it: what, by which call, by which command.
type Form = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

/// Forms that are a browser's own: what they change is nowhere but in its cookies.
const OWN: [&str; 1] = ["/console/look"];

const FORMS: &[Form] = &[
    ("/console/sign-in", &[("a session", "POST /v3/auth/tokens", "account token add")]),
    ("/console/sign-out", &[("its end", "DELETE /api/v1/tokens/{token_id}", "account token remove")]),
    ("/console/topics", &[("make", "POST {P}/topics", "topic create")]),
    (
        "{t}/settings",
        &[
            ("name", "PUT {T}", "topic set --display-name"),
            ("introduction, policy", "PUT {T}/attributes/{name}", "topic set --policy"),
            ("equal messages", "PUT /api/v1/topics/{topic}/suppression", "topic set --suppress-equal"),
        ],
    ),
    (
        "{t}/tags",
        &[
            ("put", "POST {R}/{resource_id}/tags", "topic tag"),
            ("remove", "DELETE {R}/{resource_id}/tags/{key}", "topic untag"),
        ],
    ),
    (
        "{t}/log-tanks",
        &[
            ("add", "POST {T}/logtanks", "topic log-tank add"),
            ("change", "PUT {T}/logtanks/{logtank_id}", "topic log-tank change"),
            ("remove", "DELETE {T}/logtanks/{logtank_id}", "topic log-tank remove"),
        ],
    ),
    ("{t}/delete", &[("delete", "DELETE {T}", "topic delete")]),
    (
        "{t}/subscribe/{way}",
        &[
            ("test", "POST /api/v1/subscriptions/test", "subscription add --test"),
            ("save", "POST {T}/subscriptions", "subscription add"),
        ],
    ),
    (
        "{t}/subscribe/office",
        &[
            ("test", "POST /api/v1/subscriptions/test", "subscription add --test"),
            ("save", "POST {T}/subscriptions", "subscription add"),
        ],
    ),
    (
        "{t}/publish",
        &[
            ("preview", "POST /api/v1/messages/preview", "publish --dry-run"),
            ("publish", "POST /api/v1/messages", "publish"),
        ],
    ),
    (
        "{t}/subscriptions/{subscription}",
        &[
            ("remark", "PUT {T}/subscriptions/{subscription_urn}", "subscription set --remark"),
            ("filter", "PUT {P}/subscriptions/filter_polices", "subscription set --filter"),
            ("no filter", "DELETE {P}/subscriptions/filter_polices", "subscription set --no-filter"),
        ],
    ),
    (
        "{t}/subscriptions/{subscription}/delete",
        &[("delete", "DELETE {P}/subscriptions/{subscription_urn}", "subscription delete")],
    ),
    (
        "/console/dead-letters",
        &[
            ("resend", "POST /api/v1/deliveries/resend", "delivery resend --reason"),
            ("cancel", "POST /api/v1/deliveries/cancel", "delivery cancel --topic"),
        ],
    ),
    ("/console/messages/{message_id}/why", &[("ask", "POST /api/v1/explain", "explain --person")]),
    (
        "/console/messages/{message_id}/resend",
        &[("all", "POST /api/v1/deliveries/resend", "delivery resend --message")],
    ),
    (
        "/console/messages/{message_id}/cancel",
        &[("all", "POST /api/v1/deliveries/cancel", "delivery cancel --message")],
    ),
    (
        "/console/deliveries/{delivery_id}/resend",
        &[("one", "POST /api/v1/deliveries/{delivery_id}/resend", "delivery resend")],
    ),
    (
        "/console/deliveries/{delivery_id}/cancel",
        &[("one", "POST /api/v1/deliveries/{delivery_id}/cancel", "delivery cancel")],
    ),
    (
        "/console/templates",
        &[
            ("preview", "POST /api/v1/templates/preview", "template preview"),
            ("save", "POST {P}/message_template", "template create"),
        ],
    ),
    (
        "/console/templates/{template}",
        &[
            ("preview", "POST /api/v1/templates/preview", "template preview --value"),
            ("save", "PUT {P}/message_template/{message_template_id}", "template change"),
        ],
    ),
    (
        "/console/templates/{template}/delete",
        &[("delete", "DELETE {P}/message_template/{message_template_id}", "template delete")],
    ),
    (
        "/console/endpoints/{endpoint_id}/resume",
        &[("resume", "POST /api/v1/endpoints/{endpoint_id}/resume", "endpoint resume")],
    ),
    ("/console/users", &[("make", "POST /v2/{domain_id}/subscription-users", "user add")]),
    (
        "/console/users/{user_id}",
        &[
            ("save", "PUT /v2/{domain_id}/subscription-users/{id}", "user change"),
            ("subscribe", "POST {T}/subscriptions/from-subscription-users", "user subscribe"),
        ],
    ),
    (
        "/console/users/{user_id}/delete",
        &[("delete", "DELETE /v2/{domain_id}/subscription-users/{id}", "user delete")],
    ),
    ("/console/office/new/{platform}", &[("connect", "POST /api/v1/connections", "connection add")]),
    ("{o}/settings", &[("save", "PUT {C}", "connection change")]),
    ("{o}/delete", &[("delete", "DELETE {C}", "connection delete")]),
    ("{o}/check", &[("check", "POST {C}/check", "connection check --test-to")]),
    ("{o}/calls", &[("limit", "PUT /api/v1/calls/{of}", "calls set --limit")]),
    ("{o}/callback", &[("save", "PUT {C}/callback", "connection callback --key")]),
    ("{o}/chats/{chat_id}", &[("change", "PUT {C}/chats/{chat_id}", "directory chat")]),
    ("{o}/notices", &[("save", "PUT {C}/notices", "connection notices --to")]),
    ("{o}/update", &[("update", "POST {C}/update", "connection update")]),
    (
        "{o}/updates/{run_id}/confirm",
        &[("confirm", "POST {C}/updates/{run_id}/confirm", "connection confirm")],
    ),
    ("{o}/updates/{run_id}/cancel", &[("end", "POST {C}/updates/{run_id}/cancel", "connection cancel")]),
    ("{o}/groups", &[("make", "POST {C}/groups", "directory group")]),
    ("{o}/groups/{group_id}", &[("parts", "POST {C}/groups", "directory group")]),
    ("{o}/groups/{group_id}/reach", &[("count", "POST /api/v1/pushes/preview", "push --preview")]),
    ("{o}/groups/{group_id}/delete", &[("delete", "DELETE {C}/groups/{group_id}", "directory ungroup")]),
    ("{o}/gone/merge", &[("merge", "POST {C}/merges", "directory merge")]),
    ("{o}/gone/unmerge", &[("take back", "DELETE {C}/merges/{member_id}", "directory unmerge")]),
    ("{o}/bind", &[("bind", "POST {C}/bindings", "directory bind")]),
    ("/console/accounts", &[("add", "POST /api/v1/accounts", "account add")]),
    (
        "/console/accounts/{account_id}/role",
        &[("role", "PUT /api/v1/accounts/{account_id}/role", "account role")],
    ),
    (
        "/console/accounts/{account_id}/password",
        &[("password", "PUT /api/v1/accounts/{account_id}/password", "account password")],
    ),
    (
        "/console/accounts/{account_id}/delete",
        &[("remove", "DELETE /api/v1/accounts/{account_id}", "account remove")],
    ),
    ("/console/keys", &[("make", "POST /api/v1/keys", "account key add")]),
    (
        "/console/keys/{access_key}/delete",
        &[("revoke", "DELETE /api/v1/keys/{access_key}", "account key remove")],
    ),
    ("/console/tokens", &[("make", "POST /api/v1/tokens", "account token add --days")]),
    (
        "/console/tokens/{token_id}/delete",
        &[("revoke", "DELETE /api/v1/tokens/{token_id}", "account token remove")],
    ),
    ("/console/password", &[("change", "PUT /api/v1/accounts/{account_id}/password", "account password")]),
];

/// Whether a command is there, with the flags that stand behind its name.
fn is_command(command: &str) -> bool {
    let (name, flags) = command.split_once(" --").unwrap_or((command, ""));
    let head = format!("$ carillon {name} --help\n");
    let Some((_before, help)) = HELP.split_once(&head) else { return false };
    let help = help.split("\n$ carillon").next().unwrap_or_default();
    flags.is_empty() || help.split_whitespace().any(|word| word == format!("--{flags}"))
}

#[test]
fn every_form_of_the_console_has_its_call_and_its_command() {
    let posts = CONSOLE.iter().filter(|(method, ..)| *method == "POST").map(|(_, path, ..)| whole_page(path));
    let posts: BTreeSet<String> = posts.filter(|path| !OWN.contains(&path.as_str())).collect();
    let told: BTreeSet<String> = FORMS.iter().map(|(path, _)| whole_page(path)).collect();
    assert_eq!(posts, told, "the forms of the console, and those of this table");

    let calls: BTreeSet<String> =
        TABLE.iter().map(|(method, path, ..)| format!("{method} {}", whole(path))).collect();
    let document = serde_json::from_str::<serde_json::Value>(&carillon_web::api::document()).unwrap();
    for (form, doings) in FORMS {
        assert!(!doings.is_empty(), "{form}");
        for (what, call, command) in *doings {
            let (method, path) = call.split_once(' ').unwrap();
            let path = whole(path);
            assert!(calls.contains(&format!("{method} {path}")), "{form}, {what}: no call {call}");
            let own = &document["paths"][&path][method.to_lowercase()];
            assert!(
                !path.starts_with("/api/") || own.is_object(),
                "{form}, {what}: {call} is not in OpenAPI"
            );
            assert!(is_command(command), "{form}, {what}: no command {command}");
        }
    }
}

#[test]
fn a_command_or_flag_that_is_not_there_is_noticed() {
    assert!(is_command("topic create") && is_command("topic create --display-name"));
    assert!(!is_command("topic ring") && !is_command("topic create --colour"));
}
