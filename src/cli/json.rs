//! JSON given on the command line: as it is, in a file, or on standard input; and lists of numbers in it.

use anyhow::Context;
use serde_json::Value;
use std::io::Read;

/// How options that take JSON may be given, for their help.
pub const FORMS: &str = "JSON, @FILE, or - for standard input";

/// Reads `[1, 2]` itself, `@FILE` from that file, and `-` from standard input.
///
/// # Errors
/// When there is nothing to read, or it is not JSON; the message says where it stood and what is wrong at which column.
pub fn read(given: &str) -> anyhow::Result<Value> {
    if given == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        anyhow::ensure!(!text.trim().is_empty(), "standard input is empty (it can be read once only)");
        return parse(&text).context("standard input");
    }
    match given.strip_prefix('@') {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
            parse(&text).with_context(|| path.to_string())
        }
        None => parse(given).with_context(|| format!("`{}`", shortened(given))),
    }
}

fn parse(text: &str) -> anyhow::Result<Value> {
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "there is nothing in it");
    serde_json::from_str(text).map_err(|error| anyhow::anyhow!("this is not JSON: {error}"))
}

/// The beginning of a text, short enough for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// A nested list of numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each level, outermost first; empty for a number alone.
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    /// # Errors
    /// When an entry is not a finite number, or a row has another length or depth than the first; the message names it.
    pub fn of(value: &Value) -> anyhow::Result<Array> {
        let mut shape = Vec::new();
        let mut first = value;
        while let Value::Array(list) = first {
            shape.push(list.len());
            let Some(inner) = list.first() else { break };
            first = inner;
        }
        let mut array = Array { shape, values: Vec::new() };
        array.gather(value, &mut Vec::new())?;
        Ok(array)
    }

    fn gather(&mut self, value: &Value, path: &mut Vec<usize>) -> anyhow::Result<()> {
        let wanted = self.shape.get(path.len()).copied();
        match (value, wanted) {
            (Value::Array(list), Some(length)) => {
                anyhow::ensure!(
                    list.len() == length,
                    "row {} has {} entries, row {} has {length}",
                    position(path),
                    list.len(),
                    position(&vec![0; path.len()])
                );
                for (i, inner) in list.iter().enumerate() {
                    path.push(i);
                    self.gather(inner, path)?;
                    path.pop();
                }
                Ok(())
            }
            (Value::Number(number), None) => {
                let number = number.as_f64().filter(|number| number.is_finite());
                self.values.push(number.with_context(|| format!("entry {} is {value}, not finite", position(path)))?);
                Ok(())
            }
            (Value::Array(_), None) => {
                anyhow::bail!("entry {} is a list, the entries before it are numbers", position(path))
            }
            (Value::Number(_), Some(_)) => {
                anyhow::bail!("entry {} is the number {value}, the entries before it are lists", position(path))
            }
            _ if path.is_empty() => anyhow::bail!("{value} is not a list of numbers"),
            _ => anyhow::bail!("entry {} is {}, not a number", position(path), shortened(&value.to_string())),
        }
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

/// `3`, or `[1][0]` deeper inside.
fn position(path: &[usize]) -> String {
    match path {
        [i] => i.to_string(),
        path => path.iter().map(|i| format!("[{i}]")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(text: &str) -> anyhow::Result<Array> {
        Array::of(&read(text)?)
    }

    #[test]
    fn nested_lists_have_a_shape() {
        let of = |text: &str| array(text).map(|array| (array.shape, array.values)).unwrap();
        assert_eq!(of("3"), (vec![], vec![3.0]));
        assert_eq!(of("[]"), (vec![0], vec![]));
        assert_eq!(of("[[1, 2.5], [-3e2, 4]]"), (vec![2, 2], vec![1.0, 2.5, -300.0, 4.0]));
        assert_eq!(of("[[[1], [2]]]").0, [1, 2, 1]);
        assert_eq!(array("[[1, 2], [3, 4]]").unwrap().whole().unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_not_an_array_of_numbers_is_named_with_its_place() {
        for (text, message) in [
            ("[1, NaN]", "not JSON"),
            ("[1, \"nan\"]", "entry 1 is \"nan\", not a number"),
            ("[[1, 2], [3, null]]", "entry [1][1] is null"),
            ("[[1, 2], [3]]", "row 1 has 1 entries, row 0 has 2"),
            ("[[[1], [1, 2]]]", "row [0][1] has 2 entries, row [0][0] has 1"),
            ("[1, [2]]", "entry 1 is a list"),
            ("[[1], 2]", "entry 1 is the number 2"),
            ("{}", "{} is not a list of numbers"),
            ("[1e999]", "out of range"),
            ("", "nothing"),
            ("@no/such/file", "cannot read no/such/file"),
        ] {
            let error = format!("{:#}", array(text).unwrap_err());
            assert!(error.contains(message), "{text}: {error}");
        }
        let error = array("[[0, 1], [0.5, 1]]").unwrap().whole().unwrap_err().to_string();
        assert!(error.contains("entry [1][0] is 0.5, not a whole number"), "{error}");
    }
}
