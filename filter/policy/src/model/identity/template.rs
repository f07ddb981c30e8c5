//! Patterns that hold the tenant's name, such as `spiffe://corp.example/ns/{tenant}/sa/*`.

use crate::document::is_name;

const TENANT: &str = "{tenant}";

/// A pattern for a whole value. Its parts lie between separators, and each has at most one thing
/// that varies, so a value matches in one way or in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    separator: Option<char>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Varies {
        what: Varying,
        before: String,
        after: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Varying {
    /// `{tenant}`.
    Tenant,
    /// `*`: at least one character.
    Anything,
}

impl Template {
    /// Compiles a pattern whose parts are separated so; without a separator it is one part.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(pattern: &str, separator: Option<char>) -> Result<Self, String> {
        let parts: Vec<Part> = split(pattern, separator)
            .map(Part::new)
            .collect::<Result<_, _>>()?;
        let tenants = parts.iter().filter(|part| part.is_tenant()).count();
        if tenants != 1 {
            return Err("it must contain {tenant} exactly once".to_owned());
        }
        Ok(Self { separator, parts })
    }

    /// The tenant's name in a value; `None` where the value does not match.
    pub(crate) fn tenant<'v>(&self, value: &'v str) -> Option<&'v str> {
        let mut values = split(value, self.separator);
        let mut tenant = None;
        for part in &self.parts {
            let value = values.next()?;
            match part {
                Part::Literal(literal) if literal == value => {}
                Part::Literal(_) => return None,
                Part::Varies {
                    what,
                    before,
                    after,
                } => {
                    let found = value.strip_prefix(before.as_str())?;
                    let found = found.strip_suffix(after.as_str())?;
                    match what {
                        Varying::Anything if found.is_empty() => return None,
                        Varying::Anything => {}
                        Varying::Tenant if is_name(found) => tenant = Some(found),
                        Varying::Tenant => return None,
                    }
                }
            }
        }
        if values.next().is_some() {
            return None;
        }
        tenant
    }
}

impl Part {
    fn new(text: &str) -> Result<Self, String> {
        let (what, pieces) = match (text.split_once(TENANT), text.split_once('*')) {
            (Some(pieces), _) => (Varying::Tenant, pieces),
            (None, Some(pieces)) => (Varying::Anything, pieces),
            (None, None) if text.contains(['{', '}']) => {
                return Err("braces are allowed only in {tenant}".to_owned());
            }
            (None, None) => return Ok(Self::Literal(text.to_owned())),
        };
        let (before, after) = pieces;
        if [before, after]
            .iter()
            .any(|piece| piece.contains(['*', '{', '}']))
        {
            return Err(format!(
                "the part {text:?} has more than one of {{tenant}} and *, so it would be ambiguous"
            ));
        }
        Ok(Self::Varies {
            what,
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    const fn is_tenant(&self) -> bool {
        matches!(
            self,
            Self::Varies {
                what: Varying::Tenant,
                ..
            }
        )
    }
}

fn split(text: &str, separator: Option<char>) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, behind) = match separator.and_then(|separator| text.split_once(separator)) {
            Some((part, behind)) => (part, Some(behind)),
            None => (text, None),
        };
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(pattern: &str, value: &str) -> Option<String> {
        let template = Template::new(pattern, Some('/')).unwrap();
        template.tenant(value).map(ToOwned::to_owned)
    }

    #[test]
    fn the_tenant_is_one_element_and_the_rest_must_fit() {
        let pattern = "spiffe://corp.example/ns/{tenant}/sa/*";
        let rows = [
            (
                "spiffe://corp.example/ns/payments/sa/build",
                Some("payments"),
            ),
            ("spiffe://corp.example/ns/payments/sa/", None),
            ("spiffe://corp.example/ns/payments/sa/build/more", None),
            ("spiffe://corp.example/ns/payments/sa", None),
            ("spiffe://corp.example/ns//sa/build", None),
            ("spiffe://corp.example/ns/a.b/sa/build", None),
            ("spiffe://corp.example.evil/ns/payments/sa/build", None),
            ("spiffe://evil/spiffe://corp.example/ns/x/sa/y", None),
            ("SPIFFE://corp.example/ns/payments/sa/build", None),
            ("", None),
        ];
        table_rows::check(rows, |(value, tenant)| {
            assert_eq!(uri(pattern, value).as_deref(), tenant, "{value}");
        });
        assert_eq!(uri("x://{tenant}-ns/*", "x://a-ns/b"), Some("a".into()));
        assert_eq!(
            uri("x://{tenant}-ns/*", "x://a-ns-ns/b"),
            Some("a-ns".into())
        );
    }

    #[test]
    fn a_pattern_that_could_match_in_two_ways_is_refused() {
        for bad in [
            "",
            "spiffe://x/*",
            "{tenant}/{tenant}",
            "a-{tenant}-*",
            "*{tenant}",
            "{tenant}/**",
            "{tenant}/{sa}",
            "{tenant",
        ] {
            assert!(Template::new(bad, Some('/')).is_err(), "{bad}");
        }
    }
}
