//! Numbers of files in an order of their names, put in one by one: so that nothing is left to be sorted
//! when the last byte of a zip has come, and each file costs the worker no more than a few comparisons.

use std::cmp::Ordering;

/// How many numbers are moved at most to put one in.
const BLOCK: usize = 512;

/// The numbers, in blocks none of which is empty.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<Vec<u32>>);

impl Order {
    /// Puts a number in behind all of which `compare` says that they are lower. The ones beside it then.
    pub(super) fn insert(
        &mut self,
        number: u32,
        compare: impl Fn(u32) -> Ordering,
    ) -> [Option<u32>; 2] {
        let is_lower = |known: &u32| compare(*known).is_lt();
        let lower = self
            .0
            .partition_point(|block| block.first().is_some_and(is_lower));
        let at = lower.saturating_sub(1);
        let is_last = at + 1 >= self.0.len();
        let first_behind = self.0.get(at + 1).and_then(|next| next.first()).copied();
        let Some(block) = self.0.get_mut(at) else {
            self.0.push(vec![number]);
            return [None, None];
        };
        let place = block.partition_point(is_lower);
        let before = place
            .checked_sub(1)
            .and_then(|before| block.get(before))
            .copied();
        let after = block.get(place).copied().or(first_behind);
        if block.len() < BLOCK {
            block.insert(place, number);
        } else if is_last && place == BLOCK {
            // As most zips have their files: each block is full then.
            self.0.push(one(number));
        } else {
            let half = BLOCK / 2;
            let mut behind = Vec::with_capacity(BLOCK);
            behind.extend(block.drain(half..));
            match place.checked_sub(half) {
                Some(place) => behind.insert(place, number),
                None => block.insert(place, number),
            }
            self.0.insert(at + 1, behind);
        }
        [before, after]
    }

    /// All of them from this place on, the lowest first.
    pub(super) fn from(&self, at: Place) -> impl Iterator<Item = (u32, Place)> + '_ {
        let blocks = self.0.iter().enumerate().skip(at.block);
        blocks.flat_map(move |(block, numbers)| {
            let skipped = if block == at.block { at.place } else { 0 };
            let numbers = numbers.iter().copied().enumerate().skip(skipped);
            numbers.map(move |(place, number)| {
                (
                    number,
                    Place {
                        block,
                        place: place + 1,
                    },
                )
            })
        })
    }
}

fn one(number: u32) -> Vec<u32> {
    let mut block = Vec::with_capacity(BLOCK);
    block.push(number);
    block
}

/// A place in an order to which nothing is added any more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    block: usize,
    place: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_in_order_however_they_were_put_in() {
        for step in [1_u32, 4099, 2557, 5002] {
            let mut order = Order::default();
            let mut sorted: Vec<u32> = Vec::new();
            for n in 0..5003 {
                let number = n * step % 5003;
                let place = sorted.partition_point(|known| *known < number);
                let beside = [
                    place.checked_sub(1).map(|at| sorted[at]),
                    sorted.get(place).copied(),
                ];
                sorted.insert(place, number);
                assert_eq!(order.insert(number, |known| known.cmp(&number)), beside);
            }
            let all: Vec<u32> = order
                .from(Place::default())
                .map(|(number, _)| number)
                .collect();
            assert_eq!(all, sorted);
            let (_, place) = order.from(Place::default()).nth(3000).unwrap();
            assert_eq!(order.from(place).next().unwrap().0, sorted[3001]);
            assert!(order.0.iter().all(|block| block.len() <= BLOCK));
        }
    }
}
