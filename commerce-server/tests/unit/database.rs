use super::*;

#[track_caller]
fn check(text: &str, path: &str) {
    assert_eq!(text.parse::<Database>(), Ok(Database::Sqlite(path.into())));
}

#[track_caller]
fn check_refused(text: &str, expected: &DatabaseRefused) {
    assert_eq!(text.parse::<Database>().as_ref(), Err(expected));
}

#[test]
fn a_path_follows_the_scheme() {
    check("sqlite:commerce.db", "commerce.db");
    check("sqlite:./a b/c.db", "./a b/c.db");
    check("sqlite:/var/lib/shop.db", "/var/lib/shop.db");
    check("sqlite:///var/lib/shop.db", "/var/lib/shop.db");
}

#[test]
fn a_url_names_a_server() {
    for url in ["postgres://localhost/shop", "postgresql://ann@[::1]:5432/shop?sslmode=require"] {
        assert!(matches!(url.parse(), Ok(Database::Postgres(_))), "{url}");
    }
    for url in ["mysql://localhost/shop", "mariadb://ann:hush@db.example.com/shop"] {
        assert!(matches!(url.parse(), Ok(Database::MySql(url)) if url.to_string().starts_with("mysql://")), "{url}");
    }
}

#[test]
fn anything_else_is_refused_with_the_reason() {
    check_refused("commerce.db", &DatabaseRefused::NotADatabase);
    check_refused("oracle://localhost/shop", &DatabaseRefused::NotADatabase);
    check_refused("postgres:shop", &DatabaseRefused::NotADatabase);
    check_refused("sqlite:", &DatabaseRefused::NotADatabase);
    check_refused("sqlite::memory:", &DatabaseRefused::InMemory);
    check_refused("mysql://ann:hu@sh@localhost/shop", &DatabaseRefused::NotEncoded);
}

#[test]
fn the_key_stands_beside_the_database_or_here() {
    let file: Database = "sqlite:/srv/shop.db".parse().expect("a database");
    assert_eq!(file.key_path(), Path::new("/srv/shop.db.key"));
    let mut server: Database = "mysql://localhost/shop".parse().expect("a database");
    server.stand_in(Path::new("/srv"));
    assert_eq!(server.key_path(), Path::new("commerce.key"));
}
