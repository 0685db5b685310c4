//! Vectors made by the platforms' own examples and by other implementations: lark-oapi 1.7.5, wechatpy 1.8.18, OpenSSL.

use std::collections::HashMap;

use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::office::App;
use carillon_model::office::callback::Callback;
use carillon_model::office::connection::{DingtalkApp, LarkApp, WecomApp};

use super::envelope::Envelope;
use super::{Heard, Told, Unproved, hear, lark};

const WIDE_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const WECOM_SEALED: &str = "4j/AuRx71kQlxVlzbpsMWLG4C0yewn2zu99bekHcYXe/+vadZe88YeUjnjev5QTTsrbNdaTkzHepfVQmQqKomOdQBBC3WOp+MKtqLFV0yeRgeF4C26kB7vVOgYypfi/Vl6XEI8Rr+e930+D+kiJqrAzbnGrTD7Aal7eretPbQHTf+JvKQ5HYxZPpFMn9ZNWG8NPgGf6WEK3aYaw696gNy55wLQh+mrkZbR+FIL9ylbQUDdQcH4jCxRoZqdqDRTrOcfZlgqRImoJVL/6OVjATgfCFskOM4sFOEAjcOHVONCnfFHoUku9c1zvaEebamb5TYdGAEhXc0oaaUNwOuXBZIw==";
const WECOM_SIGNATURE: &str = "5864076f9c8d73cdfc40e759ce2a79d713047607";
const LARK_CHALLENGE: &str = "AAECAwQFBgcICQoLDA0OD0ZwGGsm7y89ro2RtOb1H7w58ORIXciyrjJhzXhxXytb72gjmb9Zwrj5KtuT6gbGHnLs7mt9JfLlARamMlNxTr6Ez8X5kTD6DIJlWgo4vAqE";
/// A moment near the vectors' own.
const NOW: Timestamp = Timestamp(1_700_000_100_000);

fn wecom() -> App {
    App::Wecom(WecomApp { corp_id: "ww0000000000000001".into(), agent_id: 7, secret: "s".into() })
}

fn lark_app() -> App {
    App::Lark(LarkApp { app_id: "cli_a000000000000001".into(), app_secret: "s".into() })
}

fn callback(token: &str, key: &str) -> Callback {
    Callback { token: token.into(), key: key.into() }
}

fn told(
    app: &App,
    callback: &Callback,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Heard, Unproved> {
    let owned = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
    let query: HashMap<String, String> = query.iter().map(owned).collect();
    let headers: HashMap<String, String> = headers.iter().map(owned).collect();
    let header = |name: &str| headers.get(name).cloned();
    let told = Told { query: &query, header: &header, body: body.as_bytes() };
    hear(app, callback, &told, NOW, &SeededChance::new(1))
}

#[test]
fn lark_opens_what_the_platform_and_its_sdk_sealed() {
    let sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=";
    assert_eq!(lark::open("test key", sealed).as_deref(), Ok("hello world"));
    assert_eq!(lark::open("other key", sealed), Err(Unproved::Form));
    let plain = r#"{"challenge":"c-0001","token":"vtok-0001","type":"url_verification"}"#;
    assert_eq!(lark::open("ek-notify-01", LARK_CHALLENGE).as_deref(), Ok(plain));
}

#[test]
fn lark_answers_the_challenge_and_nothing_forged() {
    let body = format!("{{\"encrypt\":\"{LARK_CHALLENGE}\"}}");
    let right = callback("vtok-0001", "ek-notify-01");
    let signature = "0a9552dc4be637d0f22667f1f4bf38f3e7ae8617b9c75e60fd060caaa8a2fcc2";
    let headers = |signature| {
        [
            ("x-lark-request-timestamp", "1700000000"),
            ("x-lark-request-nonce", "n0nce1"),
            ("x-lark-signature", signature),
        ]
    };
    let heard = told(&lark_app(), &right, &[], &headers(signature), &body).unwrap();
    assert_eq!(heard.answer, (r#"{"challenge":"c-0001"}"#.to_owned(), true));
    assert_eq!((heard.event, heard.changes_directory), (None, false));
    // The first question comes without a signature.
    assert!(told(&lark_app(), &right, &[], &[], &body).is_ok());
    let refused = |callback: &Callback, headers: &[(&str, &str)], body: &str| {
        told(&lark_app(), callback, &[], headers, body).unwrap_err()
    };
    let spaced = format!("{body} ");
    assert_eq!(refused(&right, &headers(signature), &spaced), Unproved::Signature);
    assert_eq!(refused(&right, &headers(&"0".repeat(64)), &body), Unproved::Signature);
    assert_eq!(refused(&callback("other", "ek-notify-01"), &[], &body), Unproved::Signature);
    assert_eq!(refused(&callback("vtok-0001", "another"), &[], &body), Unproved::Form);
    for bad in ["", "[]", "{\"encrypt\":\"AAAA\"}", "{\"type\":\"url_verification\"}"] {
        assert_eq!(refused(&right, &[], bad), Unproved::Form, "{bad}");
    }
}

/// An event without a signature is not believed, although it opens and its token is right.
#[test]
fn lark_events_must_be_signed() {
    let sealed = "EBESExQVFhcYGRobHB0eH/NySsCOyOSBq/nva3CIteEPKszM0RV2aasxkEJdy7YUfrNIkBLwCID0cf+gTnjy/HX72HCshnM3LpNzoS+CAi4xBwmwov6DRLhK7Q8V142mypPhuEhKmw8oTJ2kWR1vEQTLskB54sd2nUY2WrqR5L9JXyyT4X1el0QSNbeD9d7vpsASBLrj/U6MQh95Icp2xCzlUUlQHS7bbn6KHwm3Cay5ARozGVIgieKXD0n433WKb9RIsIxeSMbvL64F+aLuS8SvNdL2iToll7zAk76UnwRoUEogSiYrmovb+ONj4uVV83T5Y88PndJ/U581BNxiFe31guCIAcQkDKKXAbnYEx4hFF8GEWh0jIMnO8gpKrGxT7ZwcpeCBlTaX8hKkh8XkGuYMgYIQ0uTd2+uV6puxJtYQloeX2gVyPij0uFlCm/4";
    let body = format!("{{\"encrypt\":\"{sealed}\"}}");
    let right = callback("vtok-0001", "ek-notify-01");
    assert_eq!(told(&lark_app(), &right, &[], &[], &body).unwrap_err(), Unproved::Signature);
    let signed = [
        ("x-lark-request-timestamp", "1735689600"),
        ("x-lark-request-nonce", "5a1b"),
        ("x-lark-signature", "b1cfb3eceeecc1ebcef803cadc7fc638ab8ce6a252c9fba28cb65e8e7fa84f64"),
    ];
    // A year ahead of the clock here.
    assert_eq!(told(&lark_app(), &right, &[], &signed, &body).unwrap_err(), Unproved::Age);
    let query = HashMap::new();
    let header =
        |name: &str| signed.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let told = Told { query: &query, header: &header, body: body.as_bytes() };
    let now = Timestamp(1_735_689_660_000);
    let heard = hear(&lark_app(), &right, &told, now, &SeededChance::new(1)).unwrap();
    assert_eq!((heard.key.as_str(), heard.event.as_deref()), ("ev-1", Some("card.action.trigger")));
    assert!(!heard.changes_directory);
    let other = App::Lark(LarkApp { app_id: "cli_other".into(), app_secret: "s".into() });
    let refused = hear(&other, &right, &told, now, &SeededChance::new(1)).unwrap_err();
    assert_eq!(refused, Unproved::Owner);
}

#[test]
fn wecom_opens_what_wechatpy_sealed() {
    let right = callback("tok0001", WIDE_KEY);
    let query = [("timestamp", "1700000000"), ("nonce", "1372623149"), ("msg_signature", WECOM_SIGNATURE)];
    let body = format!("<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{WECOM_SEALED}]]></Encrypt></xml>");
    let heard = told(&wecom(), &right, &query, &[], &body).unwrap();
    assert_eq!(heard.event.as_deref(), Some("template_card_event"));
    assert_eq!((heard.changes_directory, heard.answer.0.as_str()), (false, "success"));
    let forged = [query[0], ("nonce", "1"), query[2]];
    assert_eq!(told(&wecom(), &right, &forged, &[], &body).unwrap_err(), Unproved::Signature);
    let old = hear_at(&wecom(), &right, &query, &body, Timestamp(NOW.0 + 4_000_000));
    assert_eq!(old.unwrap_err(), Unproved::Age);
    let other = App::Wecom(WecomApp { corp_id: "wwother".into(), agent_id: 7, secret: "s".into() });
    assert_eq!(told(&other, &right, &query, &[], &body).unwrap_err(), Unproved::Owner);
    // The question whether we are there is answered with what stands inside.
    let asked = [query[0], query[1], query[2], ("echostr", WECOM_SEALED)];
    let heard = told(&wecom(), &right, &asked, &[], "").unwrap();
    assert!(heard.answer.0.starts_with("<xml><ToUserName>") && !heard.answer.1);
}

/// Whoever writes to the app cannot make it believe that the directory changed.
#[test]
fn what_people_write_is_no_event() {
    let right = callback("tok0001", WIDE_KEY);
    let App::Wecom(app) = wecom() else { panic!("it is WeCom's") };
    let owner = app.corp_id.reveal().to_owned();
    let theirs = Envelope::new(&right, vec![app.corp_id]).unwrap();
    let hear = |plain: &str| {
        let sealed = theirs.seal(plain, &owner, &SeededChance::new(9)).unwrap();
        let signature = theirs.sign("1700000000", "n", &sealed);
        let query = [("timestamp", "1700000000"), ("nonce", "n"), ("msg_signature", signature.as_str())];
        let body = format!("<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
        let heard = told(&wecom(), &right, &query, &[], &body).unwrap();
        (heard.event.unwrap(), heard.changes_directory)
    };
    let event = "<Event><![CDATA[change_contact]]></Event>";
    let told = hear(&format!("<xml><MsgType><![CDATA[event]]></MsgType>{event}</xml>"));
    assert_eq!(told, ("change_contact".to_owned(), true));
    let written =
        format!("<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{event}]]></Content></xml>");
    assert_eq!(hear(&written), ("message".to_owned(), false));
}

fn hear_at(
    app: &App,
    callback: &Callback,
    query: &[(&str, &str)],
    body: &str,
    now: Timestamp,
) -> Result<Heard, Unproved> {
    let query: HashMap<String, String> =
        query.iter().map(|pair| (pair.0.to_owned(), pair.1.to_owned())).collect();
    let told = Told { query: &query, header: &|_name| None, body: body.as_bytes() };
    hear(app, callback, &told, now, &SeededChance::new(1))
}

/// The same envelope with JSON in it; the answer opens again, for whoever has the key.
#[test]
fn dingtalk_is_answered_under_seal() {
    let app = App::Dingtalk(DingtalkApp {
        app_key: "dingkey".into(),
        app_secret: "s".into(),
        robot_code: None,
        agent_id: None,
        corp_id: Some("dingcorp".into()),
    });
    let right = callback("tok0001", WIDE_KEY);
    for (owner, event, changes) in [
        ("dingkey", "user_leave_org", true),
        ("dingcorp", "org_dept_modify", true),
        ("dingkey", "bpms_task_change", false),
    ] {
        let theirs = Envelope::new(&right, vec![owner.into()]).unwrap();
        let sealed =
            theirs.seal(&format!("{{\"EventType\":\"{event}\"}}"), owner, &SeededChance::new(9)).unwrap();
        let signature = theirs.sign("1700000000000", "n", &sealed);
        let query = [("timestamp", "1700000000000"), ("nonce", "n"), ("signature", signature.as_str())];
        let heard = told(&app, &right, &query, &[], &format!("{{\"encrypt\":\"{sealed}\"}}")).unwrap();
        assert_eq!((heard.event.as_deref(), heard.changes_directory), (Some(event), changes));
        let answer: serde_json::Value = serde_json::from_str(&heard.answer.0).unwrap();
        let (sealed, time) = (answer["encrypt"].as_str().unwrap(), answer["timeStamp"].as_str().unwrap());
        let opened = theirs.open(sealed).unwrap();
        assert_eq!(opened, ("success".to_owned(), owner.to_owned()), "it is for whom it answers");
        assert_eq!(answer["msg_signature"], theirs.sign(time, "n", sealed));
    }
    let strange = Envelope::new(&right, vec!["someone".into()]).unwrap();
    let sealed = strange.seal("{\"EventType\":\"check_url\"}", "someone", &SeededChance::new(9)).unwrap();
    let signature = strange.sign("1700000000000", "n", &sealed);
    let query = [("timestamp", "1700000000000"), ("nonce", "n"), ("signature", signature.as_str())];
    let body = format!("{{\"encrypt\":\"{sealed}\"}}");
    assert_eq!(told(&app, &right, &query, &[], &body).unwrap_err(), Unproved::Owner);
}

/// Whatever lies in an envelope of a right signature, nothing falls over.
#[test]
fn what_is_no_envelope_is_refused() {
    let right = callback("tok0001", WIDE_KEY);
    let envelope = Envelope::new(&right, vec!["x".into()]).unwrap();
    for sealed in ["", "AAAA", "====", "AAAAAAAAAAAAAAAAAAAAAA==", &"A".repeat(64), "中"] {
        assert!(envelope.open(sealed).is_err(), "{sealed}");
    }
}
