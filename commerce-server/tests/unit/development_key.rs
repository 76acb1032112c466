use std::sync::Barrier;
use std::thread;

use super::*;

#[test]
fn starts_at_once_agree() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("shop.db.key");
    let barrier = Barrier::new(8);
    let keys: Vec<Secret> = thread::scope(|scope| {
        let start = || {
            barrier.wait();
            load_or_make(&path).expect("a key")
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0] && key.reveal().len() == 64));
    assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "no drafts are left");
}

#[test]
fn only_the_owner_can_read_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("shop.db.key");
    load_or_make(&path).expect("a key");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, OWNER_ONLY);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
    assert!(matches!(load_or_make(&path), Err(KeyError::Exposed(_))));
}

#[test]
fn a_damaged_key_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("shop.db.key");
    write(&path, "abc").expect("written");
    assert!(matches!(load_or_make(&path), Err(KeyError::Damaged(_))));
}
