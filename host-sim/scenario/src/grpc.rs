//! gRPC in a scenario's file: messages instead of bytes.

use envoy_wasm_host::grpc::frame;
use serde::Deserialize;

use super::model::{Behaviour, Fault};
use super::values::{Chunk, Chunks};

/// An answer of gRPC.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcAnswer {
    /// Its messages.
    pub messages: Chunks,
    /// `grpc-status`.
    pub status: u16,
    /// `grpc-message`, where there is one.
    pub message: Option<String>,
}

impl Behaviour {
    /// Makes headers, body and trailers of what is said of gRPC. An answer without messages has its status
    /// in the headers, as a server's own has.
    ///
    /// # Errors
    /// A body beside the messages.
    pub(super) fn spell_out_grpc(&mut self) -> Result<(), String> {
        let Some(grpc) = self.grpc.take() else {
            return Ok(());
        };
        if !self.body.0.is_empty() {
            return Err("upstreams: use either body or grpc, not both".to_owned());
        }
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        self.headers
            .0
            .push(header("content-type", "application/grpc"));
        let with_status = if grpc.messages.0.is_empty() && self.trailers.0.is_empty() {
            &mut self.headers
        } else {
            &mut self.trailers
        };
        with_status
            .0
            .push(header("grpc-status", &grpc.status.to_string()));
        if let Some(message) = &grpc.message {
            with_status.0.push(header("grpc-message", message));
        }
        let framed = |chunk: Chunk| Chunk {
            after: chunk.after,
            data: frame(&chunk.data),
        };
        self.body = Chunks(grpc.messages.0.into_iter().map(framed).collect());
        Ok(())
    }

    /// Whether its headers must be its end: a status of gRPC that stands in them counts only there (gRPC over
    /// HTTP/2, "Trailers-Only").
    pub(super) fn ends_in_its_headers(&self) -> bool {
        let mut names = self.headers.0.iter().map(|(name, _)| name);
        self.body.0.is_empty() && names.any(|name| name.eq_ignore_ascii_case("grpc-status"))
    }

    /// Whether its answer, or the rest of it, never comes.
    pub(super) fn falls_silent(&self) -> bool {
        [self.fault, self.breaks]
            .into_iter()
            .flatten()
            .any(|fault| matches!(fault, Fault::Silent | Fault::TimedOut))
    }

    /// Whether an answer, or a fault, waits for no more of a request.
    pub(super) fn is_due(&self, ended: bool) -> bool {
        ended || self.early || self.refuses()
    }
}
