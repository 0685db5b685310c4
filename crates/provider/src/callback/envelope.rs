//! The envelope that `WeCom` and `DingTalk` share: sixteen random bytes, a length, the text, and whose it is, under
//! AES-256-CBC, padded to 32 bytes; signed with SHA-1 over what stands around it.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use carillon_model::office::callback::Callback;
use carillon_model::{Chance, SecretText};
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};

use super::{Unproved, same};

/// How many random bytes stand before the length.
const SALT: usize = 16;
/// To how many bytes texts are padded.
const BLOCK: usize = 32;

/// What opens a connection's callbacks.
pub(super) struct Envelope {
    token: SecretText,
    key: [u8; 32],
    /// Whose they may be.
    owners: Vec<SecretText>,
}

impl Envelope {
    /// Takes a connection's token and key.
    pub(super) fn new(callback: &Callback, owners: Vec<SecretText>) -> Result<Self, Unproved> {
        let key = callback.wide_key().ok_or(Unproved::Form)?;
        Ok(Self { token: callback.token.clone(), key, owners })
    }

    /// The signature of a sealed text.
    pub(super) fn sign(&self, time: &str, nonce: &str, sealed: &str) -> String {
        let mut parts = [self.token.reveal(), time, nonce, sealed];
        parts.sort_unstable();
        HEXLOWER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes()).as_ref())
    }

    /// Whether the platform signed it.
    pub(super) fn prove(
        &self,
        signature: &str,
        time: &str,
        nonce: &str,
        sealed: &str,
    ) -> Result<(), Unproved> {
        if same(&self.sign(time, nonce, sealed), signature) { Ok(()) } else { Err(Unproved::Signature) }
    }

    fn iv(&self) -> FixedLength<16> {
        let mut iv = [0_u8; 16];
        iv.iter_mut().zip(self.key).for_each(|(to, from)| *to = from);
        FixedLength::from(iv)
    }

    fn cipher(&self) -> Result<UnboundCipherKey, Unproved> {
        UnboundCipherKey::new(&AES_256, &self.key).map_err(|_unspecified| Unproved::Form)
    }

    /// Opens a sealed text that was proved, and tells whose it is.
    pub(super) fn open(&self, sealed: &str) -> Result<(String, String), Unproved> {
        let mut bytes = BASE64
            .decode(sealed.as_bytes())
            .or_else(|_padded| BASE64_NOPAD.decode(sealed.as_bytes()))
            .map_err(|_base64| Unproved::Form)?;
        let key = DecryptingKey::cbc(self.cipher()?).map_err(|_unspecified| Unproved::Form)?;
        let plain = key
            .decrypt(&mut bytes, DecryptionContext::Iv128(self.iv()))
            .map_err(|_unspecified| Unproved::Form)?;
        let pad = plain.last().copied().map_or(0, usize::from);
        let whole = plain.len().checked_sub(pad).filter(|_len| (1..=BLOCK).contains(&pad));
        let plain = whole.and_then(|len| plain.get(..len)).ok_or(Unproved::Form)?;
        let (length, rest) =
            plain.get(SALT..).and_then(|rest| rest.split_first_chunk::<4>()).ok_or(Unproved::Form)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_length| Unproved::Form)?;
        let (text, owner) = rest.split_at_checked(length).ok_or(Unproved::Form)?;
        let owner = std::str::from_utf8(owner).map_err(|_text| Unproved::Owner)?;
        if !self.owners.iter().any(|known| same(known.reveal(), owner)) {
            return Err(Unproved::Owner);
        }
        let text = String::from_utf8(text.to_vec()).map_err(|_text| Unproved::Form)?;
        Ok((text, owner.to_owned()))
    }

    /// Seals an answer for the owner of what it answers.
    pub(super) fn seal(&self, text: &str, owner: &str, chance: &dyn Chance) -> Result<String, Unproved> {
        let mut plain = vec![0_u8; SALT];
        chance.fill(&mut plain);
        let length = u32::try_from(text.len()).map_err(|_length| Unproved::Form)?;
        plain.extend(length.to_be_bytes());
        plain.extend(text.as_bytes());
        plain.extend(owner.as_bytes());
        let pad = BLOCK - plain.len() % BLOCK;
        plain.resize(plain.len() + pad, u8::try_from(pad).unwrap_or(0));
        let key = EncryptingKey::cbc(self.cipher()?).map_err(|_unspecified| Unproved::Form)?;
        key.less_safe_encrypt(&mut plain, EncryptionContext::Iv128(self.iv()))
            .map_err(|_unspecified| Unproved::Form)?;
        Ok(BASE64.encode(&plain))
    }
}
