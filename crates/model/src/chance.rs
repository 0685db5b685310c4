//! Randomness as an argument, so that a test can replay a run from its seed.

use std::cell::RefCell;
use std::sync::Mutex;

/// A source of random bytes. Everything that needs chance is handed one.
pub trait Chance: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn number(&self) -> u64 {
        let mut bytes = [0_u8; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// The operating system's randomness, good enough for keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

/// What is longer, as keys are, is asked for by itself.
const SMALL_MAX: usize = 16;
const STOCK_BYTES: usize = 512;

/// Random bytes that the operating system gave at once, because each question is a call of its kernel, and an attempt asks for
/// eight. Each is given once.
struct Stock {
    bytes: [u8; STOCK_BYTES],
    left: usize,
}

impl Stock {
    fn give(&mut self, to: &mut [u8]) {
        if self.left < to.len() {
            ask(&mut self.bytes);
            self.left = STOCK_BYTES;
        }
        let from = &mut self.bytes[self.left - to.len()..self.left];
        to.copy_from_slice(from);
        from.fill(0);
        self.left -= to.len();
    }
}

thread_local! {
    static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; STOCK_BYTES], left: 0 }) };
}

fn ask(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system always has randomness after boot");
}

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > SMALL_MAX {
            ask(bytes);
        } else {
            STOCK.with_borrow_mut(|stock| stock.give(bytes));
        }
    }
}

/// A repeatable sequence for tests (`SplitMix64`); never for keys.
#[derive(Debug)]
pub struct SeededChance {
    state: Mutex<u64>,
}

impl SeededChance {
    /// Starts the sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock().expect("no code panics while it holds the seed");
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Chance as _, STOCK, STOCK_BYTES, SystemChance};

    #[test]
    fn no_byte_of_the_stock_is_given_twice() {
        let numbers: BTreeSet<_> = (0..STOCK_BYTES).map(|_| SystemChance.number()).collect();
        assert_eq!(
            numbers.len(),
            STOCK_BYTES,
            "eight bytes that come again are nothing that one lives to see"
        );
        let stock = STOCK.with_borrow(|stock| (stock.left, stock.bytes));
        assert!(stock.1[stock.0..].iter().all(|byte| *byte == 0), "what was given is not kept");
    }

    #[test]
    fn what_does_not_fit_into_the_rest_is_random_too() {
        for length in [0, 1, 7, 16, 17, 32, 64, STOCK_BYTES + 1] {
            let mut ever = vec![0_u8; length];
            for _try in 0..200 {
                let mut bytes = vec![0_u8; length];
                SystemChance.fill(&mut bytes);
                ever.iter_mut().zip(bytes).for_each(|(ever, byte)| *ever |= byte);
            }
            assert!(ever.iter().all(|byte| *byte == 255), "of {length} bytes every bit was set once");
        }
    }
}
