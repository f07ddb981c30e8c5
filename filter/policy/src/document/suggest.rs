//! What somebody probably meant who misspelt a name.

/// Names that earlier versions had, and what they are called now.
const RENAMED: [(&str, &str); 1] = [("observe", "shadow")];

/// The hint behind a message, `; did you mean "deny"?`; empty where no known name is near.
///
/// Near is what differs in a third of its letters at most; of several the nearest, then the first. The new
/// name of what was renamed is nearer than any other.
pub fn did_you_mean<'n>(found: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let renamed = RENAMED.iter().find(|(old, _)| *old == found);
    if let Some((_, new)) = renamed.filter(|(_, new)| known.contains(new)) {
        return format!("; did you mean {new:?}?");
    }
    let letters = found.chars().count();
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let near = known
        .into_iter()
        .map(|name| (strsim::osa_distance(&plain(found), &plain(name)), name))
        .filter(|(distance, name)| {
            distance * 3 <= letters.max(name.chars().count()) && *name != found
        })
        .min_by_key(|(distance, _)| *distance);
    near.map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_suggested_and_nothing_else() {
        let known = ["path_prefix", "rewrite", "deny", "allow", "shadow"];
        let rows = [
            ("path-prefix", "; did you mean \"path_prefix\"?"),
            ("Deny", "; did you mean \"deny\"?"),
            ("dney", "; did you mean \"deny\"?"),
            ("alow", "; did you mean \"allow\"?"),
            ("observe", "; did you mean \"shadow\"?"),
            ("reason", ""),
            ("", ""),
        ];
        table_rows::check(rows, |(found, hint)| {
            assert_eq!(did_you_mean(found, known.into_iter()), hint, "{found}");
        });
    }
}
