//! Aligned tables of numbers and names.

use crate::aligned::{self, Side};
use crate::data::description::{Bins, ColumnDescription, Content, Description, Distribution, by_frequency, joined};

/// Columns of a histogram in characters.
const BINS: usize = 20;
/// Characters of a category that are written.
const NAME: usize = 20;
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What the table of columns says beside the numbers.
#[derive(Clone, Copy)]
struct Layout {
    /// Whether a column has whole numbers, numbers or texts.
    types: bool,
    /// How many entries are missing.
    missing: bool,
}

/// A line for each column: numbers with a histogram, categories with the most frequent ones.
pub fn of_columns(description: &Description) -> String {
    let missing = description.columns.iter().any(|column| column.missing > 0);
    let layout = Layout { types: description.target.is_none(), missing };
    let mut head =
        vec!["column", "type", "least", "mean", "deviation", "largest", "distinct", "missing", "distribution"];
    head.retain(|name| (layout.types || *name != "type") && (layout.missing || *name != "missing"));
    let name_width = description.columns.iter().map(|column| aligned::width(&column.name)).max().unwrap_or(0).max(6);
    let mut rows = vec![head.into_iter().map(String::from).collect::<Vec<_>>()];
    let mut categories = Vec::new();
    for column in &description.columns {
        match &column.content {
            Content::Numbers(parts) => rows.push(of_numbers(column, &joined(parts), layout)),
            Content::Categories(names) => {
                let start = format!("{:<name_width$}{}", column.name, if layout.types { "    text" } else { "" });
                categories.push((rows.len() + categories.len(), start + "  " + &of_categories(column, names)));
            }
        }
    }
    rows[0][0] = format!("{:<name_width$}", rows[0][0]);
    let mut lines = table(&rows);
    if rows.len() == 1 {
        lines.clear();
    }
    for (place, line) in categories {
        lines.insert(place.min(lines.len()), line);
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn of_numbers(column: &ColumnDescription, numbers: &Distribution, layout: Layout) -> Vec<String> {
    let mut row = vec![column.name.clone()];
    if layout.types {
        row.push(if numbers.is_whole() { " whole" } else { "number" }.into());
    }
    row.extend(match numbers.range() {
        Some((least, largest)) => {
            let decimals = decimals(numbers.deviation());
            let exact = if numbers.is_whole() { 0 } else { decimals };
            let moments = [numbers.mean(), numbers.deviation()].map(|x| number(x, decimals));
            let [mean, deviation] = moments;
            [number(least, exact), mean, deviation, number(largest, exact)]
        }
        None => std::array::from_fn(|_| "–".to_string()),
    });
    row.push(numbers.distinct().to_string());
    if layout.missing {
        row.push(column.missing.to_string());
    }
    row.push(histogram(numbers));
    row
}

fn of_categories(column: &ColumnDescription, names: &[(String, Vec<usize>)]) -> String {
    let rows = |rows: &[usize]| rows.iter().sum::<usize>();
    let total = names.iter().map(|(_, of)| rows(of)).sum::<usize>().max(1) as f64;
    let share =
        |(name, of): &&(String, Vec<usize>)| format!("{} {:.1} %", shortened(name), 100.0 * rows(of) as f64 / total);
    let most: Vec<String> = by_frequency(names).iter().take(3).map(share).collect();
    let missing = if column.missing > 0 { format!("; {} missing", column.missing) } else { String::new() };
    let often = if names.is_empty() { String::new() } else { format!(", most often {}", most.join(", ")) };
    let categories = if names.len() == 1 { "category" } else { "categories" };
    format!("{} {categories}{often}{missing}", names.len())
}

/// The beginning of a long name.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_string(),
    }
}

/// Rows and shares of each class in every part.
pub fn of_classes(parts: &[(String, usize)], title: &str, names: &[(String, Vec<usize>)]) -> String {
    let totals: Vec<usize> = (0..parts.len()).map(|part| names.iter().map(|(_, rows)| rows[part]).sum()).collect();
    let mut rows = vec![std::iter::once(title.to_string()).chain(parts.iter().map(|(name, _)| name.clone())).collect()];
    for (name, of) in names {
        let share = |(rows, total): (&usize, &usize)| {
            format!("{rows} {:>6.1} %", 100.0 * *rows as f64 / (*total).max(1) as f64)
        };
        rows.push(std::iter::once(name.clone()).chain(of.iter().zip(&totals).map(share)).collect());
    }
    table(&rows).iter().map(|line| format!("  {line}\n")).collect()
}

/// Range, moments and quantiles of a value in every part.
pub fn of_values(parts: &[(String, usize)], title: &str, values: &[Distribution]) -> String {
    let head =
        [title, "least", "5 %", "25 %", "median", "75 %", "95 %", "largest", "mean", "deviation", "distribution"];
    let decimals = decimals(joined(values).deviation());
    let bins = Bins::of(values, BINS);
    let mut rows = vec![head.map(String::from).to_vec()];
    for ((name, _), value) in parts.iter().zip(values) {
        let quantiles = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0].map(|share| value.quantile(share));
        let numbers = quantiles.into_iter().chain([value.mean(), value.deviation()]).map(|x| number(x, decimals));
        rows.push(std::iter::once(name.to_string()).chain(numbers).chain([heights(&bins.counts(value))]).collect());
    }
    table(&rows).iter().map(|line| format!("  {line}\n")).collect()
}

/// The first column to the left, and the last one where it is drawn; all others to the right.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let last = rows[0].len() - 1;
    let is_drawn = rows.iter().any(|row| row[last].contains(|c| HEIGHTS.contains(&c)));
    aligned::lines(rows, |column| if column == 0 || column == last && is_drawn { Side::Left } else { Side::Right })
}

/// A line as high as the counts; what is there at all is seen.
pub fn histogram(numbers: &Distribution) -> String {
    heights(&Bins::of([numbers], BINS).counts(numbers))
}

fn heights(counts: &[usize]) -> String {
    let highest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let height = |count: &usize| match *count {
        0 => ' ',
        count => HEIGHTS[((count as f64 / highest * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    counts.iter().map(height).collect()
}

/// Decimals that tell a deviation to three digits.
fn decimals(deviation: f64) -> usize {
    match deviation {
        deviation if deviation > 0.0 => (2.0 - deviation.log10().floor()).clamp(0.0, 9.0) as usize,
        _ => 3,
    }
}

fn number(x: f64, decimals: usize) -> String {
    match x {
        x if x.is_nan() => "–".into(),
        x if x != 0.0 && !(1e-6..1e12).contains(&x.abs()) => format!("{x:.3e}"),
        x => {
            let text = format!("{x:.decimals$}");
            if text.trim_start_matches('-').chars().all(|c| "0.".contains(c)) { "0".into() } else { text }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_as_high_as_the_counts() {
        assert_eq!(heights(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(heights(&[1, 800]), "▁█");
        assert_eq!(histogram(&Distribution::of([0.0, 1.0, 1.0])), "▄█");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        assert_eq!((decimals(80_000.0), decimals(0.825), decimals(0.14), decimals(0.0)), (0, 3, 3, 3));
        assert_eq!(
            [number(5.843_33, 3), number(-1e-12, 3), number(-0.04, 1), number(f64::NAN, 1)],
            ["5.843", "-1.000e-12", "0", "–"]
        );
    }
}
