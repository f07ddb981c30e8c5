//! The proxy on real sockets: clients and upstreams of `hyper` and plain TCP, a small filter between.

mod grpc;
mod lifecycle;
mod messages;
mod support;
mod upstreams;
