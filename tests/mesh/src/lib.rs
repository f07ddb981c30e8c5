//! A mesh for a test: etcd, an API server, istiod, and proxies as Istio's agent runs them. All are the real programs;
//! there is no kubelet, so the pods exist as objects only, and no iptables, so a sidecar listens by itself.
//!
//! Layers, lowest first: api_server, istiod, proxy, mesh, deploy.

mod api_server;
mod deploy;
mod istiod;
mod mesh;
mod proxy;

pub use deploy::Deploy;
pub use mesh::{Mesh, NAMESPACE};
pub use proxy::{Pod, Proxy};
