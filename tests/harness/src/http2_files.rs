//! A folder of files, served over https in HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http_status::{Request, Response, StatusCode};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::chunked;
use crate::pki::Identity;

/// The running server. Its thread ends with the process.
#[derive(Debug)]
pub struct Http2Files {
    address: SocketAddr,
}

impl Http2Files {
    /// Serves a folder with this certificate.
    ///
    /// # Errors
    /// Where there is no port, or the certificate is not one.
    pub fn start(folder: &Path, identity: &Identity) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(tls(identity)?));
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let folder: Arc<Path> = folder.into();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                loop {
                    let (stream, _) = listener.accept().await?;
                    tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&folder)));
                }
                #[allow(unreachable_code)] // for the type of `?`
                io::Result::Ok(())
            })
        });
        Ok(Self { address })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn tls(identity: &Identity) -> io::Result<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(
            chain.map_err(io::Error::other)?,
            key.map_err(io::Error::other)?,
        )
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Ends with the connection, or with what breaks it.
async fn connection(stream: TcpStream, acceptor: TlsAcceptor, folder: Arc<Path>) -> Option<()> {
    let stream = acceptor.accept(stream).await.ok()?;
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(request, respond, Arc::clone(&folder)));
    }
    Some(())
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    folder: Arc<Path>,
) -> Option<()> {
    let file = chunked::file(request.uri().path());
    let Ok(content) = std::fs::read(folder.join(file)) else {
        let mut missing = Response::new(());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        respond.send_response(missing, true).ok()?;
        return Some(());
    };
    let mut stream = respond.send_response(Response::new(()), false).ok()?;
    // The connection's task sends it as the client takes it.
    stream.send_data(content.into(), true).ok()
}
