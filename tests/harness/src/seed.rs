//! The seed of tests that throw dice.

/// The one that `MODGATE_SEED` names, to repeat a run; else any. It is printed, and so shown where the
/// test fails.
pub fn seed() -> u64 {
    let named = std::env::var("MODGATE_SEED").ok();
    let seed = named.and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::Rng::new().get_seed());
    println!("MODGATE_SEED={seed}");
    seed
}
