use commerce_outbound::ParseNetworkError;
use http::HeaderValue;

use super::*;
use crate::fuzz::{run, text};

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[track_caller]
fn check(name: &HeaderName, values: &[&'static str], expected: &str) {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, HeaderValue::from_static(value));
    }
    let proxies = networks(&["10.0.0.0/8", "::1"]);
    let found = client(&proxies, "10.0.0.1".parse().unwrap(), &headers);
    assert_eq!(found.to_string(), expected, "{name}: {values:?}");
}

#[test]
fn the_last_address_that_no_trusted_proxy_has_is_the_client() {
    check(&X_FORWARDED_FOR, &["192.0.2.7"], "192.0.2.7");
    check(&X_FORWARDED_FOR, &["198.51.100.1, 192.0.2.7, 10.1.2.3"], "192.0.2.7");
    check(&X_FORWARDED_FOR, &["198.51.100.1", "192.0.2.7:4711 , ::1"], "192.0.2.7");
    check(&X_FORWARDED_FOR, &["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3");
    check(&X_FORWARDED_FOR, &["nonsense"], "10.0.0.1");
    check(&X_FORWARDED_FOR, &[], "10.0.0.1");
    check(&FORWARDED, &["for=198.51.100.1, For=\"[2001:db8::7]:4711\";proto=https, for=10.9.9.9"], "2001:db8::7");
    check(&FORWARDED, &["proto=https;for=192.0.2.7"], "192.0.2.7");
    check(&FORWARDED, &["for=_hidden"], "10.0.0.1");
}

#[test]
fn clients_cannot_replace_the_header_of_the_proxy_by_the_other_one() {
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED, HeaderValue::from_static("for=203.0.113.9"));
    headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("192.0.2.7"));
    assert_eq!(client(&networks(&["::1"]), "::1".parse().unwrap(), &headers).to_string(), "192.0.2.7");
}

#[test]
fn networks_contain_their_addresses_only() {
    let trusted = |networks_: &[&str], address: &str| is_trusted(&networks(networks_), address.parse().unwrap());
    assert!(trusted(&["10.0.0.0/8"], "10.255.0.1") && trusted(&["10.0.0.0/8"], "::ffff:10.255.0.1"));
    assert!(!trusted(&["10.0.0.0/8"], "11.0.0.1") && !trusted(&["0.0.0.0/0"], "2001:db8::1"));
    assert!(trusted(&["2001:db8::/32"], "2001:db8:1::1") && !trusted(&["2001:db8::/32"], "2001:db9::1"));
    assert!(trusted(&["192.0.2.1"], "192.0.2.1") && !trusted(&["192.0.2.1"], "192.0.2.2"));
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "proxy", "10.0.0.0/"] {
        assert_eq!(text.parse::<Network>(), Err(ParseNetworkError), "{text}");
    }
}

#[test]
fn ipv6_clients_count_by_their_first_half() {
    let same = |one: &str, other: &str| client_prefix(one.parse().unwrap()) == client_prefix(other.parse().unwrap());
    assert!(same("2001:db8::1", "2001:db8::ffff:1:2:3") && same("192.0.2.1", "::ffff:192.0.2.1"));
    assert!(!same("2001:db8::1", "2001:db8:0:1::1") && !same("192.0.2.1", "192.0.2.2"));
}

#[test]
fn no_network_breaks_its_reader() {
    let seeds = ["10.0.0.0/8", "::1", "2001:db8::/32", "::ffff:10.0.0.1/128", "0.0.0.0/0"];
    run("networks", &seeds, |input| {
        text(input).parse::<Network>().is_ok_and(|network| !network.to_string().is_empty())
    });
}

#[test]
fn no_forwarding_breaks_the_search_for_the_client() {
    let seeds = [
        "203.0.113.7, 10.1.2.3",
        "\"[2001:db8::1]:443\"",
        "for=\"[2001:db8::1]:1\";by=10.0.0.1, For=10.2.3.4",
        "unknown, _x",
    ];
    let proxies: Vec<Network> = ["10.0.0.0/8", "::1"].iter().filter_map(|network| network.parse().ok()).collect();
    run("forwarding", &seeds, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return false };
        ["x-forwarded-for", "forwarded"].into_iter().all(|name| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.clone())]);
            client(&proxies, [10, 0, 0, 1].into(), &headers).is_ipv4()
        })
    });
}
