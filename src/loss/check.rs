//! Whether what goes into a loss fits it.

use super::{Domain, Inputs, Layout, Loss, Part};
use crate::options::Options;
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// Checks the shapes and every number; where one does not fit, the error names the part, the index and what would.
pub fn check(loss: &Loss, inputs: &Inputs, options: &Options) -> Result<()> {
    let needed = loss.targets.iter().filter(|part| !part.optional).count();
    let targets = inputs.targets.len();
    if inputs.predictions.len() != loss.predictions.len() || targets < needed || targets > loss.targets.len() {
        return Err(wrong_count());
    }
    let predictions = loss.predictions.iter().zip(&inputs.predictions);
    let parts = || predictions.clone().chain(loss.targets.iter().zip(&inputs.targets));
    if let Some((part, _)) = parts().find(|(_, tensor)| tensor.elem_count() == 0) {
        return Err(Error::Argument(format!("`{}` is empty; a batch needs at least one example", part.name)));
    }
    let reference = (loss.predictions[0].name, inputs.predictions[0].dims());
    for (part, tensor) in predictions.clone() {
        check_prediction(loss.layout, part, tensor.dims(), reference)?;
    }
    for (part, tensor) in loss.targets.iter().zip(&inputs.targets) {
        check_target(loss.layout, part, tensor.dims(), reference)?;
    }
    let classes = match loss.layout {
        Layout::Same | Layout::Vectors => reference.1.last().copied().filter(|_| reference.1.len() > 1).unwrap_or(1),
        _ => reference.1[1],
    };
    options.check_classes(classes)?;
    let is_mask = loss.layout == Layout::Masks;
    for (part, tensor) in parts() {
        let free = part.unless.is_some_and(|flag| options.flag(flag));
        let labels = matches!(part.domain, Domain::Label { .. }) && tensor.dims() != reference.1;
        let ignored = loss.options.iter().any(|row| row.name == "ignore_index");
        let ignored = if ignored { options.whole("ignore_index") } else { None };
        let allowed = match part.domain {
            _ if free => Allowed::Domain(Domain::Real),
            // A single channel of masks knows background and foreground.
            Domain::Label { .. } if labels && is_mask => Allowed::Labels(classes.max(2), ignored),
            Domain::Label { .. } if labels => Allowed::Labels(classes, ignored),
            Domain::Label { .. } if is_mask => Allowed::Domain(Domain::Unit),
            domain => Allowed::Domain(domain),
        };
        check_numbers(part.name, tensor, allowed)?;
        if labels || free || loss.layout != Layout::Classes {
            continue;
        }
        if let Domain::Label { .. } = part.domain {
            check_distributions(part.name, tensor)?;
        }
    }
    Ok(())
}

/// Another number of tensors than the loss has parts.
pub(super) fn wrong_count() -> Error {
    Error::Argument("another number of predictions or targets than the loss takes".into())
}

enum Allowed {
    Domain(Domain),
    /// Below this number, or the one that is ignored.
    Labels(usize, Option<i64>),
}

fn check_prediction(layout: Layout, part: &Part, dims: &[usize], (first, reference): (&str, &[usize])) -> Result<()> {
    let (fits, wanted) = match layout {
        Layout::Same => (true, "any shape"),
        Layout::Classes => (dims.len() >= 2, "[batch, classes]"),
        Layout::Masks => (dims.len() >= 3, "[batch, channels, height, width] or [batch, channels, pixels]"),
        Layout::Boxes => (dims.len() == 2 && dims[1] == 4, "[batch, 4]: x1, y1, x2, y2"),
        Layout::Bins => (dims.len() == 3 && dims[2] >= 2, "[batch, sides, bins] with at least 2 bins"),
        Layout::Vectors => (dims.len() == 2, "[batch, features]"),
    };
    if !fits {
        return Err(Error::Argument(format!("`{}` has shape {dims:?}; it should be {wanted}", part.name)));
    }
    if dims != reference {
        return Err(shape_error(part.name, dims, reference, (first, reference)));
    }
    Ok(())
}

fn check_target(layout: Layout, part: &Part, dims: &[usize], (first, reference): (&str, &[usize])) -> Result<()> {
    let without_channels = || reference.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, n)| *n).collect();
    let soft = part.domain == (Domain::Label { soft: true });
    let wanted: Vec<usize> = match layout {
        Layout::Same | Layout::Boxes => reference.to_vec(),
        Layout::Classes | Layout::Masks => without_channels(),
        Layout::Bins => reference[..2].to_vec(),
        Layout::Vectors => reference[..1].to_vec(),
    };
    if dims == wanted || (soft && dims == reference) {
        return Ok(());
    }
    Err(shape_error(part.name, dims, &wanted, (first, reference)))
}

fn shape_error(name: &str, dims: &[usize], wanted: &[usize], (first, reference): (&str, &[usize])) -> Error {
    Error::Argument(format!(
        "`{name}` has shape {dims:?}; with `{first}` of shape {reference:?} it should be {wanted:?}"
    ))
}

fn check_numbers(name: &str, tensor: &Tensor, allowed: Allowed) -> Result<()> {
    let numbers: Vec<f64> = tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    let is_box = matches!(allowed, Allowed::Domain(Domain::Box));
    for (i, x) in numbers.iter().enumerate() {
        let wanted = match &allowed {
            _ if !x.is_finite() => Some("finite".into()),
            Allowed::Domain(domain) => domain.refuses(*x),
            Allowed::Labels(_, Some(ignored)) if *x == *ignored as f64 => None,
            Allowed::Labels(classes, _) => (x.fract() != 0.0 || *x < 0.0 || *x >= *classes as f64)
                .then(|| format!("a class from 0 to {}", classes - 1)),
        };
        // x2 stands two places behind x1, and y2 behind y1.
        let wanted = wanted.or_else(|| {
            (is_box && i % 4 >= 2 && *x < numbers[i - 2])
                .then(|| format!("at least {}, the other edge", numbers[i - 2]))
        });
        if let Some(wanted) = wanted {
            let place = place(i, tensor.dims());
            return Err(Error::Argument(format!("`{name}`{place} is {x}; it must be {wanted}")));
        }
    }
    Ok(())
}

/// Soft labels: rows of classes that are distributions.
fn check_distributions(name: &str, tensor: &Tensor) -> Result<()> {
    let rows: Vec<Vec<f64>> = super::classification::as_examples(tensor)?.to_dtype(DType::F64)?.to_vec2()?;
    for (i, row) in rows.iter().enumerate() {
        let sum: f64 = row.iter().sum();
        if row.iter().any(|q| *q < 0.0) || (sum - 1.0).abs() > 1e-6 {
            let message = format!("example {i} of `{name}` must be a distribution over the classes; its sum is {sum}");
            return Err(Error::Argument(message));
        }
    }
    Ok(())
}

/// What numbers it has: `in [0, 1]`.
impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Domain::Real => "any number",
            Domain::Label { soft: false } => "class indices, from 0",
            Domain::Label { soft: true } => {
                "class indices, from 0, or shares of every class in the shape of the predictions"
            }
            Domain::Box => "corners with x1 ≤ x2 and y1 ≤ y2",
            Domain::NotNegative => "at least 0",
            Domain::Unit => "in [0, 1]",
            Domain::LogProbability => "logarithms of probabilities, at most 0",
            Domain::Sign => "−1 or 1",
        })
    }
}

impl Domain {
    /// What a number would have to be, if it is not.
    fn refuses(self, x: f64) -> Option<String> {
        let fits = match self {
            Domain::Real | Domain::Label { .. } | Domain::Box => true,
            Domain::NotNegative => x >= 0.0,
            Domain::Unit => (0.0..=1.0).contains(&x),
            Domain::LogProbability => x <= 0.0,
            Domain::Sign => x == 1.0 || x == -1.0,
        };
        if fits { None } else { Some(self.to_string()) }
    }
}

/// `[2][0]`: the index of a number that is the `i`th in order.
fn place(mut i: usize, dims: &[usize]) -> String {
    let mut indices = Vec::new();
    for n in dims.iter().rev() {
        indices.push(i % n);
        i /= n;
    }
    indices.iter().rev().map(|index| format!("[{index}]")).collect()
}
