//! URLs with several hosts.

use super::DatabaseError;

/// The most hosts of a URL.
const MOST: usize = 16;

/// The URL of each host, such as `postgres://user@a:5432/shop` and `postgres://user@b:5432/shop` of `postgres://user@a:5432,b:5432/shop`.
pub(crate) fn each(url: &str) -> Result<Vec<String>, DatabaseError> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(vec![url.to_owned()]) };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    let hosts: Vec<_> = hosts.split(',').collect();
    match *hosts {
        [_] => Ok(vec![url.to_owned()]),
        _ if hosts.contains(&"") => Err(DatabaseError::Url("a host is missing beside a comma".to_owned())),
        _ if hosts.len() > MOST => Err(DatabaseError::Url(format!("it has more than {MOST} hosts"))),
        _ => Ok(hosts.iter().map(|host| format!("{scheme}://{user}{host}{tail}")).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn a_url_has_one_or_several_hosts() {
        assert_eq!(each("mysql://a/shop").unwrap(), ["mysql://a/shop"]);
        assert_eq!(
            each("postgres://ann:p%2C,@a:1,[::1]:2/shop?sslmode=disable").unwrap(),
            ["postgres://ann:p%2C,@a:1/shop?sslmode=disable", "postgres://ann:p%2C,@[::1]:2/shop?sslmode=disable"]
        );
        assert_eq!(each("mysql://a,b").unwrap(), ["mysql://a", "mysql://b"]);
    }

    #[test]
    fn a_missing_host_and_too_many_are_refused() {
        for url in ["mysql://a,/shop", "mysql://,a/shop", "mysql://u@a,,b/shop"] {
            assert!(each(url).is_err(), "{url}");
        }
        assert!(each(&format!("mysql://{}/shop", ["a"; 16].join(","))).is_ok());
        assert!(each(&format!("mysql://{}/shop", ["a"; 17].join(","))).is_err());
    }
}
