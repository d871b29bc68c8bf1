//! Text and numbers as they stand in the page.

pub(super) use crate::numbers::grouped;

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
    minus(&text)
}

/// With real minus signs.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "−")
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

pub(super) fn first_upper(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_round() {
        assert_eq!([0.96018, -82.63, 12345.6, 0.0, 2.5e-6].map(number), ["0.9602", "−82.63", "12,346", "0", "2.50e−6"]);
        assert_eq!((count(1, "seed"), count(1200, "seed")), ("1 seed".into(), "1,200 seeds".into()));
        assert_eq!((sizes([10, 10].into_iter()), sizes([10, 7].into_iter())), ("n = 10".into(), "n = 7 to 10".into()));
    }
}
