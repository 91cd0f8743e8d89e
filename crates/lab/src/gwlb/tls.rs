//! TLS for HTTPS health checks: encrypted, and nothing proven.
//!
//! A load balancer does not look at a target's certificate (AWS, "Health checks for Gateway Load Balancer target groups"), so
//! here any will do: of any name, any age, any issuer. Nothing secret is sent, and nothing that comes back is believed beyond
//! a status code.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

/// TLS over `stream`, with the target at `address`; the handshake is done by the first read or write. An address is no name
/// that a server could be asked by (RFC 6066 §3), so none is sent.
///
/// # Errors
/// When a client cannot be made.
pub(super) fn client<T: Read + Write>(
    stream: T,
    address: Ipv4Addr,
    tls13: bool,
) -> Result<StreamOwned<ClientConnection, T>, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = if tls13 { &[&TLS13, &TLS12] } else { &[&TLS12] };
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let name = ServerName::IpAddress(address.into());
    Ok(StreamOwned::new(ClientConnection::new(Arc::new(config), name)?, stream))
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
