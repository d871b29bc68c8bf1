//! Text and numbers as they stand in the page.

/// Text inside an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::visible::visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text as a JSON string that may stand inside a `<script>` element.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('<', "\\u003c")
}

/// A JSON number of so many significant digits in the fewest characters; `null` for what is not finite.
pub(super) fn json_number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "null".into();
    }
    let rounded: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
    // Without the sign of a zero.
    let (plain, scientific) = (format!("{}", rounded + 0.0), format!("{:e}", rounded + 0.0));
    if scientific.len() < plain.len() { scientific } else { plain }
}

/// A number for people: four significant digits, a real minus sign, `1.23e−5` where zeros would fill the line.
pub(super) fn number(value: f64) -> String {
    let text = match value.abs() {
        _ if !value.is_finite() => return if value > 0.0 { "never".into() } else { "–".into() },
        0.0 => "0".into(),
        size if size >= 1e9 => format!("{value:.2e}"),
        size if size >= 1e4 => grouped(value),
        size if size < 1e-4 => format!("{value:.2e}"),
        size => {
            let decimals = (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize;
            format!("{value:.decimals$}")
        }
    };
    text.replace('-', "−")
}

/// `12,345`
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(","))
}

/// `1 seed`, `3 seeds`
pub(super) fn count(n: usize, of: &str) -> String {
    if n == 1 { format!("1 {of}") } else { format!("{} {of}s", grouped(n as f64)) }
}

/// `n = 10`, `n = 7 to 10`
pub(super) fn sizes(of: impl Iterator<Item = usize>) -> String {
    let (low, high) = of.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    match low {
        usize::MAX => "n = 0".into(),
        low if low == high => format!("n = {low}"),
        low => format!("n = {low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_name_things_cannot_leave_its_place() {
        assert_eq!(escape("<b>&\"x'"), "&lt;b&gt;&amp;&quot;x&#39;");
        assert_eq!(json_text("</script>\"\n"), "\"\\u003c/script>\\\"\\n\"");
    }

    #[test]
    fn numbers_are_short_and_round() {
        let four = |value| json_number(value, 4);
        assert_eq!(
            [0.123456, -0.0, 1e-7 / 3.0, 100_001.0, f64::NAN].map(four),
            ["0.1235", "0", "3.333e-8", "1e5", "null"]
        );
        assert_eq!([0.96018, -82.63, 12345.6, 0.0, 2.5e-6].map(number), ["0.9602", "−82.63", "12,346", "0", "2.50e−6"]);
        assert_eq!((count(1, "seed"), count(1200, "seed")), ("1 seed".into(), "1,200 seeds".into()));
        assert_eq!((sizes([10, 10].into_iter()), sizes([10, 7].into_iter())), ("n = 10".into(), "n = 7 to 10".into()));
    }
}
