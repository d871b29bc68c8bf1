//! The expectile loss (Newey and Powell 1987), and the same as a metric of held-out rows, in the target's own unit.

use lossward::loss::{Inputs, Line, Loss, PerExample, Slice};
use lossward::metric::{Judge, Metric, RealValues, Value};
use lossward::options::{Interval, OptionKind, OptionRow, Options};

const TAU: OptionRow = OptionRow {
    name: "tau",
    meaning: "τ, the weight of predictions that are too low; 1 − τ is that of those that are too high",
    kind: OptionKind::Number { default: 0.5, range: Interval::INSIDE_UNIT },
};

pub const LOSS: Loss = Loss {
    name: "expectile",
    formula: "e = y − ŷ: |τ − 1(e < 0)| e²; mean over outputs",
    gradient: "−2 |τ − 1(e < 0)| e / outputs",
    summary: "squared error that weighs one side more; the expectile of y is its minimizer, the mean for τ = 0.5",
    source: "Newey and Powell 1987, Asymmetric least squares estimation and testing",
    options: &[TAU],
    slice: Slice {
        lines: &[Line::with("τ = 0.5", "tau", 0.5), Line::with("τ = 0.9", "tau", 0.9)],
        ..Loss::ELEMENTWISE.slice
    },
    per_example: losses,
    ..Loss::ELEMENTWISE
};

/// Written in candle's own operations, so that the gradient comes by itself.
fn losses(inputs: &Inputs, options: &Options) -> lossward::Result<PerExample> {
    let tau = options.number("tau");
    let error = (&inputs.targets[0] - &inputs.predictions[0])?;
    let (low, high) = (error.relu()?.sqr()?, error.neg()?.relu()?.sqr()?);
    let losses = ((low * tau)? + (high * (1.0 - tau))?)?;
    Ok(losses.mean(1)?.into())
}

pub const METRIC: Metric = Metric {
    name: "expectile_error",
    formula: "e = y − ŷ: mean of |τ − 1(e < 0)| e²",
    summary: "what the expectile loss costs on held-out rows, in the unit of the target, squared",
    source: LOSS.source,
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    options: &[TAU],
    drawn: None,
    judge: Judge::Values(error),
    reward: None,
};

fn error(values: &RealValues, options: &Options) -> lossward::Result<Value> {
    let tau = options.number("tau");
    let rows = values.predictions().iter().zip(values.targets());
    let of_row = |(prediction, target): (&f64, &f64)| {
        let error = target - prediction;
        (if error < 0.0 { 1.0 - tau } else { tau }) * error * error
    };
    let n = values.predictions().len() as f64;
    Ok(Value::Number(rows.map(of_row).sum::<f64>() / n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lossward::candle_core::{Device, Tensor, Var};
    use lossward::options::{Given, OptionValue};

    /// By hand: τ = 0.9, errors 2 and −1.
    #[test]
    fn a_value_and_its_slope() {
        let options =
            Options::new("expectile", LOSS.options, &Given::from([("tau".to_string(), OptionValue::Number(0.9))]))
                .unwrap();
        let predictions = Var::new(&[[0.0f64], [3.0]], &Device::Cpu).unwrap();
        let targets = Tensor::new(&[[2.0f64], [2.0]], &Device::Cpu).unwrap();
        let inputs = Inputs::pair(&predictions, &targets);
        let losses = losses(&inputs, &options).unwrap().values;
        let values = losses.to_vec1::<f64>().unwrap();
        assert!((values[0] - 3.6).abs() < 1e-12 && (values[1] - 0.1).abs() < 1e-12, "{values:?}");
        let gradients = losses.sum_all().unwrap().backward().unwrap();
        let slopes = gradients.get(&predictions).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert!((slopes[0] + 3.6).abs() < 1e-12 && (slopes[1] - 0.2).abs() < 1e-12, "{slopes:?}");
        let judged = error(&RealValues::new(&[0.0, 3.0], &[2.0, 2.0], 1).unwrap(), &options).unwrap();
        assert!((judged.numbers()[0] - 1.85).abs() < 1e-12);
    }
}
