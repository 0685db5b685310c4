//! Changes of a company and its app, as somebody in an admin console would make them.

use std::net::IpAddr;

use serde::Deserialize;

use super::{OfficeApp, OfficeDepartment, OfficeMember};

/// What is to be changed; fields that are not given change nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Change {
    pub(crate) app_id: String,
    add_departments: Vec<OfficeDepartment>,
    add_members: Vec<OfficeMember>,
    remove_members: Vec<String>,
    /// Members who leave but are still found by id.
    leave: Vec<String>,
    /// Each as member and departments.
    move_members: Vec<(String, Vec<String>)>,
    add_chats: Vec<(String, String)>,
    withhold: Vec<String>,
    grant: Vec<String>,
    /// The departments that may be seen; an empty list means everybody.
    range: Option<Vec<String>>,
    /// An empty list means any.
    trusted_ips: Option<Vec<IpAddr>>,
    bot_off: Option<bool>,
    secret: Option<String>,
}

impl Change {
    pub(crate) fn apply(self, app: &mut OfficeApp) {
        app.departments.extend(self.add_departments);
        app.members.retain(|member| !self.remove_members.contains(&member.id));
        let added: Vec<&str> = self.add_members.iter().map(|member| member.id.as_str()).collect();
        app.members.retain(|member| !added.contains(&member.id.as_str()));
        app.members.extend(self.add_members);
        for member in &mut app.members {
            if self.leave.contains(&member.id) {
                member.left = true;
            }
            if let Some((_, departments)) = self.move_members.iter().find(|(id, _)| *id == member.id) {
                member.departments.clone_from(departments);
            }
        }
        app.chats.extend(self.add_chats);
        app.withheld.extend(self.withhold);
        app.withheld.retain(|scope| !self.grant.contains(scope));
        if let Some(range) = self.range {
            app.range = (!range.is_empty()).then_some(range);
        }
        if let Some(trusted) = self.trusted_ips {
            app.trusted_ips = (!trusted.is_empty()).then_some(trusted);
        }
        app.bot_off = self.bot_off.unwrap_or(app.bot_off);
        if let Some(secret) = self.secret {
            app.secret = secret;
        }
    }
}
