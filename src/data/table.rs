//! Tables: CSV files with a header, plain or gzip-compressed.

use super::source::Source;
use crate::{Error, Result};
use std::io::Read;

/// The columns of a file, by the names of its header; or of two files, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What errors call each file, and how many rows of the table it ends after.
    files: Vec<(String, usize)>,
    pub columns: Vec<Column>,
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
    /// # Errors
    /// When it can't be read, is ragged, has no header or no row, or two columns of one name.
    pub fn read(source: Source) -> Result<Table> {
        let error = |message: String| source.error(message);
        let mut text = Vec::new();
        source.open()?.read_to_end(&mut text).map_err(|error| source.broken(&error, text.len()))?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut reader = csv::Reader::from_reader(text);
        let header = reader.headers().map_err(|e| error(e.to_string()))?.clone();
        if header.iter().all(|name| name.trim().is_empty()) {
            return Err(error("it is empty; it must begin with a line of column names".into()));
        }
        if let (1, Some(other)) = (header.len(), [';', '\t', '|'].into_iter().find(|other| header[0].contains(*other)))
        {
            return Err(error(format!("its columns seem to be separated by {other:?}; it must be commas")));
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
                csv::ErrorKind::Utf8 { .. } => {
                    error(format!("row {} holds text that is not UTF-8; save the table as UTF-8", row + 1))
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
        Ok(Table { files: vec![(source.name(), rows)], columns })
    }

    /// This table with the rows of another one below its own; it has the same columns, in any order.
    ///
    /// # Errors
    /// When one has a column that the other has not.
    pub fn followed_by(self, other: Table) -> Result<Table> {
        for (one, another) in [(&self, &other), (&other, &self)] {
            one.columns.iter().try_for_each(|column| another.column(&column.name).map(drop))?;
        }
        let above = self.rows();
        let join = |column: Column| {
            let entries = match (column.entries, &other.column(&column.name)?.entries) {
                (Entries::Numbers(above), Entries::Numbers(below)) => {
                    Entries::Numbers(above.into_iter().chain(below.iter().copied()).collect())
                }
                (above, below) => Entries::Texts(above.texts().into_iter().chain(below.texts()).collect()),
            };
            Ok(Column { name: column.name, entries })
        };
        let ends = other.files.iter().map(|(name, end)| (name.clone(), above + end));
        Ok(Table {
            files: self.files.into_iter().chain(ends).collect(),
            columns: self.columns.into_iter().map(join).collect::<Result<_>>()?,
        })
    }

    /// Rows below the header.
    pub fn rows(&self) -> usize {
        self.files.last().map_or(0, |(_, end)| *end)
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
        Error::content(&self.files[0].0, message)
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
    /// When an entry is no finite number; the message names its row.
    pub fn numbers<'a>(&self, column: &'a Column) -> Result<&'a [Option<f64>]> {
        let name = &column.name;
        match &column.entries {
            Entries::Numbers(numbers) => match numbers.iter().position(|x| x.is_some_and(|x| !x.is_finite())) {
                None => Ok(numbers),
                Some(row) => {
                    let value = numbers[row].unwrap_or(f64::NAN);
                    let message = format!(
                        ", column `{name}`: {value} is not finite; an entry that is missing is left empty, or is one of {}",
                        MISSING[1..].join(", ")
                    );
                    Err(self.error_in(row, message))
                }
            },
            Entries::Texts(texts) => {
                let (row, text) = first_text(texts).unwrap_or_default();
                Err(self.error_in(row, format!(", column `{name}`: `{text}` is not a number")))
            }
        }
    }
}

/// The first entry that is no number, with its row.
fn first_text(texts: &[Option<String>]) -> Option<(usize, &str)> {
    let entries = texts.iter().enumerate().filter_map(|(row, text)| Some((row, text.as_deref()?)));
    entries.into_iter().find(|(_, text)| number(text).is_none())
}

impl Entries {
    /// What is written there, or the numbers written out.
    pub fn texts(&self) -> Vec<Option<String>> {
        match self {
            Entries::Numbers(numbers) => numbers.iter().map(|x| x.map(|x| x.to_string())).collect(),
            Entries::Texts(texts) => texts.clone(),
        }
    }

    /// The first entry that is no number, with its row, where more than half of the entries are numbers: a slip rather than
    /// a category.
    pub fn slip(&self) -> Option<(usize, &str)> {
        let Entries::Texts(texts) = self else { return None };
        let known = texts.iter().flatten();
        let numbers = known.clone().filter(|text| number(text).is_some()).count();
        if 2 * numbers > known.count() { first_text(texts) } else { None }
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

    /// Rows without an entry.
    pub fn missing(&self) -> usize {
        match &self.entries {
            Entries::Numbers(numbers) => numbers.iter().filter(|x| x.is_none()).count(),
            Entries::Texts(texts) => texts.iter().filter(|text| text.is_none()).count(),
        }
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
            let table = Table::read(Source::Embedded("penguins.csv", content)).unwrap();
            assert_eq!((table.rows(), table.columns.len()), (3, 3));
            let mass = table.column("mass").unwrap();
            assert_eq!(table.numbers(mass).unwrap(), [Some(3750.0), None, Some(3800.5)]);
            assert_eq!((mass.first_missing(), table.column("island").unwrap().first_missing()), (Some(1), Some(2)));
            assert_eq!(table.column("species").unwrap().first_missing(), None);
        }
        let cut =
            Table::read(Source::Embedded("penguins.csv.gz", &packed[..packed.len() - 9])).unwrap_err().to_string();
        assert!(cut.contains("penguins.csv.gz: broken gzip data"), "{cut}");
    }

    #[test]
    fn bad_tables_are_told_apart() {
        let message = |text: &str| Table::read(Source::Embedded("x.csv", text.as_bytes())).unwrap_err().to_string();
        assert!(message("").contains("x.csv: it is empty"));
        assert!(message("a,b\n").contains("no row"));
        assert!(message("a,b\n1,2\n3\n").contains("row 2 has 1 fields where the header has 2"));
        assert!(message("a;b\n1;2\n").contains("separated by ';'; it must be commas"));
        let latin = Table::read(Source::Embedded("x.csv", b"a,b\n1,gr\xfcn\n")).unwrap_err().to_string();
        assert!(latin.contains("row 1 holds text that is not UTF-8"), "{latin}");
        assert!(message("a,b,a\n1,2,3\n").contains("two columns are called `a`"));
        let table = Table::read(Source::Embedded("x.csv", b"a,b\n1,2\nx,nan\n")).unwrap();
        let of = |name: &str| table.numbers(table.column(name).unwrap()).unwrap_err().to_string();
        assert!(of("a").contains("row 2, column `a`: `x` is not a number"), "{}", of("a"));
        assert!(of("b").contains("row 2, column `b`: NaN is not finite"), "{}", of("b"));
        let below = Table::read(Source::Embedded("y.csv", b"b,a\n7,8\n9,z\n")).unwrap();
        let joined = table.clone().followed_by(below).unwrap();
        assert_eq!((joined.rows(), joined.columns.len()), (4, 2));
        assert!(joined.error_in(1, ": q").to_string().contains("x.csv: row 2: q"));
        assert!(joined.error_in(3, ": q").to_string().contains("y.csv: row 2: q"));
        let other = Table::read(Source::Embedded("z.csv", b"a,c\n7,8\n")).unwrap();
        assert!(table.clone().followed_by(other).unwrap_err().to_string().contains("z.csv: unknown column `b`"));
        assert!(table.column("aa").unwrap_err().to_string().contains("did you mean `a`"));
    }
}
