//! What a rule asks of the protocol above TCP and UDP, buffers aside.

use std::fmt;

use crate::fault::Fault;
use crate::option::field::{Comparison, Field};
use crate::option::raw::RawOption;
use crate::protocol::Protocol;

/// A test of the application protocol.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AppTest {
    /// `app-layer-protocol`: what the flow was found to speak.
    Protocol {
        /// `!`: it must be something else, and be known or given up.
        negated: bool,
        /// The protocol; `None` is `failed`: it could not be told.
        protocol: Option<Protocol>,
        /// Which of the flow's protocols: by direction, or before or after a change.
        mode: ProtocolMode,
    },
    /// `ssl_state`: how far the TLS handshake is; one of them.
    SslState {
        /// `!`: none of them.
        negated: bool,
        /// The states, by the reference's names.
        states: Vec<SslState>,
    },
    /// `ssl_version`: the version of TLS; one of them or, where some are excluded, any that is not.
    SslVersion(Vec<(bool, SslVersion)>),
    /// `tls.version`: the version of TLS.
    TlsVersion {
        /// `!`: it must be another.
        negated: bool,
        /// The version.
        version: SslVersion,
    },
    /// `dns.opcode`: the operation code.
    DnsOpcode(Comparison),
    /// `dns.rcode`: the response code.
    DnsRcode(Comparison),
    /// `dns.rrtype`: the type of the record.
    DnsRrtype(Comparison),
}

/// Which of a flow's protocols is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProtocolMode {
    /// That of the packet's direction.
    Direction,
    /// `final`: after a change.
    Final,
    /// `original`: before a change.
    Original,
    /// `either`: of either direction.
    Either,
    /// `to_server`.
    ToServer,
    /// `to_client`.
    ToClient,
}

/// How far a TLS handshake is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SslState {
    /// `client_hello`.
    ClientHello,
    /// `server_hello`.
    ServerHello,
    /// `client_keyx`.
    ClientKeyExchange,
    /// `server_keyx`.
    ServerKeyExchange,
    /// `unknown`.
    Unknown,
}

/// A version of SSL or TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SslVersion {
    /// SSL 2.
    Ssl2,
    /// SSL 3.
    Ssl3,
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

const MODES: [(&str, ProtocolMode); 6] = [
    ("direction", ProtocolMode::Direction),
    ("final", ProtocolMode::Final),
    ("original", ProtocolMode::Original),
    ("either", ProtocolMode::Either),
    ("to_server", ProtocolMode::ToServer),
    ("to_client", ProtocolMode::ToClient),
];

const STATES: [(&str, SslState); 5] = [
    ("client_hello", SslState::ClientHello),
    ("server_hello", SslState::ServerHello),
    ("client_keyx", SslState::ClientKeyExchange),
    ("server_keyx", SslState::ServerKeyExchange),
    ("unknown", SslState::Unknown),
];

const SSL_VERSIONS: [(&str, SslVersion); 6] = [
    ("sslv2", SslVersion::Ssl2),
    ("sslv3", SslVersion::Ssl3),
    ("tls1.0", SslVersion::Tls10),
    ("tls1.1", SslVersion::Tls11),
    ("tls1.2", SslVersion::Tls12),
    ("tls1.3", SslVersion::Tls13),
];

const TLS_VERSIONS: [(&str, SslVersion); 4] = [
    ("1.0", SslVersion::Tls10),
    ("1.1", SslVersion::Tls11),
    ("1.2", SslVersion::Tls12),
    ("1.3", SslVersion::Tls13),
];

impl AppTest {
    /// Reads `[!]name[,mode]` of `app-layer-protocol`.
    pub(crate) fn protocol(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "an application protocol";
        let fields = Field::list(option, expected)?;
        let (name, mode) = match fields.as_slice() {
            [name] => (name, ProtocolMode::Direction),
            [name, mode] => (name, mode.choice(&MODES, "a mode of app-layer-protocol")?),
            _ => return Err(option.wrong(expected)),
        };
        let (negated, name) = name.negation();
        if name.text == "failed" {
            return Ok(Self::Protocol { negated, protocol: None, mode });
        }
        let found = Protocol::named(name.text).filter(|protocol| protocol.is_application());
        let protocol = found.ok_or_else(|| {
            let names = Protocol::ALL.iter().filter(|protocol| protocol.is_application()).map(Protocol::name);
            name.wrong(expected).suggest(crate::fault::nearest(name.text, names))
        })?;
        Ok(Self::Protocol { negated, protocol: Some(protocol), mode })
    }

    /// Reads `[!]state[|state…]`.
    pub(crate) fn ssl_state(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "client_hello, server_hello, client_keyx, server_keyx or unknown";
        let (negated, names) = Field::of(option, expected)?.negation();
        let separator = if names.text.contains('|') { '|' } else { ',' };
        let state = |name: Field<'_>| name.choice(&STATES, expected);
        Ok(Self::SslState {
            negated,
            states: names.split(separator)?.into_iter().map(state).collect::<Result<_, _>>()?,
        })
    }

    /// Reads `[!]version[,[!]version…]`.
    pub(crate) fn ssl_version(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "sslv2, sslv3, tls1.0, tls1.1, tls1.2 or tls1.3";
        let version = |field: &Field<'_>| {
            let (negated, name) = field.negation();
            name.choice(&SSL_VERSIONS, expected).map(|version| (negated, version))
        };
        Ok(Self::SslVersion(Field::list(option, expected)?.iter().map(version).collect::<Result<_, _>>()?))
    }

    /// Reads `[!]version`, perhaps in quotes.
    pub(crate) fn tls_version(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "1.0, 1.1, 1.2 or 1.3";
        let (negated, name) = Field::of(option, expected)?.negation();
        let name = Field { text: name.text.trim_matches('"'), ..name };
        Ok(Self::TlsVersion { negated, version: name.choice(&TLS_VERSIONS, expected)? })
    }

    /// Reads the comparison of a keyword that names a number of DNS.
    pub(crate) fn dns(
        option: &RawOption<'_>,
        highest: u64,
        make: fn(Comparison) -> Self,
    ) -> Result<Self, Fault> {
        let expected = "a comparison with a number that fits the field";
        Ok(make(Comparison::parse(Field::of(option, expected)?, highest, expected)?))
    }
}

impl fmt::Display for AppTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "!" } else { "" };
        match self {
            Self::Protocol { negated, protocol, mode } => {
                let name = protocol.as_ref().map_or("failed", Protocol::name);
                write!(f, "app-layer-protocol:{}{name}", not(negated))?;
                match MODES.iter().find(|(_, known)| known == mode) {
                    Some((word, mode)) if *mode != ProtocolMode::Direction => write!(f, ",{word};"),
                    _ => f.write_str(";"),
                }
            }
            Self::SslState { negated, states } => {
                let names: Vec<&str> = states
                    .iter()
                    .filter_map(|state| {
                        STATES.iter().find(|(_, known)| known == state).map(|(name, _)| *name)
                    })
                    .collect();
                write!(f, "ssl_state:{}{};", not(negated), names.join("|"))
            }
            Self::SslVersion(versions) => {
                for (index, (negated, version)) in versions.iter().enumerate() {
                    let start = if index == 0 { "ssl_version:" } else { "," };
                    write!(f, "{start}{}{}", not(negated), version_name(*version, &SSL_VERSIONS))?;
                }
                f.write_str(";")
            }
            Self::TlsVersion { negated, version } => {
                write!(f, "tls.version:{}{};", not(negated), version_name(*version, &TLS_VERSIONS))
            }
            Self::DnsOpcode(compares) => write!(f, "dns.opcode:{compares};"),
            Self::DnsRcode(compares) => write!(f, "dns.rcode:{compares};"),
            Self::DnsRrtype(compares) => write!(f, "dns.rrtype:{compares};"),
        }
    }
}

fn version_name(version: SslVersion, names: &[(&'static str, SslVersion)]) -> &'static str {
    names.iter().find(|(_, known)| *known == version).map_or("", |(name, _)| *name)
}
