//! Where Prometheus scrapes: `GET /metrics` on the management address.
//!
//! A thread of its own with blocking sockets: a scrape every few seconds needs no runtime. A few scrapes at once, each
//! with a deadline; who comes on top is closed without a word.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http::{self, Asked};

/// Scrapes at once.
const SCRAPES: usize = 8;
/// Time that a scrape may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// What Prometheus calls its text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The server. It ends when it is dropped.
pub struct MetricsServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    text: Mutex<Arc<str>>,
    ending: AtomicBool,
    scrapes: AtomicUsize,
}

impl MetricsServer {
    /// Listen and serve what was published last; at first nothing.
    ///
    /// # Errors
    /// The address is taken, or not of this machine.
    pub fn start(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        let thread =
            thread::Builder::new().name("metrics".into()).spawn(move || serve(&listener, &serving))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Serve this text from now on.
    pub fn publish(&self, text: String) {
        *self.shared.text.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
    }

    /// The address it listens on; the port is known even if it was asked for as 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        // The thread waits for a connection: here is one. If even that fails it ends with the process.
        let woken = TcpStream::connect_timeout(&self.address, DEADLINE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ending.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of file descriptors, most likely: nothing to do but wait for some.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if shared.scrapes.fetch_add(1, Ordering::Relaxed) >= SCRAPES {
            shared.scrapes.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let scraped = shared.clone();
        let scrape = move || {
            // A scraper that went away has nobody to be told.
            let _ = answer(stream, &scraped);
            scraped.scrapes.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().name("scrape".into()).spawn(scrape).is_err() {
            shared.scrapes.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    let mut request = Vec::with_capacity(http::REQUEST);
    let asked = loop {
        let asked = http::ask(&request, "/metrics");
        let left = deadline.saturating_duration_since(Instant::now());
        if asked != Asked::Incomplete || left.is_zero() {
            break asked;
        }
        stream.set_read_timeout(Some(left))?;
        let mut bytes = [0; http::REQUEST];
        let room = http::REQUEST - request.len();
        match stream.read(bytes.get_mut(..room).unwrap_or_default())? {
            0 => break Asked::Bad,
            read => request.extend(bytes.iter().take(read)),
        }
    };
    let reply = match asked {
        Asked::Here { head } => {
            let text = shared.text.lock().unwrap_or_else(PoisonError::into_inner).clone();
            http::answer_with(TEXT, 200, &text, head)
        }
        Asked::NotFound => http::answer(404, "{\"status\":404}", false),
        Asked::NotAllowed => http::answer(405, "{\"status\":405}", false),
        Asked::Bad | Asked::Incomplete => http::answer(400, "{\"status\":400}", false),
    };
    // A scraper that reads slowly has no more time than one that asks slowly.
    let mut rest = reply.as_slice();
    while !rest.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_write_timeout(Some(left))?;
        let written = stream.write(rest)?;
        rest = rest.get(written..).unwrap_or_default();
        if written == 0 || left == Duration::from_millis(1) {
            break;
        }
    }
    Ok(())
}
