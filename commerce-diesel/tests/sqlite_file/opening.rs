//! Opening: each thing that can be wrong has its own error, and leaves the file as it is.

use std::fs;
use std::path::Path;

use commerce_diesel::sqlite::{OpenError, SqliteOptions, SqliteStore};
use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{Place, open};

#[tokio::test]
async fn a_missing_directory_is_named() {
    let place = Place::new();
    let missing = place.directory.path().join("nowhere");
    let error = open(&missing.join("shop.db")).await.unwrap_err();
    assert!(matches!(&error, OpenError::DirectoryMissing(directory) if *directory == missing), "{error}");
}

#[tokio::test]
async fn a_directory_is_not_a_file() {
    let place = Place::new();
    let error = open(place.directory.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotAFile(_)), "{error}");
}

#[tokio::test]
async fn another_kind_of_file_is_left_alone() {
    let place = Place::new();
    let text = "Dear Sir or Madam, ".repeat(1000);
    fs::write(place.path(), &text).unwrap();
    let error = open(&place.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase(_)), "{error}");
    assert_eq!(fs::read_to_string(place.path()).unwrap(), text);
}

#[tokio::test]
async fn an_empty_file_is_made_a_shop() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    assert!(open(&place.path()).await.is_ok());
}

#[tokio::test]
async fn a_read_only_file_is_refused() {
    let place = Place::new();
    drop(place.open().await);
    let mut permissions = fs::metadata(place.path()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.path(), permissions).unwrap();
    let error = open(&place.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly(_)), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_place_that_takes_no_files_is_not_writable() {
    let error = open(Path::new("/proc/shop.db")).await.unwrap_err();
    assert!(matches!(error, OpenError::NotWritable(_)), "{error}");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let place = Place::new();
    place.execute("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('example.org');");
    let before = fs::read(place.path()).unwrap();
    let error = open(&place.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_newer_shop_is_refused() {
    let place = Place::new();
    drop(place.open().await);
    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')");
    let error = open(&place.path()).await.unwrap_err();
    assert!(matches!(&error, OpenError::Newer { migration, .. } if migration == "99999999999999"), "{error}");
}

#[tokio::test]
async fn a_locked_file_is_given_up_after_a_while() {
    let place = Place::new();
    let mut other = place.raw();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let error = open(&place.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::Locked(_)), "{error}");
    other.batch_execute("COMMIT").unwrap();
    assert!(open(&place.path()).await.is_ok());
}

#[tokio::test]
async fn a_path_that_looks_like_a_uri_is_a_path() {
    let place = Place::new();
    let path = place.directory.path().join("file:shop?mode=memory%20#.db");
    drop(open(&path).await.unwrap());
    assert!(path.is_file());
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_file_at_the_same_moment() {
    let place = Place::new();
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let path = place.path();
            tokio::spawn(async move { SqliteStore::open(&path, SqliteOptions::default()).await })
        })
        .collect();
    for store in opened {
        store.await.unwrap().unwrap();
    }
    let query = sql_query("SELECT count(*) AS count FROM __diesel_schema_migrations");
    let migrations: Count = query.get_result(&mut place.raw()).unwrap();
    assert_eq!(migrations.count, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_of_a_shop_are_its_owners() {
    use std::os::unix::fs::PermissionsExt;

    use commerce_core::port::Store;

    let place = Place::new();
    let store = place.open().await;
    store.purge_idempotency_records(chrono::Utc::now()).await.unwrap();
    let files: Vec<_> = fs::read_dir(place.directory.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}
