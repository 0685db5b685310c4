use std::time::Duration;

use carillon_model::id::{AccountId, ProjectId, TokenId};
use carillon_model::role::{Granted, Right, Role, TopicPatterns};
use carillon_model::{Clock, SecretText, limits};
use carillon_store::account::Credential;
use carillon_store::credential::{CredentialMade, NewCredential};
use carillon_store::member::{MemberChanged, MemberMade, NewMember};
use carillon_store::project::{ProjectGone, ProjectMade};

use crate::account::by_token;
use crate::harness::{Bed, FOREIGN, Home};
use crate::traces;

fn granted(role: Role, topics: &str) -> Granted {
    Granted { role, topics: TopicPatterns::parse(topics).unwrap() }
}

fn member(name: &str, granted: Granted) -> NewMember {
    NewMember { name: name.to_owned(), password_hash: Some("$argon2id$stand-in".to_owned()), granted }
}

async fn add<H: Home>(bed: &Bed<H>, name: &str, granted: Granted) -> AccountId {
    bed.tick();
    match bed.store.member_add(&bed.project, member(name, granted)).await.unwrap() {
        MemberMade::New(id) => id,
        other @ (MemberMade::There | MemberMade::NoAccount | MemberMade::Full) => panic!("{other:?}"),
    }
}

async fn elsewhere<H: Home>(bed: &Bed<H>) -> ProjectId {
    let id = ProjectId::parse(FOREIGN).unwrap();
    let made = bed.store.project_add(id.clone(), "elsewhere".to_owned(), bed.account().await).await;
    assert_eq!(made.unwrap(), ProjectMade::New);
    id
}

fn credential(project: &ProjectId, account: AccountId, granted: Option<Granted>) -> NewCredential {
    NewCredential { project: project.clone(), account, note: "ci".to_owned(), granted }
}

async fn token<H: Home>(bed: &Bed<H>, new: NewCredential, text: &str, signed_in: bool) -> TokenId {
    let id = TokenId::new(bed.tick(), bed.chance.as_ref());
    let end = signed_in.then(|| bed.clock.now().plus(Duration::from_secs(60)));
    let made = bed.store.token_add(new, id, &text.into(), end, signed_in).await.unwrap();
    assert_eq!(made, CredentialMade::New);
    id
}

pub(crate) async fn an_account_has_a_role_in_each_of_its_projects<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let other = elsewhere(&bed).await;
    let alice = add(&bed, "alice", granted(Role::Publisher, "ops-*,web")).await;
    let joined = NewMember { password_hash: None, ..member("alice", granted(Role::Reader, "")) };
    assert_eq!(bed.store.member_add(&other, joined).await.unwrap(), MemberMade::New(alice));
    assert_eq!(bed.store.membership_count(alice).await.unwrap(), 2);

    let here = bed.store.member_find(&bed.project, alice).await.unwrap().unwrap();
    assert_eq!((here.name.as_str(), here.operator), ("alice", false));
    assert_eq!(here.granted, granted(Role::Publisher, "ops-*,web"));
    let there = bed.store.member_find(&other, alice).await.unwrap().unwrap();
    assert_eq!(there.granted.role, Role::Reader);

    token(&bed, credential(&other, alice, None), "there", false).await;
    let holder = by_token(&bed, "there").await.unwrap();
    assert_eq!((holder.project, holder.standing.role()), (other.clone(), Role::Reader));

    let changed = bed.store.member_grant(&other, alice, Granted::administrator()).await.unwrap();
    assert_eq!(changed, MemberChanged::Done);
    let holder = by_token(&bed, "there").await.unwrap();
    assert_eq!(holder.standing.role(), Role::Administrator, "a role counts from the next request on");
    let still = bed.store.member_find(&bed.project, alice).await.unwrap().unwrap();
    assert_eq!(still.granted.role, Role::Publisher);
}

pub(crate) async fn accounts_are_added_once_and_listed_by_name<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for name in ["carol", "bob"] {
        add(&bed, name, granted(Role::Reader, "")).await;
    }
    let again = bed.store.member_add(&bed.project, member("bob", granted(Role::Reader, ""))).await;
    assert_eq!(again.unwrap(), MemberMade::There);
    let nobody = NewMember { password_hash: None, ..member("dave", granted(Role::Reader, "")) };
    assert_eq!(bed.store.member_add(&bed.project, nobody).await.unwrap(), MemberMade::NoAccount);
    let twice = NewMember { password_hash: None, ..member("bob", granted(Role::Reader, "")) };
    assert_eq!(bed.store.member_add(&bed.project, twice).await.unwrap(), MemberMade::There);

    let list = async |after: Option<&str>, limit| {
        let found = bed.store.member_list(&bed.project, after.map(str::to_owned), limit).await.unwrap();
        found.into_iter().map(|member| member.name).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10).await, ["admin", "bob", "carol"]);
    assert_eq!(list(None, 1).await, ["admin"]);
    assert_eq!(list(Some("admin"), 1).await, ["bob"]);
    assert!(list(Some("carol"), 10).await.is_empty());
    let other = elsewhere(&bed).await;
    assert_eq!(bed.store.member_list(&other, None, 10).await.unwrap().len(), 1);
}

pub(crate) async fn the_last_administrator_stays<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let admin = bed.account().await;
    let bob = add(&bed, "bob", granted(Role::Reader, "")).await;
    let demote = || bed.store.member_grant(&bed.project, admin, granted(Role::Reader, ""));
    assert_eq!(demote().await.unwrap(), MemberChanged::LastAdministrator);
    let remove = || bed.store.member_remove(&bed.project, admin);
    assert_eq!(remove().await.unwrap(), MemberChanged::LastAdministrator);
    let promoted = bed.store.member_grant(&bed.project, bob, Granted::administrator()).await.unwrap();
    assert_eq!(promoted, MemberChanged::Done);
    assert_eq!(demote().await.unwrap(), MemberChanged::Done);
    assert_eq!(remove().await.unwrap(), MemberChanged::Done);
    assert_eq!(remove().await.unwrap(), MemberChanged::NotThere);
    assert_eq!(demote().await.unwrap(), MemberChanged::NotThere);
    assert!(
        bed.store.account_find("admin").await.unwrap().is_some(),
        "the operator belongs nowhere, and stays"
    );
}

pub(crate) async fn a_removed_account_takes_its_access_along<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let other = elsewhere(&bed).await;
    let alice = add(&bed, "alice", granted(Role::Reader, "")).await;
    let joined = NewMember { password_hash: None, ..member("alice", granted(Role::Reader, "")) };
    bed.store.member_add(&other, joined).await.unwrap();
    for (project, name) in [(&bed.project, "here"), (&other, "there")] {
        token(&bed, credential(project, alice, None), name, false).await;
        let secret = SecretText::new("secret");
        let made = bed.store.access_key_add(credential(project, alice, None), name, &secret).await.unwrap();
        assert_eq!(made, CredentialMade::New);
    }
    assert_eq!(bed.store.member_remove(&bed.project, alice).await.unwrap(), MemberChanged::Done);
    assert_eq!(by_token(&bed, "here").await, None);
    assert!(bed.store.access_key_find("here").await.unwrap().is_none());
    assert!(by_token(&bed, "there").await.is_some());
    assert!(bed.store.access_key_find("there").await.unwrap().is_some());
    assert!(bed.store.account_find("alice").await.unwrap().is_some());
    assert_eq!(bed.store.member_remove(&other, alice).await.unwrap(), MemberChanged::Done);
    assert!(bed.store.account_find("alice").await.unwrap().is_none(), "it belonged nowhere any more");
}

pub(crate) async fn a_new_password_ends_what_was_signed_in<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let alice = add(&bed, "alice", granted(Role::Reader, "")).await;
    let of = || credential(&bed.project, alice, None);
    token(&bed, of(), "for a program", false).await;
    token(&bed, of(), "signed in", true).await;
    let kept = token(&bed, of(), "kept", true).await;
    assert!(bed.store.account_password(alice, "$new".to_owned(), Some(kept)).await.unwrap());
    for (name, there) in [("for a program", true), ("signed in", false), ("kept", true)] {
        assert_eq!(by_token(&bed, name).await.is_some(), there, "{name}");
    }
    assert_eq!(bed.store.account_find("alice").await.unwrap().unwrap().password_hash, "$new");
    let nobody = AccountId::new(bed.tick(), bed.chance.as_ref());
    assert!(!bed.store.account_password(nobody, "$new".to_owned(), None).await.unwrap());
}

pub(crate) async fn a_credential_has_its_own_role_beside_the_accounts<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let admin = bed.account().await;
    let narrow = granted(Role::Publisher, "ops");
    let id = token(&bed, credential(&bed.project, admin, Some(narrow.clone())), "narrow", false).await;
    let holder = by_token(&bed, "narrow").await.unwrap();
    assert_eq!(holder.standing.credential.as_ref(), Some(&narrow));
    assert_eq!(holder.standing.account, Granted::administrator());
    assert_eq!(holder.credential, Credential::Token(id));
    assert!(!holder.operator, "a narrowed credential is no operator's");
    let secret = SecretText::new("secret");
    let new = credential(&bed.project, admin, Some(granted(Role::Reader, "")));
    bed.store.access_key_add(new, "AKNARROW", &secret).await.unwrap();
    let key = bed.store.access_key_find("AKNARROW").await.unwrap().unwrap();
    assert_eq!(key.holder.standing.role(), Role::Reader);
    assert_eq!(key.holder.standing.grant(Right::Change), carillon_model::role::Grant::No);
    assert_eq!(key.secret.reveal(), "secret");
}

pub(crate) async fn keys_and_tokens_are_listed_and_taken_away<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let alice = add(&bed, "alice", granted(Role::Reader, "")).await;
    let id = token(&bed, credential(&bed.project, alice, None), "one", false).await;
    token(&bed, credential(&bed.project, alice, None), "ends", true).await;
    let secret = SecretText::new("secret");
    bed.store.access_key_add(credential(&bed.project, alice, None), "AKALICE", &secret).await.unwrap();

    let all = bed.store.token_list(&bed.project, None, None, 10).await.unwrap();
    assert_eq!(all.len(), 3);
    let hers = bed.store.token_list(&bed.project, Some(alice), None, 10).await.unwrap();
    let shown: Vec<_> =
        hers.iter().map(|one| (one.note.as_str(), one.signed_in, one.expires_at.is_some())).collect();
    assert_eq!(shown, [("ci", false, false), ("ci", true, true)]);
    let behind = bed.store.token_list(&bed.project, Some(alice), Some(id), 10).await.unwrap();
    assert_eq!(behind.len(), 1);
    bed.clock.advance(Duration::from_secs(61));
    let hers = bed.store.token_list(&bed.project, Some(alice), None, 10).await.unwrap();
    assert_eq!(hers.len(), 1, "one has ended");
    let keys = bed.store.access_key_list(&bed.project, None, None, 10).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["AKALICE", "AKEXAMPLE0000001"]);
    let keys = bed.store.access_key_list(&bed.project, Some(alice), None, 10).await.unwrap();
    assert_eq!((keys.len(), keys[0].account_name.as_str()), (1, "alice"));
    let behind = bed.store.access_key_list(&bed.project, None, Some("AKALICE".to_owned()), 10).await.unwrap();
    assert_eq!(behind.len(), 1);

    let (other, admin) = (elsewhere(&bed).await, bed.account().await);
    assert!(!bed.store.token_remove(&other, None, id).await.unwrap(), "another project's");
    assert!(!bed.store.token_remove(&bed.project, Some(admin), id).await.unwrap(), "another account's");
    assert!(bed.store.token_remove(&bed.project, Some(alice), id).await.unwrap());
    assert_eq!(by_token(&bed, "one").await, None);
    assert!(!bed.store.access_key_remove(&other, None, "AKALICE").await.unwrap());
    assert!(!bed.store.access_key_remove(&bed.project, Some(admin), "AKALICE").await.unwrap());
    assert!(bed.store.access_key_remove(&bed.project, None, "AKALICE").await.unwrap());
    assert!(bed.store.access_key_find("AKALICE").await.unwrap().is_none());
}

pub(crate) async fn signing_in_again_and_again_ends_the_oldest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let admin = bed.account().await;
    for index in 0..=limits::TOKENS_MAX {
        // All within the minute that each is good.
        let id = TokenId::new(bed.clock.now(), bed.chance.as_ref());
        if index % 20 == 0 {
            bed.tick();
        }
        let end = bed.clock.now().plus(Duration::from_secs(3600));
        let new = credential(&bed.project, admin, None);
        let token = SecretText::new(format!("token-{index}"));
        bed.store.token_add(new, id, &token, Some(end), true).await.unwrap();
    }
    assert_eq!(bed.home.number("SELECT count(*) FROM token WHERE signed_in = 1"), 1000);
    assert!(by_token(&bed, &format!("token-{}", limits::TOKENS_MAX)).await.is_some());
    assert!(by_token(&bed, "the-token-of-the-first-start").await.is_some());
}

pub(crate) async fn an_account_has_not_too_many_keys<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let alice = add(&bed, "alice", granted(Role::Reader, "")).await;
    let secret = SecretText::new("secret");
    for index in 0..limits::KEYS_MAX {
        let new = credential(&bed.project, alice, None);
        let made = bed.store.access_key_add(new, &format!("AK{index}"), &secret).await.unwrap();
        assert_eq!(made, CredentialMade::New);
    }
    let one_more = bed.store.access_key_add(credential(&bed.project, alice, None), "AK", &secret).await;
    assert_eq!(one_more.unwrap(), CredentialMade::Full);
    let stranger = AccountId::new(bed.tick(), bed.chance.as_ref());
    let nobody = bed.store.access_key_add(credential(&bed.project, stranger, None), "AK", &secret).await;
    assert_eq!(nobody.unwrap(), CredentialMade::NoAccount);
}

pub(crate) async fn projects_are_made_listed_and_removed<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let admin = bed.account().await;
    let other = elsewhere(&bed).await;
    for (id, name) in [("another", "elsewhere"), (FOREIGN, "another")] {
        let made = bed.store.project_add(ProjectId::parse(id).unwrap(), name.to_owned(), admin).await;
        assert_eq!(made.unwrap(), ProjectMade::There);
    }
    let alice = add(&bed, "alice", granted(Role::Reader, "")).await;
    let ids = async |account, after| {
        let found = bed.store.project_page(account, after, 10).await.unwrap();
        found.into_iter().map(|project| project.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None).await, [bed.project.clone(), other.clone()]);
    assert_eq!(ids(Some(alice), None).await, std::slice::from_ref(&bed.project));
    assert_eq!(ids(None, Some(bed.project.clone())).await, std::slice::from_ref(&other));

    let topic = bed.new_topic(&other, "ops");
    let name = topic.name.clone();
    bed.store.topic_create(topic).await.unwrap();
    assert_eq!(bed.store.project_remove(&other).await.unwrap(), ProjectGone::InUse);
    bed.store.topic_delete(&other, &name).await.unwrap();
    token(&bed, credential(&other, admin, None), "there", false).await;
    assert_eq!(bed.store.project_remove(&other).await.unwrap(), ProjectGone::Done);
    assert_eq!(bed.store.project_remove(&other).await.unwrap(), ProjectGone::NotThere);
    assert_eq!(by_token(&bed, "there").await, None);
    assert_eq!(ids(None, None).await, std::slice::from_ref(&bed.project));
}

pub(crate) async fn a_key_that_was_taken_away_leaves_no_byte<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let secret = SecretText::new("secret");
    let new = credential(&bed.project, bed.account().await, None);
    bed.store.access_key_add(new, "AKGONE", &secret).await.unwrap();
    let sealed = bed.home.bytes("SELECT sealed_secret FROM access_key WHERE id = 'AKGONE'").pop().unwrap();
    let there = || {
        let files = bed.home.files();
        let texts: Vec<Vec<u8>> = files.iter().map(|path| traces::bytes_of(path)).collect();
        texts.iter().any(|bytes| bytes.windows(sealed.len()).any(|window| window == sealed))
    };
    assert!(there());
    assert!(bed.store.access_key_remove(&bed.project, None, "AKGONE").await.unwrap());
    assert!(!there());
}
