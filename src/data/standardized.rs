//! Data sets from numbers: inputs, and values, standardized by the training part.

use super::table::{LARGEST, is_usable};
use super::{DataSet, Examples, Feature, InputValues, Scale, Target, Targets};
use crate::{Error, Result};

impl DataSet {
    /// Inputs `[rows, features]` with a class each, to train on and held out. `features` and `classes` are names.
    ///
    /// # Errors
    /// When the sizes don't fit, a part is empty, a class is none of these, or a number is not finite or beyond 10³⁰.
    pub fn of_classes(
        features: Vec<String>,
        classes: Vec<String>,
        parts: [(Vec<f64>, Vec<u32>); 2],
    ) -> Result<DataSet> {
        let labels = parts.iter().flat_map(|(_, labels)| labels);
        if let Some(label) = labels.copied().find(|label| *label as usize >= classes.len()) {
            return Err(Error::Argument(format!("the class {label} is none of the {} that have names", classes.len())));
        }
        let parts = parts.map(|(inputs, labels)| (inputs, Targets::Classes(labels)));
        standardized(features, Target::Class { names: classes }, parts)
    }

    /// Inputs `[rows, features]` with a real value each, to train on and held out. `features` and `column` are names.
    ///
    /// # Errors
    /// As [`DataSet::of_classes`].
    pub fn of_values(features: Vec<String>, column: String, parts: [(Vec<f64>, Vec<f64>); 2]) -> Result<DataSet> {
        if !parts.iter().flat_map(|(_, values)| values).copied().all(is_usable) {
            return Err(too_large());
        }
        let scale = Scale::of(parts[0].1.iter().copied());
        let standard = |values: Vec<f64>| Targets::Values(values.iter().map(|y| scale.standardized(*y)).collect());
        let parts = parts.map(|(inputs, values)| (inputs, standard(values)));
        standardized(features, Target::Value { column, logarithm: false, scale }, parts)
    }
}

fn standardized(names: Vec<String>, target: Target, parts: [(Vec<f64>, Targets); 2]) -> Result<DataSet> {
    for (inputs, targets) in &parts {
        if targets.is_empty() || inputs.len() != targets.len() * names.len() {
            let (numbers, rows, features) = (inputs.len(), targets.len(), names.len());
            let message = format!("{numbers} numbers are not {rows} rows (at least one) of {features} features");
            return Err(Error::Argument(message));
        }
    }
    if !parts.iter().flat_map(|(inputs, _)| inputs).copied().all(is_usable) {
        return Err(too_large());
    }
    let features = names.len();
    let column = |feature: usize| parts[0].0.iter().skip(feature).step_by(features).copied().collect::<Vec<f64>>();
    let scales = (0..features).map(|feature| Scale::of(column(feature)));
    let features: Vec<Feature> =
        names.into_iter().zip(scales).map(|(name, scale)| Feature::number(name, scale)).collect();
    let [train, test] = parts.map(|(inputs, targets)| {
        let inputs = inputs.iter().zip(features.iter().cycle()).map(|(x, feature)| feature.scale.standardized(*x));
        Examples::new(InputValues::Numbers(inputs.collect()), targets).into()
    });
    Ok(DataSet { shape: vec![features.len()], features, target, train, test, further: Vec::new(), notes: Vec::new() })
}

fn too_large() -> Error {
    Error::Argument(format!(
        "there are numbers that are not finite or beyond {LARGEST:e}, too large to be learned from"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_a_data_set_or_an_error() {
        let names = |of: &[&str]| of.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let data =
            DataSet::of_values(names(&["a"]), "y".into(), [(vec![1.0, 3.0], vec![0.0, 4.0]), (vec![5.0], vec![2.0])]);
        let data = data.unwrap();
        assert_eq!(
            (data.train.inputs_of(0..2), data.train.targets.values()),
            (vec![-1.0, 1.0], Some(&[-1.0, 1.0][..]))
        );
        assert_eq!((data.test.inputs_of(0..1), data.test.targets.number(0)), (vec![3.0], 0.0));
        let message = |inputs: Vec<f64>, labels: Vec<u32>| {
            let parts = [(inputs, labels), (vec![0.0], vec![0])];
            DataSet::of_classes(names(&["a"]), names(&["no", "yes"]), parts).unwrap_err().to_string()
        };
        assert!(message(vec![1.0], vec![2]).contains("class 2"));
        assert!(message(vec![1.0, 2.0], vec![1]).contains("2 numbers are not 1 rows"));
        assert!(message(vec![], vec![]).contains("0 numbers are not 0 rows"));
        assert!(message(vec![f64::NAN], vec![1]).contains("not finite"));
    }
}
