//! Standard error: the only place that writes to it. If it can't be written to (a full disk), nothing is told, and nothing else changes.

use std::io::Write;

pub(super) fn tell(text: impl std::fmt::Display) {
    writeln!(std::io::stderr(), "{}", crate::visible::visible(&text.to_string())).ok();
}
