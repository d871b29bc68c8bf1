//! What a column may be instead of what it seems.

use super::table::{Column, is_perhaps_missing};

/// Says that a category may be meant to say that the entry is missing.
pub fn perhaps_missing(column: &Column) -> Option<String> {
    let text = column.texts().flatten().find(|text| is_perhaps_missing(text))?;
    Some(format!(
        "column `{}` has the category `{text}`; if it says that the entry is missing: `missing_values = [{text:?}]` in `dataset`",
        column.name
    ))
}

/// Fewer rows than this say nothing.
const FEWEST_IDS: usize = 5;

/// Whether all of these are whole numbers, no two alike.
pub fn looks_like_an_id(numbers: &[Option<f64>]) -> bool {
    let whole = |x: &Option<f64>| x.is_some_and(|x| x.fract() == 0.0);
    if numbers.len() < FEWEST_IDS || !numbers.iter().all(whole) {
        return false;
    }
    let mut all: Vec<f64> = numbers.iter().flatten().copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    all.windows(2).all(|pair| pair[0] != pair[1])
}

/// More categories than this, and more than half as many as rows, are names rather than categories.
const MANY_CATEGORIES: usize = 100;

/// Whether so many different texts in so many rows are names rather than categories.
pub fn are_names(texts: usize, rows: usize) -> bool {
    texts > MANY_CATEGORIES && 2 * texts > rows
}
