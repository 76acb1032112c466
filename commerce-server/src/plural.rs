//! Numbers of things, in words.

use std::fmt::Display;

/// "1 row", "2 rows".
pub(crate) fn counted<N: Display + PartialEq + From<u8> + Copy>(count: N, thing: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {thing}{ending}")
}
