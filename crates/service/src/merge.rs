//! Members who are gone: what still names them, and saying that one of them has come back under a new id.

use carillon_model::audit::Deed;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::role::Right;
use carillon_model::urn::SubscriptionUrn;
use carillon_model::{Field, Invalid};
use carillon_store::directory::Kept;
use carillon_store::office_merge::{Alike, Merged};

use crate::error::Error;
use crate::{Caller, Service};

/// A member who is gone.
#[derive(Debug, Clone)]
pub struct Gone {
    /// The member.
    pub member: Kept,
    /// The groups that name the member.
    pub groups: Vec<String>,
    /// The subscriptions that name the member.
    pub subscriptions: Vec<SubscriptionUrn>,
    /// Who the member is now, if somebody said so.
    pub merged_into: Option<EndpointId>,
    /// Who the member may be now, the likeliest first, and why.
    pub candidates: Vec<(Kept, Vec<Alike>)>,
}

impl Service {
    /// Lists a connection's members who are gone, by our ids, behind `after`: each with the groups and subscriptions that
    /// name them, and who they may be now.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn list_gone(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<Gone>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        let found = self.store.gone_page(connection, after, limit).await?;
        let urn = |(id, topic)| SubscriptionUrn { topic: self.urn(caller, &topic), id };
        let shown = |gone: carillon_store::office_merge::Gone| Gone {
            member: gone.member,
            groups: gone.groups,
            subscriptions: gone.subscriptions.into_iter().map(urn).collect(),
            merged_into: gone.merged_into,
            candidates: gone.candidates,
        };
        Ok(found.into_iter().map(shown).collect())
    }

    /// Says that a member who is gone is another one now: subscriptions, groups and pushes that name the first reach the
    /// second. Both are named by our ids.
    ///
    /// # Errors
    /// When there is no such connection, the first is not gone, or the second is not there.
    pub async fn merge_members(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        from: EndpointId,
        into: EndpointId,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        let store = self.acting(caller, Deed::MemberMerge, &format!("{from} {into}"));
        match store.member_merge(connection, from, into).await? {
            Merged::Done => Ok(()),
            Merged::NotGone => Err(Invalid::new(Field::Id, "from must be a member who is gone").into()),
            Merged::NotThere => Err(Invalid::new(Field::Id, "into must be a member who is there").into()),
        }
    }

    /// Takes a merge back.
    ///
    /// # Errors
    /// When there is no such connection, or no merge of that member.
    pub async fn unmerge_member(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        from: EndpointId,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        let store = self.acting(caller, Deed::MemberUnmerge, &from);
        if store.member_unmerge(connection, from).await? {
            return Ok(());
        }
        Err(Invalid::new(Field::Id, "the member was not merged into another one").into())
    }
}
