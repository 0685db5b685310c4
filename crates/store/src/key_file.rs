//! The key file: a line for each master key, oldest first, and one for the key of the look-up hashes.
//!
//! `carillon-key-v1 {id} {base64}` is a master key. `carillon-lookup-v1 {base64}` is the key that makes the hashes by which
//! tokens and addresses are found; it was derived from the first master key, and is written down when a second one comes,
//! so that the first can go. A file without that line derives it from its first key.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::hkdf;
use carillon_model::Chance;
use data_encoding::{BASE64, HEXLOWER};
use zeroize::Zeroizing;

use crate::error::Error;

/// The length of a key's id.
pub(crate) const KEY_ID: usize = 4;
/// The length of a key.
pub(crate) const KEY: usize = 32;
const KEY_WORD: &str = "carillon-key-v1";
const LOOKUP_WORD: &str = "carillon-lookup-v1";

/// By what a key is named, in the file and in front of what it sealed.
pub(crate) type KeyId = [u8; KEY_ID];

type Secret = Zeroizing<[u8; KEY]>;

/// What stands in a key file.
pub(crate) struct KeyFile {
    keys: Vec<(KeyId, Secret)>,
    lookup: Option<Secret>,
}

impl KeyFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When a line has another form, an id stands twice, or there is no key.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut file = Self { keys: Vec::new(), lookup: None };
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = || Error::Setup(format!("line {} of the key file is no key", index + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [KEY_WORD, id, key] => {
                    let id = HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| id.try_into().ok());
                    let id: KeyId = id.ok_or_else(wrong)?;
                    if file.keys.iter().any(|(there, _)| *there == id) {
                        return Err(wrong());
                    }
                    file.keys.push((id, secret(key).ok_or_else(wrong)?));
                }
                [LOOKUP_WORD, key] if file.lookup.is_none() => {
                    file.lookup = Some(secret(key).ok_or_else(wrong)?);
                }
                _ => return Err(wrong()),
            }
        }
        if file.keys.is_empty() {
            return Err(Error::Setup("the key file holds no key".to_owned()));
        }
        Ok(file)
    }

    /// Reads a file, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or is no key file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Error> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&Zeroizing::new(text)).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(path, "read", &error)),
        }
    }

    /// A file with one fresh key.
    pub(crate) fn fresh(chance: &dyn Chance) -> Self {
        let mut file = Self { keys: Vec::new(), lookup: None };
        file.add(chance);
        file
    }

    /// Puts a fresh key behind the others.
    pub(crate) fn add(&mut self, chance: &dyn Chance) -> KeyId {
        if !self.keys.is_empty() {
            self.lookup = Some(self.lookup());
        }
        let (mut id, mut key) = ([0_u8; KEY_ID], Zeroizing::new([0_u8; KEY]));
        chance.fill(&mut id);
        chance.fill(key.as_mut());
        self.keys.push((id, key));
        id
    }

    /// Takes every other key out, and tells which.
    pub(crate) fn keep_only(&mut self, id: KeyId) -> Vec<KeyId> {
        self.lookup = Some(self.lookup());
        let gone = self.keys.iter().map(|(there, _)| *there).filter(|there| *there != id).collect();
        self.keys.retain(|(there, _)| *there == id);
        gone
    }

    /// The keys, oldest first, each derived for sealing.
    pub(crate) fn sealing(&self) -> Vec<(KeyId, Secret)> {
        self.keys.iter().map(|(id, key)| (*id, derive(key.as_ref(), b"seal"))).collect()
    }

    /// The key of the look-up hashes.
    pub(crate) fn lookup(&self) -> Secret {
        match (&self.lookup, self.keys.first()) {
            (Some(lookup), _) => lookup.clone(),
            (None, Some((_, first))) => derive(first.as_ref(), b"lookup"),
            (None, None) => Zeroizing::new([0_u8; KEY]),
        }
    }

    pub(crate) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        if let Some(lookup) = &self.lookup {
            text.push_str(&format!("{LOOKUP_WORD} {}\n", BASE64.encode(lookup.as_ref())));
        }
        for (id, key) in &self.keys {
            text.push_str(&format!("{KEY_WORD} {} {}\n", HEXLOWER.encode(id), BASE64.encode(key.as_ref())));
        }
        text
    }

    /// Makes the file (mode 0600), which must not be there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn create(&self, path: &Path) -> Result<(), Error> {
        self.write_new(path).map_err(|error| fault(path, "made", &error))
    }

    /// Puts this in the place of the file that is there: a crash leaves one or the other, whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn replace(&self, path: &Path) -> Result<(), Error> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = Path::new(&beside);
        let write = || {
            // A replacement that was cut short may have left one.
            match std::fs::remove_file(beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            self.write_new(beside)?;
            std::fs::rename(beside, path)?;
            match path.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => std::fs::File::open(dir)?.sync_all(),
                Some(_) | None => Ok(()),
            }
        };
        write().map_err(|error| fault(path, "written", &error))
    }

    fn write_new(&self, path: &Path) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(self.text().as_bytes())?;
        file.sync_all()
    }
}

fn fault(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::Setup(format!("the key file {} cannot be {what}: {error}", path.display()))
}

fn secret(text: &str) -> Option<Secret> {
    let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).ok()?);
    let bytes: &[u8; KEY] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

/// A key for one purpose, derived from a master key.
fn derive(master: &[u8], purpose: &'static [u8]) -> Secret {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"carillon vault 1");
    let mut key = Zeroizing::new([0_u8; KEY]);
    salt.extract(master)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("32 bytes are within the reach of HKDF-SHA256");
    key
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use carillon_model::chance::SeededChance;

    use super::KeyFile;

    #[test]
    fn the_look_up_key_outlives_the_key_it_comes_from() {
        let chance = SeededChance::new(1);
        let mut file = KeyFile::fresh(&chance);
        let lookup = file.lookup();
        let first = file.keys[0].0;
        let second = file.add(&chance);
        assert_eq!(file.keep_only(second), [first]);
        let again = KeyFile::parse(&file.text()).unwrap();
        assert_eq!((again.lookup(), again.keys.len(), again.keys[0].0), (lookup, 1, second));
    }

    #[test]
    fn a_replacement_is_whole_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let chance = SeededChance::new(2);
        let mut file = KeyFile::fresh(&chance);
        file.create(&path).unwrap();
        assert!(file.create(&path).is_err(), "what is there stays");
        std::fs::write(dir.path().join("master.key.new"), "cut short").unwrap();
        file.add(&chance);
        file.replace(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyFile::read(&path).unwrap().unwrap().text(), file.text());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let key = "A".repeat(43) + "=";
        let good = format!("carillon-key-v1 00000001 {key}\n");
        assert!(KeyFile::parse(&good).is_ok());
        for bad in [
            String::new(),
            format!("carillon-lookup-v1 {key}\n"),
            format!("{good}{good}"),
            format!("{good}carillon-lookup-v1 {key}\ncarillon-lookup-v1 {key}\n"),
            "carillon-key-v1 00000001 AAAA\n".to_owned(),
            format!("carillon-key-v2 00000001 {key}\n"),
        ] {
            assert!(KeyFile::parse(&bad).is_err(), "{bad}");
        }
    }
}
