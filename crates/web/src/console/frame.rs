//! The frame around every page: menu, language, theme, who is signed in.

use carillon_model::role::{Grant, Right, Standing};
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
    /// Publishing.
    Publish,
    /// Messages and deliveries.
    Messages,
    /// People with several ways to be reached.
    Users,
    /// Message templates.
    Templates,
    /// Addresses and how they fare.
    Endpoints,
    /// Office apps and their directories.
    Office,
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
    /// What the visitor's role allows; nothing before signing in.
    pub(super) standing: Option<Standing>,
}

/// An entry of the menu before it is known who looks: where, what it says, its drawing, and whom it is for.
type Listed = (Place, &'static str, &'static str, &'static str, bool);

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
            standing: caller.map(|caller| caller.standing.clone()),
        }
    }

    /// The path of a file of ours.
    pub(crate) fn asset(&self, name: &str) -> String {
        asset::path(name)
    }

    /// Whether the visitor has a right, if only for what is its own: what it has no right to is not offered. The service
    /// asks again, whatever a page shows.
    fn has(&self, right: Right) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.grant(right) != Grant::No)
    }

    /// Whether the visitor may see what is set up.
    pub(crate) fn may_look(&self) -> bool {
        self.has(Right::Look)
    }

    /// Whether the visitor may change what is set up, send again and cancel.
    pub(crate) fn may_change(&self) -> bool {
        self.has(Right::Change)
    }

    /// Whether the visitor may publish, to some topic at least.
    pub(crate) fn may_publish(&self) -> bool {
        self.has(Right::Publish)
    }

    /// Whether the visitor may see who has access.
    pub(crate) fn may_inspect(&self) -> bool {
        self.has(Right::Inspect)
    }

    /// Whether the visitor may give and take access.
    pub(crate) fn may_govern(&self) -> bool {
        self.has(Right::Govern)
    }

    /// The menu: what the visitor may open, and over each group what it is.
    pub(crate) fn menu(&self) -> Vec<Entry> {
        let nav = &self.t.nav;
        let daily: [Listed; 7] = [
            (Place::Overview, "/console", nav.overview, "pulse", true),
            (Place::Topics, "/console/topics", nav.topics, "bell", self.may_look()),
            (Place::Publish, "/console/publish", nav.publish, "send", self.may_publish()),
            (Place::Messages, "/console/messages", nav.messages, "inbox", self.has(Right::Trace)),
            (Place::Endpoints, "/console/endpoints", nav.endpoints, "plug", self.may_look()),
            (Place::Users, "/console/users", nav.users, "user", self.may_look()),
            (Place::Templates, "/console/templates", nav.templates, "file", self.may_look()),
        ];
        let access = if self.has(Right::Inspect) { "/console/accounts" } else { "/console/tokens" };
        let settings: [Listed; 4] = [
            (Place::Office, "/console/office", nav.office, "users", self.may_look()),
            (Place::Access, access, nav.access, "key", true),
            (Place::Audit, "/console/audit", nav.audit, "list", self.has(Right::Inspect)),
            (Place::About, "/console/about", nav.about, "info", true),
        ];
        [(None, daily.as_slice()), (Some(nav.settings), settings.as_slice())]
            .into_iter()
            .flat_map(|(head, listed)| self.group(head, listed))
            .collect()
    }

    /// A group of the menu; its heading stands over the first entry that is shown.
    fn group(&self, head: Option<&'static str>, listed: &[Listed]) -> Vec<Entry> {
        let shown = listed.iter().filter(|(.., open)| *open).enumerate();
        let entry = |(index, (place, path, text, icon, _open)): (usize, &Listed)| Entry {
            path,
            text,
            icon,
            here: self.place == *place,
            head: head.filter(|_head| index == 0),
        };
        shown.map(entry).collect()
    }
}
