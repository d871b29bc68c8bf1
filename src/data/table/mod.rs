//! Tables: CSV files with a header, plain or gzip-compressed.

mod column;
mod header;

pub use column::{Column, Slip, is_perhaps_missing};

use super::notation::Notation;
use super::source::ByteSource;
use super::texts::{MOST_BYTES, Texts};
use crate::{Error, Result};
use csv::StringRecord;
use header::{Misread, check_names, without_separator_line};

/// The columns of a file, by the names of its header; or of two files, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What errors call each file, and how many rows of the table it ends after.
    files: Vec<(String, usize)>,
    pub columns: Vec<Column>,
}

/// How the text of a table is read.
#[derive(Clone, Copy, Debug)]
pub struct Format<'a> {
    pub separator: char,
    pub notation: Notation,
    /// What stands for an entry that is missing, beside [`MISSING`].
    pub missing: &'a [String],
}

impl Default for Format<'_> {
    fn default() -> Self {
        Format { separator: ',', notation: Notation::default(), missing: &[] }
    }
}

/// What stands for an entry that is missing.
pub const MISSING: [&str; 4] = ["", "NA", "?", "null"];

/// Numbers beyond this, up or down, are refused: sums of their products would leave what single precision can hold.
pub const LARGEST: f64 = 1e30;

/// What separates columns.
pub const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

impl Table {
    /// The table with commas between its columns and numbers as Rust writes them.
    ///
    /// # Errors
    /// As [`Self::read_as`].
    pub fn read(source: ByteSource) -> Result<Table> {
        Table::read_as(source, &Format::default())
    }

    /// Takes at most eight times as much memory as the text has, unpacked.
    ///
    /// # Errors
    /// When it can't be read, is no UTF-8, is ragged, has no header or no row, a column without a name, or two of one name.
    pub fn read_as(source: ByteSource, format: &Format) -> Result<Table> {
        let error = |message: String| source.error(message);
        let text = source.text(MOST_BYTES)?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        if text.starts_with(b"\xff\xfe")
            || text.starts_with(b"\xfe\xff")
            || text.iter().take(1000).any(|byte| *byte == 0)
        {
            return Err(error("it is UTF-16 or no text at all; save the table as UTF-8".into()));
        }
        let text = without_separator_line(text, format).map_err(error)?;
        let separator = u8::try_from(format.separator).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text);
        let header =
            reader.headers().map_err(|e| error(Misread { place: "its header".into(), error: e }.to_string()))?.clone();
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        check_names(&names, format).map_err(error)?;
        let mut columns = vec![Texts::default(); names.len()];
        let mut record = StringRecord::new();
        let mut rows = 0;
        loop {
            let read = reader.read_record(&mut record);
            let place = || format!("row {}", rows + 1);
            if !read.map_err(|e| error(Misread { place: place(), error: e }.to_string()))? {
                break;
            }
            rows += 1;
            for (column, field) in columns.iter_mut().zip(&record) {
                let field = field.trim();
                let is_missing = MISSING.contains(&field) || format.missing.iter().any(|missing| missing == field);
                column.push((!is_missing).then_some(field));
            }
        }
        if rows == 0 {
            return Err(error("it has a header and no row".into()));
        }
        let column =
            |(name, texts): (&&str, Texts)| Column { name: name.to_string(), texts, notation: format.notation };
        let columns = names.iter().zip(columns).map(column).collect();
        Ok(Table { files: vec![(source.name(), rows)], columns })
    }

    /// This table with the rows of another one below its own; it has the same columns, in any order.
    ///
    /// # Errors
    /// When one has a column that the other has not, or both together are more than a table can hold.
    pub fn followed_by(mut self, other: Table) -> Result<Table> {
        for (one, another) in [(&self, &other), (&other, &self)] {
            one.columns.iter().try_for_each(|column| another.column(&column.name).map(drop))?;
        }
        let above = self.rows();
        for column in &mut self.columns {
            let below = &other.column(&column.name)?.texts;
            if column.texts.bytes() + below.bytes() > MOST_BYTES {
                return Err(other
                    .error(format!("with the rows above, column `{}` has more than {MOST_BYTES} bytes", column.name)));
            }
            below.iter().for_each(|text| column.texts.push(text));
        }
        self.files.extend(other.files.into_iter().map(|(name, end)| (name, above + end)));
        Ok(self)
    }

    /// Rows below the header.
    pub fn rows(&self) -> usize {
        self.files.last().map_or(0, |(_, end)| *end)
    }

    /// What errors call it, or the first of its files.
    pub fn name(&self) -> &str {
        &self.files[0].0
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
        Error::content(self.name(), message)
    }

    /// An error that names a row, counted from 1 below the header of its file.
    pub fn error_in(&self, row: usize, message: impl std::fmt::Display) -> Error {
        let file = self.files.partition_point(|(_, end)| *end <= row).min(self.files.len() - 1);
        let above = if file == 0 { 0 } else { self.files[file - 1].1 };
        Error::content(&self.files[file].0, format!("row {}{message}", row - above + 1))
    }

    /// The numbers of a column, missing ones aside.
    ///
    /// # Errors
    /// When an entry is no number, none that is finite, or one beyond [`LARGEST`]; the message names its row.
    pub fn numbers(&self, column: &Column) -> Result<Vec<Option<f64>>> {
        let Some(numbers) = column.numbers() else {
            let slip = column.slip().or_else(|| column.first_text());
            let (row, message) = slip.map_or((0, "not a number".into()), |slip| (slip.row, slip.message()));
            return Err(self.error_in(row, format!(", column `{}`: {message}", column.name)));
        };
        self.usable(column, numbers)
    }

    /// The numbers of a column, if all of them can be learned from.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn usable(&self, column: &Column, numbers: Vec<Option<f64>>) -> Result<Vec<Option<f64>>> {
        let here = |row, message: String| self.error_in(row, format!(", column `{}`: {message}", column.name));
        match numbers.iter().position(|x| x.is_some_and(|x| !is_usable(x))) {
            None => Ok(numbers),
            Some(row) => {
                let value = numbers[row].unwrap_or(f64::NAN);
                let message = match value.is_finite() {
                    true => format!(
                        "{value:e} is too large to be learned from; numbers may go up to {LARGEST:e}, so give it in another unit"
                    ),
                    false => format!(
                        "{value} is not finite; an entry that is missing is left empty, or is one of {}, or is named by `missing_values`",
                        MISSING[1..].join(", ")
                    ),
                };
                Err(here(row, message))
            }
        }
    }
}

/// Whether a number can be learned from.
pub fn is_usable(x: f64) -> bool {
    x.abs() <= LARGEST
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
            let table = Table::read(ByteSource::Embedded("penguins.csv", content)).unwrap();
            assert_eq!((table.rows(), table.columns.len()), (3, 3));
            let mass = table.column("mass").unwrap();
            assert_eq!(table.numbers(mass).unwrap(), [Some(3750.0), None, Some(3800.5)]);
            assert_eq!((mass.first_missing(), table.column("island").unwrap().first_missing()), (Some(1), Some(2)));
            assert_eq!(table.column("species").unwrap().first_missing(), None);
        }
        let cut =
            Table::read(ByteSource::Embedded("penguins.csv.gz", &packed[..packed.len() - 9])).unwrap_err().to_string();
        assert!(cut.contains("penguins.csv.gz: broken gzip data"), "{cut}");
    }

    #[test]
    fn bad_tables_are_told_apart() {
        let message = |text: &str| Table::read(ByteSource::Embedded("x.csv", text.as_bytes())).unwrap_err().to_string();
        assert!(message("").contains("x.csv: it is empty"));
        assert!(message("a,b\n").contains("no row"));
        assert!(message("a,b\n1,2\n3\n").contains("row 2 has 1 fields where the header has 2"));
        assert!(message("a;b\n1;2\n").contains("separated by ';'; it must be commas, or say `separator = \";\"`"));
        assert!(message("sep=;\na;b\n1;2\n").contains("are separated by ';'"));
        assert!(message("a,b,\n1,2,\n").contains("its header ends with a comma"));
        assert!(message("a,b\n1,2,\n").contains("row 1 has 3 fields where the header has 2; does it end with a comma"));
        assert!(message(",a\n0,2\n").contains("column 1 of its header has no name"));
        assert!(message("a, a\n1,2\n").contains("two columns are called `a`"));
        let utf16: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin = Table::read(ByteSource::Embedded("x.csv", b"gr\xfcn,b\n1,2\n")).unwrap_err().to_string();
        assert!(latin.contains("its header has text that is not UTF-8; save the table as UTF-8"), "{latin}");
        for content in [&utf16[..], &utf16[2..]] {
            let message = Table::read(ByteSource::Embedded("x.csv", content)).unwrap_err().to_string();
            assert!(message.contains("it is UTF-16 or no text at all; save the table as UTF-8"), "{message}");
        }
        let latin = Table::read(ByteSource::Embedded("x.csv", b"a,b\n1,gr\xfcn\n")).unwrap_err().to_string();
        assert!(latin.contains("row 1 holds text that is not UTF-8"), "{latin}");
        assert!(message("a,b,a\n1,2,3\n").contains("two columns are called `a`"));
        let table = Table::read(ByteSource::Embedded("x.csv", b"a,b\n1,2\nx,nan\n")).unwrap();
        let of = |name: &str| table.numbers(table.column(name).unwrap()).unwrap_err().to_string();
        assert!(of("a").contains("row 2, column `a`: `x` is not a number"), "{}", of("a"));
        assert!(of("b").contains("row 2, column `b`: NaN is not finite"), "{}", of("b"));
        let below = Table::read(ByteSource::Embedded("y.csv", b"b,a\n7,8\n9,z\n")).unwrap();
        let joined = table.clone().followed_by(below).unwrap();
        assert_eq!((joined.rows(), joined.columns.len()), (4, 2));
        assert!(joined.error_in(1, ": q").to_string().contains("x.csv: row 2: q"));
        assert!(joined.error_in(3, ": q").to_string().contains("y.csv: row 2: q"));
        let other = Table::read(ByteSource::Embedded("z.csv", b"a,c\n7,8\n")).unwrap();
        assert!(table.clone().followed_by(other).unwrap_err().to_string().contains("z.csv: unknown column `b`"));
        assert!(table.column("aa").unwrap_err().to_string().contains("did you mean `a`"));
    }
}
