//! From the columns of a table to labelled examples.

use super::table::{Column, Entries, Table};
use super::{DataSet, Examples};
use crate::Result;

/// How a table is read.
pub struct Tabular<'a> {
    pub table: &'a Table,
    /// The column of classes.
    pub target: &'a str,
    /// Columns that are no features.
    pub ignored: &'a [&'a str],
    pub missing: Missing,
    pub split: Split,
}

/// What becomes of an entry that is missing in a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is an error.
    Refused,
    /// A number gets the mean of the training rows, a text none of the categories.
    Filled,
}

/// Which rows are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The fifth, the tenth, and so on: keeps the balance of sorted tables.
    EveryFifth,
    /// Those after so many.
    After(usize),
}

impl Split {
    fn holds_out(self, row: usize) -> bool {
        match self {
            Split::EveryFifth => row % 5 == 4,
            Split::After(train) => row >= train,
        }
    }
}

impl Tabular<'_> {
    /// Labelled examples. Columns of numbers are standardized by the mean and the standard deviation of the training rows; columns
    /// of texts become one feature of 0 and 1 per category of the training rows, in alphabetical order. Classes are counted
    /// in the order of their names or numbers.
    ///
    /// # Errors
    /// When a column is missing, the target has less than two classes or a missing entry, or a feature has one that is refused.
    pub fn classification(&self) -> Result<DataSet> {
        let target = self.table.column(self.target)?;
        let (labels, classes) = self.labels(target)?;
        let is_feature = |column: &&Column| column.name != self.target && !self.ignored.contains(&column.name.as_str());
        self.ignored.iter().try_for_each(|name| self.table.column(name).map(|_| ()))?;
        let features = self.table.columns.iter().filter(is_feature).map(|column| self.features(column));
        let features: Vec<Vec<f32>> = features.collect::<Result<Vec<_>>>()?.concat();
        if features.is_empty() {
            return Err(self.table.error("it has no column beside the target"));
        }
        let examples = |held_out: bool| {
            let rows: Vec<usize> = (0..labels.len()).filter(|row| self.split.holds_out(*row) == held_out).collect();
            let inputs = rows.iter().flat_map(|&row| features.iter().map(move |feature| feature[row])).collect();
            Examples { inputs, labels: rows.iter().map(|&row| labels[row]).collect() }
        };
        let (train, test) = (examples(false), examples(true));
        if train.is_empty() || test.is_empty() {
            let rows = self.table.rows();
            return Err(self.table.error(format!("{rows} rows are too few for a training and a held-out part")));
        }
        Ok(DataSet { shape: vec![features.len()], classes, train, test })
    }

    fn labels(&self, target: &Column) -> Result<(Vec<u32>, usize)> {
        if let Some(row) = target.first_missing() {
            return Err(self.table.error(format!("row {}: the target `{}` is missing", row + 1, target.name)));
        }
        let indices = match &target.entries {
            Entries::Texts(texts) => ranks(texts, |a, b| a.cmp(b)),
            Entries::Numbers(_) => {
                ranks(self.table.numbers(target)?, |a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
            }
        };
        let classes = indices.iter().max().map_or(0, |largest| *largest as usize + 1);
        if classes < 2 {
            return Err(self.table.error(format!("the target `{}` has one class only", target.name)));
        }
        Ok((indices, classes))
    }

    /// The features of one column, each `[rows]`.
    fn features(&self, column: &Column) -> Result<Vec<Vec<f32>>> {
        if let (Missing::Refused, Some(row)) = (self.missing, column.first_missing()) {
            return Err(self.table.error(format!("row {}, column `{}`: the entry is missing", row + 1, column.name)));
        }
        let trained = |row: &usize| !self.split.holds_out(*row);
        match &column.entries {
            Entries::Numbers(_) => {
                let numbers = self.table.numbers(column)?;
                let known: Vec<f64> = (0..numbers.len()).filter(trained).filter_map(|row| numbers[row]).collect();
                let (mean, deviation) = mean_and_deviation(&known);
                let standardized = |x: &Option<f64>| x.map_or(0.0, |x| ((x - mean) / deviation) as f32);
                Ok(vec![numbers.iter().map(standardized).collect()])
            }
            Entries::Texts(texts) => {
                let mut categories: Vec<&String> =
                    (0..texts.len()).filter(trained).filter_map(|row| texts[row].as_ref()).collect();
                categories.sort();
                categories.dedup();
                let one_hot = |category: &&String| {
                    texts.iter().map(|text| f32::from(u8::from(text.as_ref() == Some(*category)))).collect()
                };
                Ok(categories.iter().map(one_hot).collect())
            }
        }
    }
}

/// The place of each entry among the distinct ones in their order.
fn ranks<T: Clone + PartialEq>(entries: &[Option<T>], order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<u32> {
    let mut distinct: Vec<&T> = entries.iter().flatten().collect();
    distinct.sort_by(|a, b| order(a, b));
    distinct.dedup();
    let rank = |entry: &T| distinct.partition_point(|other| order(other, entry).is_lt()) as u32;
    entries.iter().flatten().map(rank).collect()
}

/// The mean and the standard deviation over n; 1 where nothing varies.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 1.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "name,size,color,kind\na,1,red,x\nb,2,blue,y\nc,3,red,x\nd,,green,y\ne,100,purple,x\n";

    fn read(text: &str, missing: Missing) -> Result<DataSet> {
        let table = &Table::parse("t.csv", text.as_bytes()).unwrap();
        let split = Split::EveryFifth;
        Tabular { table, target: "kind", ignored: &["name"], missing, split }.classification()
    }

    /// Mean 2 and variance 2/3 of the training rows 1, 2, 3; the held-out row moves neither, and its color is none of theirs.
    #[test]
    fn everything_is_fitted_on_the_training_rows() {
        let data = read(TABLE, Missing::Filled).unwrap();
        assert_eq!((&data.shape[..], data.classes), (&[4][..], 2));
        assert_eq!((&data.train.labels[..], &data.test.labels[..]), (&[0, 1, 0, 1][..], &[0][..]));
        let unit = 1.5f32.sqrt();
        let expected = [[-unit, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0], [unit, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]];
        for (got, want) in data.train.inputs.iter().zip(expected.concat()) {
            assert!((got - want).abs() < 1e-6, "{:?}", data.train.inputs);
        }
        assert!((data.test.inputs[0] - 98.0 * unit).abs() < 1e-3 && data.test.inputs[1..] == [0.0; 3]);
    }

    #[test]
    fn what_can_not_be_learned_from_is_told() {
        let message = |text: &str, missing| read(text, missing).unwrap_err().to_string();
        assert!(message(TABLE, Missing::Refused).contains("t.csv: row 4, column `size`: the entry is missing"));
        let gone = TABLE.replace("b,2,blue,y", "b,2,blue,");
        assert!(message(&gone, Missing::Filled).contains("row 2: the target `kind` is missing"));
        assert!(message(&TABLE.replace(",y\n", ",x\n"), Missing::Filled).contains("one class only"));
        assert!(message(&TABLE.replace("kind", "sort"), Missing::Filled).contains("unknown column `kind`"));
        assert!(message("name,size,kind\na,1,x\nb,2,y\n", Missing::Filled).contains("too few"));
    }
}
