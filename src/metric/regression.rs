//! Predicted against true real values.

use super::{Judge, Metric, Value, check_counts};
use crate::{Error, Result};
use std::borrow::Cow;

/// Predicted and true values, `[examples, columns]` both.
pub struct RealValues<'a> {
    predictions: Cow<'a, [f64]>,
    targets: Cow<'a, [f64]>,
    columns: usize,
}

impl<'a> RealValues<'a> {
    /// # Errors
    /// When there are none, not equally many, or one is not finite; the message names it.
    pub fn new(
        predictions: impl Into<Cow<'a, [f64]>>,
        targets: impl Into<Cow<'a, [f64]>>,
        columns: usize,
    ) -> Result<Self> {
        let (predictions, targets) = (predictions.into(), targets.into());
        check_counts(predictions.len(), targets.len())?;
        for (what, values) in [("prediction", &predictions), ("target", &targets)] {
            if let Some(i) = values.iter().position(|value| !value.is_finite()) {
                let place = if columns == 1 { i.to_string() } else { format!("[{}][{}]", i / columns, i % columns) };
                return Err(Error::NotFinite { what: format!("{what} {place}"), value: values[i] });
            }
        }
        Ok(RealValues { predictions, targets, columns })
    }

    /// `[examples, columns]`
    pub fn predictions(&self) -> &[f64] {
        &self.predictions
    }

    /// `[examples, columns]`
    pub fn targets(&self) -> &[f64] {
        &self.targets
    }

    /// The mean over columns of a function of `(predictions, targets)` of one column.
    pub fn mean_over_columns(&self, of: fn(&[f64], &[f64]) -> f64) -> f64 {
        let column =
            |values: &[f64], c: usize| values.iter().skip(c).step_by(self.columns).copied().collect::<Vec<_>>();
        let value = |c: usize| of(&column(&self.predictions, c), &column(&self.targets, c));
        mean((0..self.columns).map(value))
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

fn errors<'a>(predictions: &'a [f64], targets: &'a [f64]) -> impl ExactSizeIterator<Item = f64> + 'a {
    predictions.iter().zip(targets).map(|(prediction, target)| target - prediction)
}

/// `mean (y − ŷ)²`
pub fn mean_squared_error(predictions: &[f64], targets: &[f64]) -> f64 {
    mean(errors(predictions, targets).map(|error| error * error))
}

/// `√(mean (y − ŷ)²)`
pub fn root_mean_squared_error(predictions: &[f64], targets: &[f64]) -> f64 {
    mean_squared_error(predictions, targets).sqrt()
}

/// `mean |y − ŷ|`
pub fn mean_absolute_error(predictions: &[f64], targets: &[f64]) -> f64 {
    mean(errors(predictions, targets).map(f64::abs))
}

/// `mean |y − ŷ| / max(|y|, ε)` with `ε = 2⁻⁵²`, so that a true 0 makes it huge rather than infinite. A fraction, not percent.
pub fn mean_absolute_percentage_error(predictions: &[f64], targets: &[f64]) -> f64 {
    let relative = |(error, target): (f64, &f64)| error.abs() / target.abs().max(f64::EPSILON);
    mean(errors(predictions, targets).zip(targets).map(relative))
}

/// The median of `|y − ŷ|`; the mean of the two in the middle where their number is even.
pub fn median_absolute_error(predictions: &[f64], targets: &[f64]) -> f64 {
    let mut errors: Vec<f64> = errors(predictions, targets).map(f64::abs).collect();
    errors.sort_by(f64::total_cmp);
    let half = errors.len() / 2;
    if errors.len() % 2 == 1 { errors[half] } else { (errors[half - 1] + errors[half]) / 2.0 }
}

/// `max |y − ŷ|`
pub fn max_error(predictions: &[f64], targets: &[f64]) -> f64 {
    errors(predictions, targets).map(f64::abs).fold(0.0, f64::max)
}

/// `1 − Σ (y − ŷ)² / Σ (y − ȳ)²`. Where the truth never varies: 1 if it is met exactly, else 0. Undefined for one example.
pub fn r2(predictions: &[f64], targets: &[f64]) -> f64 {
    if targets.len() < 2 {
        return f64::NAN;
    }
    unexplained(mean_squared_error(predictions, targets), variance(targets))
}

/// `1 − Var(y − ŷ) / Var(y)`: as [`r2`], but a constant error costs nothing. Where the truth never varies: 1 if the error
/// never does, else 0.
pub fn explained_variance(predictions: &[f64], targets: &[f64]) -> f64 {
    unexplained(variance(&errors(predictions, targets).collect::<Vec<_>>()), variance(targets))
}

fn unexplained(residual: f64, total: f64) -> f64 {
    match total {
        0.0 if residual == 0.0 => 1.0,
        0.0 => 0.0,
        _ => 1.0 - residual / total,
    }
}

/// Exactly 0 for equal values, whatever rounding does to their mean.
fn variance(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let center = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - center) * (value - center)))
}

/// What the rows of this file have in common. Several values per example: the mean over columns, as scikit-learn's
/// `uniform_average`.
const ROW: Metric = Metric {
    name: "",
    formula: "",
    summary: "",
    source: "",
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    drawn: None,
    options: &[],
    judge: Judge::Values(|_, _| Ok(Value::Number(f64::NAN))),
    reward: None,
};

pub(super) const R2: Metric = Metric {
    name: "r2",
    formula: "1 − Σ (y − ŷ)² / Σ (y − ȳ)²",
    summary: "share of the variance that is predicted; for a constant truth 1 if met exactly, else 0",
    source: "scikit-learn r2_score",
    range: (f64::NEG_INFINITY, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(r2)))),
    ..ROW
};

pub(super) const MSE: Metric = Metric {
    name: "mse",
    formula: "mean (y − ŷ)²",
    summary: "mean squared error; as a reward: minus the squared error",
    source: "scikit-learn mean_squared_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(mean_squared_error)))),
    reward: Some(|prediction, target, _| -(prediction - target).powi(2)),
    ..ROW
};

pub(super) const RMSE: Metric = Metric {
    name: "rmse",
    formula: "√(mean (y − ŷ)²)",
    summary: "root mean squared error, in the units of the values",
    source: "scikit-learn root_mean_squared_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(root_mean_squared_error)))),
    ..ROW
};

pub(super) const MAE: Metric = Metric {
    name: "mae",
    formula: "mean |y − ŷ|",
    summary: "mean absolute error, in the units of the values; as a reward: minus the absolute error",
    source: "scikit-learn mean_absolute_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(mean_absolute_error)))),
    reward: Some(|prediction, target, _| -(prediction - target).abs()),
    ..ROW
};

pub(super) const MAPE: Metric = Metric {
    name: "mape",
    formula: "mean |y − ŷ| / max(|y|, 2⁻⁵²)",
    summary: "mean absolute percentage error, as a fraction; huge where a true value is 0",
    source: "scikit-learn mean_absolute_percentage_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(mean_absolute_percentage_error)))),
    ..ROW
};

pub(super) const MEDIAN_ABSOLUTE_ERROR: Metric = Metric {
    name: "median_absolute_error",
    formula: "median |y − ŷ|",
    summary: "the error that half of the examples stay below",
    source: "scikit-learn median_absolute_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(median_absolute_error)))),
    ..ROW
};

pub(super) const MAX_ERROR: Metric = Metric {
    name: "max_error",
    formula: "max |y − ŷ|",
    summary: "the worst error, of all columns",
    source: "scikit-learn max_error",
    judge: Judge::Values(|values, _| Ok(Value::Number(max_error(&values.predictions, &values.targets)))),
    ..ROW
};

pub(super) const EXPLAINED_VARIANCE: Metric = Metric {
    name: "explained_variance",
    formula: "1 − Var(y − ŷ) / Var(y)",
    summary: "as r2, but a constant error costs nothing; for a constant truth 1 if the error is constant, else 0",
    source: "scikit-learn explained_variance_score",
    range: (f64::NEG_INFINITY, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    judge: Judge::Values(|values, _| Ok(Value::Number(values.mean_over_columns(explained_variance)))),
    ..ROW
};
