//! Answers to HTTP/1 requests whose head cannot be read.
//!
//! hyper answers them itself, with a bare status, before any service sees them. This stream writes a problem in place of such an
//! answer.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use commerce_http::unreadable;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tls::Wire;

/// A connection whose requests are always answered with an explanation.
#[derive(Debug)]
pub(super) struct ExplainedStream {
    stream: Wire,
    /// The rest of an answer that replaces one of hyper.
    answer: Bytes,
}

impl ExplainedStream {
    pub(super) const fn new(stream: Wire) -> Self {
        Self { stream, answer: Bytes::new() }
    }

    fn replace(&mut self, cx: &mut Context<'_>, replaced: usize) -> Poll<io::Result<usize>> {
        while !self.answer.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.answer))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.answer.advance(written);
        }
        Poll::Ready(Ok(replaced))
    }
}

/// The status of an answer that hyper has written by itself. No answer of a service is as bare.
fn bare(written: &[u8]) -> Option<StatusCode> {
    let head = str::from_utf8(written.strip_prefix(b"HTTP/1.1 4")?).ok()?;
    let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = format!("4{}", lines.next()?.get(..2)?).parse().ok()?;
    let is_bare =
        |line: &str| line == "content-length: 0" || line.starts_with("date: ") || line.starts_with("connection: ");
    lines.all(is_bare).then_some(status)
}

fn text(status: StatusCode) -> Bytes {
    let (head, body) = unreadable(status).into_parts();
    let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in &head.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend([&b"\r\n"[..], &body].concat());
    text.into()
}

impl AsyncRead for ExplainedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ExplainedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.answer.is_empty() {
            let Some(status) = bare(bytes) else { return Pin::new(&mut self.stream).poll_write(cx, bytes) };
            self.answer = text(status);
        }
        self.replace(cx, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bytes.first().filter(|first| !self.answer.is_empty() || bare(first).is_some()) {
            Some(first) => self.poll_write(cx, first),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
