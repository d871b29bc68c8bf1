//! Vectors of floats, as wide as the running machine has them, for loops that must keep their sums in registers.

use super::vector::Simd;

/// A float whose vectors can be computed with.
pub(crate) trait Lanes: Copy {
    type Vector<S: Simd>: Copy;

    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a · b + c`, rounded once where the machine can.
    fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
}

impl Lanes for f32 {
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f32) -> S::f32s {
        simd.splat_f32s(value)
    }

    #[inline(always)]
    fn add<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.add_f32s(a, b)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_f32s(a, b, c)
    }
}

impl Lanes for f64 {
    type Vector<S: Simd> = S::f64s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f64) -> S::f64s {
        simd.splat_f64s(value)
    }

    #[inline(always)]
    fn add<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.add_f64s(a, b)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_f64s(a, b, c)
    }
}

/// Floats of a vector.
#[inline(always)]
pub(crate) const fn lanes<T: Lanes, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// The vector that begins at `at`.
///
/// # Safety
/// [`lanes`] floats can be read there.
#[inline(always)]
pub(crate) unsafe fn load<T: Lanes, S: Simd>(at: *const T) -> T::Vector<S> {
    // SAFETY: the caller's; vectors are plain floats, and need no alignment here.
    unsafe { at.cast::<T::Vector<S>>().read_unaligned() }
}

/// Writes a vector that begins at `at`.
///
/// # Safety
/// [`lanes`] floats can be written there.
#[inline(always)]
pub(crate) unsafe fn store<T: Lanes, S: Simd>(at: *mut T, vector: T::Vector<S>) {
    // SAFETY: as in `load`.
    unsafe { at.cast::<T::Vector<S>>().write_unaligned(vector) }
}

/// Copies floats where there are too few of them for a call.
///
/// # Panics
/// When the slices differ in length.
#[inline(always)]
pub(crate) fn copy<T: Lanes, S: Simd>(from: &[T], to: &mut [T]) {
    assert_eq!(from.len(), to.len(), "floats to copy");
    // Two vectors at once: of one, the compiler would make a call again.
    let (width, mut at) = (lanes::<T, S>(), 0);
    while at + 2 * width <= from.len() {
        let (from, to) = (from[at..].as_ptr(), to[at..].as_mut_ptr());
        // SAFETY: both slices have two vectors from there on.
        unsafe {
            let (first, second) = (load::<T, S>(from), load::<T, S>(from.add(width)));
            store::<T, S>(to, first);
            store::<T, S>(to.add(width), second);
        }
        at += 2 * width;
    }
    if at < from.len() {
        to[at..].copy_from_slice(&from[at..]);
    }
}
