//! A sign of life on a terminal for work that may take longer than a second; elsewhere nothing.

use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Shows what is being done and for how long.
pub(super) struct Busy {
    bar: ProgressBar,
    started: Instant,
}

impl Busy {
    pub fn new(doing: impl Into<std::borrow::Cow<'static, str>>, quiet: bool) -> Busy {
        let shown = !quiet && std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_message(doing);
        if shown {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Busy { bar, started: Instant::now() }
    }

    /// Leaves one line: how many of these were done, and how fast.
    pub fn finish(self, count: usize, things: &str) {
        self.bar.finish_and_clear();
        if !self.bar.is_hidden() {
            let seconds = self.started.elapsed().as_secs_f64();
            super::tell(format_args!("{count} {things} in {seconds:.1} s, {:.0} per second", count as f64 / seconds));
        }
    }
}
