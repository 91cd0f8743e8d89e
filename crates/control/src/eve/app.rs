//! What a transaction says, as the records of its protocol have it.

use inspect::app::{Facts, Transaction};
use policy::{Buffer, Protocol, Way};
use serde_json::{Map, Value, json};

use super::dns;

/// The name of an application protocol in `app_proto`, which is also that of its part and of its records.
pub(crate) fn app_name(app: Protocol) -> &'static str {
    match app {
        Protocol::Http | Protocol::Http1 => "http",
        other => other.name(),
    }
}

/// A transaction as a part of a record, under which name, if the log has a shape for its protocol.
pub(crate) fn app(app: Protocol, transaction: &Transaction) -> Option<(&'static str, Value)> {
    let part = match app {
        Protocol::Http | Protocol::Http1 => http(transaction),
        Protocol::Tls => tls(transaction),
        Protocol::Quic => quic(transaction),
        Protocol::Dns | Protocol::Mdns => match &transaction.facts {
            Facts::Dns(facts) => dns::exchange(transaction.number, facts),
            _ => return None,
        },
        _ => return None,
    };
    Some((app_name(app), part))
}

/// The anomalies of a transaction, each the part of a record of its own.
pub(crate) fn anomaly(app: Protocol, transaction: &Transaction) -> impl Iterator<Item = Value> {
    transaction.anomalies.iter().map(move |anomaly| {
        // The protocol stands before the point: `http.gap`.
        let event = anomaly.name().split_once('.').map_or(anomaly.name(), |(_, event)| event);
        json!({ "type": "applayer", "event": event, "layer": "proto_parser", "app_proto": app_name(app) })
    })
}

/// Buffers as the log names them: those of a transaction that are there.
fn texts(transaction: &Transaction, names: &[(&str, Buffer, Way)]) -> Map<String, Value> {
    let text = |&(name, buffer, way): &(&str, Buffer, Way)| {
        let bytes = transaction.first(buffer, way)?;
        Some((name.to_owned(), String::from_utf8_lossy(bytes).into()))
    };
    names.iter().filter_map(text).collect()
}

fn http(transaction: &Transaction) -> Value {
    use Way::{ToClient, ToServer};
    let mut part = texts(
        transaction,
        &[
            ("hostname", Buffer::HttpHost, ToServer),
            ("url", Buffer::HttpUriRaw, ToServer),
            ("http_user_agent", Buffer::HttpUserAgent, ToServer),
            ("http_content_type", Buffer::HttpContentType, ToClient),
            ("http_refer", Buffer::HttpReferer, ToServer),
            ("http_method", Buffer::HttpMethod, ToServer),
            ("protocol", Buffer::HttpProtocol, ToServer),
            ("redirect", Buffer::HttpLocation, ToClient),
        ],
    );
    if let Facts::Http(facts) = &transaction.facts {
        part.extend(facts.status.map(|status| ("status".to_owned(), status.into())));
        part.extend(facts.host_port.map(|port| ("http_port".to_owned(), port.into())));
        part.insert("length".to_owned(), facts.decoded[ToClient as usize].into());
    }
    part.into()
}

fn tls(transaction: &Transaction) -> Value {
    use Way::{ToClient, ToServer};
    let mut part = texts(
        transaction,
        &[
            ("sni", Buffer::TlsSni, ToServer),
            ("subject", Buffer::TlsCertSubject, ToClient),
            ("issuerdn", Buffer::TlsCertIssuer, ToClient),
            ("serial", Buffer::TlsCertSerial, ToClient),
            ("fingerprint", Buffer::TlsCertFingerprint, ToClient),
            ("ja4", Buffer::Ja4Hash, ToServer),
        ],
    );
    hashes(&mut part, transaction);
    alpn(&mut part, transaction);
    part.into()
}

fn quic(transaction: &Transaction) -> Value {
    let to_server = [
        ("sni", Buffer::QuicSni, Way::ToServer),
        ("version", Buffer::QuicVersion, Way::ToServer),
        ("ua", Buffer::QuicUa, Way::ToServer),
        ("ja4", Buffer::Ja4Hash, Way::ToServer),
    ];
    let mut part = texts(transaction, &to_server);
    if !part.contains_key("sni") {
        part.extend(texts(transaction, &[("sni", Buffer::TlsSni, Way::ToServer)]));
    }
    hashes(&mut part, transaction);
    part.into()
}

fn hashes(part: &mut Map<String, Value>, transaction: &Transaction) {
    use Way::{ToClient, ToServer};
    let client = [("hash", Buffer::Ja3Hash, ToServer), ("string", Buffer::Ja3String, ToServer)];
    let server = [("hash", Buffer::Ja3sHash, ToClient), ("string", Buffer::Ja3sString, ToClient)];
    for (name, print) in [("ja3", texts(transaction, &client)), ("ja3s", texts(transaction, &server))] {
        if !print.is_empty() {
            part.insert(name.to_owned(), print.into());
        }
    }
}

fn alpn(part: &mut Map<String, Value>, transaction: &Transaction) {
    for (name, way) in [("client_alpns", Way::ToServer), ("server_alpns", Way::ToClient)] {
        let offered: Vec<_> = transaction.values(Buffer::TlsAlpn, way).map(String::from_utf8_lossy).collect();
        if !offered.is_empty() {
            part.insert(name.to_owned(), offered.into());
        }
    }
}
