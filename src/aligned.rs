//! Tables in a terminal: columns as wide as their widest cell.

use unicode_width::UnicodeWidthStr;

/// Where a cell stands in its column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Columns of a terminal that a text takes: two for each sign of Chinese, none for an accent by itself.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The width of the widest cell of each column.
pub fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
    (0..columns).map(|column| widest(column).unwrap_or(0)).collect()
}

/// A line for each row, with two spaces between columns; `side` says where the cells of a column stand.
pub fn lines(rows: &[Vec<String>], side: impl Fn(usize) -> Side) -> Vec<String> {
    let widths = widths(rows);
    let cell = |(column, cell): (usize, &String)| {
        let space = " ".repeat(widths[column] - width(cell));
        match side(column) {
            Side::Left => format!("{cell}{space}"),
            Side::Right => format!("{space}{cell}"),
        }
    };
    let line =
        |row: &Vec<String>| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_string();
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_one_another() {
        let rows = [["a", "n"], ["数字", "10"], ["é", "7"]].map(|row| row.map(String::from).to_vec());
        let side = |column| if column == 0 { Side::Left } else { Side::Right };
        assert_eq!(lines(&rows, side), ["a      n", "数字  10", "é      7"]);
        assert_eq!(widths(&rows), [4, 2]);
        assert!(lines(&[], |_| Side::Left).is_empty());
    }
}
