//! A small generator of random numbers (splitmix64): one seed gives the same case on every machine and for ever.

pub struct Random {
    state: u64,
}

impl Random {
    /// Numbers for one purpose of a seed. Purposes do not disturb each other: a shorter history leaves everything else
    /// of the case as it is.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let state = purpose
            .bytes()
            .fold(seed, |state, byte| Self { state }.next() ^ u64::from(byte));
        Self { state }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to and without `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Both ends are included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// So many different numbers below `end`, in any order.
    pub fn distinct(&mut self, count: usize, end: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..end).collect();
        (0..count.min(end))
            .map(|_| {
                let place = self.below(all.len());
                all.swap_remove(place)
            })
            .collect()
    }
}
