//! The lab's door: HTTP/1.1 on 127.0.0.1, for the CLI (`POST /`), for `gwlb-lab` itself and for the page.
//!
//! Requests are bounded in size and time, and are taken one at a time: a command that changes the network may run programs,
//! so it runs on a thread of its own while the door stays open.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::api::Request;
use crate::page::{self, PageFile};
use crate::plane::Disturbance;
use crate::served::Served;

/// The largest body that is read. The longest request of the tutorial has some hundred bytes.
const LARGEST_BODY: usize = 256 * 1024;
/// How long a client may take to send a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the lab looks at the clock for what ends by itself.
const TICK: Duration = Duration::from_secs(1);
/// Connections at once.
const MOST_CONNECTIONS: usize = 64;

type Shared = Arc<Served>;
type Answer = Response<Full<Bytes>>;

/// Serves `lab` on `listener` until `stop` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, lab: Shared, stop: impl Future<Output = ()>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(tokio::sync::Semaphore::new(MOST_CONNECTIONS));
    let mut tick = tokio::time::interval(TICK);
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => return Ok(()),
            _ = tick.tick() => {
                let lab = Arc::clone(&lab);
                tokio::task::spawn_blocking(move || lab.settle(now()));
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many open files, or a client that left at once: neither ends the lab.
                Err(_) => { tokio::time::sleep(Duration::from_millis(10)).await; continue; }
            },
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(Arc::clone(&lab), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // A connection that breaks is its client's business.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn answer(lab: Shared, request: hyper::Request<Incoming>) -> Result<Answer, Infallible> {
    if !is_for_this_machine(request.headers()) {
        return Ok(plain(
            StatusCode::MISDIRECTED_REQUEST,
            "this lab answers to 127.0.0.1 and localhost only\n",
        ));
    }
    let (head, body) = request.into_parts();
    Ok(match (head.method.clone(), head.uri.path()) {
        (Method::POST, "/") => call(lab, &head.headers, body).await,
        (Method::POST, "/disturb") => disturb(lab, &head.headers, body).await,
        (Method::GET, "/status") => {
            let told = blocking(lab, Served::status).await;
            whole(StatusCode::OK, "application/json", told.unwrap_or_default())
        }
        (Method::GET, path) => page::file(path).map_or_else(nothing, drawn),
        _ => nothing(),
    })
}

/// A file of the page. The browser keeps none: after an update of the lab all are of one version.
fn drawn(file: PageFile) -> Answer {
    let mut answer = whole(StatusCode::OK, file.kind, file.text.to_owned());
    let guards = [
        (CONTENT_SECURITY_POLICY, page::POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    answer.headers_mut().extend(guards.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

fn nothing() -> Answer {
    let text = "GET / for the page, POST / for the AWS APIs, GET /status for the state of things\n";
    plain(StatusCode::NOT_FOUND, text)
}

/// The whole body, or the answer that says why not.
async fn whole_of(body: Incoming) -> Result<Bytes, Answer> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large or broke off\n")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "the request took too long\n")),
    }
}

/// What goes wrong by order of `gwlb-lab fault`. As for the APIs, a header is asked for that no web page can send.
async fn disturb(lab: Shared, headers: &HeaderMap, body: Incoming) -> Answer {
    if !headers.contains_key(AUTHORIZATION) {
        return plain(StatusCode::FORBIDDEN, "only gwlb-lab itself may do that\n");
    }
    let body = match whole_of(body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let how: Disturbance = match serde_json::from_slice(&body) {
        Ok(how) => how,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &format!("{error}\n")),
    };
    match blocking(lab, move |lab| lab.disturb(&how)).await {
        Some(Ok(())) => plain(StatusCode::OK, ""),
        Some(Err(error)) => plain(StatusCode::CONFLICT, &format!("{error}\n")),
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "the lab is ending\n"),
    }
}

async fn call(lab: Shared, headers: &HeaderMap, body: Incoming) -> Answer {
    let body = match whole_of(body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let authorization = headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok()).map(str::to_owned);
    let id = request_id();
    let answered = blocking(lab, move |lab| {
        lab.submit(&Request { authorization: authorization.as_deref(), body: &body, now: now(), id: &id })
    })
    .await;
    match answered {
        Some(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
            whole(status, "text/xml;charset=UTF-8", answer.body)
        }
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "the lab is ending\n"),
    }
}

/// Does something with the lab on a thread that may block.
async fn blocking<T: Send + 'static>(
    lab: Shared,
    work: impl FnOnce(&Served) -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(move || work(&lab)).await.ok()
}

/// A page of another site may make its visitor's browser send requests here under a name of its own; such names are refused.
fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

/// An id as AWS's look.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let (time, count) = (now(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!(
        "{:08x}-{:04x}-4000-8000-{:012x}",
        time >> 16 & 0xffff_ffff,
        time & 0xffff,
        count & 0xffff_ffff_ffff
    )
}

fn plain(status: StatusCode, text: &str) -> Answer {
    whole(status, "text/plain; charset=utf-8", text.to_owned())
}

fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
