//! What all sources together say.

use std::borrow::Cow;

use super::Source;

/// What the sources say of a request, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    names: Names<'a>,
    /// The first source that said anything.
    pub source: Option<&'static str>,
    /// The kinds of all that did.
    pub kinds: Kinds,
}

/// The tenants that it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Names<'a> {
    /// Nothing was said.
    #[default]
    Unsaid,
    One(Cow<'a, str>),
    /// One of these: a list was all that spoke.
    Any(Vec<Cow<'a, str>>),
    /// None: two sources disagree.
    Conflict,
}

/// What comes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed<'c> {
    /// Nobody in particular.
    Nobody,
    /// This tenant, all that say anything say so.
    Tenant(&'c str),
    /// Two sources disagree.
    Conflict,
    /// Several tenants, and nothing says which.
    Ambiguous,
}

impl<'a> Claim<'a> {
    /// Adds what a source says, if it says anything.
    pub(crate) fn add_optional(&mut self, name: Option<Cow<'a, str>>, source: &Source) {
        if let Some(name) = name {
            self.add(name, source);
        }
    }

    /// Adds the tenant that a source names.
    pub(crate) fn add(&mut self, name: Cow<'a, str>, source: &Source) {
        self.spoken(source);
        self.names = match std::mem::take(&mut self.names) {
            Names::Unsaid => Names::One(name),
            Names::One(known) if known == name => Names::One(known),
            Names::Any(known) if known.contains(&name) => Names::One(name),
            Names::One(_) | Names::Any(_) | Names::Conflict => Names::Conflict,
        };
    }

    /// Adds the tenants of which a source names all; it says nothing where there is none.
    pub(crate) fn add_any(&mut self, names: impl Iterator<Item = Cow<'a, str>>, source: &Source) {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return;
        }
        self.spoken(source);
        self.names = match std::mem::take(&mut self.names) {
            Names::Unsaid => Names::Any(names),
            Names::One(known) if names.contains(&known) => Names::One(known),
            Names::Any(known) => {
                names.retain(|name| known.contains(name));
                if names.is_empty() {
                    Names::Conflict
                } else {
                    Names::Any(names)
                }
            }
            Names::One(_) | Names::Conflict => Names::Conflict,
        };
    }

    /// What is said in the end.
    pub fn claimed(&self) -> Claimed<'_> {
        match &self.names {
            Names::Unsaid => Claimed::Nobody,
            Names::One(name) => Claimed::Tenant(name),
            Names::Conflict => Claimed::Conflict,
            Names::Any(names) => match names.as_slice() {
                [name] => Claimed::Tenant(name),
                _ => Claimed::Ambiguous,
            },
        }
    }

    fn spoken(&mut self, source: &Source) {
        self.source.get_or_insert(source.as_str());
        self.kinds = self.kinds.and(source.kind());
    }
}

/// A set of kinds of proof, for `require`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    pub(crate) const MTLS: Self = Self(1);
    pub(crate) const JWT: Self = Self(1 << 1);
    pub(crate) const BASIC: Self = Self(1 << 2);
    pub(crate) const SNI: Self = Self(1 << 3);
    pub(crate) const LISTENER: Self = Self(1 << 4);
    pub(crate) const PATH: Self = Self(1 << 5);
    pub(crate) const HEADER: Self = Self(1 << 6);

    /// All kinds by their names in the document.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("mtls", Self::MTLS),
        ("jwt", Self::JWT),
        ("basic", Self::BASIC),
        ("sni", Self::SNI),
        ("listener", Self::LISTENER),
        ("path", Self::PATH),
        ("header", Self::HEADER),
    ];

    /// Those of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names of those that are here and not there.
    pub fn missing_in(self, there: Self) -> impl Iterator<Item = &'static str> {
        let missing = self.0 & !there.0;
        let all = Self::ALL.into_iter();
        all.filter(move |(_, kind)| missing & kind.0 != 0)
            .map(|(name, _)| name)
    }
}
