//! Text that comes from files and user code, as it may be shown.

use std::borrow::Cow;

/// The text with every character written out (`\\u001b`) that would do something instead of being seen: control characters, those that turn the
/// direction of writing, and those that no XML may hold. Ends of lines and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|c| match is_control(c) {
        true => format!("\\u{:04x}", c as u32),
        false => c.to_string(),
    });
    Cow::Owned(shown.collect())
}

/// The same on a single line.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        shown if shown.contains(['\n', '\r', '\t']) => Cow::Owned(shown.replace(['\n', '\r', '\t'], " ")),
        shown => shown,
    }
}

/// Whether a character is not to be seen but to do something.
pub fn is_control(c: char) -> bool {
    let directs = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_no_text = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || directs || is_no_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_written_out() {
        assert_eq!(visible("grün – ok\n\t"), "grün – ok\n\t");
        assert_eq!(visible("\u{1b}[31mred\u{7f}\0\u{85}\u{202e}"), "\\u001b[31mred\\u007f\\u0000\\u0085\\u202e");
        assert_eq!(visible_line("a\nb"), "a b");
    }
}
