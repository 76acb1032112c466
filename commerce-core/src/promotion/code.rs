//! How codes compare.

use alloc::string::String;

/// The normalized code: without surrounding space, in lower case.
pub fn code_key(code: &str) -> String {
    folded(code).collect()
}

/// Whether two codes are equal. Case and surrounding space are ignored.
pub fn same_code(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

fn folded(code: &str) -> impl Iterator<Item = char> {
    code.trim().chars().flat_map(char::to_lowercase)
}
