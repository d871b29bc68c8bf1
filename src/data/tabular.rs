//! From the columns of a table to examples.

use super::advice::{are_names, looks_like_an_id, perhaps_missing};
use super::table::{Column, Table};
use super::{DataSet, Examples, Feature, InputValues, Scale, Target, Targets};
use crate::{Result, parallel};
use serde::{Deserialize, Serialize};

/// How a table is read.
pub struct Tabular<'a> {
    pub table: &'a Table,
    /// The column that is predicted.
    pub target: &'a str,
    /// What it holds; without it, values where all of it are numbers, otherwise classes.
    pub kind: Option<TargetKind>,
    /// The natural logarithm of the target is predicted.
    pub logarithm: bool,
    /// Columns that are no features.
    pub ignored: &'a [&'a str],
    /// Columns of categories, even where they are numbers.
    pub categorical: &'a [&'a str],
    pub missing: Missing,
    pub split: Split,
}

/// What a target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Classes.
    Classification,
    /// Real values.
    Regression,
}

/// What becomes of an entry that is missing in a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is an error.
    #[default]
    Error,
    /// A number gets the mean of the training rows, a text none of the categories.
    Fill,
}

/// Which rows are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The n-th, the 2n-th, and so on: keeps the balance of sorted tables.
    Every(usize),
    /// Those after so many.
    After(usize),
}

impl Split {
    pub fn holds_out(self, row: usize) -> bool {
        match self {
            Split::Every(n) => row % n == n - 1,
            Split::After(train) => row >= train,
        }
    }
}

/// What one column gives: features, each with its `[rows]` numbers, and what there is to say about it.
struct Features {
    features: Vec<(Feature, Vec<f32>)>,
    notes: Vec<String>,
}

impl Tabular<'_> {
    /// Columns of numbers are standardized by the mean and the standard deviation of the training rows; columns of texts become
    /// one feature of 0 and 1 per category of the training rows, in alphabetical order. Classes are counted in the order of their
    /// names or numbers; values are standardized as numbers are.
    ///
    /// # Errors
    /// When a column is missing, a feature has a missing entry that is refused, or a text among numbers; when the target has
    /// a missing entry, one class or value only, or a class that no training row has.
    pub fn data_set(&self) -> Result<DataSet> {
        let named = [self.target].into_iter().chain(self.ignored.iter().chain(self.categorical).copied());
        named.map(|name| self.table.column(name)).try_for_each(|column| column.map(drop))?;
        let is_feature = |column: &&Column| column.name != self.target && !self.ignored.contains(&column.name.as_str());
        if !self.table.columns.iter().any(|column| is_feature(&column)) {
            return Err(self.table.error("it has no column beside the target"));
        }
        let rows = self.table.rows();
        let (test, train): (Vec<usize>, Vec<usize>) = (0..rows).partition(|row| self.split.holds_out(*row));
        if train.is_empty() || test.is_empty() {
            return Err(self.table.error(format!("{rows} rows are too few for a training and a held-out part")));
        }
        let (target, targets) = self.target()?;
        let mut notes: Vec<String> = match target {
            Target::Class { .. } => perhaps_missing(self.table.column(self.target)?).into_iter().collect(),
            _ => Vec::new(),
        };
        let mut features = Vec::new();
        let mut columns: Vec<Vec<f32>> = Vec::new();
        let of: Vec<&Column> = self.table.columns.iter().filter(is_feature).collect();
        for (column, read) in of.iter().zip(parallel::map(&of, |column| self.features(column))) {
            let read = read?;
            notes.extend(read.notes);
            for (feature, numbers) in read.features {
                features.push(feature);
                columns.push(numbers);
            }
            if columns.len() * rows > MOST_INPUTS {
                let message = format!(
                    "column `{}`: with its categories the {rows} rows have more than {MOST_INPUTS} inputs",
                    column.name
                );
                return Err(self.table.error(message));
            }
        }
        if features.is_empty() {
            return Err(self.table.error("no column beside the target has an entry in the training rows"));
        }
        let part = |rows: &[usize]| {
            let inputs = rows.iter().flat_map(|row| columns.iter().map(|column| column[*row]));
            Examples::new(InputValues::Numbers(inputs.collect()), targets.kept(rows))
        };
        let (train, test) = (part(&train), part(&test));
        let shape = vec![features.len()];
        Ok(DataSet { shape, features, target, train: train.into(), test: test.into(), further: Vec::new(), notes })
    }

    fn is_trained_on(&self, row: usize) -> bool {
        !self.split.holds_out(row)
    }

    /// What is predicted, and the class or the value of every row.
    fn target(&self) -> Result<(Target, Targets)> {
        let column = self.table.column(self.target)?;
        if let Some(row) = column.first_missing() {
            return Err(self.table.error_in(row, format!(": the target `{}` is missing", column.name)));
        }
        let is_class = || !column.holds_numbers() && column.slip().is_none();
        let kind =
            self.kind.unwrap_or_else(|| if is_class() { TargetKind::Classification } else { TargetKind::Regression });
        match kind {
            TargetKind::Classification if self.logarithm => {
                Err(self.table.error(format!("`logarithm` is for values, and `{}` holds classes", column.name)))
            }
            TargetKind::Classification => self.classes(column),
            TargetKind::Regression => self.values(column),
        }
    }

    fn classes(&self, column: &Column) -> Result<(Target, Targets)> {
        let (labels, names) = match column.holds_numbers() {
            true => ranks(column, &self.table.numbers(column)?),
            false => ranks(column, &[]),
        };
        if names.len() < 2 {
            return Err(self.table.error(format!("the target `{}` has one class only, {}", column.name, names[0])));
        }
        let trained =
            |class: usize| (0..labels.len()).any(|row| self.is_trained_on(row) && labels[row] as usize == class);
        if let Some(class) = (0..names.len()).find(|class| !trained(*class)) {
            let row = labels.iter().position(|label| *label as usize == class).unwrap_or(0);
            let message = format!(": it is held out, and no training row has its class, {}", names[class]);
            return Err(self.table.error_in(row, message));
        }
        Ok((Target::Class { names }, Targets::Classes(labels)))
    }

    fn values(&self, column: &Column) -> Result<(Target, Targets)> {
        let numbers: Vec<f64> = self.table.numbers(column)?.into_iter().flatten().collect();
        if let (true, Some(row)) = (self.logarithm, numbers.iter().position(|x| *x <= 0.0)) {
            let message = format!(", column `{}`: {} has no logarithm", column.name, numbers[row]);
            return Err(self.table.error_in(row, message));
        }
        let numbers: Vec<f64> = if self.logarithm { numbers.into_iter().map(f64::ln).collect() } else { numbers };
        let trained: Vec<f64> =
            numbers.iter().enumerate().filter(|(row, _)| self.is_trained_on(*row)).map(|(_, x)| *x).collect();
        if trained.iter().all(|x| *x == trained[0]) {
            return Err(self.table.error(format!("the target `{}` has one value only, {}", column.name, trained[0])));
        }
        let scale = Scale::of(trained);
        self.check_spread(column, scale, numbers.iter().map(|x| Some(*x)))?;
        let values = numbers.iter().map(|x| scale.standardized(*x)).collect();
        Ok((Target::Value { column: column.name.clone(), logarithm: self.logarithm, scale }, Targets::Values(values)))
    }

    fn features(&self, column: &Column) -> Result<Features> {
        let name = &column.name;
        if let (Missing::Error, Some(row)) = (self.missing, column.first_missing()) {
            let message = format!(", column `{name}`: the entry is missing; `missing = \"fill\"` fills such entries");
            return Err(self.table.error_in(row, message));
        }
        let listed = self.categorical.contains(&name.as_str());
        let numbers = if listed { None } else { column.numbers() };
        let mut notes = Vec::new();
        let Some(numbers) = numbers else {
            if let (false, Some(slip)) = (listed, column.slip()) {
                let way_out = match slip.message() {
                    message if message.contains("`categorical`") => message,
                    message => {
                        format!(
                            "{message}, as most of the column are; name it under `categorical` if it holds categories"
                        )
                    }
                };
                return Err(self.table.error_in(slip.row, format!(", column `{name}`: {way_out}")));
            }
            notes.extend(perhaps_missing(column));
            let mut features = self.one_hot(column, listed)?;
            features.iter_mut().for_each(|(feature, _)| feature.missing = column.missing());
            return Ok(Features { features, notes });
        };
        let numbers = self.table.usable(column, numbers)?;
        let trained = (0..numbers.len()).filter(|row| self.is_trained_on(*row)).filter_map(|row| numbers[row]);
        let scale = Scale::of(trained.clone());
        if !scale.varies() {
            notes.push(format!(
                "column `{name}` is {} in every row to train on, so that it is 0 everywhere: `ignored`",
                scale.mean
            ));
        }
        self.check_spread(column, scale, numbers.iter().copied())?;
        if looks_like_an_id(&numbers) {
            notes.push(format!(
                "column `{name}` is a whole number that differs in every row, as an id does: `ignored`, if it is one"
            ));
        }
        let standardized = numbers.iter().map(|x| x.map_or(0.0, |x| scale.standardized(x))).collect();
        let missing = numbers.iter().filter(|x| x.is_none()).count();
        let features = vec![(Feature { missing, ..Feature::number(name, scale) }, standardized)];
        Ok(Features { features, notes })
    }

    /// # Errors
    /// When a number lies so many deviations away that its square would not fit into single precision.
    fn check_spread(&self, column: &Column, scale: Scale, numbers: impl Iterator<Item = Option<f64>>) -> Result<()> {
        let far = |x: f64| scale.varies() && ((x - scale.mean) / scale.deviation).abs() > MOST_DEVIATIONS;
        match numbers.enumerate().find_map(|(row, x)| Some((row, x?)).filter(|(_, x)| far(*x))) {
            None => Ok(()),
            Some((row, x)) => {
                let message = format!(
                    ", column `{}`: {x} lies more than {MOST_DEVIATIONS:e} standard deviations of the training rows ({:e}) from their mean ({:e}); is it a slip?",
                    column.name, scale.deviation, scale.mean
                );
                Err(self.table.error_in(row, message))
            }
        }
    }

    /// A feature of 0 and 1 for every category of the training rows.
    fn one_hot(&self, column: &Column, listed: bool) -> Result<Vec<(Feature, Vec<f32>)>> {
        let name = &column.name;
        if let Some(row) = column.texts().position(|text| text.is_some_and(|text| text.contains('\n'))) {
            let message = format!(", column `{name}`: a text over several lines; is a quotation mark missing?");
            return Err(self.table.error_in(row, message));
        }
        let trained = column.texts().enumerate().filter(|(row, _)| self.is_trained_on(*row));
        let mut categories: Vec<&str> = trained.filter_map(|(_, text)| text).collect();
        let rows = categories.len();
        categories.sort_unstable();
        categories.dedup();
        if !listed && are_names(categories.len(), rows) {
            let message = format!(
                "column `{name}` has {} different texts in {rows} rows; name it under `ignored`, or under `categorical` if that is meant",
                categories.len()
            );
            return Err(self.table.error(message));
        }
        if categories.len().saturating_mul(self.table.rows()) > MOST_INPUTS {
            let message = format!(
                "column `{name}` has {} categories in {rows} rows, more than fit into memory",
                categories.len()
            );
            return Err(self.table.error(message));
        }
        let feature = |category: &&str| {
            let numbers = column.texts().map(|text| f32::from(u8::from(text == Some(category)))).collect();
            let of = Feature::number(format!("{name} = {category}"), Scale::ONE);
            (Feature { column: name.into(), ..of }, numbers)
        };
        Ok(categories.iter().map(feature).collect())
    }
}

/// Inputs of all rows together: 4 GiB of them.
const MOST_INPUTS: usize = 1 << 30;

/// Squares of more do not fit into single precision, with room for their sums.
const MOST_DEVIATIONS: f64 = 1e15;

/// The place of each text among the distinct ones, and what those are. They are in the order of their numbers, if there are any, and of
/// their letters.
fn ranks(column: &Column, numbers: &[Option<f64>]) -> (Vec<u32>, Vec<String>) {
    let key = |(row, text): (usize, &str)| (numbers.get(row).copied().flatten().unwrap_or(0.0), text.to_string());
    let order = |a: &(f64, String), b: &(f64, String)| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1));
    let entries = || column.texts().enumerate().filter_map(|(row, text)| Some((row, text?)));
    let mut distinct: Vec<(f64, String)> = Vec::new();
    let place =
        |distinct: &[(f64, String)], entry: &(f64, String)| distinct.binary_search_by(|other| order(other, entry));
    for entry in entries().map(key) {
        if let Err(place) = place(&distinct, &entry) {
            distinct.insert(place, entry);
        }
    }
    let rank = |entry: (f64, String)| place(&distinct, &entry).unwrap_or_else(|place| place) as u32;
    (entries().map(key).map(rank).collect(), distinct.into_iter().map(|(_, text)| text).collect())
}

#[cfg(test)]
mod tests {
    use super::super::source::ByteSource;
    use super::*;

    const TABLE: &str = "name,size,color,kind\na,1,red,x\nb,2,blue,y\nc,3,red,x\nd,,green,y\ne,100,purple,x\n";

    fn table(text: &str) -> Table {
        Table::read(ByteSource::Embedded("t.csv", text.as_bytes())).unwrap()
    }

    fn reading<'a>(table: &'a Table, target: &'a str, missing: Missing) -> Tabular<'a> {
        let (ignored, categorical): (&[&str], &[&str]) = (&["name"], &[]);
        Tabular { table, target, kind: None, logarithm: false, ignored, categorical, missing, split: Split::Every(5) }
    }

    fn read(text: &str, missing: Missing) -> Result<DataSet> {
        reading(&table(text), "kind", missing).data_set()
    }

    /// Mean 2 and variance 2/3 of the training rows 1, 2, 3; the held-out row moves neither, and its color is none of theirs.
    #[test]
    fn everything_is_fitted_on_the_training_rows() {
        let data = read(TABLE, Missing::Fill).unwrap();
        let names: Vec<&str> = data.features.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["size", "color = blue", "color = green", "color = red"]);
        assert_eq!(data.target, Target::Class { names: vec!["x".into(), "y".into()] });
        assert_eq!(data.train.targets, Targets::Classes(vec![0, 1, 0, 1]));
        assert_eq!(data.test.targets, Targets::Classes(vec![0]));
        let unit = 1.5f32.sqrt();
        let expected = [[-unit, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0], [unit, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]];
        for (got, want) in data.train.inputs_of(0..4).iter().zip(expected.concat()) {
            assert!((got - want).abs() < 1e-6, "{:?}", data.train);
        }
        let test = data.test.inputs_of(0..1);
        assert!((test[0] - 98.0 * unit).abs() < 1e-3 && test[1..] == [0.0; 3]);
    }

    /// ln 1, ln e², ln 1, ln e² have mean 1 and deviation 1.
    #[test]
    fn values_are_standardized_and_can_be_put_back() {
        let square = std::f64::consts::E.powi(2);
        let text = format!("x,y\n1,1\n2,{square}\n3,1\n4,{square}\n5,{}\n", square * square);
        let table = table(&text);
        let mut tabular = reading(&table, "y", Missing::Error);
        tabular.ignored = &[];
        tabular.logarithm = true;
        let data = tabular.data_set().unwrap();
        let Target::Value { scale, .. } = &data.target else { panic!("{:?}", data.target) };
        assert_eq!(data.target.name(), "ln y");
        assert!((scale.mean - 1.0).abs() < 1e-12 && (scale.deviation - 1.0).abs() < 1e-12, "{scale:?}");
        let held_out = data.test.targets.values().unwrap();
        assert!((scale.restored(held_out[0]) - 4.0).abs() < 1e-6);
        tabular.logarithm = false;
        assert!(matches!(tabular.data_set().unwrap().target, Target::Value { .. }));
        tabular.kind = Some(TargetKind::Classification);
        let message = tabular.data_set().unwrap_err().to_string();
        assert!(message.contains("row 5: it is held out, and no training row has its class, 54.5"), "{message}");
        tabular.categorical = &["x"];
        tabular.kind = None;
        assert_eq!(tabular.data_set().unwrap().features.len(), 4, "one per training row");
    }

    #[test]
    fn what_can_not_be_learned_from_is_told() {
        let message = |text: &str, missing| read(text, missing).unwrap_err().to_string();
        assert!(message(TABLE, Missing::Error).contains("t.csv: row 4, column `size`: the entry is missing"));
        let gone = TABLE.replace("b,2,blue,y", "b,2,blue,");
        assert!(message(&gone, Missing::Fill).contains("row 2: the target `kind` is missing"));
        assert!(message(&TABLE.replace(",y\n", ",x\n"), Missing::Fill).contains("one class only, x"));
        assert!(message(&TABLE.replace("kind", "sort"), Missing::Fill).contains("unknown column `kind`"));
        assert!(message("name,size,kind\na,1,x\nb,2,y\n", Missing::Fill).contains("too few"));
        assert!(message("name,kind\na,x\nb,y\n", Missing::Fill).contains("no column beside the target"));
        let slip = message(&TABLE.replace(",3,", ",3m,"), Missing::Fill);
        assert!(slip.contains("row 3, column `size`: `3m` is not a number"), "{slip}");
        let lines = message(&TABLE.replace("2,blue,y", "2,\"bl\nue\",y"), Missing::Fill);
        assert!(lines.contains("row 2, column `color`: a text over several lines"), "{lines}");
        assert!(message(&TABLE.replace(",3,", ",NaN,"), Missing::Fill).contains("row 3, column `size`: NaN"));
        let names: String = (0..300).map(|i| format!("n{i},{i},c{i},{}\n", i % 2)).collect();
        assert!(message(&format!("name,size,color,kind\n{names}"), Missing::Error).contains("under `ignored`"));
        let values = |text: &str, logarithm: bool| {
            let table = table(text);
            let mut tabular = reading(&table, "y", Missing::Error);
            (tabular.ignored, tabular.logarithm) = (&[], logarithm);
            tabular.data_set().unwrap_err().to_string()
        };
        assert!(values("x,y\n1,1\n2,0\n3,1\n4,1\n5,1\n", true).contains("row 2, column `y`: 0 has no logarithm"));
        assert!(values("x,y\n1,7\n2,7\n3,7\n4,7\n5,1\n", false).contains("one value only, 7"));
        assert!(values("x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n", true).contains("`logarithm` is for values"));
    }
}
