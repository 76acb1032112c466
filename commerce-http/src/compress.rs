//! Compression of answers with gzip.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue};

/// Shorter answers fit in a packet and are not compressed.
const MIN_BYTES: usize = 1024;

/// Whether `Accept-Encoding` names gzip and does not refuse it.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    let mut codings = codings.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("q"));
        let refused = weight.is_some_and(|(_, q)| q.bytes().all(|byte| matches!(byte, b'0' | b'.')));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Compresses a long body if the client accepts gzip. Sets `Vary` for caches, also for a short body: another answer of the same
/// URL may be long.
pub(crate) fn compress(headers: &mut HeaderMap, body: Bytes, gzip: bool) -> Bytes {
    if headers.contains_key(CONTENT_ENCODING) {
        return body;
    }
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if !gzip || body.len() < MIN_BYTES {
        return body;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    let Ok(compressed) = encoder.write_all(&body).and_then(|()| encoder.finish()) else { return body };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    compressed.into()
}
