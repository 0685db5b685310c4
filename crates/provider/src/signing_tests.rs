use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::id::CertificateId;
use data_encoding::BASE64;
use serde_json::Value;

use super::{Signer, to_sign};

/// The vectors of the manual, made once with OpenSSL from a key that signs nothing else.
const VECTORS: &str = include_str!("../../../docs/vectors/http-signature.json");

fn text<'v>(vectors: &'v Value, path: &str) -> &'v str {
    vectors.pointer(path).and_then(Value::as_str).unwrap()
}

#[test]
fn signs_as_the_manual_says() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let signer = Signer::open(&text(&vectors, "/private_key").into()).unwrap();
    for message in vectors["messages"].as_array().unwrap() {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        for name in ["message", "message_id", "subject", "subscribe_url", "timestamp", "topic_urn", "type"] {
            fields.extend(message["body"].get(name).and_then(Value::as_str).map(|value| (name, value)));
        }
        assert_eq!(to_sign(&fields), text(message, "/string_to_sign"));
        assert_eq!(signer.sign(&fields).unwrap(), text(message, "/body/signature"));
    }
}

#[test]
fn a_fresh_key_signs_and_its_certificate_says_what_it_must() {
    let now = Timestamp(1_735_787_045_000);
    let id = CertificateId::new(now, &SeededChance::new(1));
    let made = Signer::make("bells.example", id, now).unwrap();
    let signer = Signer::open(&made.private_key).unwrap();
    let signature = BASE64.decode(signer.sign(&[("message", "磁盘")]).unwrap().as_bytes()).unwrap();
    let lines: String = made.certificate.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64.decode(lines.as_bytes()).unwrap();
    let public = public_key(&der);
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    assert!(key.verify("message\n磁盘\n".as_bytes(), &signature).is_ok());
    assert!(key.verify("message\n磁盘".as_bytes(), &signature).is_err());
    // The certificate is signed by its own key: what is signed is the first of the three parts.
    let (signed, signature) = parts(&der);
    assert!(key.verify(signed, signature).is_ok());
    let holds = |bytes: &[u8]| signed.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"bells.example") && holds(b"250102030405Z") && holds(b"341231030405Z"));
    assert!(!format!("{signer:?} {made:?}").contains(made.private_key.reveal()));
}

/// A value's beginning and length, of a form with a length in two bytes.
fn inside(der: &[u8]) -> (usize, usize) {
    match der[1] {
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    }
}

fn parts(der: &[u8]) -> (&[u8], &[u8]) {
    let body = &der[inside(der).0..];
    let (start, length) = inside(body);
    (&body[..start + length], &der[der.len() - 256..])
}

/// The RSA key of 2048 bits inside a certificate: a sequence of 266 bytes that begins with its modulus.
fn public_key(der: &[u8]) -> &[u8] {
    let head = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01];
    let at = der.windows(head.len()).position(|window| window == head).unwrap();
    &der[at..at + 270]
}

/// A second opinion on the certificate, where there is an `openssl`.
#[test]
fn openssl_reads_the_certificate() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let now = Timestamp(1_735_787_045_000);
    let made = Signer::make("bells.example", CertificateId::new(now, &SeededChance::new(1)), now).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-text"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = openssl.spawn() else { return };
    child.stdin.take().unwrap().write_all(made.certificate.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    for words in [
        "Version: 3",
        "sha256WithRSAEncryption",
        "Subject: CN = bells.example",
        "Not Before: Jan  2 03:04:05 2025 GMT",
        "Not After : Dec 31 03:04:05 2034 GMT",
        "Public-Key: (2048 bit)",
        "CA:FALSE",
        "Digital Signature",
    ] {
        assert!(said.replace("CN=", "CN = ").contains(words), "{words}: {said}");
    }
}
