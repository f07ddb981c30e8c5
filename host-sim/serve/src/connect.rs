//! Connections to upstreams: by themselves or through the proxies that the environment names, and whom
//! they trust.

use std::error::Error;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tower_service::Service;

use super::error::ServeError;
use super::origin::port;
use envoy_wasm_host::files;

/// The most bytes of a file of certificates; all that the world trusts are a quarter of a MiB.
const CA_LIMIT: u64 = 16 << 20;

/// Connects to `http` and `https` servers.
pub type Connector = HttpsConnector<Via>;

type BoxError = Box<dyn Error + Send + Sync>;
type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The machine's own certificates, which a company's proxy may stand behind, or those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`; Mozilla's where the machine has none; and those of these files.
pub fn tls_config(needed: bool, ca_files: &[PathBuf]) -> Result<rustls::ClientConfig, ServeError> {
    let system = |error: String| ServeError::System(error);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| system(error.to_string()))?;
    if !ca_files.is_empty() {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for file in ca_files {
            add(&mut roots, file).map_err(|why| system(format!("{}: {why}", file.display())))?;
        }
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    if !needed {
        return Ok(builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth());
    }
    let config = match builder.clone().with_native_roots() {
        Ok(native) => native,
        Err(error) if std::env::var_os("SSL_CERT_FILE").is_some() => {
            return Err(system(format!("SSL_CERT_FILE: {error}")));
        }
        Err(_) => builder.with_webpki_roots(),
    };
    Ok(config.with_no_client_auth())
}

/// Adds the certificates of a PEM file, of which there must be one.
fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let mut added = 0;
    let pem = files::regular(file, CA_LIMIT).map_err(|error| error.to_string())?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        added += 1;
    }
    if added == 0 {
        return Err("it has no certificate (PEM)".to_owned());
    }
    Ok(())
}

/// The proxies that the environment names: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, or
/// the same in lower case, as curl and the Go command read them.
#[derive(Debug)]
pub struct Proxies {
    matcher: Matcher,
    /// What `NO_PROXY` says of one port of a host.
    of_ports: Vec<(u16, Matcher)>,
}

impl Proxies {
    /// Those of this process.
    ///
    /// # Errors
    /// A variable that names no proxy, without its value, which may hold a password.
    pub fn of_environment() -> Result<Self, String> {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let either = |name: &str| {
            let value = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            value.unwrap_or_default()
        };
        let none = Self {
            matcher: Matcher::builder().build(),
            of_ports: Vec::new(),
        };
        // Of a CGI program a client writes HTTP_PROXY, by the header `Proxy`.
        if variable("REQUEST_METHOD").is_some() {
            return Ok(none);
        }
        for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
            let value = either(name);
            let proxy = Matcher::builder().all(value.as_str()).build();
            let proxy = proxy.intercept(&Uri::from_static("http://a.example/"));
            let is_known = |proxy: Intercept| {
                matches!(proxy.uri().scheme_str(), Some("http" | "https"))
                    && port(proxy.uri()).is_ok()
            };
            if !value.is_empty() && !proxy.is_some_and(is_known) {
                return Err(format!(
                    "the environment variable {name} is not a proxy URL such as http://proxy.corp.example:3128"
                ));
            }
        }
        let no = either("NO_PROXY");
        let mut of_ports = Vec::new();
        for entry in no.split(',').map(str::trim) {
            if let Some((host, port)) = entry.rsplit_once(':')
                && !host.is_empty()
                && (!host.contains(':') || host.ends_with(']'))
                && let Ok(port) = port.parse()
            {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                // A proxy for everything, so that what has none is what the entry is about.
                let matcher = Matcher::builder().all("http://a.example").no(host);
                of_ports.push((port, matcher.build()));
            }
        }
        let matcher = Matcher::builder()
            .all(either("ALL_PROXY"))
            .http(either("HTTP_PROXY"))
            .https(either("HTTPS_PROXY"))
            .no(no)
            .build();
        Ok(Self { matcher, of_ports })
    }

    /// The proxy for a place. For this machine's own there is never one, as with the Go command.
    fn for_place(&self, place: &Uri) -> Option<Intercept> {
        let host = place.host()?;
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_own = host.eq_ignore_ascii_case("localhost")
            || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if is_own {
            return None;
        }
        let scheme_port = if place.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = place.port_u16().unwrap_or(scheme_port);
        let is_left_out =
            |(of, matcher): &(u16, Matcher)| *of == port && matcher.intercept(place).is_none();
        if self.of_ports.iter().any(is_left_out) {
            return None;
        }
        self.matcher.intercept(place)
    }

    /// What a request for a place must carry for the proxy that forwards it; through a tunnel nothing.
    pub fn authorization(&self, place: &Uri) -> Option<HeaderValue> {
        if place.scheme_str() != Some("http") {
            return None;
        }
        self.for_place(place)?.basic_auth().cloned()
    }
}

/// Connects to servers, through the environment's proxies where they say so.
pub fn connector(
    tls: rustls::ClientConfig,
    connect_timeout: Duration,
    proxies: Arc<Proxies>,
) -> Connector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let to_proxy = HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp.clone());
    let via = Via {
        tcp,
        to_proxy,
        proxies,
    };
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(via)
}

/// Connects by itself, through a tunnel (`https`), or to a proxy that forwards requests (`http`).
#[derive(Clone)]
pub struct Via {
    tcp: HttpConnector,
    to_proxy: HttpsConnector<HttpConnector>,
    proxies: Arc<Proxies>,
}

impl Service<Uri> for Via {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, place: Uri) -> Self::Future {
        // Also of a redirect, which nobody wrote into the configuration.
        if let Err(error) = port(&place) {
            return Box::pin(async move { Err(error.into()) });
        }
        let Some(proxy) = self.proxies.for_place(&place) else {
            let socket = self.tcp.call(place);
            return Box::pin(async move {
                Ok(Stream {
                    socket: MaybeHttpsStream::Http(socket.await?),
                    forwards: false,
                })
            });
        };
        let at = proxy.uri().clone();
        if place.scheme_str() == Some("https") {
            let mut tunnel = Tunnel::new(at, self.to_proxy.clone());
            if let Some(authorization) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            let socket = tunnel.call(place);
            return Box::pin(async move {
                Ok(Stream {
                    socket: socket.await?,
                    forwards: false,
                })
            });
        }
        let socket = self.to_proxy.call(at);
        Box::pin(async move {
            Ok(Stream {
                socket: socket.await?,
                forwards: true,
            })
        })
    }
}

/// A connection, and whether requests on it must name their host, because a proxy forwards them.
pub struct Stream {
    socket: Socket,
    forwards: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.socket.connected().proxy(self.forwards)
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(context, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, String> {
        Proxies::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy_for(proxies: &Proxies, place: &str) -> Option<String> {
        let proxy = proxies.for_place(&place.parse().unwrap())?;
        Some(proxy.uri().to_string())
    }

    #[test]
    fn a_place_whose_port_is_none_is_not_connected_to() {
        let tls = tls_config(false, &[]).unwrap();
        let proxies = Arc::new(proxies(&[]).unwrap());
        let mut connector = connector(tls, Duration::from_secs(1), proxies);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for place in ["http://127.0.0.1:70000", "https://127.0.0.1:0"] {
            let error = runtime
                .block_on(connector.call(place.parse().unwrap()))
                .err()
                .unwrap();
            assert!(
                error.to_string().contains("from 1 to 65535"),
                "{place}: {error}"
            );
        }
    }

    #[test]
    fn proxies_are_those_of_the_environment() {
        let some = proxies(&[
            ("HTTPS_PROXY", "http://user:s3cret@secure.example:3128"),
            ("http_proxy", "plain.example:8080"),
            (
                "NO_PROXY",
                "corp.example, .other.example,10.0.0.0/8,[fd00::1]:8443,port.example:8443",
            ),
        ])
        .unwrap();
        let rows = [
            (
                "https://goproxy.example/x",
                Some("http://secure.example:3128/"),
            ),
            (
                "http://goproxy.example/x",
                Some("http://plain.example:8080/"),
            ),
            ("https://corp.example", None),
            ("https://a.corp.example", None),
            ("https://acorp.example", Some("http://secure.example:3128/")),
            ("https://x.other.example", None),
            ("https://10.1.2.3", None),
            ("https://11.1.2.3", Some("http://secure.example:3128/")),
            ("https://port.example:8443", None),
            ("https://port.example", Some("http://secure.example:3128/")),
            ("https://[fd00::1]:8443", None),
            ("https://[fd00::1]", Some("http://secure.example:3128/")),
            ("http://localhost:3000", None),
            ("http://127.0.0.7:3000", None),
            ("http://[::1]:3000", None),
        ];
        table_rows::check(rows, |(place, proxy)| {
            assert_eq!(proxy_for(&some, place).as_deref(), proxy, "{place}");
        });
        let https: Uri = "https://a.b/".parse().unwrap();
        assert_eq!(some.authorization(&https), None);
        let all = proxies(&[("ALL_PROXY", "http://u:p@any.example"), ("NO_PROXY", "*")]).unwrap();
        assert_eq!(proxy_for(&all, "https://a.example"), None);
        let all = proxies(&[("ALL_PROXY", "http://u:p@any.example")]).unwrap();
        let place: Uri = "http://a.example/".parse().unwrap();
        assert_eq!(all.authorization(&place).unwrap(), "Basic dTpw");
        assert!(
            proxies(&[("HTTP_PROXY", "x:1"), ("REQUEST_METHOD", "GET")])
                .unwrap()
                .for_place(&place)
                .is_none()
        );
    }

    #[test]
    fn an_invalid_proxy_is_reported_without_its_value() {
        for value in [
            "socks5://u:s3cret@a.example",
            "ftp://s3cret",
            "http://s3cret@",
            "http://u:s3cret@a.example:70000",
            "s3cret s",
        ] {
            let error = proxies(&[("HTTPS_PROXY", value)]).unwrap_err();
            assert!(
                error.contains("HTTPS_PROXY") && !error.contains("s3cret"),
                "{error}"
            );
        }
        assert!(proxies(&[("HTTPS_PROXY", "")]).is_ok());
    }
}
