use carillon_simulator::{Robot, Simulator};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::support::{World, start};

const KEY: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";
const PATH: &str = "/cgi-bin/webhook/send?key=0f0e0d0c-0b0a-4908-8706-050403020100";
const UPLOAD: &str = "/cgi-bin/webhook/upload_media?key=0f0e0d0c-0b0a-4908-8706-050403020100";
const RED: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
const GREEN: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNg+M8AAAICAQBF9FLUAAAAAElFTkSuQmCC";

pub(crate) async fn world() -> World {
    start(Simulator::new().robot(Robot::wecom(KEY, "Ops")).robot(Robot::wecom("other", "Other"))).await
}

pub(crate) async fn code(world: &World, body: &Value) -> String {
    let reply = world.post(PATH, body).await;
    assert_eq!(reply.status, 200);
    reply.code()
}

fn of(kind: &str, content: &str) -> Value {
    json!({"msgtype": kind, kind: {"content": content}})
}

#[tokio::test]
async fn texts_and_markdown_are_shown() {
    let world = world().await;
    let body = json!({"msgtype": "text", "text": {"content": "disk full",
        "mentioned_list": ["u001", "@all"], "mentioned_mobile_list": ["13800000001"]}});
    let reply =
        world.post("/cgi-bin/webhook/send?debug=1&key=0f0e0d0c-0b0a-4908-8706-050403020100", &body).await;
    assert_eq!(reply.json(), json!({"errcode": 0, "errmsg": "ok"}));
    assert_eq!(code(&world, &of("markdown", "<font color=\"warning\">disk full</font> <@u001>")).await, "0");
    assert_eq!(code(&world, &of("markdown_v2", "| a |\n|---|\n| <@u1> |")).await, "0");
    let received = world.running.received();
    assert_eq!(received[0].mentions, ["u001", "all", "13800000001"]);
    assert_eq!(
        (received[1].text.as_str(), received[1].mentions.as_slice()),
        ("disk full @u001", &["u001".to_owned()][..])
    );
    assert!(received[2].mentions.is_empty());
}

#[tokio::test]
async fn keys_and_types() {
    let world = world().await;
    for path in ["/cgi-bin/webhook/send?key=nobody", "/cgi-bin/webhook/send"] {
        let reply = world.post(path, &of("text", "x")).await;
        assert_eq!(reply.code(), "93000");
        assert!(reply.words().starts_with("invalid webhook url, hint: ["));
        assert!(reply.words().contains(
            "], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=93000"
        ));
    }
    assert_eq!(code(&world, &of("markdown_v3", "x")).await, "40008");
    assert_eq!(code(&world, &json!({})).await, "40008");
    for kind in ["text", "markdown", "markdown_v2"] {
        assert_eq!(code(&world, &of(kind, " ")).await, "44004");
    }
    assert_eq!(world.post_with(PATH, "", b"x").await.code(), "47001");
    world.running.stop_robot(KEY);
    assert_eq!(code(&world, &of("text", "x")).await, "93000");
}

#[tokio::test]
async fn sizes_exactly() {
    let world = world().await;
    for (kind, most) in [("text", 2048), ("markdown", 4096), ("markdown_v2", 4096)] {
        let (whole, rest) = (most / 3, most % 3);
        let at_most = format!("{}{}", "汉".repeat(whole), "a".repeat(rest));
        assert_eq!(code(&world, &of(kind, &at_most)).await, "0");
        let reply = world.post(PATH, &of(kind, &format!("{at_most}a"))).await;
        assert_eq!(reply.code(), "40058");
        let begin = format!("{kind}.content exceed max length {most}. invalid Request Parameter, hint: [");
        assert!(reply.words().starts_with(&begin), "{}", reply.words());
    }
}

#[tokio::test]
async fn images() {
    let world = world().await;
    let image =
        |encoded: &str, md5: &str| json!({"msgtype": "image", "image": {"base64": encoded, "md5": md5}});
    assert_eq!(code(&world, &image(RED, "9d3f217f6cfaad7f9d3786af47422d59")).await, "0");
    assert_eq!(code(&world, &image(GREEN, "89651c065b3c55c324c5784e70fd80cf")).await, "0");
    assert_eq!(code(&world, &image(RED, "89651c065b3c55c324c5784e70fd80cf")).await, "301019");
    assert_eq!(code(&world, &image(RED, "b1ae790de96fc56f0414c66927def97d")).await, "301019");
    assert_eq!(code(&world, &image(&format!("data:image/png;base64,{RED}"), "")).await, "40058");
    assert_eq!(code(&world, &image("", "")).await, "44004");
    assert_eq!(code(&world, &image(&BASE64.encode(b"not a picture"), "")).await, "40005");
    let mut big = b"\xff\xd8\xff".to_vec();
    big.resize(2 * 1024 * 1024, 0);
    let at_most = code(&world, &image(&BASE64.encode(&big), "")).await;
    assert_eq!(at_most, "301019", "the size passes, so that the digest is looked at");
    big.push(0);
    assert_eq!(code(&world, &image(&BASE64.encode(&big), "")).await, "40009");
}

#[tokio::test]
async fn news() {
    let world = world().await;
    let article = json!({"title": "汉".repeat(60), "description": "d", "url": "https://a.example"});
    let news = |articles: Vec<Value>| json!({"msgtype": "news", "news": {"articles": articles}});
    assert_eq!(code(&world, &news(vec![article.clone(); 8])).await, "0");
    let title = world.running.received()[0].title.clone().unwrap();
    assert_eq!(title.len(), 126, "cut to 128 bytes without breaking a character");
    assert_eq!(code(&world, &news(vec![article.clone(); 9])).await, "45008");
    assert_eq!(code(&world, &news(vec![])).await, "44004");
    for field in ["title", "url"] {
        let mut without = article.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(code(&world, &news(vec![without])).await, "40058");
    }
}

async fn upload(world: &World, path: &str, content: &[u8]) -> Value {
    let mut body =
        b"--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.txt\"\r\n\r\n".to_vec();
    body.extend(content);
    body.extend(b"\r\n--b--\r\n");
    world.post_with(path, "Content-Type: multipart/form-data; boundary=b\r\n", &body).await.json()
}

#[tokio::test]
async fn files_are_uploaded_first() {
    let world = world().await;
    let answer = upload(&world, &format!("{UPLOAD}&type=file"), b"sixsix").await;
    assert_eq!((&answer["errcode"], &answer["type"]), (&json!(0), &json!("file")));
    let id = answer["media_id"].as_str().unwrap();
    let file = json!({"msgtype": "file", "file": {"media_id": id}});
    assert_eq!(code(&world, &file).await, "0");
    assert_eq!(world.texts(), ["a.txt"]);
    let by_other = world.post("/cgi-bin/webhook/send?key=other", &file).await;
    assert_eq!(by_other.code(), "40007");
    assert_eq!(code(&world, &json!({"msgtype": "voice", "voice": {"media_id": id}})).await, "40007");
    assert_eq!(code(&world, &json!({"msgtype": "file", "file": {"media_id": "x"}})).await, "40007");
    world.clock.advance(3 * 86_400_000);
    assert_eq!(code(&world, &file).await, "40007");
}

#[tokio::test]
async fn bad_uploads() {
    let world = world().await;
    let file = format!("{UPLOAD}&type=file");
    assert_eq!(upload(&world, &file, b"five5").await["errcode"], 40_006);
    assert_eq!(upload(&world, UPLOAD, b"sixsix").await["errcode"], 40_004);
    assert_eq!(upload(&world, &format!("{UPLOAD}&type=voice"), b"sixsix").await["errcode"], 40_005);
    assert_eq!(upload(&world, &format!("{UPLOAD}&type=voice"), b"#!AMR\n").await["errcode"], 0);
    assert_eq!(
        upload(&world, "/cgi-bin/webhook/upload_media?key=x&type=file", b"sixsix").await["errcode"],
        93_000
    );
    assert_eq!(world.post(&file, &json!({})).await.code(), "41005");
}

#[tokio::test]
async fn twenty_a_minute_then_the_rest_of_it_and_sixty_seconds() {
    let world = world().await;
    for _ in 0..20 {
        assert_eq!(code(&world, &of("text", "x")).await, "0");
        world.clock.advance(1000);
    }
    let reply = world.post(PATH, &of("text", "x")).await;
    assert_eq!(reply.code(), "45009");
    assert!(reply.words().starts_with("api freq out of limit, hint: ["));
    world.clock.advance(99_999);
    assert_eq!(code(&world, &of("text", "x")).await, "45009");
    world.clock.advance(1);
    assert_eq!(code(&world, &of("text", "x")).await, "0");
}
