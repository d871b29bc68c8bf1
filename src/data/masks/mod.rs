//! Masks: a class for every pixel of an image.

mod read;

use crate::Rng;
use rand::seq::SliceRandom;
use std::sync::Arc;

/// Masks of as many images. What a seed does to them is a list of rows: the pixels themselves are there once.
#[derive(Clone, Debug)]
pub struct Masks {
    pub height: usize,
    pub width: usize,
    /// `[masks, height, width]`
    pixels: Arc<Vec<u8>>,
    /// Which of them are meant, in this order.
    rows: Vec<u32>,
}

impl Masks {
    /// `pixels` is `[masks, height, width]`; what is left over at its end belongs to none.
    pub fn new(height: usize, width: usize, pixels: Vec<u8>) -> Masks {
        let masks = pixels.len() / (height * width).max(1);
        Masks { height, width, pixels: pixels.into(), rows: (0..masks as u32).collect() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One mask, `[height, width]`.
    pub fn of(&self, row: usize) -> &[u8] {
        let size = self.height * self.width;
        let place = self.rows[row] as usize * size;
        &self.pixels[place..place + size]
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|row| self.of(row))
    }

    /// These rows alone, in this order.
    pub fn kept(&self, rows: &[usize]) -> Masks {
        Masks { rows: rows.iter().map(|row| self.rows[*row]).collect(), ..self.clone() }
    }

    /// Each value replaced by another.
    fn mapped(&self, of: impl Fn(u8) -> u8) -> Masks {
        Masks::new(self.height, self.width, self.iter().flatten().map(|value| of(*value)).collect())
    }

    /// How often each value occurs.
    fn counts(&self) -> [u64; 256] {
        let mut counts = [0; 256];
        self.iter().flatten().for_each(|value| counts[usize::from(*value)] += 1);
        counts
    }

    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        self.rows.shuffle(rng);
    }
}

/// As what they hold, however they hold it.
impl PartialEq for Masks {
    fn eq(&self, other: &Masks) -> bool {
        (self.height, self.width) == (other.height, other.width) && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_without_a_copy() {
        let masks = Masks::new(1, 2, vec![0, 1, 2, 3, 4, 5]);
        let kept = masks.kept(&[2, 0]);
        assert_eq!(kept.iter().collect::<Vec<_>>(), [[4, 5], [0, 1]]);
        assert_eq!(kept.kept(&[1]), Masks::new(1, 2, vec![0, 1]));
        assert!(Arc::ptr_eq(&kept.pixels, &masks.pixels));
        assert_ne!(masks, Masks::new(2, 1, vec![0, 1, 2, 3, 4, 5]), "another shape");
        let mut shuffled = masks.clone();
        shuffled.shuffle(&mut crate::stream(0, "test", 0));
        let mut sorted: Vec<_> = shuffled.iter().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, masks.iter().collect::<Vec<_>>());
    }
}
