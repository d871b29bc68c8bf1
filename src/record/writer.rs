//! The record of a running trial: what it is told, in rows.

use super::{RowWriter, Rows, TrialFolder};
use crate::objective::Mean;
use crate::{Error, Result};

/// Columns that begin every row; that of the objective's epochs or episodes stands before the last one.
pub const COUNTERS: [&str; 3] = ["updates", "examples", "seconds"];

/// Writes the rows of one trial. Every value comes with the name of its column.
pub struct Record {
    file: RowWriter,
    rows: Rows,
    /// Of each column, over what was noted since the last row.
    means: Vec<Mean>,
}

impl Record {
    /// Begins the record in a folder whose identity is written.
    pub fn begin(folder: &TrialFolder, columns: &[String]) -> Result<Self> {
        Ok(Record {
            file: RowWriter::create(&folder.rows(), columns)?,
            rows: Rows::new(columns.to_vec()),
            means: vec![Mean::default(); columns.len()],
        })
    }

    /// What was written so far.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Adds to the means that the next row gets.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn note<'a>(&mut self, noted: impl IntoIterator<Item = (&'a str, Mean)>) -> Result<()> {
        let mut at = 0;
        for (name, mean) in noted {
            at = self.place(name, at)?;
            self.means[at].add(mean);
        }
        Ok(())
    }

    /// Appends a row of these values, and of the means since the last one in the other columns.
    ///
    /// # Errors
    /// When there is no such column, or the file can't be written.
    pub fn append<'a>(&mut self, values: impl IntoIterator<Item = (&'a str, f64)>) -> Result<()> {
        let mut row: Vec<f64> = self.means.iter().map(|mean| mean.value()).collect();
        let mut at = 0;
        for (name, value) in values {
            at = self.place(name, at)?;
            row[at] = value;
        }
        self.file.append(&row)?;
        self.rows.push(&row);
        self.means.fill(Mean::default());
        Ok(())
    }

    /// Where a column stands; names mostly come in the order of the columns.
    fn place(&self, name: &str, from: usize) -> Result<usize> {
        let columns = &self.rows.columns;
        let behind = columns[from..].iter().position(|column| column == name).map(|i| from + i);
        let place = behind.or_else(|| columns[..from].iter().position(|column| column == name));
        place.ok_or_else(|| Error::Argument(format!("the record has no column `{name}`")))
    }
}
