//! One trial, one core.

/// Keeps candle from splitting its own operations over threads, which would set trials that run side by side against each
/// other for the same cores. To be called first thing in `main`: candle reads its setting once, from the environment.
pub fn use_one_thread() {
    for name in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: no other thread exists yet that could read the environment meanwhile.
        unsafe { std::env::set_var(name, "1") };
    }
}
