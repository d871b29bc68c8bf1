//! Rows of a trial: a CSV file that is appended to.

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

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
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    /// One vector per row, a value per column; NaN where a cell is empty.
    pub values: Vec<Vec<f64>>,
}

impl Rows {
    pub fn read(path: &Path) -> Result<Self> {
        let content = |error: csv::Error| Error::content(path, error);
        let mut reader = csv::Reader::from_path(path).map_err(content)?;
        let columns = reader.headers().map_err(content)?.iter().map(str::to_string).collect();
        let mut values = Vec::new();
        for (i, record) in reader.records().enumerate() {
            let parse = |cell: &str| if cell.is_empty() { Ok(f64::NAN) } else { cell.parse() };
            let row: Result<Vec<f64>, _> = record.map_err(content)?.iter().map(parse).collect();
            values.push(row.map_err(|error| Error::content(path, format!("row {}: {error}", i + 1)))?);
        }
        Ok(Rows { columns, values })
    }

    /// The values of a column, if there is one.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let index = self.columns.iter().position(|column| column == name)?;
        Some(self.values.iter().map(|row| row[index]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
