//! `lossward loss`

use crate::loss::{self, Targets};
use anyhow::Context;
use candle_core::{Device, Tensor, Var};

/// Compute a loss and its gradient for predictions given on the command line.
///
/// The value is the mean over examples; the gradient is that of the mean with respect to the predictions. Everything is
/// computed in double precision.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward loss cross_entropy --predictions '[[2.5,0.1,-1.2]]' --targets '[0]'
  lossward loss mse --predictions '[[1.0],[2.0]]' --targets '[[0.5],[2.5]]' --json")]
pub struct Arguments {
    /// The loss; `lossward list losses` names them.
    name: String,
    /// A list of rows, one per example: logits, or predicted values.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    predictions: String,
    /// A list of class indices, or of rows of values, whatever the loss compares with.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    targets: String,
    /// Print one JSON object with `value`, `per_example` and `gradient`.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let loss = loss::find(&arguments.name)?;
    let predictions = matrix(&arguments.predictions).context("--predictions")?;
    let (rows, columns) = (predictions.len(), predictions[0].len());
    let targets = match loss.targets {
        Targets::Classes => classes(&arguments.targets, rows, columns),
        Targets::Values => values(&arguments.targets, rows, columns),
    }
    .context("--targets")?;
    let flat: Vec<f64> = predictions.into_iter().flatten().collect();
    let predictions = Var::from_vec(flat, (rows, columns), &Device::Cpu)?;
    let per_example = (loss.per_example)(&predictions, &targets)?;
    let value = per_example.mean_all()?;
    let gradients = value.backward()?;
    let gradient = gradients.get(&predictions).context("this loss has no gradient")?.to_vec2::<f64>()?;
    let value = crate::scalar(&value)?;
    if arguments.json {
        let object = serde_json::json!({
            "loss": loss.name, "value": value, "per_example": per_example.to_vec1::<f64>()?, "gradient": gradient,
        });
        return super::print(&format!("{object}\n"));
    }
    let row = |row: &Vec<f64>| row.iter().map(|g| format!("{g:>9.4}")).collect::<Vec<_>>().join(" ");
    let gradient: Vec<String> = gradient.iter().map(row).collect();
    super::print(&format!("value     {value:.4}\ngradient  {}\n", gradient.join("\n          ")))
}

/// A list of rows of finite numbers, all of the same length.
fn matrix(text: &str) -> anyhow::Result<Vec<Vec<f64>>> {
    let rows: Vec<Vec<f64>> = serde_json::from_str(text)
        .with_context(|| format!("`{text}` is not a list of rows such as [[2.5, 0.1, -1.2]]"))?;
    anyhow::ensure!(!rows.is_empty() && !rows[0].is_empty(), "there must be at least one row with one number");
    for (i, row) in rows.iter().enumerate() {
        anyhow::ensure!(row.len() == rows[0].len(), "row {i} has {} numbers, row 0 has {}", row.len(), rows[0].len());
    }
    Ok(rows)
}

fn classes(text: &str, rows: usize, classes: usize) -> anyhow::Result<Tensor> {
    let labels: Vec<u32> = serde_json::from_str(text)
        .with_context(|| format!("`{text}` is not a list of class indices such as [0, 2]"))?;
    anyhow::ensure!(labels.len() == rows, "{} targets for {rows} rows of predictions", labels.len());
    if let Some((i, label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= classes) {
        anyhow::bail!("target {i} is class {label}; the predictions have classes 0 to {}", classes - 1);
    }
    Ok(Tensor::from_vec(labels, rows, &Device::Cpu)?)
}

fn values(text: &str, rows: usize, columns: usize) -> anyhow::Result<Tensor> {
    let targets = matrix(text)?;
    anyhow::ensure!(
        targets.len() == rows && targets[0].len() == columns,
        "{}×{} targets for {rows}×{columns} predictions",
        targets.len(),
        targets[0].len()
    );
    Ok(Tensor::from_vec(targets.into_iter().flatten().collect::<Vec<f64>>(), (rows, columns), &Device::Cpu)?)
}
