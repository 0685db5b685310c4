//! The office apps of all platforms, behind one door: prove the credentials, read the directory, send to people and
//! chats.
//!
//! | what | room |
//! | --- | --- |
//! | one call of an app: its turn, its token, its verdict | `call` |
//! | reading a directory, step by step | [`walk`](Walk), in `walk`; the steps in each platform's `contact` |
//! | changing a chat | `chat` |
//! | what is wrong with a connection | `fault` |
//! | the app-wide limits | `pace` |
//! | trying every permission | `doctor` |
//! | finding members by mail address or phone | `lookup`; the calls in each platform's folder |
//! | taking messages back | `recall` |
//! | images and files | `media` |
//! | messages | `send`; the forms in each platform's folder |

pub(crate) mod call;
mod chat;
pub(crate) mod doctor;
mod fault;
pub(crate) mod lookup;
pub(crate) mod media;
pub(crate) mod pace;
pub(crate) mod recall;
pub(crate) mod send;
pub(crate) mod walk;

use carillon_model::SecretText;
use carillon_model::office::App;

pub use doctor::{Finding, Wanted};
pub use fault::{Fault, Wrong};
pub use lookup::Looked;
pub use recall::sent_words;
pub use walk::{Found, Walk};

use crate::{Context, Providers, clean, dingtalk, lark, wecom};

/// The key that an app's token and its turns are kept under.
pub(crate) fn app_key(app: &App) -> [u8; 32] {
    let secrets = app.secrets();
    let mut texts = vec![app.platform().name()];
    texts.extend(secrets.iter().map(SecretText::reveal));
    crate::token::digest_of(&texts)
}

impl Providers {
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            http: &self.http,
            tokens: &self.tokens,
            clock: &*self.clock,
            pace: &self.pace,
            meter: self.meter.as_deref(),
            media: &self.media,
            depot: self.depot.as_deref(),
            uploads: &self.uploads,
        }
    }

    /// Proves an app's credentials at its platform: asks for a token and makes one harmless call with it.
    ///
    /// # Errors
    /// Which of id, secret, domain, number or address is wrong.
    pub async fn office_prove(&self, app: &App) -> Result<(), Fault> {
        let context = self.context();
        let proved = match app {
            App::Lark(lark) | App::Feishu(lark) => lark::office::prove(&context, app, lark).await,
            App::Dingtalk(_) => dingtalk::office::prove(&context, app).await,
            App::Wecom(_) => wecom::office::prove(&context, app).await,
        };
        proved.map_err(|fault| cleaned(fault, app))
    }

    /// Takes the next step of reading an app's directory; nothing when there is none left.
    ///
    /// # Errors
    /// When the platform refused the step, or could not be reached; the step may be taken again.
    pub async fn directory_next(&self, app: &App, walk: &mut Walk) -> Result<Option<Vec<Found>>, Fault> {
        walk.next(&self.context(), app).await.map_err(|fault| cleaned(fault, app))
    }

    /// Tries every permission that an app needs, and says of each whether it is there.
    pub async fn office_check(&self, app: &App) -> Vec<Finding> {
        doctor::check(&self.context(), app).await
    }
}

/// A fault whose words repeat no secret.
fn cleaned(fault: Fault, app: &App) -> Fault {
    let secrets = app.secrets();
    let secrets: Vec<&str> = secrets.iter().map(SecretText::reveal).collect();
    Fault { verdict: clean::verdict(fault.verdict, &secrets), ..fault }
}
