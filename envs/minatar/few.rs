//! A list of at most `N` things that never asks the allocator for memory.

/// The first `count` things are in the list.
#[derive(Clone, Debug)]
pub struct Few<T, const N: usize> {
    things: [T; N],
    count: usize,
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Few { things: [T::default(); N], count: 0 }
    }
}

impl<T: Copy, const N: usize> Few<T, N> {
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// # Panics
    /// When the list is full: the rules of the game allow fewer.
    pub fn push(&mut self, thing: T) {
        assert!(self.count < N, "more than {N} things of a kind on the grid");
        self.things[self.count] = thing;
        self.count += 1;
    }

    /// Calls `keep` for every thing in order, which may change it, and removes those for which it returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for i in 0..self.count {
            let mut thing = self.things[i];
            if keep(&mut thing) {
                self.things[kept] = thing;
                kept += 1;
            }
        }
        self.count = kept;
    }

    /// Removes the first thing of this kind, if there is one.
    pub fn remove_first(&mut self, is: impl Fn(&T) -> bool) -> bool {
        let Some(index) = self.iter().position(is) else { return false };
        self.things.copy_within(index + 1..self.count, index);
        self.count -= 1;
        true
    }

    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.things[..self.count].iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_things_keep_their_order() {
        let mut few = Few::<i32, 4>::default();
        (1..=4).for_each(|i| few.push(i));
        few.retain(|thing| {
            *thing *= 10;
            *thing != 20
        });
        assert_eq!(few.iter().collect::<Vec<_>>(), [&10, &30, &40]);
        assert!(few.remove_first(|thing| *thing == 30) && !few.remove_first(|thing| *thing == 30));
        assert_eq!(few.iter().collect::<Vec<_>>(), [&10, &40]);
    }
}
