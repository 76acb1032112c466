//! The time that a client may take for an answer: it must make progress, and not be slower than [`MIN_RATE`] on average.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use commerce_http::telemetry;
use hyper::rt::Executor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// The slowest that a client may take an answer, in bytes per second.
const MIN_RATE: u32 = 4 * 1024;

tokio::task_local! {
    /// The pace of the HTTP/2 stream that this task serves.
    static STREAM: StreamPace;
}

/// When the next bytes are due.
#[derive(Debug)]
struct Pace {
    time_out: Duration,
    /// When the client had to take the first bytes, and when it took the last ones.
    times: Option<(Instant, Instant)>,
    taken: Duration,
}

impl Pace {
    const fn new(time_out: Duration) -> Self {
        Self { time_out, times: None, taken: Duration::ZERO }
    }

    fn begin(&mut self) {
        if self.times.is_none() {
            let now = Instant::now();
            (self.times, self.taken) = (Some((now, now)), Duration::ZERO);
        }
    }

    /// There is nothing to take.
    const fn pause(&mut self) {
        self.times = None;
    }

    fn progress(&mut self, bytes: usize) {
        if let Some((_, last)) = &mut self.times {
            *last = Instant::now();
            self.taken += Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / MIN_RATE;
        }
    }

    fn due(&self) -> Instant {
        let (began, last) = self.times.unwrap_or_else(|| (Instant::now(), Instant::now()));
        last.min(began + self.taken) + self.time_out
    }
}

/// The pace of an HTTP/2 stream.
#[derive(Clone, Debug)]
pub(super) struct StreamPace(Arc<Mutex<Pace>>);

impl StreamPace {
    /// That of the stream which this task serves; `None` for HTTP/1. The answer begins now.
    pub(super) fn begin() -> Option<Self> {
        let pace = STREAM.try_with(Self::clone).ok()?;
        pace.lock().begin();
        Some(pace)
    }

    /// There is nothing to take until the answer goes on.
    pub(super) fn pause(&self) {
        self.lock().pause();
    }

    pub(super) fn go_on(&self) {
        self.lock().begin();
    }

    pub(super) fn progress(&self, bytes: usize) {
        self.lock().progress(bytes);
    }

    async fn exceeded(self) {
        loop {
            let due = self.lock().due();
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs HTTP/2 streams, and resets those whose client is too slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    pub(super) time_out: Duration,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let pace = StreamPace(Arc::new(Mutex::new(Pace::new(self.time_out))));
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = STREAM.scope(pace.clone(), stream) => {}
                // The stream is reset when its future is dropped.
                () = pace.exceeded() => telemetry::limited("stream_write_timeout"),
            }
        });
    }
}

/// A connection that fails if its client is too slow.
#[derive(Debug)]
pub(super) struct PacedStream {
    stream: TcpStream,
    pace: Pace,
    timer: Option<Pin<Box<Sleep>>>,
}

impl PacedStream {
    pub(super) const fn new(stream: TcpStream, time_out: Duration) -> Self {
        Self { stream, pace: Pace::new(time_out), timer: None }
    }

    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(outcome) = written {
            self.pace.progress(*outcome.as_ref().unwrap_or(&0));
            return Poll::Ready(outcome);
        }
        self.pace.begin();
        let due = self.pace.due();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(cx));
        telemetry::limited("write_timeout");
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client does not take the answer")))
    }
}

impl AsyncRead for PacedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        (self.pace.times, self.timer) = (None, None);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
