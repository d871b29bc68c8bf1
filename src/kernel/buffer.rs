//! Scratch memory that is used again: a training step allocates its large buffers once.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// The buffers of one element type that a thread has at hand.
pub(crate) type Shelf<T> = LocalKey<RefCell<Vec<Vec<T>>>>;

/// Elements whose buffers a thread keeps.
pub(crate) trait Shelved: Copy + Default + 'static {
    fn shelf() -> &'static Shelf<Self>;
}

impl Shelved for f32 {
    fn shelf() -> &'static Shelf<f32> {
        thread_local!(static SHELF: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) });
        &SHELF
    }
}

impl Shelved for f64 {
    fn shelf() -> &'static Shelf<f64> {
        thread_local!(static SHELF: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) });
        &SHELF
    }
}

/// A slice whose memory goes back to the thread when it is dropped.
pub(crate) struct Buffer<T: Shelved> {
    /// At least `len` elements: a buffer that shrank keeps the rest, so that growing again costs nothing.
    elements: Vec<T>,
    len: usize,
}

impl<T: Shelved> Buffer<T> {
    /// `len` elements of any value: what an earlier user left there.
    pub fn any(len: usize) -> Self {
        let take = |shelf: &RefCell<Vec<Vec<T>>>| {
            let mut shelf = shelf.borrow_mut();
            let fitting = (0..shelf.len()).filter(|&i| shelf[i].len() >= len);
            let best = fitting.min_by_key(|&i| shelf[i].len());
            best.map(|i| shelf.swap_remove(i))
        };
        // A thread that ends has no shelf any more.
        let elements = T::shelf().try_with(take).ok().flatten().unwrap_or_else(|| vec![T::default(); len]);
        Buffer { elements, len }
    }

    /// No elements; nothing is taken from the shelf.
    pub fn none() -> Self {
        Buffer { elements: Vec::new(), len: 0 }
    }

    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::any(len);
        buffer.fill(T::default());
        buffer
    }
}

impl<T: Shelved> Drop for Buffer<T> {
    fn drop(&mut self) {
        let elements = std::mem::take(&mut self.elements);
        if !elements.is_empty() {
            T::shelf().try_with(|shelf| shelf.borrow_mut().push(elements)).ok();
        }
    }
}

impl<T: Shelved> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements[..self.len]
    }
}

impl<T: Shelved> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_by_whom_it_fits_best() {
        let (small, large) = (Buffer::<f32>::zeros(10), Buffer::<f32>::zeros(1000));
        let (at_small, at_large) = (small.as_ptr(), large.as_ptr());
        drop((small, large));
        let (again, more) = (Buffer::<f32>::any(9), Buffer::<f32>::any(500));
        assert_eq!((again.as_ptr(), again.len()), (at_small, 9));
        assert_eq!((more.as_ptr(), more.len()), (at_large, 500));
        assert_eq!(Buffer::<f32>::zeros(500)[..], [0.0; 500]);
    }
}
