//! What a transaction says, as the records of its protocol have it.

use std::time::{Duration, UNIX_EPOCH};

use inspect::app::{Anomaly, Facts, Transaction, quic, tls};
use policy::{Buffer, Protocol, Way};
use serde_json::{Map, Value, json};

use super::dns;
use crate::timestamp::Timestamp;

/// A fingerprint's hash, and what it is the hash of.
type Print<'a> = (&'a [u8], &'a [u8]);

/// The name of an application protocol in `app_proto`, which is also that of its part and of its records.
#[must_use]
pub fn app_name(app: Protocol) -> &'static str {
    match app {
        Protocol::Http | Protocol::Http1 => "http",
        other => other.name(),
    }
}

/// A transaction as a part of a record, under which name, if the log has a shape for its protocol.
pub(crate) fn app(app: Protocol, transaction: &Transaction) -> Option<(&'static str, Value)> {
    let part = match app {
        Protocol::Http | Protocol::Http1 => http(transaction),
        Protocol::Tls => tls_of(transaction),
        Protocol::Quic => quic_of(transaction),
        Protocol::Dns | Protocol::Mdns => match &transaction.facts {
            Facts::Dns(facts) => dns::exchange(transaction.number, facts),
            _ => return None,
        },
        _ => return None,
    };
    Some((app_name(app), part))
}

/// What was odd, as its record has it.
pub(crate) fn anomaly(app: Option<Protocol>, anomaly: Anomaly) -> Value {
    // The protocol stands before the point: `http.gap`.
    let event = anomaly.name().split_once('.').map_or(anomaly.name(), |(_, event)| event);
    let mut part = json!({ "type": "applayer", "event": event, "layer": "proto_parser" });
    if let (Value::Object(part), Some(app)) = (&mut part, app) {
        part.insert("app_proto".to_owned(), app_name(app).into());
    }
    part
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

fn tls_of(transaction: &Transaction) -> Value {
    let Some(told) = tls::Summary::of(transaction) else { return Value::Null };
    let server = Way::ToClient;
    let mut part = texts(transaction, &[("sni", Buffer::TlsSni, Way::ToServer)]);
    part.insert("version".to_owned(), told.version().into());
    part.extend(certificate(&told, transaction, server));
    if told.session_resumed() {
        part.insert("session_resumed".to_owned(), true.into());
    }
    let client = certificate(&told, transaction, Way::ToServer);
    if !client.is_empty() {
        part.insert("client".to_owned(), client.into());
    }
    prints(&mut part, told.ja3(), told.ja3s(), told.ja4());
    list(&mut part, "client_alpns", told.protocols(Way::ToServer));
    list(&mut part, "server_alpns", told.protocols(server));
    part.into()
}

/// The certificate of one way.
fn certificate(told: &tls::Summary<'_>, transaction: &Transaction, way: Way) -> Map<String, Value> {
    let mut part = texts(
        transaction,
        &[
            ("subject", Buffer::TlsCertSubject, way),
            ("issuerdn", Buffer::TlsCertIssuer, way),
            ("serial", Buffer::TlsCertSerial, way),
            ("fingerprint", Buffer::TlsCertFingerprint, way),
        ],
    );
    if let Some(validity) = told.validity(way) {
        part.insert("notbefore".to_owned(), moment(validity.not_before).into());
        part.insert("notafter".to_owned(), moment(validity.not_after).into());
    }
    list(&mut part, "subjectaltname", told.alternative_names(way));
    part
}

fn quic_of(transaction: &Transaction) -> Value {
    let Some(told) = quic::Summary::of(transaction) else { return Value::Null };
    let mut part = texts(transaction, &[("sni", Buffer::QuicSni, Way::ToServer)]);
    part.insert("version".to_owned(), told.version().into());
    prints(&mut part, told.ja3(), told.ja3s(), told.ja4());
    part.into()
}

/// A moment of a certificate: seconds since 1970, UTC, without a fraction. Those before 1970 are 1970.
fn moment(seconds: i64) -> String {
    let after = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let mut text = Timestamp::new(UNIX_EPOCH, after).to_string();
    text.truncate("1970-01-01T00:00:00".len());
    text
}

/// Fingerprints: hashes with what they were made of.
fn prints(
    part: &mut Map<String, Value>,
    ja3: Option<Print<'_>>,
    ja3s: Option<Print<'_>>,
    ja4: Option<&[u8]>,
) {
    for (name, print) in [("ja3", ja3), ("ja3s", ja3s)] {
        let Some((hash, string)) = print else { continue };
        let [hash, string] = [hash, string].map(String::from_utf8_lossy);
        part.insert(name.to_owned(), json!({ "hash": hash, "string": string }));
    }
    part.extend(ja4.map(|print| ("ja4".to_owned(), String::from_utf8_lossy(print).into())));
}

/// Texts of which there may be several; none are not told.
fn list<'a>(part: &mut Map<String, Value>, name: &str, texts: impl Iterator<Item = &'a [u8]>) {
    let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
    if !texts.is_empty() {
        part.insert(name.to_owned(), texts.into());
    }
}

#[cfg(test)]
mod tests {
    use inspect::app::{App, Ports, Wanted};

    use super::*;

    /// What is told of a flow: lines of a way and its bytes in hexadecimal.
    fn told(flow: &str, is_stream: bool) -> Value {
        let mut speaker = App::new(Ports { initiator: 50_000, responder: 443 });
        for line in flow.lines().filter(|line| !line.starts_with('#')) {
            let (way, hex) = line.split_at(2);
            let way = if way == "> " { Way::ToServer } else { Way::ToClient };
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            if is_stream {
                speaker.stream(way, &bytes, Wanted::ALL);
            } else {
                speaker.datagram(way, &bytes, Wanted::ALL);
            }
        }
        let protocol = speaker.flow_protocol().protocol().unwrap();
        app(protocol, &speaker.transactions().open()[0]).unwrap().1
    }

    #[test]
    fn a_handshake_is_told_by_the_references_names() {
        let told = told(include_str!("../../../inspect/tests/flows/tls12.flow"), true);
        assert_eq!(told["version"], "TLS 1.2");
        assert_eq!(told["serial"], "00:E7:F9:B6:DE:A6");
        assert_eq!(told["notbefore"], "2026-11-23T18:23:16");
        assert_eq!(told["notafter"], "2036-11-20T18:23:16");
        assert_eq!(told["subjectaltname"][1], "*.example.org");
        assert_eq!(told["client_alpns"], json!(["h2", "http/1.1"]));
        let mut names: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "client_alpns",
            "fingerprint",
            "issuerdn",
            "ja3",
            "ja3s",
            "ja4",
            "notafter",
            "notbefore",
            "serial",
            "sni",
            "subject",
            "subjectaltname",
            "version",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_resumed_session_and_a_clients_certificate_are_told() {
        let resumed = told(include_str!("../../../inspect/tests/flows/tls12-resumed.flow"), true);
        assert_eq!(resumed["session_resumed"], true);
        let mutual = told(include_str!("../../../inspect/tests/flows/tls12-mutual.flow"), true);
        assert_eq!(mutual["client"]["subject"], mutual["subject"]);
    }

    #[test]
    fn a_connection_of_quic_is_told_by_the_references_names() {
        let told = told(include_str!("../../../inspect/tests/flows/rfc9369.flow"), false);
        assert_eq!((&told["sni"], &told["version"]), (&"example.com".into(), &"2".into()));
        assert!(told["ja4"].as_str().unwrap().starts_with("q13d"));
    }
}
