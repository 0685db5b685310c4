//! Images and files to people and chats: handed in, pushed, uploaded once, shown.

use std::path::Path;

use carillon_simulator::{Act, Platform, Received, Running};
use serde_json::{Value, json};

use crate::client::{Answer, Api, Auth};
use crate::harness::{Server, Start, TOKEN, home, program, run, until};
use crate::office::{APP_ID, app, connect, ended, start_with, update};

/// A picture of some width and height, as far as anybody looks.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x06\0\0\0rest of the picture");
    bytes
}

/// Bytes of several pieces that are no text.
fn pdf(bytes: usize) -> Vec<u8> {
    let mut file = b"%PDF-1.7\r\n".to_vec();
    file.extend((0..bytes).map(|at| u8::try_from(at % 253).unwrap()));
    file
}

async fn ready(platform: Platform, home: &Path) -> (Running, Server, Api, String) {
    let platforms = start_with(app(platform)).await;
    let server = Start::new().led_to(&platforms).at(home).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, platform).await;
    update(&api, &connection).await;
    (platforms, server, api, connection)
}

async fn try_hand_in(api: &Api, bytes: Vec<u8>) -> Answer {
    api.send_raw(reqwest::Method::POST, "/api/v1/attachments", bytes, &[]).await
}

async fn hand_in(api: &Api, bytes: Vec<u8>) -> String {
    try_hand_in(api, bytes).await.expect(201).at("/id")
}

fn push_of(connection: &str, to: &str, more: &Value) -> Value {
    let (kind, id) = to.split_once(':').unwrap();
    let mut push = json!({ "connection_id": connection, "to": [{ "kind": kind, "id": id }] });
    push.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    push
}

async fn pushed(api: &Api, connection: &str, to: &str, more: &Value) -> Value {
    let push = push_of(connection, to, more);
    let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    ended(api, &message).await.remove(0)
}

fn shown(platforms: &Running) -> Vec<(String, String)> {
    let shown = |one: Received| (one.chat, one.text);
    platforms.received().into_iter().map(shown).collect()
}

fn uploads(platforms: &Running) -> Vec<(String, String)> {
    platforms.uploads().into_iter().map(|upload| (upload.kind, upload.name)).collect()
}

async fn image_and_file_arrive(platform: Platform) {
    let home = home();
    let (platforms, server, api, connection) = ready(platform, home.path()).await;
    let (picture, report) = (png(30, 40), pdf(300_000));
    let kept = try_hand_in(&api, picture.clone()).await.expect(201).json();
    let facts = ["picture", "width", "height", "bytes"].map(|field| kept[field].clone());
    assert_eq!(facts, [json!("png"), json!(30), json!(40), json!(picture.len())]);
    let (image, file) = (kept["id"].as_str().unwrap().to_owned(), hand_in(&api, report.clone()).await);
    assert_eq!(hand_in(&api, report.clone()).await, file, "the same bytes are the same attachment");
    let more = json!({ "text": "the week", "images": [{ "id": image, "name": "chart.png" }],
                       "files": [{ "id": file, "name": "周报.pdf" }] });
    let delivery = pushed(&api, &connection, "member:u00001", &more).await;
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    let expected = ["the week", "chart.png", "周报.pdf"].map(|text| ("Member 1".to_owned(), text.to_owned()));
    assert_eq!(shown(&platforms), expected);
    // Every byte of it.
    let [first, second] = platforms.uploads().try_into().unwrap();
    assert_eq!((first.content, first.kind.as_str()), (picture, "image"));
    assert_eq!(
        (second.bytes, second.name.as_str(), second.kind.as_str()),
        (report.len(), "周报.pdf", "file")
    );
    assert!(report.starts_with(&second.content) && second.content.len() == 65_536);

    // To others, and after a restart: nothing is uploaded again.
    let alone = json!({ "images": [{ "id": image }] });
    let many = json!({ "to": (2..30).map(|one| json!({ "kind": "member", "id": format!("u{one:05}") })).collect::<Vec<_>>() });
    let mut push = push_of(&connection, "member:u00002", &alone);
    push["to"] = many["to"].clone();
    let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    assert!(ended(&api, &message).await.iter().all(|one| one["state"] == "delivered"));
    assert_eq!(platforms.received().len(), 3 + 28);
    drop(server);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let delivery = pushed(&api, &connection, "chat:oc_office_chat_1", &more).await;
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    assert_eq!(shown(&platforms).last().unwrap(), &("Release room".to_owned(), "周报.pdf".to_owned()));
    assert_eq!(uploads(&platforms).len(), 2, "{:?}", uploads(&platforms));

    let (message, _number) = delivery["id"].as_str().unwrap().rsplit_once('-').unwrap();
    let message = api.get(&format!("/api/v1/messages/{message}")).await;
    let told = message.expect(200).json()["attachments"].clone();
    assert_eq!((told[0]["kind"].as_str(), told[1]["name"].as_str()), (Some("image"), Some("周报.pdf")));

    // What the platform no longer knows is uploaded anew. DingTalk keeps what it has.
    platforms.expire_uploads();
    let delivery = pushed(&api, &connection, "member:u00003", &alone).await;
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    let expected = if platform == Platform::DingtalkApp { 2 } else { 3 };
    assert_eq!(uploads(&platforms).len(), expected);
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1, "in the same attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn lark_shows_images_and_files() {
    image_and_file_arrive(Platform::Lark).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dingtalk_shows_images_and_files() {
    image_and_file_arrive(Platform::DingtalkApp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wecom_shows_images_and_files() {
    image_and_file_arrive(Platform::Wecom).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_would_refuse_is_refused_before() {
    let home = home();
    let (platforms, server, api, connection) = ready(Platform::Wecom, home.path()).await;
    let large = try_hand_in(&api, vec![7; 30 * 1024 * 1024 + 1]).await.expect(400);
    assert_eq!((large.at("/code"), large.at("/field")), ("invalid".to_owned(), "attachment".to_owned()));
    try_hand_in(&api.with(Auth::Nobody), vec![7; 10]).await.expect(401);
    let image = |id: &str| json!({ "images": [{ "id": id }] });
    let file = |id: &str, name: &str| json!({ "files": [{ "id": id, "name": name }] });
    let (wide, small) = (hand_in(&api, png(9, 9)).await, hand_in(&api, b"12345".to_vec()).await);
    let heavy = hand_in(&api, pdf(20 * 1024 * 1024)).await;
    let nobody = "0123456789abcdef0123456789abcdef";
    let cases = [
        (file(&heavy, "a.pdf"), "files", "20 MiB"),
        (file(&small, "a.pdf"), "files", "6 bytes"),
        (image(&heavy), "images", "jpg or png"),
        (image(nobody), "images", "must name what was handed in"),
        (image("x"), "images", "hexadecimal"),
        (file(&wide, "../a.pdf"), "files", "name"),
        (json!({ "files": [{ "id": wide }] }), "files", "needs a name"),
        (json!({ "images": vec![json!({ "id": wide }); 11] }), "files", "at most 10"),
        (json!({ "title": "T", "images": [{ "id": wide }] }), "message", "need text or markdown"),
        (json!({}), "message", "either text or markdown"),
    ];
    for (more, field, rule) in cases {
        let refused =
            api.post("/api/v1/pushes", &push_of(&connection, "member:u00001", &more)).await.expect(400);
        assert!(
            refused.at("/field") == field && refused.at("/message").contains(rule),
            "{more}: {}",
            refused.text()
        );
    }
    let mut command = program(&server.home);
    let path = server.home.join("movie.png");
    std::fs::write(&path, b"no picture at all").unwrap();
    command.args(["push", &connection, "--to", "member:u00001", "--image", path.to_str().unwrap()]);
    command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    let said = run(command, None).await;
    assert!(said.code != 0 && said.err.contains("jpg or png"), "{said:?}");
    assert!(platforms.received().is_empty() && platforms.uploads().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_pushes_files() {
    let home = home();
    let (platforms, server, api, connection) = ready(Platform::Feishu, home.path()).await;
    let path = |name: &str| server.home.join(name);
    std::fs::write(path("chart.png"), png(5, 5)).unwrap();
    std::fs::write(path("notes.txt"), b"word by word").unwrap();
    let mut command = program(&server.home);
    command.args(["push", &connection, "**look**", "--markdown", "--to", "member:u00004", "--image"]);
    command.arg(path("chart.png")).arg("--file").arg(path("notes.txt"));
    command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    let said = run(command, None).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(ended(&api, said.out.trim()).await[0]["state"], "delivered");
    let kinds: Vec<String> = platforms.received().into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["interactive", "image", "file"]);
    assert_eq!(platforms.uploads()[1].content, b"word by word");
}

/// A right that is missing is named; when it is there, the same delivery arrives.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_told_by_the_delivery() {
    let home = home();
    let (platforms, _server, api, connection) = ready(Platform::Lark, home.path()).await;
    platforms.change_office(APP_ID, |app| {
        app.withheld.extend(["im:resource".to_owned(), "im:resource:upload".to_owned()]);
    });
    let image = hand_in(&api, png(3, 3)).await;
    let delivery =
        pushed(&api, &connection, "member:u00001", &json!({ "text": "one", "images": [{ "id": image }] }))
            .await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (delivery["state"].as_str(), attempt["reason"].as_str()),
        (Some("failed"), Some("permission"))
    );
    assert!(attempt["platform_text"].as_str().unwrap().contains("im:resource"), "{attempt}");
    assert_eq!(shown(&platforms), [("Member 1".to_owned(), "one".to_owned())], "the text is there");
    platforms.change_office(APP_ID, |app| app.withheld.clear());
    let path = format!("/api/v1/deliveries/{}/resend", delivery["id"].as_str().unwrap());
    api.post(&path, &json!({})).await.expect(200);
    until("the image", async || (platforms.received().len() == 2).then_some(())).await;
    assert_eq!(shown(&platforms)[1], ("Member 1".to_owned(), "image.png".to_owned()), "and not again");
}

/// What was accepted outlives the server, and comes once.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_outlives_kill_9_between_accepting_and_sending() {
    let home = home();
    let (platforms, mut server, api, connection) = ready(Platform::Lark, home.path()).await;
    let file = hand_in(&api, pdf(200_000)).await;
    // The platform does not answer the text before the file, so that nothing else has left.
    platforms.script("u00001", Act::Hang, None);
    let more = json!({ "text": "first", "files": [{ "id": file, "name": "report.pdf" }] });
    let push = push_of(&connection, "member:u00001", &more);
    let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    server.kill();
    platforms.clear_script("u00001");
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let delivery = ended(&api, &message).await.remove(0);
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    let texts: Vec<String> = shown(&platforms).into_iter().map(|(_chat, text)| text).collect();
    assert_eq!(texts, ["first", "report.pdf"]);
    assert_eq!(platforms.uploads()[0].bytes, 200_010);
}
