/// Deterministic pseudo-random numbers (`SplitMix64`), for faults and simulations.
///
/// ```
/// use commerce_testkit::Random;
///
/// let (mut one, mut other) = (Random::new(42), Random::new(42));
/// assert_eq!(one.below(1000), other.below(1000));
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit; 0 if the limit is 0. The limit should be far below 2⁶⁴, otherwise the distribution is biased.
    pub const fn below(&mut self, limit: u64) -> u64 {
        match self.next().checked_rem(limit) {
            Some(number) => number,
            None => 0,
        }
    }

    /// Returns true with a probability in thousandths.
    pub const fn happens(&mut self, per_mille: u16) -> bool {
        #[expect(clippy::as_conversions, reason = "lossless widening in a const fn")]
        let chance = per_mille as u64;
        self.below(1000) < chance
    }
}
