//! Shares in percent.

use std::collections::BTreeMap;

use super::errors::Errors;
use crate::document::Path;
use crate::model::{ALL, hundredths};

/// The weights of what is known, in its order and in hundredths of a percent; `what` that is, in words.
pub(crate) fn compile<T>(
    errors: &mut Errors,
    at: &Path,
    what: &str,
    weights: &BTreeMap<String, f64>,
    known: &[T],
    name_of: impl Fn(&T) -> &str,
) -> Vec<u16> {
    let mut all = vec![0; known.len()];
    let (mut sum, mut is_sound) = (0_u32, true);
    for (name, percent) in weights {
        let at = at.key(name);
        let place = errors.find(&at, what, name, known, &name_of);
        let Some(weight) = hundredths(*percent) else {
            errors.add(
                &at,
                "write a number from 0 to 100 with at most two decimals",
            );
            is_sound = false;
            continue;
        };
        sum += u32::from(weight);
        if let Some(known) = place.and_then(|place| all.get_mut(place)) {
            *known = weight;
        }
    }
    if is_sound && sum != u32::from(ALL) {
        let (whole, rest) = (sum / 100, sum % 100);
        let message = format!("the weights add up to {whole}.{rest:02}, and must add up to 100");
        errors.add(at, message);
    }
    all
}
