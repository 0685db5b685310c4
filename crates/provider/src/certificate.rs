//! The one certificate this service makes: self-signed, for the key that signs what web endpoints get.
//!
//! It is always of this shape (X.509 version 3, sha256WithRSA, one common name, no authority), so its DER is written
//! here in full; a library for all shapes would bring a second time crate along.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use carillon_model::Timestamp;
use carillon_model::text::prefix;
use data_encoding::BASE64;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 1.2.840.113549.1.1.11, which takes a null parameter.
const SHA256_WITH_RSA: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.19
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// 2.5.29.15
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// The most characters of a common name (RFC 5280, appendix A.1).
const COMMON_NAME_MAX: usize = 64;
/// How long a line of PEM is.
const PEM_LINE: usize = 64;

/// What a certificate says.
pub(crate) struct Says<'a> {
    /// Whose it is.
    pub(crate) host: &'a str,
    /// Its number.
    pub(crate) serial: &'a [u8],
    /// From when on it is good.
    pub(crate) not_before: Timestamp,
    /// Until when.
    pub(crate) not_after: Timestamp,
}

/// Makes a certificate for a key, signed by that key, as PEM.
pub(crate) fn self_signed(key: &RsaKeyPair, says: &Says<'_>) -> Result<String, Unspecified> {
    let public: PublicKeyX509Der<'_> = key.public_key().as_der()?;
    let algorithm = tlv(SEQUENCE, &[SHA256_WITH_RSA]);
    let host = tlv(UTF8, &[prefix(says.host, COMMON_NAME_MAX).as_bytes()]);
    let name = tlv(SEQUENCE, &[&tlv(SET, &[&tlv(SEQUENCE, &[&tlv(OID, &[COMMON_NAME]), &host])])]);
    let validity = tlv(SEQUENCE, &[&time(says.not_before), &time(says.not_after)]);
    // No authority (an empty sequence), and for digital signatures only (the first bit of eight).
    let constraints = extension(BASIC_CONSTRAINTS, &tlv(SEQUENCE, &[]));
    let usage = extension(KEY_USAGE, &tlv(BIT_STRING, &[&[7, 0x80]]));
    let extensions = tlv(EXTENSIONS, &[&tlv(SEQUENCE, &[&constraints, &usage])]);
    let version = tlv(VERSION, &[&tlv(INTEGER, &[&[2]])]);
    let parts: [&[u8]; 8] =
        [&version, &positive(says.serial), &algorithm, &name, &validity, &name, public.as_ref(), &extensions];
    let signed = tlv(SEQUENCE, &parts);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &signed, &mut signature)?;
    let signature = tlv(BIT_STRING, &[&[0], &signature]);
    Ok(pem(&tlv(SEQUENCE, &[&signed, &algorithm, &signature])))
}

/// A tag, the length of what follows, and what follows.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let count = u8::try_from(bytes.len() - zeros).expect("a length has at most 8 bytes");
            out.push(0x80 | count);
            out.extend(bytes.iter().skip(zeros));
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A number that is not negative, without needless zeros in front.
fn positive(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    match bytes.first() {
        Some(first) if *first < 0x80 => tlv(INTEGER, &[bytes]),
        _ => tlv(INTEGER, &[&[0], bytes]),
    }
}

/// A critical extension.
fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let critical = [0x01, 0x01, 0xff];
    tlv(SEQUENCE, &[&tlv(OID, &[oid]), &critical, &tlv(OCTET_STRING, &[value])])
}

/// A moment, in two digits of the year before 2050 and in four from then on (RFC 5280, section 4.1.2.5).
fn time(moment: Timestamp) -> Vec<u8> {
    let digits: String = moment.to_seconds_text().chars().filter(|c| !matches!(c, '-' | ':' | 'T')).collect();
    if digits.as_str() < "2050" {
        let short: String = digits.chars().skip(2).collect();
        return tlv(UTC_TIME, &[short.as_bytes()]);
    }
    tlv(GENERALIZED_TIME, &[digits.as_bytes()])
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (index, c) in BASE64.encode(der).chars().enumerate() {
        if index > 0 && index % PEM_LINE == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;

    use super::{positive, time, tlv};

    #[test]
    fn lengths_are_written_short_or_long() {
        assert_eq!(tlv(4, &[&[0; 0x7f]])[..2], [4, 0x7f]);
        assert_eq!(tlv(4, &[&[0; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(tlv(4, &[&[0; 0x1234]])[..4], [4, 0x82, 0x12, 0x34]);
    }

    #[test]
    fn numbers_are_positive_and_short() {
        assert_eq!(positive(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(positive(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(positive(&[0]), [2, 1, 0]);
    }

    #[test]
    fn the_year_2050_changes_the_form() {
        assert_eq!(time(Timestamp(1_735_787_045_000)), *b"\x17\x0d250102030405Z");
        assert_eq!(time(Timestamp(2_524_608_000_000)), *b"\x18\x0f20500101000000Z");
    }
}
