//! States by their fingerprints.

use std::hash::Hasher;

/// Folds the bytes of a state into 64 bits, eight at a time. A state has a byte for each field, and
/// no two states have the same bytes.
#[derive(Debug)]
pub(crate) struct Fingerprint {
    state: u64,
    word: u64,
    bits: u32,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self {
            state: SEED,
            word: 0,
            bits: 0,
        }
    }
}

impl Fingerprint {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.word |= u64::from(byte) << self.bits;
        self.bits += 8;
        if self.bits == u64::BITS {
            self.state = fold(self.state, self.word);
            self.word = 0;
            self.bits = 0;
        }
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.byte(*byte));
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.byte(byte);
    }

    /// An enum's variant, of which there are few.
    #[inline]
    fn write_isize(&mut self, variant: isize) {
        self.byte(variant as u8);
    }

    /// An array's length, which is always the same.
    #[inline]
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        fold(fold(self.state, self.word), SEED)
    }
}

/// Both halves of a product, in which every bit of both words has a part.
#[inline]
fn fold(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ FIRST) * u128::from(word ^ SECOND);
    (product as u64) ^ ((product >> u64::BITS) as u64)
}

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FIRST: u64 = 0x1319_8a2e_0370_7344;
const SECOND: u64 = 0xa409_3822_299f_31d0;
