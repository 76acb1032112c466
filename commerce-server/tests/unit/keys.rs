use super::*;

#[test]
fn keys_come_from_where_nobody_can_replace_them() {
    for url in ["https://id.example.com/jwks", "http://127.0.0.1:1/jwks", "http://[::1]:1/", "http://localhost/x"] {
        assert!(is_protected(url), "{url}");
    }
    for url in ["http://id.example.com/jwks", "http://10.0.0.1/jwks", "http://localhost.example.com/"] {
        assert!(!is_protected(url), "{url}");
    }
}
