//! Places in a document, as cheap as a reading that finds nothing wrong wants them.

use super::error::Path;

/// A place, by the one that it lies in.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

/// A step from a place to one within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Place<'_> {
    pub(super) fn path(&self) -> Path {
        path_of(&self.steps())
    }

    /// The way to it from the root.
    pub(super) fn steps(&self) -> Vec<Step> {
        let (above, step) = match self {
            Self::Root => return Vec::new(),
            Self::Key(object, key) => (object, Step::Key((*key).to_owned())),
            Self::Index(list, index) => (list, Step::Index(*index)),
        };
        let mut steps = above.steps();
        steps.push(step);
        steps
    }
}

/// The JSON path of a way from the root.
pub(super) fn path_of(steps: &[Step]) -> Path {
    steps.iter().fold(Path::root(), |path, step| match step {
        Step::Key(key) => path.key(key),
        Step::Index(index) => path.index(*index),
    })
}
