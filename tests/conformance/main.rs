//! One behaviour, two implementations: the engine and Go's own packages, the simulator and Envoy.

mod differential;
mod framing;
mod h1;
mod held_bodies;
mod hostcalls;
mod parity;
mod scenarios;
mod scenarios_envoy;
