//! Drawing one of some names by weight, the same wherever and whenever it is drawn.
//!
//! What is drawn for (a client, say) depends on a bucket, and each bucket on the name with the best ticket
//! in it (weighted rendezvous hashing; Thaler and Ravishankar, "Using Name-Based Mappings to Increase
//! Hit Rates", and Schindelhauer and Schomaker, "Weighted Distributed Hash Tables"). So where weights
//! change, or a name comes or goes, only what must move does. All is computed in integers: a float's
//! logarithm differs between machines.

use sha2::{Digest, Sha256};

/// How many buckets there are: so many that the share of a name is exact to a twentieth of a percent.
pub const BUCKETS: u32 = 1_000_000;

/// The bits behind the point of a logarithm.
const FRACTION: u32 = 32;

/// The place of the name that is drawn for a key, where some name has a weight, and the key's bucket.
pub(crate) fn draw_for<'n>(
    salt: &[&str; 3],
    key: [&str; 2],
    weights: impl Iterator<Item = (&'n str, u16)>,
) -> (Option<usize>, u32) {
    let parts: Vec<&str> = salt.iter().copied().chain(key).collect();
    let bucket = bucket(&parts);
    (draw(salt, bucket, weights), bucket)
}

/// The bucket of a key.
fn bucket(parts: &[&str]) -> u32 {
    (number(parts) % u64::from(BUCKETS)) as u32
}

/// The place of the name that is drawn in a bucket; `None` where none has a weight. Weights are at most
/// 10,000, and `salt` is what else the draw depends on.
fn draw<'n>(
    salt: &[&str],
    bucket: u32,
    weights: impl Iterator<Item = (&'n str, u16)>,
) -> Option<usize> {
    let bucket = bucket.to_string();
    let mut best: Option<(usize, u64, u64)> = None;
    for (place, (name, weight)) in weights.enumerate() {
        if weight == 0 {
            continue;
        }
        let parts: Vec<&str> = salt.iter().copied().chain([&*bucket, name]).collect();
        // The first of several clocks that each go off at a rate of their own: -ln(u) / weight.
        let (ticket, weight) = (minus_log2(number(&parts)), u64::from(weight));
        let wins = best.is_none_or(|(_, other, rate)| ticket * rate < other * weight);
        if wins {
            best = Some((place, ticket, weight));
        }
    }
    best.map(|(place, ..)| place)
}

/// 64 bits that depend on all parts.
pub(crate) fn number(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// -log2 of `(number + 1) / 2^64`, with [`FRACTION`] bits behind the point: from 0 to 64.
fn minus_log2(number: u64) -> u64 {
    let above = u128::from(number) + 1;
    let whole = above.ilog2();
    // From 1 to below 2, with 63 bits behind the point.
    let mut rest = (above << 63) >> whole;
    let mut log2 = u64::from(whole);
    for _ in 0..FRACTION {
        rest = (rest * rest) >> 63;
        let bit = rest >> 64;
        rest >>= bit;
        log2 = (log2 << 1) | u64::from(bit as u8);
    }
    (64_u64 << FRACTION) - log2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(weights: &[(&str, u16)], bucket: u32) -> usize {
        draw(&["test"], bucket, weights.iter().copied()).unwrap()
    }

    #[test]
    fn a_logarithm_is_right_to_its_last_bits() {
        for number in [
            0,
            1,
            2,
            1 << 32,
            (1 << 63) - 1,
            1 << 63,
            u64::MAX - 1,
            u64::MAX,
        ] {
            let exact = 64.0 - (number as f64 + 1.0).log2();
            let ours = minus_log2(number) as f64 / 2_f64.powi(32);
            assert!((exact - ours).abs() < 1e-8, "{number}: {ours} for {exact}");
        }
    }

    #[test]
    fn shares_are_what_the_weights_say() {
        let weights = [("a", 3000), ("b", 6950), ("c", 50), ("d", 0)];
        let mut counts = [0; 4];
        let all = 100_000;
        for bucket in 0..all {
            counts[drawn(&weights, bucket)] += 1;
        }
        for ((name, weight), count) in weights.iter().zip(counts) {
            let share = f64::from(*weight) / 10_000.0;
            let spread = (share * (1.0 - share) / f64::from(all)).sqrt();
            let found = f64::from(count) / f64::from(all);
            assert!(
                (found - share).abs() <= 4.0 * spread,
                "{name}: {found} for {share}"
            );
        }
    }

    #[test]
    fn a_draw_does_not_change_between_releases() {
        let weights = [("stable", 7000), ("beta", 3000)];
        let beta: Vec<u32> = (0..40).filter(|b| drawn(&weights, *b) == 1).collect();
        assert_eq!(beta, [2, 5, 14, 19, 21, 22, 23, 24, 25, 26, 37, 39]);
        assert_eq!(
            bucket(&["modgate split", "", "lib", "client", "10.0.0.7"]),
            967_596
        );
    }

    proptest! {
        /// A name whose weight grows takes from others and gives to none, and nothing moves between the
        /// others.
        #[test]
        fn only_what_must_move_does(
            before in 0_u16..5000, more in 0_u16..5000, b in 1_u16..5000, c in 0_u16..5000,
            from in 0_u32..900_000,
        ) {
            let small = [("a", before), ("b", b), ("c", c)];
            let large = [("a", before + more), ("b", b), ("c", c)];
            for bucket in from..from + 200 {
                let (then, now) = (drawn(&small, bucket), drawn(&large, bucket));
                prop_assert!(then == now || now == 0, "{then} to {now}");
            }
        }
    }
}
