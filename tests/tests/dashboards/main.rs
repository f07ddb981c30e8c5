//! The dashboards: made of the catalogue and nothing else, laid out on Grafana's grid, and each of their
//! queries asked of a real Prometheus.

mod asked;
mod backend;
mod layout;
mod made;
mod picture;
mod proof;
mod queries;
mod scrape;
mod traffic;
