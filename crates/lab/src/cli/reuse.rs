//! `gwlb-lab fault reuse`: the same five-tuples again and again, as clients behind address translation use them.
//!
//! Each connection ends by a reset, so the next one may have its tuple at once. A load balancer gives it another cookie; an
//! appliance that returns packets under the old one loses them.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use serde_json::Value;

use super::Done;
use super::client::Client;
use super::place::Place;
use super::within::namespace;
use crate::net::namespace::within;
use crate::state::State;

/// Connections in all, and the source ports that they share.
const CONNECTIONS: u16 = 200;
const PORTS: u16 = 10;
const FIRST_PORT: u16 = 42_000;

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn reuse(place: &Place, state: &State, name: &str) -> Done {
    let made = place.prerequisites()?;
    let to = if name == "client" { "APP_PUBLIC_IPV4" } else { "CLIENT_IPV4" };
    let server = made.variables.iter().find(|(n, _)| n == to).map(|(_, v)| v.clone()).unwrap_or_default();
    let server: SocketAddr = SocketAddr::new(server.parse::<IpAddr>()?, 80);
    let before = counters(place)?;
    let answered = within(&namespace(state, name)?, || {
        (0..CONNECTIONS).filter(|n| one(FIRST_PORT + n % PORTS, server).is_ok()).count()
    })?;
    let after = counters(place)?;
    let more = |name: &str| sum(&after, name).saturating_sub(sum(&before, name));
    let (begun, mismatched) = (more("flows-begun"), more("cookie-mismatch") + more("unknown-flow"));
    println!(
        "{CONNECTIONS} connections from {PORTS} tuples: {answered} answered, {begun} flows begun, \
         {mismatched} packets returned under another flow's cookie"
    );
    let well = answered == usize::from(CONNECTIONS) && begun >= u64::from(CONNECTIONS) && mismatched == 0;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks once from the given port, and resets the connection.
fn one(port: u16, server: SocketAddr) -> io::Result<()> {
    let stream = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&stream, true)?;
    sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    sockopt::set_socket_timeout(&stream, sockopt::Timeout::Send, Some(PATIENCE))?;
    bind(&stream, &SocketAddr::from(([0, 0, 0, 0], port)))?;
    connect(&stream, &server)?;
    let mut stream = TcpStream::from(stream);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")?;
    stream.read_exact(&mut [0; 12])
}

fn counters(place: &Place) -> Result<Value, String> {
    let told = Client::of(place)?.look("/status")?;
    serde_json::from_str(&told).map_err(|e| e.to_string())
}

/// A counter of all nodes together.
fn sum(told: &Value, name: &str) -> u64 {
    let nodes = told["network"]["nodes"].as_array().into_iter().flatten();
    nodes.filter_map(|node| node["counters"][name].as_u64()).sum()
}
