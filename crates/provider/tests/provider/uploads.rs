//! Images and files through office apps, against a far end that answers as the platforms' pages say.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use carillon_model::attachment::{Attachment, AttachmentKind};
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{AttachmentId, ConnectionId};
use carillon_model::message::Body;
use carillon_model::office::connection::{DingtalkApp, LarkApp, WecomApp};
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::{Extension, OfficeApp, Target};
use carillon_model::{SecretText, Timestamp};
use carillon_provider::{Depot, Held, Promise, Providers, Shelf, Shelved};
use serde_json::{Value, json};

use crate::far_end::{FarEnd, Reply, Seen, post};

/// Files in memory, and what was kept of their uploads.
#[derive(Default)]
struct Desk {
    files: HashMap<AttachmentId, Vec<u8>>,
    shelf: Mutex<HashMap<[u8; 32], (SecretText, Timestamp)>>,
    down: bool,
}

impl Depot for Desk {
    fn bytes(&self, id: AttachmentId) -> Promise<'_, Held> {
        let held = match self.files.get(&id) {
            _ if self.down => Held::Unknown,
            Some(bytes) => Held::Bytes(bytes.clone()),
            None => Held::Gone,
        };
        Box::pin(std::future::ready(held))
    }
}

impl Shelf for Desk {
    fn take(&self, key: [u8; 32]) -> Promise<'_, Shelved> {
        let found = self.shelf.lock().unwrap().get(&key).cloned();
        let taken = found.map_or(Shelved::Fetch, |(text, renew_at)| Shelved::Token(text, renew_at));
        Box::pin(std::future::ready(taken))
    }

    fn put(&self, key: [u8; 32], text: SecretText, renew_at: Timestamp) -> Promise<'_, ()> {
        self.shelf.lock().unwrap().insert(key, (text, renew_at));
        Box::pin(std::future::ready(()))
    }

    fn leave(&self, _key: [u8; 32]) -> Promise<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn forget(&self, key: [u8; 32], _renew_at: Timestamp) -> Promise<'_, ()> {
        self.shelf.lock().unwrap().remove(&key);
        Box::pin(std::future::ready(()))
    }
}

fn id(number: u8) -> AttachmentId {
    AttachmentId::from_bytes([number; 16])
}

fn desk() -> Arc<Desk> {
    let files = HashMap::from([(id(1), b"\x89PNG picture".to_vec()), (id(2), b"%PDF file".to_vec())]);
    Arc::new(Desk { files, ..Desk::default() })
}

fn providers(far_end: &FarEnd, desk: &Arc<Desk>) -> Providers {
    let (depot, shelf): (Arc<dyn Depot>, Arc<dyn Shelf>) = (Arc::clone(desk) as _, Arc::clone(desk) as _);
    far_end.providers().with_depot(depot, shelf)
}

fn lark() -> App {
    App::Feishu(LarkApp { app_id: "cli_0123456789".into(), app_secret: "lark-secret-0123456789".into() })
}

pub(crate) fn dingtalk() -> App {
    App::Dingtalk(DingtalkApp {
        app_key: "ding-key-0123456789".into(),
        app_secret: "ding-secret-0123456789".into(),
        robot_code: Some("ding-robot-0123".into()),
        agent_id: None,
        corp_id: None,
    })
}

fn wecom() -> App {
    App::Wecom(WecomApp { corp_id: "ww0123456789".into(), agent_id: 7, secret: "wecom-secret-012345".into() })
}

pub(crate) fn target(app: App) -> Target {
    let connection = ConnectionId::parse("00000000000000000000000000000001").unwrap();
    let endpoint = Endpoint::Office { connection, kind: RecipientKind::Member, id: "u00001".into() };
    let office = Some(Box::new(OfficeApp { app, connection }));
    Target { endpoint, extension: Extension { office, ..Extension::default() } }
}

fn attachment(kind: AttachmentKind, number: u8, name: &str) -> Attachment {
    Attachment { id: id(number), kind, name: name.to_owned(), bytes: 10 }
}

fn both(text: &str) -> Body {
    let attachments = vec![
        attachment(AttachmentKind::Image, 1, "chart.png"),
        attachment(AttachmentKind::File, 2, "report.pdf"),
    ];
    Body { attachments, ..Body::text(text) }
}

/// A far end where everything succeeds; what is uploaded is called by how many there were.
async fn kind_far_end() -> FarEnd {
    let count = AtomicUsize::new(0);
    FarEnd::start(move |seen| Reply::Json(200, good(seen, &count).to_string())).await
}

fn good(seen: &Seen, count: &AtomicUsize) -> Value {
    let path = seen.path.split('?').next().unwrap_or_default();
    let mut answer = json!({ "code": 0, "errcode": 0, "tenant_access_token": "t-1", "access_token": "t-1",
        "accessToken": "t-1", "expire": 7200, "expires_in": 7200, "expireIn": 7200 });
    if ["/images", "/files", "/upload"].iter().any(|end| path.ends_with(end)) {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let name = format!("media-{number}");
        answer["media_id"] = name.clone().into();
        answer["data"] = json!({ "image_key": name, "file_key": name });
    } else if path.ends_with("batchSend") {
        answer = json!({ "processQueryKey": "q" });
    } else if path.ends_with("accessToken") {
        answer = json!({ "accessToken": "t-1", "expireIn": 7200 });
    }
    answer
}

pub(crate) async fn send_all(providers: &Providers, target: &Target, body: &Body) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for part in providers.render(target, &post(body)).unwrap() {
        verdicts.push(providers.send(target, &part).await);
    }
    verdicts
}

fn calls(far_end: &FarEnd) -> Vec<Seen> {
    far_end
        .seen()
        .into_iter()
        .filter(|seen| {
            !seen.path.to_lowercase().contains("token?")
                && !seen.path.contains("accessToken")
                && !seen.path.contains("/auth/")
                && !seen.path.contains("gettoken")
        })
        .collect()
}

#[tokio::test]
async fn each_platform_gets_its_forms() {
    for app in [lark(), dingtalk(), wecom()] {
        let (far_end, desk) = (kind_far_end().await, desk());
        let (providers, target) = (providers(&far_end, &desk), target(app.clone()));
        let verdicts = send_all(&providers, &target, &both("look")).await;
        assert!(verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted), "{verdicts:?}");
        let seen = calls(&far_end);
        assert_eq!(seen.len(), 5, "a text, two uploads, two messages");
        for (upload, name, content) in [(1, "chart.png", "PNG picture"), (3, "report.pdf", "%PDF file")] {
            let kind = seen[upload].header("content-type").unwrap();
            let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
            let body = &seen[upload].body;
            assert!(body.starts_with(&format!("--{boundary}\r\n")), "{body}");
            assert!(body.ends_with(&format!("\r\n--{boundary}--\r\n")), "{body}");
            assert!(body.contains(&format!("filename=\"{name}\"")) && body.contains(content), "{body}");
        }
        let (image, file) = (seen[2].json(), seen[4].json());
        let inner = |value: &Value, field: &str| -> Value {
            serde_json::from_str(value[field].as_str().unwrap()).unwrap()
        };
        match app {
            App::Lark(_) | App::Feishu(_) => {
                assert!(seen[1].body.contains("name=\"image_type\"\r\n\r\nmessage\r\n"));
                assert!(seen[3].body.contains("name=\"file_type\"\r\n\r\npdf\r\n"));
                assert_eq!(inner(&image, "content"), json!({ "image_key": "media-1" }));
                assert_eq!(
                    (inner(&file, "content"), &file["msg_type"]),
                    (json!({ "file_key": "media-2" }), &json!("file"))
                );
            }
            App::Dingtalk(_) => {
                assert!(seen[1].path.contains("type=image") && seen[3].path.contains("type=file"));
                assert_eq!(inner(&image, "msgParam"), json!({ "photoURL": "media-1" }));
                let param = json!({ "mediaId": "media-2", "fileName": "report.pdf", "fileType": "pdf" });
                assert_eq!((inner(&file, "msgParam"), &file["msgKey"]), (param, &json!("sampleFile")));
            }
            App::Wecom(_) => {
                assert_eq!(
                    (&image["msgtype"], &image["image"]),
                    (&json!("image"), &json!({ "media_id": "media-1" }))
                );
                assert_eq!(
                    (&file["msgtype"], &file["file"]),
                    (&json!("file"), &json!({ "media_id": "media-2" }))
                );
            }
        }
        // A second time nothing is uploaded; nor by another server with the same shelf.
        send_all(&providers, &target, &both("again")).await;
        send_all(&self::providers(&far_end, &desk), &target, &both("elsewhere")).await;
        let uploads = calls(&far_end)
            .iter()
            .filter(|seen| seen.header("content-type").unwrap().contains("multipart"))
            .count();
        assert_eq!(uploads, 2, "{app:?}");
    }
}

#[tokio::test]
async fn an_image_may_stand_alone() {
    let (far_end, desk) = (kind_far_end().await, desk());
    let body = Body { attachments: vec![attachment(AttachmentKind::Image, 1, "a.png")], ..Body::default() };
    let verdicts = send_all(&providers(&far_end, &desk), &target(wecom()), &body).await;
    assert_eq!((verdicts.len(), verdicts[0].outcome), (1, Outcome::Accepted));
    assert_eq!(calls(&far_end).len(), 2);
}

/// What the platform no longer knows is uploaded once more, and no more often than that.
#[tokio::test]
async fn what_is_unknown_is_uploaded_again() {
    for (app, code) in [(wecom(), 40_007), (lark(), 230_017)] {
        for always in [false, true] {
            let count = AtomicUsize::new(0);
            let far_end = FarEnd::start(move |seen| {
                let mut answer = good(seen, &count);
                let known = if always { "none" } else { "media-2" };
                if seen.body.contains("media-") && !seen.body.contains(known) {
                    answer = json!({ "code": code, "errcode": code, "msg": "gone", "errmsg": "gone" });
                }
                Reply::Json(200, answer.to_string())
            })
            .await;
            let body =
                Body { attachments: vec![attachment(AttachmentKind::File, 2, "a.pdf")], ..Body::default() };
            let verdicts = send_all(&providers(&far_end, &desk()), &target(app.clone()), &body).await;
            let expected = if always { Outcome::Refused } else { Outcome::Accepted };
            assert_eq!((verdicts[0].outcome, calls(&far_end).len()), (expected, 4), "{verdicts:?}");
        }
    }
}

/// Nothing was sent when an upload fails: it is tried again, unless the platform refuses the file itself.
#[tokio::test]
async fn a_failed_upload_says_so() {
    let cases = [
        (lark(), "{\"code\":234006,\"msg\":\"too big\"}", Outcome::Refused, Reason::TooLong),
        (lark(), "{\"code\":234011,\"msg\":\"no image\"}", Outcome::Refused, Reason::BadRequest),
        (lark(), "{\"code\":234007,\"msg\":\"bot off\"}", Outcome::Misconfigured, Reason::TargetGone),
        (dingtalk(), "{\"errcode\":40006,\"errmsg\":\"size\"}", Outcome::Refused, Reason::TooLong),
        (wecom(), "{\"errcode\":40005,\"errmsg\":\"type\"}", Outcome::Refused, Reason::BadRequest),
    ];
    for (app, answer, outcome, reason) in cases {
        let count = AtomicUsize::new(0);
        let far_end = FarEnd::start(move |seen| {
            let is_upload = seen.body.contains("form-data");
            Reply::Json(200, if is_upload { answer.to_owned() } else { good(seen, &count).to_string() })
        })
        .await;
        let body =
            Body { attachments: vec![attachment(AttachmentKind::Image, 1, "a.png")], ..Body::default() };
        let verdict = send_all(&providers(&far_end, &desk()), &target(app), &body).await.remove(0);
        assert_eq!((verdict.outcome, verdict.reason), (outcome, reason), "{answer}");
        assert!(verdict.platform_text.unwrap().starts_with("image a.png: "), "{answer}");
    }
    for reply in
        [|| Reply::Cut, || Reply::Json(200, "{\"errcode\":0}".to_owned()), || Reply::Json(502, String::new())]
    {
        let count = AtomicUsize::new(0);
        let far_end = FarEnd::start(move |seen| {
            if seen.body.contains("form-data") {
                reply()
            } else {
                Reply::Json(200, good(seen, &count).to_string())
            }
        })
        .await;
        let body =
            Body { attachments: vec![attachment(AttachmentKind::Image, 1, "a.png")], ..Body::default() };
        let verdict = send_all(&providers(&far_end, &desk()), &target(wecom()), &body).await.remove(0);
        assert!(matches!(verdict.outcome, Outcome::Later { .. }), "{verdict:?}");
    }
}

#[tokio::test]
async fn what_is_not_kept_is_told() {
    let far_end = kind_far_end().await;
    let body = Body { attachments: vec![attachment(AttachmentKind::File, 9, "a.pdf")], ..Body::default() };
    let verdict = send_all(&providers(&far_end, &desk()), &target(wecom()), &body).await.remove(0);
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Refused, Reason::Render));
    assert_eq!(verdict.platform_text.unwrap(), "file a.pdf: it is no longer kept; push it again");
    let down = Arc::new(Desk { down: true, ..Desk::default() });
    let verdict = send_all(&providers(&far_end, &down), &target(wecom()), &body).await.remove(0);
    assert!(matches!(verdict.outcome, Outcome::Later { .. }), "{verdict:?}");
    assert!(calls(&far_end).is_empty());
}
