//! Lark's and Feishu's events ("subscribe to events", "encrypt events").

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::iv::FixedLength;
use carillon_model::Timestamp;
use carillon_model::office::callback::Callback;
use carillon_model::office::connection::LarkApp;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::{Heard, Told, Unproved, is_fresh, same};

/// Opens the sealed text of an event.
pub(super) fn open(key: &str, sealed: &str) -> Result<String, Unproved> {
    let form = |_unspecified| Unproved::Form;
    let bytes = BASE64.decode(sealed.as_bytes()).map_err(|_base64| Unproved::Form)?;
    let (iv, rest) = bytes.split_first_chunk::<16>().ok_or(Unproved::Form)?;
    let key = digest::digest(&SHA256, key.as_bytes());
    let key = UnboundCipherKey::new(&AES_256, key.as_ref()).map_err(form)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(form)?;
    let mut rest = rest.to_vec();
    let plain = key.decrypt(&mut rest, DecryptionContext::Iv128(FixedLength::from(*iv))).map_err(form)?;
    String::from_utf8(plain.to_vec()).map_err(|_text| Unproved::Form)
}

fn signature(key: &str, time: &str, nonce: &str, body: &[u8]) -> String {
    let mut context = digest::Context::new(&SHA256);
    [time.as_bytes(), nonce.as_bytes(), key.as_bytes(), body].iter().for_each(|part| context.update(part));
    HEXLOWER.encode(context.finish().as_ref())
}

/// Proves and reads an event. The first one, which asks whether we are there, is not signed; its token proves it.
pub(super) fn hear(
    app: &LarkApp,
    callback: &Callback,
    told: &Told<'_>,
    now: Timestamp,
) -> Result<Heard, Unproved> {
    let key = callback.key.reveal();
    let header = |name: &str| (told.header)(name).unwrap_or_default();
    let signed = header("x-lark-signature");
    let (time, nonce) = (header("x-lark-request-timestamp"), header("x-lark-request-nonce"));
    if !signed.is_empty() {
        if !same(&signature(key, &time, &nonce, told.body), &signed) {
            return Err(Unproved::Signature);
        }
        is_fresh(&time, now)?;
    }
    let body: Value = serde_json::from_slice(told.body).map_err(|_json| Unproved::Form)?;
    let sealed = body["encrypt"].as_str().ok_or(Unproved::Form)?;
    let plain: Value = serde_json::from_str(&open(key, sealed)?).map_err(|_json| Unproved::Form)?;
    let text = |pointer: &str| plain.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let token = if text("/header/token").is_empty() { text("/token") } else { text("/header/token") };
    if !same(token, callback.token.reveal()) {
        return Err(Unproved::Signature);
    }
    if text("/type") == "url_verification" {
        let answer = json!({ "challenge": text("/challenge") }).to_string();
        let key = text("/challenge").to_owned();
        return Ok(Heard { key, event: None, changes_directory: false, answer: (answer, true) });
    }
    // Only the question whether we are there comes without a signature.
    if signed.is_empty() {
        return Err(Unproved::Signature);
    }
    let owner = text("/header/app_id");
    if !owner.is_empty() && !same(owner, app.app_id.reveal()) {
        return Err(Unproved::Owner);
    }
    let (id, event) = (text("/header/event_id"), text("/header/event_type"));
    // The older form.
    let (id, event) = if event.is_empty() { (text("/uuid"), text("/event/type")) } else { (id, event) };
    let changes_directory =
        ["contact.", "user_", "dept_", "contact_scope"].iter().any(|start| event.starts_with(start));
    let id = if id.is_empty() { signed } else { id.to_owned() };
    Ok(Heard { key: id, event: Some(event.to_owned()), changes_directory, answer: ("{}".to_owned(), true) })
}
