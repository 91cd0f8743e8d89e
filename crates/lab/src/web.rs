//! The application server: a web server in a namespace that says who asked.
//!
//! `/` answers with the client's address; `/bytes/N` with N bytes of a pattern that is the same for every request, so that a
//! download can be compared.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::net::namespace::{NamespaceError, within};

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest request line and the longest header that are read.
const LINE_LIMIT: u64 = 8 * 1024;

/// How much is written at a time.
const PART: usize = 64 * 1024;

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct Web {
    listener: TcpListener,
}

impl Web {
    /// Serve on `tcp_port` of every address in `namespace`, both IP versions, one thread for each connection.
    ///
    /// # Errors
    /// When the namespace cannot be entered; the inner error when the port is taken.
    pub fn start(namespace: &str, tcp_port: u16) -> Result<io::Result<Self>, NamespaceError> {
        let listener = match within(namespace, || TcpListener::bind((Ipv6Addr::UNSPECIFIED, tcp_port)))? {
            Ok(listener) => listener,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Self::serve(listener))
    }

    fn serve(listener: TcpListener) -> io::Result<Self> {
        let own = listener.try_clone()?;
        let accept = move || {
            // an error is the end: the listener was shut down
            while let Ok((stream, _)) = own.accept() {
                // a client that goes away is its own business
                let _ = thread::Builder::new().name("web".to_owned()).spawn(move || answer(&stream));
            }
        };
        thread::Builder::new().name("web".to_owned()).spawn(accept)?;
        Ok(Self { listener })
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // the thread that accepts wakes with an error
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

fn answer(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let client = stream.peer_addr()?.ip().to_canonical();
    let mut reader = BufReader::new(stream);
    let request = line(&mut reader)?;
    while !line(&mut reader)?.trim_end().is_empty() {}
    let path = request.split_whitespace().nth(1).unwrap_or("/");
    match path.strip_prefix("/bytes/").and_then(|length| length.parse().ok()) {
        Some(length) => {
            head(stream, length)?;
            pattern(stream, length)
        }
        None => {
            let body = format!("hello {client}\n");
            head(stream, body.len() as u64)?;
            (&mut &*stream).write_all(body.as_bytes())
        }
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    let length = io::Read::take(&mut *reader, LINE_LIMIT).read_line(&mut line)?;
    if length == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line) }
}

fn head(mut stream: &TcpStream, length: u64) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}

/// Bytes 0 to 250 over and over: a period that no power of two divides, so that a shifted packet shows.
fn pattern(mut stream: &TcpStream, length: u64) -> io::Result<()> {
    let part: Vec<u8> = (0..=250).cycle().take(251 * (PART / 251)).collect();
    let mut left = length;
    while left > 0 {
        let some = part.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(part.get(..some).unwrap_or_default())?;
        left -= some as u64;
    }
    Ok(())
}
