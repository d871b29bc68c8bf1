//! Nested lists of numbers.

use super::Json;

/// A nested list of numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each level, outermost first; empty for a number alone.
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    /// # Errors
    /// When an entry is not a number, or a row has another length or depth than the first; the message names it.
    pub fn of(json: Json) -> anyhow::Result<Array> {
        match json {
            Json::Array(array) => Ok(*array),
            Json::Number(number) => Ok(Array { shape: Vec::new(), values: vec![number.as_f64().unwrap_or(f64::NAN)] }),
            Json::List(list) => {
                let mut shape = vec![list.len()];
                shape.extend(shape_of(&list[0]));
                anyhow::bail!(misfit(&Json::List(list), &shape, &mut Vec::new()).unwrap_or_default())
            }
            Json::Object(object) if object.keys().next().is_none() => anyhow::bail!("{{}} is not a list of numbers"),
            other => anyhow::bail!("{other} is not a list of numbers"),
        }
    }

    /// Takes one more entry of the outermost level, or gives it back where it has another shape than those before it.
    pub(super) fn push(&mut self, entry: Json) -> Result<(), Json> {
        match entry {
            Json::Number(number) if self.shape[0] == 0 || self.shape.len() == 1 => {
                self.values.push(number.as_f64().unwrap_or(f64::NAN));
            }
            Json::Array(row) if self.shape[0] == 0 => {
                self.shape.extend(row.shape);
                self.values = row.values;
            }
            Json::Array(row) if self.shape[1..] == row.shape => self.values.extend(row.values),
            other => return Err(other),
        }
        self.shape[0] += 1;
        Ok(())
    }

    /// The entries of the outermost level.
    pub(super) fn rows(self) -> Vec<Json> {
        let Array { shape, values } = self;
        let Some((count, inner)) = shape.split_first() else { return Vec::new() };
        let number = |x: &f64| {
            let whole = x.fract() == 0.0 && x.abs() < 2f64.powi(53) && !(*x == 0.0 && x.is_sign_negative());
            let number = if whole { Some((*x as i64).into()) } else { serde_json::Number::from_f64(*x) };
            number.map_or(Json::Null, Json::Number)
        };
        if inner.is_empty() {
            return values.iter().map(number).collect();
        }
        let width: usize = inner.iter().product();
        let row = |i: usize| Array { shape: inner.to_vec(), values: values[i * width..(i + 1) * width].to_vec() };
        (0..*count).map(|i| Json::Array(Box::new(row(i)))).collect()
    }

    /// The values as whole numbers.
    ///
    /// # Errors
    /// When one is not whole; the message names it.
    pub fn whole(&self) -> anyhow::Result<Vec<i64>> {
        let whole = |(i, value): (usize, &f64)| {
            anyhow::ensure!(
                value.fract() == 0.0 && value.abs() < 2f64.powi(53),
                "entry {} is {value}, not a whole number",
                position(&self.path(i))
            );
            Ok(*value as i64)
        };
        self.values.iter().enumerate().map(whole).collect()
    }

    /// Where the value number `i` stands.
    fn path(&self, mut i: usize) -> Vec<usize> {
        let mut path: Vec<usize> = self
            .shape
            .iter()
            .rev()
            .map(|length| {
                let at = i % length;
                i /= length;
                at
            })
            .collect();
        path.reverse();
        path
    }
}

/// As far as it goes along first entries.
fn shape_of(json: &Json) -> Vec<usize> {
    match json {
        Json::Array(array) => array.shape.clone(),
        Json::List(list) => [vec![list.len()], list.first().map(shape_of).unwrap_or_default()].concat(),
        _ => Vec::new(),
    }
}

/// The first entry that does not fit this shape, and why; `path` leads to `json`.
fn misfit(json: &Json, shape: &[usize], path: &mut Vec<usize>) -> Option<String> {
    let length = match json {
        Json::Array(array) => array.shape[0],
        Json::List(list) => list.len(),
        Json::Number(number) => {
            let place = position(path);
            let message = format!("entry {place} is the number {number}, the entries before it are lists");
            return (!shape.is_empty()).then_some(message);
        }
        _ => return Some(format!("entry {} is {json}, not a number", position(path))),
    };
    let Some((wanted, inner)) = shape.split_first() else {
        return Some(format!("entry {} is a list, the entries before it are numbers", position(path)));
    };
    if length != *wanted {
        let (here, first) = (position(path), position(&vec![0; path.len()]));
        return Some(format!("row {here} has {length} entries, row {first} has {wanted}"));
    }
    let mut of_entry = |i: usize, entry: &Json| {
        path.push(i);
        let message = misfit(entry, inner, path);
        path.pop();
        message
    };
    match json {
        // Its rows are alike, so that the first stands for all.
        Json::Array(array) if array.shape[1..] == *inner => None,
        Json::Array(array) => array.clone().rows().first().and_then(|row| of_entry(0, row)),
        Json::List(list) => list.iter().enumerate().find_map(|(i, entry)| of_entry(i, entry)),
        _ => None,
    }
}

/// `3`, or `[1][0]` deeper inside.
fn position(path: &[usize]) -> String {
    match path {
        [i] => i.to_string(),
        path => path.iter().map(|i| format!("[{i}]")).collect(),
    }
}
