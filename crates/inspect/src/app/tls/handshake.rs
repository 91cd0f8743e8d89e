//! What a handshake says besides its buffers.

use policy::{AppTest, SslState, SslVersion, Way};

use super::{ClientHello, ServerHello};
use crate::app::tls::certificate::Chain;

/// From when until when a certificate is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Validity {
    /// Not before this moment.
    pub not_before: i64,
    /// Not after this moment.
    pub not_after: i64,
}

/// States and numbers of a handshake, as far as it has come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Handshake {
    versions: [u16; 2],
    states: [Option<SslState>; 2],
    chains: [Chain; 2],
    encrypted_hello: bool,
    resumed: bool,
    retried: bool,
    cipher: Option<u16>,
    session: Vec<u8>,
}

impl Handshake {
    /// The version of one way: the best that the client offers, the one that the server chose.
    #[must_use]
    pub fn version(&self, way: Way) -> Option<SslVersion> {
        known(self.versions[way as usize])
    }

    /// The last message of one way that says how far it is.
    #[must_use]
    pub fn state(&self, way: Way) -> SslState {
        self.states[way as usize].unwrap_or(SslState::Unknown)
    }

    /// How many certificates one way sent in clear.
    #[must_use]
    pub fn certificates(&self, way: Way) -> u8 {
        self.chains[way as usize].certificates
    }

    /// From when until when the certificate of one way is valid. It is known only if somebody wants its subject, issuer,
    /// serial number or names.
    #[must_use]
    pub fn validity(&self, way: Way) -> Option<Validity> {
        self.chains[way as usize].validity
    }

    /// Whether the client hello hides another, or pretends to: see [`ClientHello::has_encrypted_hello`].
    #[must_use]
    pub fn has_encrypted_hello(&self) -> bool {
        self.encrypted_hello
    }

    /// Whether an earlier session is resumed.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether the server asked for a second client hello.
    #[must_use]
    pub fn is_retried(&self) -> bool {
        self.retried
    }

    /// The cipher suite that the server chose.
    #[must_use]
    pub fn cipher(&self) -> Option<u16> {
        self.cipher
    }

    /// Whether a rule's test holds, asked for a packet of `way`; those of other protocols do not.
    ///
    /// As long as the version of that way is not known, no test of it holds, not even a negated one.
    #[must_use]
    pub fn answers(&self, test: &AppTest, way: Way) -> bool {
        match test {
            AppTest::SslState { negated, states } => states.contains(&self.state(way)) != *negated,
            AppTest::SslVersion(versions) => {
                self.version(way).is_some_and(|version| is_among(version, versions))
            }
            AppTest::TlsVersion { negated, version } => {
                self.version(way).is_some_and(|is| (is == *version) != *negated)
            }
            AppTest::Protocol { .. }
            | AppTest::DnsOpcode(_)
            | AppTest::DnsRcode(_)
            | AppTest::DnsRrtype(_) => false,
        }
    }

    pub(in crate::app) fn client_hello(&mut self, hello: &ClientHello<'_>) {
        let offered = hello.versions().filter(|version| known(*version).is_some()).max();
        self.versions[Way::ToServer as usize] = offered.unwrap_or(hello.legacy_version);
        self.encrypted_hello = hello.has_encrypted_hello();
        self.session = hello.session.to_vec();
        self.reach(Way::ToServer, SslState::ClientHello);
    }

    pub(in crate::app) fn server_hello(&mut self, hello: &ServerHello<'_>) {
        let version = hello.version();
        self.versions[Way::ToClient as usize] = version;
        self.cipher = Some(hello.cipher);
        self.retried |= hello.is_retry();
        let same_session = !hello.session.is_empty() && hello.session == self.session;
        self.resumed |= if version > 0x0303 { hello.has_pre_shared_key() } else { same_session };
        self.reach(Way::ToClient, SslState::ServerHello);
    }

    pub(super) fn ssl2(&mut self, way: Way, version: u16) {
        self.versions[way as usize] = version;
        self.reach(
            way,
            match way {
                Way::ToServer => SslState::ClientHello,
                Way::ToClient => SslState::ServerHello,
            },
        );
    }

    pub(super) fn reach(&mut self, way: Way, state: SslState) {
        self.states[way as usize] = Some(state);
    }

    pub(super) fn chain(&mut self, way: Way, chain: Chain) {
        self.chains[way as usize] = chain;
    }

    /// The server changes to encryption: up to TLS 1.2 one that sent no certificate resumes a session (RFC 5077 §3.4).
    pub(super) fn server_sealed(&mut self) {
        let hello = self.states[Way::ToClient as usize] == Some(SslState::ServerHello);
        let clear = self.versions[Way::ToClient as usize] <= 0x0303;
        self.resumed |= hello && clear && self.certificates(Way::ToClient) == 0;
    }

    pub(in crate::app) fn memory(&self) -> usize {
        size_of::<Self>() + self.session.capacity()
    }
}

/// One of those listed; where some are excluded, any that is not.
fn is_among(version: SslVersion, versions: &[(bool, SslVersion)]) -> bool {
    let listed = |excluded| versions.contains(&(excluded, version));
    listed(false) || !listed(true) && versions.iter().any(|(excluded, _)| *excluded)
}

fn known(version: u16) -> Option<SslVersion> {
    Some(match version {
        0x0002 => SslVersion::Ssl2,
        0x0300 => SslVersion::Ssl3,
        0x0301 => SslVersion::Tls10,
        0x0302 => SslVersion::Tls11,
        0x0303 => SslVersion::Tls12,
        0x0304 => SslVersion::Tls13,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_asked_for_by_way_and_none_that_is_unknown_holds() {
        let mut handshake = Handshake::default();
        let version = |negated, version| AppTest::TlsVersion { negated, version };
        assert!(!handshake.answers(&version(true, SslVersion::Tls13), Way::ToServer));
        handshake.ssl2(Way::ToServer, 0x0301);
        assert!(handshake.answers(&version(false, SslVersion::Tls10), Way::ToServer));
        assert!(handshake.answers(&version(true, SslVersion::Tls13), Way::ToServer));
        assert!(!handshake.answers(&version(false, SslVersion::Tls10), Way::ToClient));
        let unrelated =
            AppTest::Protocol { negated: false, protocol: None, mode: policy::ProtocolMode::Final };
        assert!(!handshake.answers(&unrelated, Way::ToServer));
    }

    #[test]
    fn a_list_of_versions_holds_for_those_listed_or_for_those_not_excluded() {
        let mut handshake = Handshake::default();
        handshake.ssl2(Way::ToServer, 0x0301);
        let cases: [(&[(bool, SslVersion)], bool); 5] = [
            (&[(true, SslVersion::Ssl3)], true),
            (&[(true, SslVersion::Tls13), (false, SslVersion::Tls12)], true),
            (&[(false, SslVersion::Tls10), (false, SslVersion::Tls11)], true),
            (&[(true, SslVersion::Tls10)], false),
            (&[(true, SslVersion::Tls10), (true, SslVersion::Tls11)], false),
        ];
        for (versions, holds) in cases {
            let test = AppTest::SslVersion(versions.to_vec());
            assert_eq!(handshake.answers(&test, Way::ToServer), holds, "{test}");
        }
    }

    #[test]
    fn states_are_those_of_the_way_asked_for() {
        let mut handshake = Handshake::default();
        let test = AppTest::SslState { negated: false, states: vec![SslState::ClientHello] };
        assert!(!handshake.answers(&test, Way::ToServer));
        handshake.reach(Way::ToServer, SslState::ClientHello);
        assert!(handshake.answers(&test, Way::ToServer));
        handshake.reach(Way::ToServer, SslState::ClientKeyExchange);
        assert!(!handshake.answers(&test, Way::ToServer));
        let unknown = AppTest::SslState { negated: false, states: vec![SslState::Unknown] };
        assert!(handshake.answers(&unknown, Way::ToClient));
    }
}
