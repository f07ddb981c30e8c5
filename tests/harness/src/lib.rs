//! The harness of the end-to-end tests: it starts the real programs and asks what a user would see.
//!
//! In reading order: [`tools`] finds the programs, [`process`] runs them on [`ports`] of their own, [`envoy`], [`backends`] and
//! [`serve`] are the ones that answer requests, [`stack`] is all of them together, [`go`] and [`http`] ask, [`metrics`] reads figures;
//! [`module_zips`] are real ones, [`forge`] makes others, [`dirhash`] is Go's judgement of both;
//! [`sumdb`] is a checksum database; [`closing`] is a backend that closes kept connections, [`config_map`] a
//! folder as Kubernetes mounts it; [`grafana`] reads dashboards, [`promql`] what they ask.
//!
//! Layers, lowest first: authn, ports, process, tools, backends, http, pki, go, module_zips, modgate, envoy, jwt, metrics, bypass,
//! chunked, closing, config_map, go_program, dirhash, forge, grafana, grafana_server, serve, hosts,
//! http2_files, policies, promql, recording, seed, stack, sumdb, xmod.

pub mod authn;
pub mod backends;
pub mod bypass;
pub mod chunked;
pub mod closing;
pub mod config_map;
pub mod dirhash;
pub mod envoy;
pub mod forge;
pub mod go;
pub mod go_program;
pub mod grafana;
pub mod grafana_server;
pub mod hosts;
pub mod http;
pub mod http2_files;
pub mod jwt;
pub mod metrics;
pub mod modgate;
pub mod module_zips;
pub mod pki;
pub mod policies;
pub mod ports;
pub mod process;
pub mod promql;
pub mod recording;
pub mod seed;
pub mod serve;
pub mod stack;
pub mod sumdb;
pub mod tools;
pub mod xmod;
