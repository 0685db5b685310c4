//! The frame around every page: menu, language, theme, who is signed in.

use carillon_service::Caller;

use super::asset;
use super::text::{Lang, Texts};
use super::visit::{Look, Theme};

/// The part of the console that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Signing in, and refusals.
    Nowhere,
    /// The overview.
    Overview,
    /// Topics and subscriptions.
    Topics,
    /// Messages and deliveries.
    Messages,
    /// Addresses and how they fare.
    Endpoints,
    /// Accounts, keys and tokens.
    Access,
    /// Who changed what.
    Audit,
    /// About this installation.
    About,
}

/// One entry of the menu.
pub(crate) struct Entry {
    /// Where it leads.
    pub(crate) path: &'static str,
    /// What it says.
    pub(crate) text: &'static str,
    /// The drawing beside it, by its name in the sheet of drawings.
    pub(crate) icon: &'static str,
    /// Whether the page belongs to it.
    pub(crate) here: bool,
    /// What stands over it, where a group begins.
    pub(crate) head: Option<&'static str>,
}

/// What the frame shows.
pub(crate) struct Frame {
    /// The texts.
    pub(crate) t: &'static Texts,
    /// The language.
    pub(crate) lang: Lang,
    /// The theme.
    pub(crate) theme: Theme,
    /// What a form sends along.
    pub(crate) csrf: String,
    /// Who is signed in.
    pub(crate) account: Option<String>,
    /// Their project.
    pub(crate) project: String,
    /// Path and query of this page, to come back to.
    pub(crate) path: String,
    /// What was just done.
    pub(crate) notice: Option<&'static str>,
    /// The part of the console that the page belongs to.
    pub(super) place: Place,
}

impl Frame {
    /// The frame of a page.
    pub(crate) fn new(look: &Look, caller: Option<&Caller>, place: Place) -> Self {
        Self {
            t: look.t(),
            lang: look.lang,
            theme: look.theme,
            csrf: look.csrf.clone(),
            account: caller.map(|caller| caller.account_name.clone()),
            project: caller.map(|caller| caller.project_name.clone()).unwrap_or_default(),
            path: look.path.clone(),
            notice: None,
            place,
        }
    }

    /// The path of a file of ours.
    pub(crate) fn asset(&self, name: &str) -> String {
        asset::path(name)
    }

    /// The menu.
    pub(crate) fn menu(&self) -> Vec<Entry> {
        let nav = &self.t.nav;
        let entry =
            |place, path, text, icon| Entry { path, text, icon, here: self.place == place, head: None };
        vec![
            entry(Place::Overview, "/console", nav.overview, "pulse"),
            entry(Place::Topics, "/console/topics", nav.topics, "bell"),
            entry(Place::Messages, "/console/messages", nav.messages, "inbox"),
            entry(Place::Endpoints, "/console/endpoints", nav.endpoints, "plug"),
            Entry {
                head: Some(nav.settings),
                ..entry(Place::Access, "/console/accounts", nav.access, "key")
            },
            entry(Place::Audit, "/console/audit", nav.audit, "list"),
            entry(Place::About, "/console/about", nav.about, "info"),
        ]
    }
}
