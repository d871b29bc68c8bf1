//! Vectors of floats, as wide as the running machine has them, for loops that must keep their sums in registers.

use super::vector::Simd;
use pulp::MemMask;

/// A float whose vectors can be computed with.
pub(crate) trait Lanes: Copy {
    type Vector<S: Simd>: Copy;

    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a · b + c`, rounded once where the machine can.
    fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// The sum of all lanes.
    fn sum<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;

    /// These lanes, and 0 in the others.
    fn only<S: Simd>(simd: S, mask: Self::Mask<S>, a: Self::Vector<S>) -> Self::Vector<S>;

    /// Which lanes of a vector are meant.
    type Mask<S: Simd>: Copy;

    /// The lanes whose bits are set, from the lowest on.
    fn mask<S: Simd>(simd: S, bits: u32) -> Self::Mask<S>;

    /// `a · b + c` in these lanes, and `c` in the others.
    fn multiply_add_some<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        factors: [Self::Vector<S>; 2],
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// The floats of these lanes, and 0 in the others, which are not read.
    ///
    /// # Safety
    /// These lanes can be read.
    unsafe fn load_some<S: Simd>(simd: S, mask: Self::Mask<S>, at: *const Self) -> Self::Vector<S>;

    /// Writes these lanes.
    ///
    /// # Safety
    /// They can be written.
    unsafe fn store_some<S: Simd>(simd: S, mask: Self::Mask<S>, at: *mut Self, vector: Self::Vector<S>);
}

/// The bit of each lane.
const BITS: [u32; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];
const LONG_BITS: [u64; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

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

    #[inline(always)]
    fn sum<S: Simd>(simd: S, a: S::f32s) -> f32 {
        simd.reduce_sum_f32s(a)
    }

    #[inline(always)]
    fn only<S: Simd>(simd: S, mask: S::m32s, a: S::f32s) -> S::f32s {
        simd.select_f32s(mask, a, simd.splat_f32s(0.0))
    }

    type Mask<S: Simd> = S::m32s;

    #[inline(always)]
    fn mask<S: Simd>(simd: S, bits: u32) -> S::m32s {
        // SAFETY: AVX-512 has its masks as these bits, and nothing else has masks of this size for so many lanes; the table has as many
        // entries as the widest vector has lanes.
        unsafe {
            if (size_of::<S::m32s>(), lanes::<f32, S>()) == (2, 16) {
                return std::mem::transmute_copy(&(bits as u16));
            }
            let of_lanes = BITS.as_ptr().cast::<S::u32s>().read_unaligned();
            simd.greater_than_u32s(simd.and_u32s(simd.splat_u32s(bits), of_lanes), simd.splat_u32s(0))
        }
    }

    #[inline(always)]
    fn multiply_add_some<S: Simd>(simd: S, mask: S::m32s, [a, b]: [S::f32s; 2], c: S::f32s) -> S::f32s {
        simd.select_f32s(mask, simd.mul_add_f32s(a, b, c), c)
    }

    #[inline(always)]
    unsafe fn load_some<S: Simd>(simd: S, mask: S::m32s, at: *const f32) -> S::f32s {
        // SAFETY: the caller's.
        unsafe { simd.mask_load_ptr_f32s(MemMask::new(mask), at) }
    }

    #[inline(always)]
    unsafe fn store_some<S: Simd>(simd: S, mask: S::m32s, at: *mut f32, vector: S::f32s) {
        // SAFETY: the caller's.
        unsafe { simd.mask_store_ptr_f32s(MemMask::new(mask), at, vector) }
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

    #[inline(always)]
    fn sum<S: Simd>(simd: S, a: S::f64s) -> f64 {
        simd.reduce_sum_f64s(a)
    }

    #[inline(always)]
    fn only<S: Simd>(simd: S, mask: S::m64s, a: S::f64s) -> S::f64s {
        simd.select_f64s(mask, a, simd.splat_f64s(0.0))
    }

    type Mask<S: Simd> = S::m64s;

    #[inline(always)]
    fn mask<S: Simd>(simd: S, bits: u32) -> S::m64s {
        // SAFETY: AVX-512 has its masks as these bits, and nothing else has masks of this size for so many lanes; the table has as many
        // entries as the widest vector has lanes.
        unsafe {
            if (size_of::<S::m64s>(), lanes::<f64, S>()) == (1, 8) {
                return std::mem::transmute_copy(&(bits as u8));
            }
            let of_lanes = LONG_BITS.as_ptr().cast::<S::u64s>().read_unaligned();
            simd.greater_than_u64s(simd.and_u64s(simd.splat_u64s(bits.into()), of_lanes), simd.splat_u64s(0))
        }
    }

    #[inline(always)]
    fn multiply_add_some<S: Simd>(simd: S, mask: S::m64s, [a, b]: [S::f64s; 2], c: S::f64s) -> S::f64s {
        simd.select_f64s(mask, simd.mul_add_f64s(a, b, c), c)
    }

    #[inline(always)]
    unsafe fn load_some<S: Simd>(simd: S, mask: S::m64s, at: *const f64) -> S::f64s {
        // SAFETY: the caller's.
        unsafe { simd.mask_load_ptr_f64s(MemMask::new(mask), at) }
    }

    #[inline(always)]
    unsafe fn store_some<S: Simd>(simd: S, mask: S::m64s, at: *mut f64, vector: S::f64s) {
        // SAFETY: the caller's.
        unsafe { simd.mask_store_ptr_f64s(MemMask::new(mask), at, vector) }
    }
}

/// Floats of a vector.
#[inline(always)]
pub(crate) const fn lanes<T: Lanes, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// A bit for every lane of a vector.
#[inline(always)]
pub(crate) const fn all_lanes<T: Lanes, S: Simd>() -> u32 {
    u32::MAX >> (32 - lanes::<T, S>())
}

/// Whether a vector's lanes can be left out of an addition at no cost.
#[inline(always)]
pub(crate) const fn has_masks<T: Lanes, S: Simd>() -> bool {
    size_of::<T::Mask<S>>() < size_of::<T>() && lanes::<T, S>() > 1
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
pub(crate) fn copy<T: Lanes, S: Simd>(simd: S, from: &[T], to: &mut [T]) {
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
    if !has_masks::<T, S>() {
        return to[at..].copy_from_slice(&from[at..]);
    }
    while at < from.len() {
        let mask = T::mask(simd, u32::MAX >> (32 - (from.len() - at).min(width)));
        // SAFETY: both slices have these lanes.
        unsafe { T::store_some(simd, mask, to[at..].as_mut_ptr(), T::load_some(simd, mask, from[at..].as_ptr())) };
        at += width;
    }
}
