//! Pages of lists: `?limit=` and an opaque `?cursor=`.
//!
//! A cursor is the position of an entry with a digest, so a damaged one is refused. It is not secret and grants nothing:
//! permissions are checked for every page.
//!
//! A page ends early if it would exceed [`MAX_BYTES`]; its `next_cursor` leads on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commerce_core::port::{Page, PageRequest};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::answer::{Answer, JSON};
use crate::call::RequestContext;
use crate::problem::Problem;
use crate::query::Query;

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;
const DIGEST_BYTES: usize = 6;
/// The maximum size of a page. Only a page of one entry may exceed it.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The maximum number of entries that are read at once.
const ROUND: u16 = 20;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page. Absent on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// The parameters of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `asked` reads")]
pub(crate) struct Paging {
    /// The maximum number of entries. A page has fewer if it would be longer than 1 MiB.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u16>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// The parameter that filters a list by metadata.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes a parameter that `Query` reads")]
pub(crate) struct MetadataFilter {
    /// Only entries whose metadata has this value under KEY: a string as it is, a number or a boolean as JSON. May be repeated
    /// with other keys, which must then match as well. For staff.
    #[param(rename = "metadata.KEY")]
    metadata: Option<String>,
}

impl<T> List<T> {
    /// A list without pages.
    pub(crate) const fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// A page of a list.
    pub(crate) fn part<'p, D, K: Serialize>(kind: &str, page: &'p Page<D, K>, entry: impl FnMut(&'p D) -> T) -> Self {
        let next_cursor = page.next.as_ref().and_then(|last| cursor(kind, last));
        Self { items: page.items.iter().map(entry).collect(), next_cursor }
    }
}

/// The body of a page that is being written.
#[derive(Debug)]
pub(crate) struct Entries {
    json: Vec<u8>,
    count: u16,
}

impl Entries {
    pub(crate) fn new() -> Self {
        Self { json: b"{\"items\":[".to_vec(), count: 0 }
    }

    /// Adds an entry if the page has room for it. It always has room for one.
    #[expect(clippy::expect_used, reason = "shapes have string keys, and writing to memory cannot fail")]
    pub(crate) fn push(&mut self, entry: &impl Serialize) -> bool {
        let end = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, entry).expect("a shape can be serialized");
        let fits = self.count == 0 || self.json.len() <= MAX_BYTES;
        if fits {
            self.count += 1;
        } else {
            self.json.truncate(end);
        }
        fits
    }

    pub(crate) const fn count(&self) -> u16 {
        self.count
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many entries of the same size the page has room for, at least one.
    fn room(&self) -> u16 {
        let entry = self.json.len() / usize::from(self.count.max(1));
        let room = MAX_BYTES.saturating_sub(self.json.len()) / entry.max(1);
        u16::try_from(room).unwrap_or(u16::MAX).max(1)
    }

    /// The page, which has a next one if it ends at `last`.
    pub(crate) fn finish(mut self, kind: &str, last: Option<&impl Serialize>) -> Answer {
        let next_cursor = last.and_then(|last| cursor(kind, last));
        let end = serde_json::json!(next_cursor).to_string();
        self.json.extend([&b"],\"next_cursor\":"[..], end.as_bytes(), b"}"].concat());
        Answer::empty(StatusCode::OK).typed(JSON, self.json)
    }
}

/// The requested page of a list with long entries, which are read in rounds.
#[derive(Debug)]
pub(crate) struct Listing<K> {
    kind: &'static str,
    limit: u16,
    entries: Entries,
    last: Option<K>,
    complete: bool,
    more: bool,
}

impl<K: Clone + Serialize> Listing<K> {
    pub(crate) async fn new(call: &RequestContext, kind: &'static str, page: PageRequest<K>) -> Result<Self, Problem> {
        call.memory.lock().await.for_page().await?;
        let PageRequest { limit, after: last } = page;
        Ok(Self { kind, limit, entries: Entries::new(), last, complete: false, more: false })
    }

    /// What to read next, until the page is complete.
    pub(crate) fn request(&self) -> Option<PageRequest<K>> {
        let round = if self.entries.count == 0 { ROUND } else { self.entries.room() };
        let limit = (self.limit - self.entries.count).min(round);
        (!self.complete).then(|| PageRequest { limit, after: self.last.clone() })
    }

    /// Adds what was read, as far as the page has room.
    pub(crate) fn add<D>(
        &mut self,
        found: &Page<D, K>,
        key: impl Fn(&D) -> K,
        write: impl Fn(&mut Entries, &D) -> bool,
    ) {
        for entry in &found.items {
            if !write(&mut self.entries, entry) {
                (self.complete, self.more) = (true, true);
                return;
            }
            self.last = Some(key(entry));
        }
        self.more = found.next.is_some();
        self.complete = !self.more || self.entries.count >= self.limit;
    }

    pub(crate) fn answer(self) -> Answer {
        self.entries.finish(self.kind, self.last.as_ref().filter(|_| self.more))
    }
}

/// The requested page. The kind distinguishes the cursors of different lists.
pub(crate) fn asked<K: DeserializeOwned>(query: &Query, kind: &str) -> Result<PageRequest<K>, Problem> {
    asked_after(query, kind, "cursor")
}

/// The requested page of a list whose cursor is a parameter of another name.
pub(crate) fn asked_after<K: DeserializeOwned>(
    query: &Query,
    kind: &str,
    parameter: &'static str,
) -> Result<PageRequest<K>, Problem> {
    let limit = query.parsed("limit", |text| match text.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(format!("must be 1 to {MAX_LIMIT}")),
    })?;
    let (limit, cursor) = (limit.unwrap_or(DEFAULT_LIMIT), query.get::<String>(parameter)?);
    let after = cursor.map(|cursor| read(kind, &cursor).ok_or_else(|| invalid(parameter))).transpose()?;
    Ok(PageRequest { limit, after })
}

pub(crate) fn cursor(kind: &str, place: &impl Serialize) -> Option<String> {
    let place = serde_json::to_vec(place).ok()?;
    let mut bytes = digest(kind, &place).to_vec();
    bytes.extend_from_slice(&place);
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn read<K: DeserializeOwned>(kind: &str, cursor: &str) -> Option<K> {
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

fn invalid(parameter: &'static str) -> Problem {
    Problem::invalid_parameter(parameter, "invalid_cursor", "must be a next_cursor of this list")
}
