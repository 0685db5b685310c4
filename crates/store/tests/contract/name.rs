use std::collections::BTreeMap;

use crate::harness::{Bed, Home, robot};
use crate::office::{connected, member, range, read};

pub(crate) async fn things_are_named_by_their_ids<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let noted = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let plain = bed.subscribe(&topic, robot("0123456789abcdee")).await;
    bed.store.subscription_remark(topic.id, noted, "on call".to_owned()).await.unwrap();
    let endpoint = bed.store.subscription_find(topic.id, noted).await.unwrap().unwrap().endpoint_id;
    let hq = connected(&bed, "HQ").await;
    read(&bed, hq, vec![member("ann", &["d1"])], range(&[])).await;
    let ann = bed.store.person_find(&bed.project, "ann", &[], 1).await.unwrap().remove(0).id;
    let ids = [
        topic.id.to_string(),
        noted.to_string(),
        plain.to_string(),
        endpoint.to_string(),
        hq.to_string(),
        ann.to_string(),
        "nothing".to_owned(),
    ];
    let names = bed.store.name_find(&bed.project, ids.to_vec()).await.unwrap();
    let name = |at: usize| names.get(&ids[at]).map(String::as_str);
    assert_eq!((name(0), name(1), name(3)), (Some("ops"), Some("on call"), Some("on call")));
    assert!(name(2).unwrap().ends_with("****cdee"));
    assert_eq!((name(4), name(5), name(6)), (Some("HQ"), Some("Name of ann"), None));
    let elsewhere = bed.foreign();
    assert_eq!(bed.store.name_find(&elsewhere, ids.to_vec()).await.unwrap(), BTreeMap::new());
    assert_eq!(bed.store.name_find(&bed.project, Vec::new()).await.unwrap(), BTreeMap::new());
}
