use carillon_model::chance::SeededChance;
use proptest::prelude::*;

use super::{Place, Vault, key_of};
use crate::key_file::KeyFile;

fn new_line(chance: &SeededChance) -> String {
    KeyFile::fresh(chance).text().to_string()
}

fn place(row: &str) -> Place<'_> {
    Place { table: "subscription", row, column: "sealed" }
}

#[test]
fn opens_only_in_its_place() {
    let chance = SeededChance::new(1);
    let vault = Vault::parse(&new_line(&chance)).unwrap();
    let sealed = vault.seal(place("a"), b"secret", &chance).unwrap();
    assert_eq!(vault.open_sealed(place("a"), &sealed).unwrap().as_slice(), b"secret");
    assert!(vault.open_sealed(place("b"), &sealed).is_err());
    let other = Vault::parse(&new_line(&chance)).unwrap();
    assert!(other.open_sealed(place("a"), &sealed).is_err());
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let chance = SeededChance::new(2);
    let old_line = new_line(&chance);
    let old = Vault::parse(&old_line).unwrap();
    let sealed = old.seal(place("a"), b"secret", &chance).unwrap();
    let both = Vault::parse(&format!("{old_line}{}", new_line(&chance))).unwrap();
    assert_eq!(both.open_sealed(place("a"), &sealed).unwrap().as_slice(), b"secret");
    assert_eq!(both.hash("endpoint", b"x"), old.hash("endpoint", b"x"));
    let newer = both.seal(place("a"), b"secret", &chance).unwrap();
    assert!(old.open_sealed(place("a"), &newer).is_err());
}

#[test]
fn the_key_in_use_is_told_apart_from_the_newest() {
    let chance = SeededChance::new(6);
    let mut file = KeyFile::fresh(&chance);
    let old = file.sealing()[0].0;
    let new = file.add(&chance);
    let vault = Vault::parse(&file.text()).unwrap();
    assert_eq!((vault.active(), vault.newer()), (Some(new), None));
    assert!(vault.activate(old).unwrap() && !vault.activate([0; 4]).unwrap());
    assert_eq!((vault.active(), vault.newer()), (Some(old), Some(new)));
    let sealed = vault.seal(place("a"), b"secret", &chance).unwrap();
    assert_eq!(key_of(&sealed), Some(old));
}

#[test]
fn a_server_that_was_left_behind_takes_the_new_key_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let chance = SeededChance::new(7);
    let (one, other) = (Vault::open(&path, &chance).unwrap(), Vault::open(&path, &chance).unwrap());
    let old = one.active().unwrap();
    one.add_key(&chance).unwrap();
    let new = one.newer().unwrap();
    assert!(one.activate(new).unwrap());
    let sealed = one.seal(place("a"), b"secret", &chance).unwrap();
    assert_eq!(other.active(), Some(old));
    assert_eq!(other.open_sealed(place("a"), &sealed).unwrap().as_slice(), b"secret");
    assert_eq!(other.active(), Some(new), "it seals as the other does");
    assert_eq!(one.retire().unwrap(), [old]);
    assert_eq!(one.hash("token", b"x"), other.hash("token", b"x"));
    other.reload().unwrap();
    assert_eq!(other.key_ids(), [new]);
    std::fs::write(&path, KeyFile::fresh(&chance).text().as_bytes()).unwrap();
    assert!(other.reload().is_err(), "another installation's");
}

#[test]
fn the_key_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let chance = SeededChance::new(3);
    let first = Vault::open(&path, &chance).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let sealed = first.seal(place("a"), b"secret", &chance).unwrap();
    let again = Vault::open(&path, &chance).unwrap();
    assert!(again.open_sealed(place("a"), &sealed).is_ok());
    std::fs::write(&path, "something else\n").unwrap();
    assert!(Vault::open(&path, &chance).is_err());
}

#[test]
fn hashes_differ_by_purpose() {
    let vault = Vault::parse(&new_line(&SeededChance::new(4))).unwrap();
    assert_ne!(vault.hash("endpoint", b"x"), vault.hash("token", b"x"));
    assert_ne!(vault.hash("endpoint", b"x"), vault.hash("endpoint", b"y"));
}

proptest! {
    #[test]
    fn any_change_is_noticed(plain in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, bit in 0_u8..8) {
        let chance = SeededChance::new(5);
        let vault = Vault::parse(&new_line(&chance)).unwrap();
        let mut sealed = vault.seal(place("a"), &plain, &chance).unwrap();
        let opened = vault.open_sealed(place("a"), &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(vault.open_sealed(place("a"), &sealed).is_err());
        prop_assert!(vault.open_sealed(place("a"), &sealed[..at]).is_err());
    }
}
