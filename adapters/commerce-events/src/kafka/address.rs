//! The address of a cluster: `kafka://USER:PASSWORD@HOST:PORT,HOST:PORT`.

use percent_encoding::percent_decode_str;

use crate::InvalidTarget;

const INVALID: InvalidTarget =
    InvalidTarget::Address { broker: "Kafka", example: "kafkas://user:password@host:9093,host2:9093" };

/// Where a cluster is found, and how.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// Each with its port, with commas between.
    pub(super) brokers: String,
    /// Name and password of a user.
    pub(super) user: Option<(String, String)>,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, InvalidTarget> {
        let (scheme, rest) = url.split_once("://").ok_or(INVALID)?;
        let is_tls = match scheme {
            "kafka" => false,
            "kafkas" => true,
            _ => return Err(INVALID),
        };
        let (user, brokers) = match rest.rsplit_once('@') {
            Some((user, brokers)) => (Some(credentials(user)?), brokers),
            None => (None, rest),
        };
        let brokers = brokers.strip_suffix('/').unwrap_or(brokers);
        if !brokers.split(',').all(is_broker) {
            return Err(INVALID);
        }
        Ok(Self { is_tls, brokers: brokers.to_owned(), user })
    }
}

fn credentials(text: &str) -> Result<(String, String), InvalidTarget> {
    let (user, password) = text.split_once(':').ok_or(INVALID)?;
    let decoded = |text| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| INVALID);
    let pair = (decoded(user)?, decoded(password)?);
    // Ends a value of the settings of librdkafka, and separates those of SASL.
    let is_clean = !pair.0.contains('\0') && !pair.1.contains('\0');
    if is_clean && !pair.0.is_empty() { Ok(pair) } else { Err(INVALID) }
}

fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !host.is_empty() && host.bytes().all(is_host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_brokers_and_perhaps_a_user() {
        let address = Address::parse("kafkas://shop:p%40ss:%2F@a.example.com:9093,[::1]:9094/").unwrap();
        let user = Some(("shop".to_owned(), "p@ss:/".to_owned()));
        assert_eq!(address, Address { is_tls: true, brokers: "a.example.com:9093,[::1]:9094".to_owned(), user });
        let plain = Address::parse("kafka://localhost:9092").unwrap();
        assert_eq!(plain, Address { is_tls: false, brokers: "localhost:9092".to_owned(), user: None });
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        let wrong = [
            "localhost:9092",
            "http://localhost:9092",
            "kafka://",
            "kafka://localhost",
            "kafka://localhost:0",
            "kafka://a:1,,b:2",
            "kafka://hush@localhost:9092",
            "kafka://:hush@localhost:9092",
            "kafka://a:hush%00@localhost:9092",
            "kafka://a:hush@b c:9092",
            "kafka://a:hush%ff@b:9092",
        ];
        for url in wrong {
            let refused = Address::parse(url).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hush"), "{url}");
        }
    }
}
