//! Rows of a trial: a CSV file that is appended to.

use crate::metric::{self, GAP, TRAIN};
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Appends rows; each is on disk before the next update.
pub struct RowWriter {
    path: PathBuf,
    file: File,
}

impl RowWriter {
    /// Creates the file with its header.
    pub fn create(path: &Path, columns: &[String]) -> Result<Self> {
        let file = File::create(path).map_err(Error::file("create", path))?;
        let mut writer = RowWriter { path: path.to_path_buf(), file };
        writer.write_line(columns.join(","))?;
        Ok(writer)
    }

    /// Appends a row; NaN stands for "nothing to report" and becomes an empty cell.
    pub fn append(&mut self, values: &[f64]) -> Result<()> {
        let cells = values.iter().map(|&value| cell(value));
        self.write_line(cells.collect::<Vec<_>>().join(","))
    }

    fn write_line(&mut self, mut line: String) -> Result<()> {
        line.push('\n');
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(Error::file("append to", &self.path))
    }
}

/// The shortest text that reads back as the same bits.
fn cell(value: f64) -> String {
    match value {
        value if value.is_nan() => String::new(),
        value if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
        value => format!("{value:?}"),
    }
}

/// The rows of a trial, read back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    /// Of each column, `[rows]`; NaN where a cell is empty. Trials share those that are the same.
    values: Vec<Arc<Vec<f64>>>,
}

impl Rows {
    /// No row yet.
    pub fn new(columns: Vec<String>) -> Self {
        let values = columns.iter().map(|_| Arc::default()).collect();
        Rows { columns, values }
    }

    /// These rows, a value for each column.
    pub fn of<R: AsRef<[f64]>>(columns: Vec<String>, rows: impl IntoIterator<Item = R>) -> Self {
        let mut of = Rows::new(columns);
        rows.into_iter().for_each(|row| of.push(row.as_ref()));
        of
    }

    pub fn push(&mut self, row: &[f64]) {
        self.values.iter_mut().zip(row).for_each(|(column, value)| Arc::make_mut(column).push(*value));
    }

    pub fn len(&self) -> usize {
        self.values.first().map_or(0, |column| column.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Uses the memory of another trial's columns where they are the same, as counters often are.
    pub fn share(&mut self, other: &Rows) {
        for (i, column) in self.values.iter_mut().enumerate() {
            let same = |shared: &&Arc<Vec<f64>>| {
                let bits = |column: &[f64]| column.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
                column.len() == shared.len() && column.first() == shared.first() && bits(column) == bits(shared)
            };
            if let Some(shared) = other.values.get(i).filter(same) {
                *column = shared.clone();
            }
        }
    }

    /// What [`RowWriter`] wrote: no cell has a comma or a quotation mark, which is why lines are split rather than parsed.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
        let mut lines = text.lines();
        let header = lines.next().filter(|header| !header.is_empty());
        let header = header.ok_or_else(|| Error::content(path, "it has no header"))?;
        let mut rows = Rows::new(header.split(',').map(str::to_string).collect());
        let wanted = rows.columns.len();
        let mut row = Vec::with_capacity(wanted);
        for line in lines {
            row.clear();
            for cell in cells(line) {
                let value = if cell.is_empty() { Ok(f64::NAN) } else { cell.parse() };
                row.push(
                    value
                        .map_err(|error| Error::content(path, format!("row {}: `{cell}`: {error}", rows.len() + 1)))?,
                );
            }
            if row.len() != wanted {
                let message = format!("row {} has {} cells where the header has {wanted}", rows.len() + 1, row.len());
                return Err(Error::content(path, message));
            }
            rows.push(&row);
        }
        rows.values.iter_mut().filter_map(Arc::get_mut).for_each(Vec::shrink_to_fit);
        Ok(rows)
    }

    /// The columns that the evaluation filled: those behind the learning rate.
    pub fn evaluated(&self) -> &[String] {
        let last = self.columns.iter().position(|column| column == "learning_rate");
        &self.columns[last.map_or(self.columns.len(), |last| last + 1)..]
    }

    /// The values of a column, if there is one. `gap_accuracy` is how much better the training examples do than held-out ones:
    /// `train_accuracy − accuracy`, the other way round where lower is better.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        if let Some(judged) = name.strip_prefix(GAP) {
            let (train, held_out) = (self.column(&format!("{TRAIN}{judged}"))?, self.column(judged)?);
            let sign = if metric::of_column(judged)?.higher_is_better? { 1.0 } else { -1.0 };
            return Some(train.iter().zip(&held_out).map(|(train, held_out)| sign * (train - held_out)).collect());
        }
        let index = self.columns.iter().position(|column| column == name)?;
        Some(self.values[index].to_vec())
    }
}

/// `line.split(',')`, but twice as fast where cells have twenty letters: a search for one byte that is near needs no preparation.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = line.bytes().position(|byte| byte == b',');
        rest = end.map(|end| &line[end + 1..]);
        Some(&line[..end.unwrap_or(line.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_how_much_better_training_examples_do() {
        let columns = ["accuracy", "cross_entropy", "train_accuracy", "train_cross_entropy"].map(String::from).to_vec();
        assert_eq!(metric::gaps(&columns), ["gap_accuracy", "gap_cross_entropy"]);
        let rows = Rows::of(columns, [[0.75, 0.5, 1.0, 0.25]]);
        assert_eq!(rows.column("gap_accuracy").unwrap(), [0.25]);
        assert_eq!(rows.column("gap_cross_entropy").unwrap(), [0.25]);
        assert_eq!(rows.column("gap_f1"), None);
    }

    #[test]
    fn rows_come_back_bit_for_bit_and_bad_cells_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let mut writer = RowWriter::create(&path, &["updates", "loss"].map(String::from)).unwrap();
        let rows = [[0.0, f64::NAN], [1.0, 0.1 + 0.2], [2.0, 1e-300]];
        rows.iter().for_each(|row| writer.append(row).unwrap());
        let read = Rows::read(&path).unwrap();
        assert_eq!(read.column("updates").unwrap(), [0.0, 1.0, 2.0]);
        let loss = read.column("loss").unwrap();
        assert!(loss[0].is_nan() && loss[1..] == [0.1 + 0.2, 1e-300]);
        std::fs::write(&path, "updates,loss\n0,x\n").unwrap();
        assert!(Rows::read(&path).unwrap_err().to_string().contains("row 1"));
    }
}
