//! The dashboards: made of the catalogue and nothing else, laid out on Grafana's grid, and each of their
//! queries asked of a real Prometheus.

mod backend;
mod collector;
mod layout;
mod made;
mod otlp;
mod pod_api;
mod pods;
mod proof;
mod queries;
mod requested;
mod scrape;
mod server;
mod shown;
mod traffic;
mod types;
