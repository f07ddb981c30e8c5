//! Certificates of a test's own authority, and a client that shows them.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{self, Response};

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
}

/// A certificate authority.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a certificate says of its holder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holder<'a> {
    /// URIs in the subject alternative names.
    pub uris: &'a [&'a str],
    /// DNS names in them.
    pub names: &'a [&'a str],
    /// The subject's organisational unit.
    pub unit: Option<&'a str>,
    /// The subject's common name.
    pub common_name: Option<&'a str>,
}

/// A new private key and its public one, PEM, for who signs by himself.
///
/// # Panics
/// Where it cannot be made.
pub fn key_pair() -> [String; 2] {
    let pair = KeyPair::generate().unwrap_or_else(|e| panic!("no key: {e}"));
    [pair.serialize_pem(), pair.public_key_pem()]
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = KeyPair::generate().and_then(|key| CertifiedIssuer::self_signed(params, key));
        Self(made.unwrap_or_else(|e| panic!("no authority: {e}")))
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn issue(&self, holder: &Holder<'_>) -> Identity {
        self.try_issue(holder)
            .unwrap_or_else(|e| panic!("no certificate for {holder:?}: {e}"))
    }

    fn try_issue(&self, holder: &Holder<'_>) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::default();
        for uri in holder.uris {
            let san = SanType::URI((*uri).try_into()?);
            params.subject_alt_names.push(san);
        }
        for name in holder.names {
            let san = SanType::DnsName((*name).try_into()?);
            params.subject_alt_names.push(san);
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in [
            (DnType::OrganizationalUnitName, holder.unit),
            (DnType::CommonName, holder.common_name),
        ] {
            if let Some(value) = value {
                params.distinguished_name.push(kind, value);
            }
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Identity {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Asks over TLS, trusting this authority, as this holder, for that server name.
    ///
    /// # Errors
    /// Where the server takes no connection from such a client.
    pub fn ask(
        &self,
        address: SocketAddr,
        server_name: &str,
        holder: Option<&Identity>,
        request: &str,
    ) -> io::Result<Response> {
        let config = Arc::new(self.client_config(holder)?);
        let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut stream = StreamOwned::new(connection, stream);
        http::exchange(&mut stream, request.as_bytes(), false)
    }

    /// How this holder speaks TLS with servers of this authority.
    ///
    /// # Errors
    /// Where the certificates are none.
    pub fn client_config(&self, holder: Option<&Identity>) -> io::Result<ClientConfig> {
        let other = |e: rustls::Error| io::Error::other(e);
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).map_err(other)?;
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .with_root_certificates(roots);
        let Some(holder) = holder else {
            return Ok(config.with_no_client_auth());
        };
        let pem = |e| io::Error::other(format!("{e}"));
        let chain = CertificateDer::from_pem_slice(holder.chain.as_bytes()).map_err(pem)?;
        let key = PrivateKeyDer::from_pem_slice(holder.key.as_bytes()).map_err(pem)?;
        config
            .with_client_auth_cert(vec![chain], key)
            .map_err(other)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
