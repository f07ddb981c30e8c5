//! Properties: facts about a request that a filter asks for by path
//! (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes>).

mod lookup;
mod message;
mod peer;

pub(crate) use lookup::{Scope, lookup};
