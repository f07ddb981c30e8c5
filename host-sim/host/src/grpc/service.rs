//! The service that a filter names: Envoy's `GrpcService` message, or the name of a cluster.

use prost::Message;

/// Where a gRPC request goes, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) cluster: String,
    /// `:authority`; the cluster's name where it is empty.
    pub(crate) authority: String,
    /// Headers that every request gets, before the filter's own.
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
}

/// There is no such service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is no message, and so the name of a cluster, of which there is none.
    NoCluster,
    /// A message without a cluster of Envoy's.
    NoTarget,
}

impl Service {
    /// Reads what the filter handed in. What can be read as a message is one, a cluster's name too:
    /// `hi` is one, with a field that nobody knows.
    pub(crate) fn read(bytes: &[u8], exists: impl Fn(&str) -> bool) -> Result<Self, Unusable> {
        let Ok(message) = GrpcService::decode(bytes) else {
            let name = std::str::from_utf8(bytes).ok().filter(|name| exists(name));
            let name = name.ok_or(Unusable::NoCluster)?;
            return Ok(Self {
                cluster: name.to_owned(),
                ..Self::default()
            });
        };
        let envoy = message.envoy_grpc.ok_or(Unusable::NoTarget)?;
        let metadata = message.initial_metadata.into_iter().map(|pair| {
            let value = if pair.value.is_empty() {
                pair.raw_value
            } else {
                pair.value.into_bytes()
            };
            (pair.key.to_lowercase(), value)
        });
        Ok(Self {
            cluster: envoy.cluster_name,
            authority: envoy.authority,
            metadata: metadata.collect(),
        })
    }
}

/// `envoy.config.core.v3.GrpcService`, as much of it as matters here.
#[derive(Clone, PartialEq, Message)]
struct GrpcService {
    #[prost(message, optional, tag = "1")]
    envoy_grpc: Option<EnvoyGrpc>,
    #[prost(message, repeated, tag = "5")]
    initial_metadata: Vec<HeaderValue>,
}

/// `envoy.config.core.v3.GrpcService.EnvoyGrpc`.
#[derive(Clone, PartialEq, Message)]
struct EnvoyGrpc {
    #[prost(string, tag = "1")]
    cluster_name: String,
    #[prost(string, tag = "2")]
    authority: String,
}

/// `envoy.config.core.v3.HeaderValue`.
#[derive(Clone, PartialEq, Message)]
struct HeaderValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "vec", tag = "3")]
    raw_value: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Service, Unusable> {
        Service::read(bytes, |name| ["side", "hi"].contains(&name))
    }

    #[test]
    fn a_name_is_a_cluster_unless_it_can_be_read_as_a_message() {
        assert_eq!(read(b"side").unwrap().cluster, "side");
        assert_eq!(read(b"nobody"), Err(Unusable::NoCluster));
        assert_eq!(read(b"hi"), Err(Unusable::NoTarget));
        assert_eq!(read(b""), Err(Unusable::NoTarget));
    }

    #[test]
    fn a_message_says_cluster_authority_and_metadata() {
        let bytes = b"\x0a\x0b\x0a\x04side\x12\x03a.b\x2a\x07\x0a\x02Xa\x12\x01b";
        let service = read(bytes).unwrap();
        assert_eq!((&*service.cluster, &*service.authority), ("side", "a.b"));
        assert_eq!(service.metadata, [("xa".to_owned(), b"b".to_vec())]);
    }
}
