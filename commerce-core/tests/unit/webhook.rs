use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    DeliveryFailure, DeliveryOutcome, DeliveryVerdict, DisabledReason, MAX_SECRETS, WebhookEndpoint,
    WebhookEndpointDetails, WebhookUrl, WebhookUrlError, is_given_up,
};
use crate::document::Aggregate as _;
use crate::ids::WebhookEndpointId;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::hours(hours)).unwrap()
}

fn details() -> WebhookEndpointDetails {
    let url = "https://a.example/x".parse().unwrap();
    WebhookEndpointDetails { url, description: None, types: ["order.paid".parse().unwrap()].into() }
}

fn endpoint() -> WebhookEndpoint {
    WebhookEndpoint::new((WebhookEndpointId::new(Uuid::nil()), 0), details(), "k1".into(), 0, at(0))
}

#[test]
fn urls_name_a_host_and_nothing_secret() {
    for good in ["https://a.example", "http://[::1]:8080/x?y=1", "https://a.example/%20/ü".replace('ü', "u").as_str()]
    {
        assert_eq!(good.parse::<WebhookUrl>().unwrap().to_string(), good);
    }
    let long = alloc::format!("https://a.example/{}", "x".repeat(2048));
    for (bad, why) in [
        ("ftp://a.example", WebhookUrlError::NoHost),
        ("https:///x", WebhookUrlError::NoHost),
        ("https://?x", WebhookUrlError::NoHost),
        ("a.example", WebhookUrlError::NoHost),
        ("https://ann:pass@a.example", WebhookUrlError::Credentials),
        ("https://a.example:99999/", WebhookUrlError::Port),
        ("https://a.example:0", WebhookUrlError::Port),
        ("https://[::1]:", WebhookUrlError::Port),
        ("https://a.example:+80", WebhookUrlError::Port),
        ("https://a.example/#x", WebhookUrlError::Fragment),
        ("https://a.example/ x", WebhookUrlError::Characters),
        ("https://a.example\\@b.example", WebhookUrlError::Characters),
        ("https://ä.example", WebhookUrlError::Characters),
        ("https://a.example/\r\nx", WebhookUrlError::Characters),
        (&long, WebhookUrlError::TooLong),
    ] {
        assert_eq!(bad.parse::<WebhookUrl>(), Err(why), "{bad}");
    }
}

#[test]
fn only_types_of_the_shop_can_be_wanted() {
    assert!("order.paid".parse::<super::EventType>().is_ok());
    for unknown in ["order.pay", "", "webhook_endpoint.created", "payment_method.created", super::TEST_EVENT] {
        assert!(unknown.parse::<super::EventType>().is_err(), "{unknown}");
    }
    assert!(endpoint().wants("order.paid") && !endpoint().wants("order.created"));
    let all = WebhookEndpointDetails { types: [].into(), ..details() };
    assert!(endpoint().changed(all, None, at(1)).wants("order.created"));
}

fn numbers(endpoint: &WebhookEndpoint, now: DateTime<Utc>) -> Vec<u32> {
    endpoint.secrets_at(now).map(|secret| secret.number).collect()
}

#[test]
fn a_replaced_secret_is_valid_until_its_end() {
    let rotated = endpoint().rotated("k2".into(), TimeDelta::hours(24), at(1));
    assert_eq!((rotated.version, rotated.secret().unwrap().key.as_str()), (2, "k2"));
    assert_eq!(numbers(&rotated, at(24)), [2, 1]);
    assert_eq!(numbers(&rotated, at(25)), [2]);
    let again = rotated.rotated("k2".into(), TimeDelta::hours(24), at(2));
    assert_eq!(numbers(&again, at(2)), [3, 2, 1]);
    assert_eq!(numbers(&again, at(25)), [3, 2], "a rotation does not extend an end");
    let later = rotated.rotated("k2".into(), TimeDelta::hours(24), at(48));
    assert_eq!(later.secrets.len(), 2, "what has ended is dropped");
    let often = (1..10).fold(endpoint(), |endpoint, hour| endpoint.rotated("k".into(), TimeDelta::hours(24), at(hour)));
    assert_eq!((often.secrets.len(), often.secret().unwrap().number), (MAX_SECRETS, 10));
    let at_once = endpoint().rotated("k".into(), TimeDelta::zero(), at(1));
    assert_eq!(numbers(&at_once, at(1)), [2]);
}

#[test]
fn what_changes_nothing_is_no_version() {
    let known = endpoint();
    assert_eq!(known.changed(details(), None, at(1)), known);
    assert_eq!(known.changed(details(), Some(true), at(1)), known);
    let off = known.changed(details(), Some(false), at(1));
    assert_eq!((off.version, off.disabled.unwrap().reason), (2, DisabledReason::Requested));
    assert_eq!(off.disabled(DisabledReason::Gone, at(2)), off);
    assert_eq!(off.changed(details(), Some(false), at(2)), off);
    assert!(off.changed(details(), Some(true), at(2)).is_enabled());
    assert_eq!(off.event_type(Some(&known)), "webhook_endpoint.disabled");
    assert_eq!(known.event_type(Some(&off)), "webhook_endpoint.enabled");
}

#[test]
fn a_deleted_endpoint_is_in_no_list_and_has_no_place() {
    let deleted = endpoint().deleted(at(1));
    assert!(!deleted.is_enabled() && deleted.keys().is_empty() && deleted.claims().is_empty());
    assert_eq!(deleted.event_type(Some(&endpoint())), "webhook_endpoint.deleted");
    assert_eq!(endpoint().keys(), vec!["listed", "enabled"]);
}

#[test]
fn only_2xx_confirms_and_only_410_ends() {
    for status in 100..600 {
        let expected = match status {
            200..300 => DeliveryVerdict::Delivered,
            410 => DeliveryVerdict::Gone,
            _ => DeliveryVerdict::Retry,
        };
        assert_eq!(DeliveryOutcome::Answered(status).verdict(), expected, "{status}");
    }
    for failure in DeliveryFailure::ALL {
        assert_eq!(DeliveryOutcome::Failed(*failure).verdict(), DeliveryVerdict::Retry, "{failure}");
    }
}

#[test]
fn an_endpoint_is_given_up_after_its_time() {
    let day = TimeDelta::days(1);
    assert!(!is_given_up(at(0), day, at(23)));
    assert!(is_given_up(at(0), day, at(24)));
}
