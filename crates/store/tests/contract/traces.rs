//! What a subscription leaves in the files, and the search for it.

use std::collections::HashMap;
use std::path::Path;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::SubscriptionId;
use carillon_model::subscription::{AppCredentials, Extension, Target};
use carillon_model::{Chance, SecretText};

use crate::harness::{Bed, Home};

/// The length of what is looked for: long enough never to stand anywhere by chance, short enough to find the rest of
/// a value that was partly overwritten.
const WINDOW: usize = 16;

/// Bytes that must not be found in any file, cut into windows.
#[derive(Default)]
pub(crate) struct Gone {
    windows: HashMap<[u8; WINDOW], &'static str>,
}

impl Gone {
    pub(crate) fn add(&mut self, what: &'static str, bytes: &[u8]) {
        for window in bytes.chunks_exact(WINDOW) {
            self.windows.insert(window.try_into().unwrap(), what);
        }
    }

    /// The plain values, which must never have been there at all.
    pub(crate) fn add_plain(&mut self, target: &Target) {
        let Target { endpoint, extension } = target;
        let mut plain = vec![endpoint.canonical()];
        plain.extend(extension.keyword.clone());
        plain.extend(extension.sign_secret.clone());
        plain.extend(extension.headers.iter().map(|(_name, value)| value.clone()));
        if let Some(app) = &extension.app {
            plain.extend([app.app_key.clone(), app.app_secret.clone(), app.robot_code.clone()]);
        }
        for text in plain {
            self.add("a plain value", text.reveal().as_bytes());
        }
    }

    pub(crate) fn add_all(&mut self, what: &'static str, values: &[Vec<u8>]) {
        assert!(!values.is_empty(), "{what} was looked for where it is not");
        for value in values {
            self.add(what, value);
        }
    }

    /// Where any of it is, by file and page. Closing a file drops this process's locks on it, which would matter only
    /// if another process had the store open.
    pub(crate) fn find(&self, home: &impl Home) -> Vec<String> {
        let mut heads = vec![false; 1 << 16];
        for window in self.windows.keys() {
            heads[usize::from(u16::from_be_bytes([window[0], window[1]]))] = true;
        }
        let mut found = Vec::new();
        for path in home.files() {
            let bytes = bytes_of(&path);
            for (at, window) in bytes.windows(WINDOW).enumerate() {
                let head = usize::from(u16::from_be_bytes([window[0], window[1]]));
                if heads[head]
                    && let Some(what) = self.windows.get(window)
                {
                    let name = path.file_name().unwrap().display();
                    found.push(format!("{what} in {name}, page {}, byte {}", at / 4096 + 1, at % 4096));
                }
            }
        }
        found
    }

    pub(crate) fn assert_gone(&self, home: &impl Home, when: &str) {
        let found = self.find(home);
        let first = &found[..found.len().min(5)];
        assert!(found.is_empty(), "{when}: {} windows are left, first {first:#?}", found.len());
    }
}

pub(crate) fn sealed<H: Home>(bed: &Bed<H>, id: SubscriptionId) -> Vec<Vec<u8>> {
    bed.home.bytes(&format!(
        "SELECT x.bytes FROM subscription s JOIN sealed x ON x.seq = s.sealed_seq WHERE s.id = '{id}'"
    ))
}

pub(crate) fn hash<H: Home>(bed: &Bed<H>, id: SubscriptionId) -> Vec<Vec<u8>> {
    bed.home.bytes(&format!(
        "SELECT x.bytes FROM endpoint e JOIN subscription s ON s.endpoint_id = e.id
         JOIN sealed x ON x.seq = e.sealed_seq WHERE s.id = '{id}'"
    ))
}

/// Everything that must be gone when `id` is, and nobody else has its address.
pub(crate) fn traces<H: Home>(bed: &Bed<H>, id: SubscriptionId, target: &Target) -> Gone {
    let mut gone = Gone::default();
    gone.add_plain(target);
    gone.add_all("a sealed target", &sealed(bed, id));
    gone.add_all("a hash", &hash(bed, id));
    gone
}

fn secret<H: Home>(bed: &Bed<H>, bytes: usize) -> SecretText {
    let mut random = vec![0_u8; bytes];
    bed.chance.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// What goes with an address: from nothing to more than a page.
pub(crate) fn extension<H: Home>(bed: &Bed<H>, endpoint: &Endpoint) -> Extension {
    let mut extension = Extension::default();
    match endpoint {
        Endpoint::Web { .. } => {
            for index in 0..bed.below(4) {
                extension.headers.push((format!("x-{index}"), secret(bed, 8 << bed.below(7))));
            }
        }
        Endpoint::DingtalkRobot { .. } => {
            extension.sign_secret = Some(secret(bed, 32));
            extension.keyword = Some(secret(bed, 8 + bed.below(100)));
        }
        Endpoint::DingtalkPerson { .. } => {
            let (app_key, app_secret, robot_code) = (secret(bed, 16), secret(bed, 32), secret(bed, 16));
            extension.app = Some(AppCredentials { app_key, app_secret, robot_code });
        }
        Endpoint::DingtalkConversation { .. }
        | Endpoint::LarkRobot { .. }
        | Endpoint::WecomRobot { .. }
        | Endpoint::Mailbox { .. }
        | Endpoint::Office { .. } => {}
    }
    extension
}

pub(crate) fn target<H: Home>(bed: &Bed<H>) -> Target {
    let endpoint = match bed.below(5) {
        0 => Endpoint::DingtalkPerson { user: secret(bed, 16) },
        1 => Endpoint::DingtalkRobot { token: secret(bed, 32) },
        2 => Endpoint::Mailbox { address: format!("{}@example.org", secret(bed, 24).reveal()).into() },
        _ => {
            let path = secret(bed, 16 << bed.below(7));
            Endpoint::Web { url: format!("https://hooks.example/{}", path.reveal()).into() }
        }
    };
    Target { extension: extension(bed, &endpoint), endpoint }
}

/// What a file of the database says. One that is gone says nothing: a server removes what it has emptied when it likes.
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        bytes => bytes.unwrap(),
    }
}
