//! Scenarios around small guests: what is seen of filters that are wrong, configurations that come later,
//! and what an exploration finds.

mod configurations;
mod exploration;
#[path = "../../../host/tests/host/guest.rs"]
mod guest;
mod scenarios;
