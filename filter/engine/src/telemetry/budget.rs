//! How many values a label may have. Envoy never drops a series, so their number must be bounded.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

/// The most values that each of the labels `tenant` and `rule` has in one VM.
pub const MAX_LABEL_VALUES: usize = 5000;

/// The most pairs of a tenant and a variant that requests are counted by in one VM: each has a series
/// for each operation, backend and outcome.
pub const MAX_TENANT_VARIANTS: usize = 1000;

/// Admits a bounded number of values; they come from the policy, never from a client.
#[derive(Debug)]
pub struct LabelBudget {
    most: usize,
    seen: HashSet<String, FxBuildHasher>,
}

impl Default for LabelBudget {
    fn default() -> Self {
        Self::new(MAX_LABEL_VALUES)
    }
}

impl LabelBudget {
    /// A budget for this many values.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            seen: HashSet::default(),
        }
    }

    /// Whether a series may carry this value: it was admitted before, or there is room.
    pub fn admits(&mut self, value: &str) -> bool {
        if self.seen.contains(value) {
            return true;
        }
        if self.seen.len() >= self.most {
            return false;
        }
        self.seen.insert(value.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admitted_values_stay_admitted() {
        let mut budget = LabelBudget::new(2);
        assert!(budget.admits("a") && budget.admits("b"));
        assert!(!budget.admits("c"));
        assert!(budget.admits("a"));
    }
}
