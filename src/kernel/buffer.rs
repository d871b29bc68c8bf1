//! Scratch memory that is used again: a training step allocates its large buffers once.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// The buffers of one element type that a thread has at hand, by the class of their size.
pub(crate) type Shelf<T> = LocalKey<RefCell<[Vec<Vec<T>>; CLASSES]>>;

/// Four classes for every doubling, up to 2⁴⁰ elements.
const CLASSES: usize = 156;

/// Classes that are looked through beyond one's own: no buffer is more than twice as large as what is asked for, and finding one takes as
/// long however many there are.
const FURTHER: usize = 4;

/// The smallest class that holds so many elements.
fn class(len: usize) -> usize {
    if len <= 4 {
        return 0;
    }
    let doublings = (len - 1).ilog2() as usize - 2;
    4 * doublings + ((len - 1) >> doublings) - 3
}

/// Elements of a buffer of a class.
fn capacity(class: usize) -> usize {
    (4 + class % 4) << (class / 4)
}

/// Elements whose buffers a thread keeps.
pub(crate) trait Shelved: Copy + Default + 'static {
    fn shelf() -> &'static Shelf<Self>;
}

impl Shelved for f32 {
    fn shelf() -> &'static Shelf<f32> {
        thread_local!(static SHELF: RefCell<[Vec<Vec<f32>>; CLASSES]> = const { RefCell::new([const { Vec::new() }; CLASSES]) });
        &SHELF
    }
}

impl Shelved for f64 {
    fn shelf() -> &'static Shelf<f64> {
        thread_local!(static SHELF: RefCell<[Vec<Vec<f64>>; CLASSES]> = const { RefCell::new([const { Vec::new() }; CLASSES]) });
        &SHELF
    }
}

/// Bytes of a line of the processor's caches: vectors that begin with one are read and written in one go.
const LINE: usize = 64;

/// A slice that begins with a cache line, and whose memory goes back to the thread when it is dropped.
pub(crate) struct Buffer<T: Shelved> {
    /// As many as the capacity of a class, at least `len`, and a line more.
    elements: Vec<T>,
    /// Where the first line begins.
    start: usize,
    len: usize,
}

impl<T: Shelved> Buffer<T> {
    /// Elements of a line.
    const A_LINE: usize = LINE / size_of::<T>();

    /// `len` elements of any value: what an earlier user left there.
    pub fn any(len: usize) -> Self {
        if len == 0 {
            return Self::none();
        }
        let class = class(len);
        let take = |shelf: &RefCell<[Vec<Vec<T>>; CLASSES]>| {
            shelf.borrow_mut().iter_mut().skip(class).take(FURTHER + 1).find_map(Vec::pop)
        };
        // A thread that ends has no shelf any more.
        let kept = T::shelf().try_with(take).ok().flatten();
        let elements = kept.unwrap_or_else(|| vec![T::default(); capacity(class) + Self::A_LINE]);
        let start = elements.as_ptr().align_offset(LINE).min(Self::A_LINE);
        Buffer { elements, start, len }
    }

    /// No elements; nothing is taken from the shelf.
    pub fn none() -> Self {
        Buffer { elements: Vec::new(), start: 0, len: 0 }
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
            let put = |shelf: &RefCell<[Vec<Vec<T>>; CLASSES]>| {
                if let Some(class) = shelf.borrow_mut().get_mut(class(elements.len() - Self::A_LINE)) {
                    class.push(elements);
                }
            };
            T::shelf().try_with(put).ok();
        }
    }
}

impl<T: Shelved> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements[self.start..][..self.len]
    }
}

impl<T: Shelved> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements[self.start..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_the_smallest_class_that_holds_it() {
        for len in (0..5000).chain([1 << 20, (1 << 30) + 1]) {
            let class = class(len);
            assert!(capacity(class) >= len && (class == 0 || capacity(class - 1) < len), "{len}");
        }
        assert!(class(1 << 40) < CLASSES);
    }

    #[test]
    fn buffers_begin_with_a_cache_line() {
        let lengths = || [1, 5, 63, 1000, 1 << 16].into_iter();
        let (single, double): (Vec<_>, Vec<_>) =
            lengths().map(|len| (Buffer::<f32>::any(len), Buffer::<f64>::zeros(len))).unzip();
        assert!(single.iter().all(|buffer| (buffer.as_ptr() as usize).is_multiple_of(LINE)));
        assert!(double.iter().all(|buffer| (buffer.as_ptr() as usize).is_multiple_of(LINE)));
        assert!(single.iter().zip(lengths()).all(|(buffer, len)| buffer.len() == len));
    }

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
