//! Calls that a proxy refuses.

/// Which of the calls that can be refused are: those of these numbers, the first is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    numbers: Vec<usize>,
    calls: usize,
}

impl Faults {
    /// These calls.
    pub const fn at(numbers: Vec<usize>) -> Self {
        Self { numbers, calls: 0 }
    }

    pub(super) const fn calls(&self) -> usize {
        self.calls
    }

    /// Counts a call; whether it is refused.
    pub(super) fn is_refused(&mut self) -> bool {
        let number = self.calls;
        self.calls = self.calls.saturating_add(1);
        self.numbers.contains(&number)
    }
}
