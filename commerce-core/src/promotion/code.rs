//! How codes compare.

use alloc::string::String;

/// A code as it compares: without surrounding space, in lower case.
pub fn code_key(code: &str) -> String {
    folded(code).collect()
}

/// Whether both are the same code: case and surrounding space do not count.
pub fn same_code(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

fn folded(code: &str) -> impl Iterator<Item = char> {
    code.trim().chars().flat_map(char::to_lowercase)
}
