//! Numbers for people.

/// `12,345`; the value is rounded to a whole number.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    let sign = if value < 0.0 && digits != "0" { "-" } else { "" };
    format!("{sign}{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_three_digits() {
        let texts = [0.0, 7.4, 999.5, 12_345.0, -1_234_567.0, -0.2].map(grouped);
        assert_eq!(texts, ["0", "7", "1,000", "12,345", "-1,234,567", "0"]);
    }
}
