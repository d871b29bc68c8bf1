//! Element-wise loops compiled for the widest vectors that the machine has.

pub(crate) use pulp::{Simd, WithSimd};

/// The lanes of the widest vectors, of single precision: loops go by so many, whatever the running machine has.
pub(super) const LANES: usize = 16;

/// Runs `body` where the compiler may use AVX-512, AVX2 or NEON, whichever the running machine has: one binary for all of them.
///
/// The body must be inlined into this call: short closures are; a long one must become a struct that implements [`WithSimd`]
/// with `#[inline(always)]`, and so must functions that the body calls. Additions and multiplications are not contracted, so
/// that every element comes out the same on every machine.
#[inline]
pub(crate) fn vectorized<B: WithSimd>(body: B) -> B::Output {
    pulp::Arch::new().dispatch(body)
}

/// The name of the instructions that [`vectorized`] uses on this machine.
pub(crate) fn vector_instructions() -> &'static str {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    match vectorized(Width) {
        16 => "AVX-512",
        8 => "AVX2",
        4 => "NEON",
        _ => "no vectors",
    }
}
