//! What happens around the service: the place of a request, its memory, and the body of its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use commerce_http::{Malformed, telemetry};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tower::{Service, ServiceExt};

use super::activity::{Activity, Busy};
use super::client::{Clients, Peer, Place};
use super::pace::StreamPace;

/// The largest part of an answer that HTTP/2 gets at once. What it has got cannot be taken back from a slow client.
const CHUNK: usize = 16 * 1024;
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// The service of one connection.
#[derive(Debug)]
pub(super) struct Gate<S> {
    pub(super) service: S,
    pub(super) clients: Arc<Clients>,
    pub(super) peer: Peer,
    pub(super) activity: Arc<Activity>,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Gate<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send,
{
    type Response = Response<Sent<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let busy = self.activity.begin();
        let Some((place, memory, client)) = self.clients.request(&self.peer, request.headers()) else {
            telemetry::limited("requests_per_client");
            return Box::pin(async { Ok(refusal()) });
        };
        if let Some(malformed) = Malformed::of(&request) {
            request.extensions_mut().insert(malformed);
        }
        request.extensions_mut().insert(memory);
        request.extensions_mut().insert(client);
        let service = self.service.clone();
        Box::pin(async move {
            let answer = service.oneshot(request).await?;
            Ok(answer.map(|body| Sent::new(body, place, busy)))
        })
    }
}

/// It has no body: a client that takes no answers should hold nothing.
fn refusal<B>() -> Response<Sent<B>> {
    let mut answer = Response::new(Sent::empty());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    answer
}

/// The body of an answer, which holds the place of its request until the client has taken it.
#[derive(Debug)]
pub(super) struct Sent<B> {
    body: Option<B>,
    rest: Bytes,
    place: Option<Arc<Place>>,
    busy: Option<Arc<Busy>>,
    /// `None` for HTTP/1.
    pace: Option<StreamPace>,
}

struct Chunk {
    bytes: Bytes,
    _place: Option<Arc<Place>>,
    _busy: Option<Arc<Busy>>,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B> Sent<B> {
    fn new(body: B, place: Place, busy: Busy) -> Self {
        let (place, busy) = (Some(Arc::new(place)), Some(Arc::new(busy)));
        Self { body: Some(body), rest: Bytes::new(), place, busy, pace: StreamPace::begin() }
    }

    const fn empty() -> Self {
        Self { body: None, rest: Bytes::new(), place: None, busy: None, pace: None }
    }

    /// The next part of the answer. On HTTP/1 the connection is busy until it is sent. On HTTP/2 the connection is busy only
    /// until hyper has taken it, because a window may stay closed for ever.
    fn chunk(&mut self) -> Bytes {
        let (length, busy) = match &self.pace {
            Some(_) => (self.rest.len().min(CHUNK), None),
            None => (self.rest.len(), self.busy.clone()),
        };
        let bytes = self.rest.split_to(length);
        if let Some(pace) = &self.pace {
            pace.progress(length);
        }
        Bytes::from_owner(Chunk { bytes, _place: self.place.clone(), _busy: busy })
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Sent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        while self.rest.is_empty() {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                // hyper asks for more only if the client has room for it.
                self.pace.iter().for_each(StreamPace::pause);
                return Poll::Pending;
            };
            self.pace.iter().for_each(StreamPace::go_on);
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.chunk()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let mut hint = self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}
