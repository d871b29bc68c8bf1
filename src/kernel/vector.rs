//! Element-wise loops compiled for the widest vectors that the machine has.

pub(crate) use pulp::{Simd, WithSimd};

/// Runs `body` where the compiler may use AVX-512, AVX2 or NEON, whichever the running machine has: one binary for all of them.
///
/// The body must be inlined into this call: short closures are; a long one must become a struct that implements [`WithSimd`]
/// with `#[inline(always)]`, and so must functions that the body calls. Additions and multiplications are not contracted, so
/// that every element comes out the same on every machine.
#[inline]
pub(crate) fn vectorized<B: WithSimd>(body: B) -> B::Output {
    pulp::Arch::new().dispatch(body)
}
