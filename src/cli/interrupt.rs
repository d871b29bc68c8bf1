//! Ctrl-C and SIGTERM: while trials run the first one asks them to stop after their update; every other one ends the program at once, without
//! leaving a half-written file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is stopped by the first one, while there is something.
static TRAINING: std::sync::Mutex<Option<Arc<AtomicBool>>> = std::sync::Mutex::new(None);

/// To be called once. If it can't listen, the system ends the program.
pub(super) fn listen() {
    let handler = || {
        let training = TRAINING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if training.as_ref().is_none_or(|stop| stop.swap(true, Ordering::Relaxed)) {
            crate::disk::abandon();
            std::process::exit(130);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        super::tell(format_args!("warning: can't listen for Ctrl-C: {error}"));
    }
}

/// What the next interruption sets; nothing ends the program.
pub(super) fn stops(training: Option<Arc<AtomicBool>>) {
    *TRAINING.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = training;
}
