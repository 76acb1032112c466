//! A connection that has to say something within a time.
//!
//! hyper bounds the time of a request's head once it knows the version of HTTP. Until then, while a client has sent nothing
//! or the beginning of HTTP/2's greeting, the bound is here.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What HTTP/2 begins with.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose reads fail if its version is not known in time.
#[derive(Debug)]
pub(super) struct FirstBytes<C> {
    connection: C,
    /// The bytes of the greeting that were read; none once the version is known.
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    deadline: Pin<Box<Sleep>>,
    greeted: usize,
}

impl<C> FirstBytes<C> {
    /// Gives a connection this long.
    pub(super) fn within(time: Duration, connection: C) -> Self {
        let deadline = Box::pin(tokio::time::sleep(time));
        Self { connection, waiting: Some(Waiting { deadline, greeted: 0 }) }
    }

    fn note(&mut self, read: &[u8]) {
        if let Some(waiting) = &mut self.waiting {
            let greeted = waiting.greeted.saturating_add(read.len());
            let greeting = GREETING.get(waiting.greeted..greeted);
            waiting.greeted = greeted;
            if greeted >= GREETING.len() || greeting != Some(read) {
                self.waiting = None;
            }
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for FirstBytes<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(waiting) = &mut self.waiting
            && waiting.deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.connection).poll_read(cx, buffer))?;
        self.note(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for FirstBytes<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}
