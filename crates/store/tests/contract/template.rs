use carillon_model::id::{ProjectId, TemplateId};
use carillon_model::template::{Template, TemplateName, TemplateText};
use carillon_model::{Channel, limits};
use carillon_store::Page;
use carillon_store::template::{TemplateFilter, TemplateMade};

use crate::harness::{ALL, Bed, Home};

fn template<H: Home>(bed: &Bed<H>, project: &ProjectId, name: &str, protocol: &str, text: &str) -> Template {
    let now = bed.tick();
    Template {
        id: TemplateId::new(now, bed.chance.as_ref()),
        project: project.clone(),
        name: TemplateName::parse(name).unwrap(),
        protocol: protocol.to_owned(),
        channel: (protocol == "feishu").then_some(Channel::Lark),
        placeholders: TemplateText::parse(text).unwrap().placeholders(),
        created_at: now,
        updated_at: now,
    }
}

async fn add<H: Home>(bed: &Bed<H>, name: &str, protocol: &str, text: &str) -> Template {
    let template = template(bed, &bed.project, name, protocol, text);
    let made = bed.store.template_create(template.clone(), text.to_owned()).await.unwrap();
    assert_eq!(made, TemplateMade::New);
    template
}

pub(crate) async fn is_found_as_it_was_made<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let default = add(&bed, "disk", "default", "磁盘 {host} {use}").await;
    let lark = add(&bed, "disk", "feishu", "**{host}**").await;
    add(&bed, "Disk", "default", "another").await;
    let found = bed.store.template_find(&bed.project, default.id).await.unwrap();
    assert_eq!(found, Some((default.clone(), "磁盘 {host} {use}".to_owned())));
    let variants = bed.store.template_variants(&bed.project, &default.name).await.unwrap();
    let wanted = [(default.clone(), "磁盘 {host} {use}".to_owned()), (lark, "**{host}**".to_owned())];
    assert_eq!(variants, wanted);
    let twice = template(&bed, &bed.project, "disk", "feishu", "x");
    assert_eq!(bed.store.template_create(twice, "x".to_owned()).await.unwrap(), TemplateMade::There);
    let bed = bed.reopen();
    assert_eq!(bed.store.template_variants(&bed.project, &default.name).await.unwrap(), wanted);
}

pub(crate) async fn list_is_oldest_first_and_filtered<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let mut made = Vec::new();
    for (name, protocol) in [("b", "default"), ("a", "default"), ("b", "sms"), ("c", "sms")] {
        made.push(add(&bed, name, protocol, "{x}").await);
    }
    let list = async |name: Option<&str>, protocol: Option<&str>, page| {
        let filter = TemplateFilter { name: name.map(str::to_owned), protocol: protocol.map(str::to_owned) };
        bed.store.template_list(&bed.project, filter, page).await.unwrap()
    };
    assert_eq!(list(None, None, ALL).await, (4, made.clone()));
    assert_eq!(list(None, None, Page { offset: 1, limit: 2 }).await, (4, made[1..3].to_vec()));
    assert_eq!(list(None, None, Page { offset: 9, limit: 2 }).await, (4, Vec::new()));
    assert_eq!(list(Some("b"), None, ALL).await, (2, vec![made[0].clone(), made[2].clone()]));
    assert_eq!(list(Some("b"), Some("sms"), ALL).await, (1, vec![made[2].clone()]));
    assert_eq!(list(Some("%"), None, ALL).await.0, 0);
}

pub(crate) async fn rewrite_and_delete_change_one<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let one = add(&bed, "a", "default", "{x}").await;
    let other = add(&bed, "b", "default", "{x}").await;
    let now = bed.tick();
    let names = vec!["y".to_owned()];
    assert!(bed.store.template_rewrite(&bed.project, one.id, names.clone(), "{y}".to_owned()).await.unwrap());
    let changed = Template { placeholders: names.clone(), updated_at: now, ..one.clone() };
    assert_eq!(
        bed.store.template_find(&bed.project, one.id).await.unwrap(),
        Some((changed, "{y}".to_owned()))
    );
    assert!(bed.store.template_delete(&bed.project, one.id).await.unwrap());
    assert!(!bed.store.template_delete(&bed.project, one.id).await.unwrap());
    assert!(!bed.store.template_rewrite(&bed.project, one.id, names, String::new()).await.unwrap());
    assert_eq!(
        bed.store.template_find(&bed.project, other.id).await.unwrap(),
        Some((other, "{x}".to_owned()))
    );
}

pub(crate) async fn a_project_has_its_own_and_not_too_many<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let one = add(&bed, "t0", "default", "x").await;
    for index in 1..limits::TEMPLATES_MAX {
        add(&bed, &format!("t{index}"), "default", "x").await;
    }
    let more = template(&bed, &bed.project, "more", "default", "x");
    assert_eq!(bed.store.template_create(more, "x".to_owned()).await.unwrap(), TemplateMade::Full);
    let elsewhere = bed.foreign();
    assert_eq!(bed.store.template_find(&elsewhere, one.id).await.unwrap(), None);
    assert!(bed.store.template_variants(&elsewhere, &one.name).await.unwrap().is_empty());
    assert!(!bed.store.template_delete(&elsewhere, one.id).await.unwrap());
    assert!(!bed.store.template_rewrite(&elsewhere, one.id, Vec::new(), "z".to_owned()).await.unwrap());
    let theirs = template(&bed, &elsewhere, "t0", "default", "x");
    assert_eq!(bed.store.template_create(theirs, "x".to_owned()).await.unwrap(), TemplateMade::New);
}
