//! Tables: CSV files with a header, plain or gzip-compressed.

use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::io::Read;

/// The columns of a file, by the names of its header.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What errors call it.
    name: String,
    pub columns: Vec<Column>,
    rows: usize,
}

/// The entries of one column, `[rows]`; an entry may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub entries: Entries,
}

/// Numbers where all that is not missing is one, otherwise texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Entries {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

/// What stands for an entry that is missing.
const MISSING: [&str; 4] = ["", "NA", "?", "null"];

impl Table {
    /// Reads a file's content. `name` is what errors call it.
    ///
    /// # Errors
    /// When it is broken, ragged, has no header or no row, or two columns of one name.
    pub fn parse(name: &str, content: &[u8]) -> Result<Table> {
        let error = |message: String| Error::content(name, message);
        let mut text = Vec::new();
        if content.starts_with(&[0x1f, 0x8b]) {
            let read = GzDecoder::new(content).read_to_end(&mut text);
            read.map_err(|e| error(format!("broken gzip data after {} bytes: {e}", text.len())))?;
        } else {
            text.extend_from_slice(content);
        }
        let mut reader = csv::Reader::from_reader(&text[..]);
        let header = reader.headers().map_err(|e| error(e.to_string()))?.clone();
        if header.iter().all(|name| name.trim().is_empty()) {
            return Err(error("it is empty; it must begin with a line of column names".into()));
        }
        if let Some(twice) = (0..header.len()).find(|&i| (0..i).any(|j| header[i] == header[j])) {
            return Err(error(format!("two columns are called `{}`", &header[twice])));
        }
        let mut fields: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
        for (row, record) in reader.records().enumerate() {
            let record = record.map_err(|e| match e.kind() {
                csv::ErrorKind::UnequalLengths { len, expected_len, .. } => {
                    error(format!("row {} has {len} fields where the header has {expected_len}", row + 1))
                }
                _ => error(e.to_string()),
            })?;
            for (column, field) in fields.iter_mut().zip(&record) {
                let field = field.trim();
                column.push((!MISSING.contains(&field)).then(|| field.to_string()));
            }
        }
        let rows = fields[0].len();
        if rows == 0 {
            return Err(error("it has a header and no row".into()));
        }
        let columns = header.iter().zip(fields).map(|(name, fields)| Column::of(name.trim(), fields)).collect();
        Ok(Table { name: name.into(), columns, rows })
    }

    /// Rows below the header.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column with this name.
    ///
    /// # Errors
    /// When there is none; the message names the nearest one.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            self.error(crate::error::unknown("column", name, &known))
        })
    }

    /// An error that names this table.
    pub fn error(&self, message: impl ToString) -> Error {
        Error::content(&self.name, message)
    }

    /// The numbers of a column, missing ones aside.
    ///
    /// # Errors
    /// When an entry is no finite number; the message names its row.
    pub fn numbers<'a>(&self, column: &'a Column) -> Result<&'a [Option<f64>]> {
        let name = &column.name;
        match &column.entries {
            Entries::Numbers(numbers) => match numbers.iter().position(|x| x.is_some_and(|x| !x.is_finite())) {
                None => Ok(numbers),
                Some(row) => {
                    let value = numbers[row].unwrap_or(f64::NAN);
                    Err(self.error(format!("row {}, column `{name}`: {value} is not finite", row + 1)))
                }
            },
            Entries::Texts(texts) => {
                let is_text = |text: &Option<String>| text.as_ref().is_some_and(|text| number(text).is_none());
                let row = texts.iter().position(is_text).unwrap_or(0);
                let text = texts[row].as_deref().unwrap_or_default();
                Err(self.error(format!("row {}, column `{name}`: `{text}` is not a number", row + 1)))
            }
        }
    }
}

/// A number as it is written in a table.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

impl Column {
    fn of(name: &str, fields: Vec<Option<String>>) -> Column {
        let is_number = |field: &Option<String>| field.as_ref().is_none_or(|text| number(text).is_some());
        let entries = match fields.iter().all(is_number) {
            true => Entries::Numbers(fields.iter().map(|field| field.as_ref().and_then(|text| number(text))).collect()),
            false => Entries::Texts(fields),
        };
        Column { name: name.into(), entries }
    }

    /// The first row without an entry.
    pub fn first_missing(&self) -> Option<usize> {
        match &self.entries {
            Entries::Numbers(numbers) => numbers.iter().position(Option::is_none),
            Entries::Texts(texts) => texts.iter().position(Option::is_none),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const PENGUINS: &str = "species,island,mass\nAdelie,Torgersen,3750\nGentoo,Biscoe,\nAdelie,,3800.5\n";

    #[test]
    fn columns_have_types_and_entries_may_be_missing() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(PENGUINS.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        for content in [PENGUINS.as_bytes(), &packed] {
            let table = Table::parse("penguins.csv", content).unwrap();
            assert_eq!((table.rows(), table.columns.len()), (3, 3));
            let mass = table.column("mass").unwrap();
            assert_eq!(table.numbers(mass).unwrap(), [Some(3750.0), None, Some(3800.5)]);
            assert_eq!((mass.first_missing(), table.column("island").unwrap().first_missing()), (Some(1), Some(2)));
            assert_eq!(table.column("species").unwrap().first_missing(), None);
        }
        let cut = Table::parse("penguins.csv.gz", &packed[..packed.len() - 9]).unwrap_err().to_string();
        assert!(cut.contains("penguins.csv.gz: broken gzip data"), "{cut}");
    }

    #[test]
    fn bad_tables_are_told_apart() {
        let message = |text: &str| Table::parse("x.csv", text.as_bytes()).unwrap_err().to_string();
        assert!(message("").contains("x.csv: it is empty"));
        assert!(message("a,b\n").contains("no row"));
        assert!(message("a,b\n1,2\n3\n").contains("row 2 has 1 fields where the header has 2"));
        assert!(message("a,b,a\n1,2,3\n").contains("two columns are called `a`"));
        let table = Table::parse("x.csv", b"a,b\n1,2\nx,nan\n").unwrap();
        let of = |name: &str| table.numbers(table.column(name).unwrap()).unwrap_err().to_string();
        assert!(of("a").contains("row 2, column `a`: `x` is not a number"), "{}", of("a"));
        assert!(of("b").contains("row 2, column `b`: NaN is not finite"), "{}", of("b"));
        assert!(table.column("aa").unwrap_err().to_string().contains("did you mean `a`"));
    }
}
