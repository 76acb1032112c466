//! Lists in parts: `?limit=` and an opaque `?cursor=`.
//!
//! A cursor is the place of the last entry behind a digest of it, so that a damaged one is refused and not guessed at. It
//! is no secret and gives no right: what a caller may see is decided anew for every part.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commerce_core::port::{Page, PageRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::query::Query;

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;
const DIGEST_BYTES: usize = 6;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Where the next part begins, if there is one.
    pub(crate) next_cursor: Option<String>,
}

/// The parameters of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The most entries to give.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u16>,
    /// Where to go on: the `next_cursor` of the part before.
    cursor: Option<String>,
}

/// The parameter that filters a list by metadata.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is described here and read by the query")]
pub(crate) struct MetadataFilter {
    /// Only those whose metadata has this value under KEY: a string as it is, a number or a boolean by its JSON. There may be
    /// several, for different keys, which must all hold. For staff.
    #[param(rename = "metadata.KEY")]
    metadata: Option<String>,
}

impl<T> List<T> {
    /// A list that is given whole.
    pub(crate) const fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// A part of a list, and where the next one begins.
    pub(crate) fn part<'p, D, K: Serialize>(kind: &str, page: &'p Page<D, K>, entry: impl FnMut(&'p D) -> T) -> Self {
        let next_cursor = page.next.as_ref().and_then(|last| cursor(kind, last));
        Self { items: page.items.iter().map(entry).collect(), next_cursor }
    }

    /// The part of a history, which is read whole, that is asked for.
    pub(crate) fn of_history<'h, E>(
        kind: &str,
        page: &PageRequest<u64>,
        history: &'h [E],
        sequence: impl Fn(&E) -> u64,
    ) -> Self
    where
        T: From<&'h E>,
    {
        let start = history.partition_point(|entry| page.after.is_some_and(|after| sequence(entry) <= after));
        let rest = history.get(start..).unwrap_or_default();
        let part = rest.get(..page.limit.into()).unwrap_or(rest);
        let last = part.last().filter(|_| part.len() < rest.len());
        let next_cursor = last.and_then(|entry| cursor(kind, &sequence(entry)));
        Self { items: part.iter().map(T::from).collect(), next_cursor }
    }
}

/// Which part of a list is asked for. The kind tells the cursors of one list from those of another.
pub(crate) fn asked<K: DeserializeOwned>(query: &Query, kind: &str) -> Result<PageRequest<K>, Problem> {
    let Paging { limit, cursor } = Paging { limit: query.get("limit")?, cursor: query.get("cursor")? };
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let message = format_args!("must be 1 to {MAX_LIMIT}");
        return Err(Problem::invalid_parameter("limit", "invalid_parameter", message));
    }
    let after = cursor.map(|cursor| read(kind, &cursor).ok_or_else(invalid)).transpose()?;
    Ok(PageRequest { limit, after })
}

pub(crate) fn cursor(kind: &str, place: &impl Serialize) -> Option<String> {
    let place = serde_json::to_vec(place).ok()?;
    let mut bytes = digest(kind, &place).to_vec();
    bytes.extend_from_slice(&place);
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn read<K: DeserializeOwned>(kind: &str, cursor: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (given, place) = bytes.split_at_checked(DIGEST_BYTES)?;
    if given != digest(kind, place) {
        return None;
    }
    serde_json::from_slice(place).ok()
}

fn digest(kind: &str, place: &[u8]) -> [u8; DIGEST_BYTES] {
    let full = Sha256::new().chain_update(kind).chain_update([0]).chain_update(place).finalize();
    std::array::from_fn(|at| full.get(at).copied().unwrap_or_default())
}

fn invalid() -> Problem {
    Problem::invalid_parameter("cursor", "invalid_cursor", "must be a next_cursor of this list")
}
