//! `lossward loss`

use super::json::{self, Array, Json};
use crate::loss::{self, Domain, Inputs, Layout, Loss, Part};
use crate::options::{self, Given, Options};
use anyhow::Context;
use candle_core::{DType, Device, Tensor, Var};
use serde_json::{Value, json};

/// Compute a loss and its gradient, in double precision.
///
/// The value is the mean over examples; the gradient is that of the mean with respect to the predictions.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward loss cross_entropy --predictions '[[2.5,0.1,-1.2]]' --targets '[0]'
  lossward loss huber --predictions '[1.0,2.0]' --targets '[0.5,7.0]' --options '{\"delta\":0.5}' --json
  lossward loss gaussian_nll --predictions '{\"mean\":[0.1],\"variance\":[2.0]}' --targets '[0.5]'
  lossward loss ciou @boxes.json
  lossward loss dice --explain")]
pub struct Arguments {
    /// The loss; `lossward list losses` names them.
    name: String,
    /// Everything at once: {"predictions": …, "targets": …, "options": {…}} as JSON, @FILE, or - for standard input.
    #[arg(value_name = "INPUT", conflicts_with_all = ["predictions", "targets", "options"])]
    input: Option<String>,
    /// What is differentiated: a list with one entry per example, as JSON, @FILE or -; where a loss takes several, an object
    /// with a list for each.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    predictions: Option<String>,
    /// What it is compared with, likewise.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    targets: Option<String>,
    /// Options of the loss: {"delta": 0.5}.
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// Of the losses of the examples.
    #[arg(long, value_enum, default_value_t = Reduction::Mean)]
    reduction: Reduction,
    /// Print one JSON object with `value`, `per_example` and `gradient`.
    #[arg(long)]
    json: bool,
    /// Print what the loss computes, what it takes and where it comes from; needs no input.
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Reduction {
    Mean,
    Sum,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let loss = loss::find(&arguments.name)?;
    if arguments.explain {
        return super::print(&match arguments.json {
            true => format!("{}\n", explanation_json(loss)),
            false => explanation(loss),
        });
    }
    let computed = computed(loss, given(loss, arguments)?, arguments.reduction)?;
    if !arguments.json {
        return super::print(&in_words(loss, &computed)?);
    }
    let mut of_parts =
        loss.predictions.iter().zip(&computed.gradients).map(|(part, g)| Ok((part.name.to_string(), nested(g)?)));
    let gradient = match &computed.gradients[..] {
        [one] => nested(one)?,
        _ => Value::Object(of_parts.by_ref().collect::<anyhow::Result<_>>()?),
    };
    let Computed { value, per_example, .. } = computed;
    let object = json!({ "loss": loss.name, "value": value, "per_example": per_example, "gradient": gradient });
    super::print(&format!("{object}\n"))
}

/// A loss of a batch.
struct Computed {
    value: f64,
    per_example: Vec<f64>,
    /// One per prediction.
    gradients: Vec<Tensor>,
}

fn computed(loss: &Loss, given: Input, reduction: Reduction) -> anyhow::Result<Computed> {
    let options: Given = match given.options {
        Json::Null => Given::new(),
        options => serde_json::from_value(options.into_value())
            .context("the options are not an object such as {\"delta\": 0.5}")?,
    };
    let options = Options::new(loss.name, loss.options, &options)?;
    let variables: Vec<Var> = tensors("predictions", loss.predictions, given.predictions)?
        .iter()
        .map(Var::from_tensor)
        .collect::<Result<_, _>>()?;
    let inputs = Inputs {
        predictions: variables.iter().map(|variable| variable.as_tensor().clone()).collect(),
        targets: tensors("targets", loss.targets, given.targets)?,
    };
    loss::check(loss, &inputs, &options)?;
    let losses = (loss.per_example)(&inputs, &options)?;
    let value = match reduction {
        Reduction::Mean => losses.mean()?,
        Reduction::Sum => losses.values.sum_all()?,
    };
    let per_example = losses.values.to_vec1::<f64>()?;
    if let Some((i, value)) = per_example.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        anyhow::bail!("the loss of example {i} is {value}: these numbers are beyond what the formula can take");
    }
    let slopes = value.backward()?;
    let value = crate::scalar(&value)?;
    let counts = losses.total_weight.is_none_or(|total| total > 0.0);
    anyhow::ensure!(counts || value.is_finite(), "no example counts, so their mean is undefined; try --reduction sum");
    anyhow::ensure!(value.is_finite(), "the losses are finite, but together they are {value}");
    let gradients = variables.iter().map(|variable| match slopes.get(variable) {
        Some(gradient) => Ok(gradient.clone()),
        None => variable.zeros_like(),
    });
    let gradients = gradients.collect::<Result<Vec<Tensor>, _>>()?;
    for (part, gradient) in loss.predictions.iter().zip(&gradients) {
        if let Some((_, slope)) = crate::kernel::first_not_finite(gradient)? {
            anyhow::bail!(
                "the gradient by `{}` has {slope}: these numbers are beyond what the formula can take",
                part.name
            );
        }
    }
    Ok(Computed { value, per_example, gradients })
}

/// What the user gave, however it was given.
struct Input {
    predictions: Json,
    targets: Json,
    options: Json,
}

fn given(loss: &Loss, arguments: &Arguments) -> anyhow::Result<Input> {
    if let Some(whole) = &arguments.input {
        let Json::Object(mut whole) = json::read(whole)? else {
            anyhow::bail!("the input must be an object: {{\"predictions\": …, \"targets\": …, \"options\": {{…}}}}");
        };
        let mut take = |key: &str| whole.remove(key).unwrap_or(Json::Null);
        let input = Input { predictions: take("predictions"), targets: take("targets"), options: take("options") };
        if let Some(key) = whole.keys().next() {
            anyhow::bail!(crate::error::unknown("key", key, &["predictions", "targets", "options"]));
        }
        return check_given(loss, input, "");
    }
    let read = |name: &str, given: &Option<String>| match given {
        Some(text) => json::read(text).with_context(|| format!("--{name}")),
        None => Ok(Json::Null),
    };
    let input = Input {
        predictions: read("predictions", &arguments.predictions)?,
        targets: read("targets", &arguments.targets)?,
        options: read("options", &arguments.options)?,
    };
    check_given(loss, input, "--")
}

/// Whether what the loss needs is there; `dashes` stand before an option of the command line.
fn check_given(loss: &Loss, input: Input, dashes: &str) -> anyhow::Result<Input> {
    let needs = |given: &Json, parts: &[Part]| *given == Json::Null && parts.iter().any(|part| !part.optional);
    for (name, missing) in
        [("predictions", needs(&input.predictions, loss.predictions)), ("targets", needs(&input.targets, loss.targets))]
    {
        let loss = loss.name;
        anyhow::ensure!(!missing, "{loss} needs {dashes}{name}; `lossward loss {loss} --explain` says of what form");
    }
    Ok(input)
}

/// The tensors of these parts, in their order: a single list, or an object with a list for each.
fn tensors(role: &str, parts: &[Part], given: Json) -> anyhow::Result<Vec<Tensor>> {
    let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
    let list = |value: Json, part: &Part| tensor(value, part).with_context(|| format!("`{}`", part.name));
    match (given, parts) {
        (Json::Null, parts) if parts.iter().all(|part| part.optional) => Ok(Vec::new()),
        (Json::Object(mut object), _) => {
            if let Some(key) = object.keys().find(|key| !names.contains(key)) {
                anyhow::bail!(crate::error::unknown(role, key, &names));
            }
            let mut tensors = Vec::new();
            for part in parts {
                match object.remove(part.name) {
                    Some(value) => tensors.push(list(value, part)?),
                    None => anyhow::ensure!(part.optional, "the {role} lack `{}`", part.name),
                }
            }
            Ok(tensors)
        }
        (value, [part, rest @ ..]) if rest.iter().all(|part| part.optional) => Ok(vec![list(value, part)?]),
        (_, []) => anyhow::bail!("this loss takes no {role}"),
        _ => anyhow::bail!("the {role} must be an object with a list for each of {}", names.join(", ")),
    }
}

fn tensor(value: Json, part: &Part) -> anyhow::Result<Tensor> {
    let array = Array::of(value)?;
    anyhow::ensure!(!array.shape.is_empty(), "{} is not a list with one entry per example", array.values[0]);
    let tensor = Tensor::from_vec(array.values, array.shape, &Device::Cpu)?;
    let whole = matches!(part.domain, Domain::Label { soft: false });
    // Fractions are kept for the check, which names them.
    let is_whole = |x: &f64| x.fract() == 0.0;
    let labels = whole && tensor.flatten_all()?.to_vec1::<f64>()?.iter().all(is_whole);
    Ok(if labels { tensor.to_dtype(DType::I64)? } else { tensor })
}

fn in_words(loss: &Loss, Computed { value, gradients, .. }: &Computed) -> anyhow::Result<String> {
    let mut text = format!("value     {}\n", shown(*value).trim_start());
    for (part, gradient) in loss.predictions.iter().zip(gradients) {
        let columns = if gradient.rank() > 1 { *gradient.dims().last().unwrap_or(&1) } else { 1 };
        let rows = gradient.flatten_all()?.to_vec1::<f64>()?;
        let row = |row: &[f64]| row.iter().map(|g| shown(*g)).collect::<Vec<_>>().join(" ");
        let rows: Vec<String> = rows.chunks(columns.max(1)).map(row).collect();
        let title =
            if gradients.len() > 1 { format!("gradient by {}\n          ", part.name) } else { "gradient  ".into() };
        text += &format!("{title}{}\n", rows.join("\n          "));
    }
    Ok(text)
}

/// Four decimals, where they say something.
fn shown(value: f64) -> String {
    match value.abs() {
        0.0 => format!("{:>9.4}", 0.0),
        size if (1e-3..1e5).contains(&size) => format!("{value:>9.4}"),
        _ => format!("{value:>9.3e}"),
    }
}

/// A tensor as nested lists.
fn nested(tensor: &Tensor) -> anyhow::Result<Value> {
    if tensor.rank() == 1 {
        return Ok(json!(tensor.to_vec1::<f64>()?));
    }
    Ok(Value::Array((0..tensor.dim(0)?).map(|i| nested(&tensor.get(i)?)).collect::<anyhow::Result<_>>()?))
}

/// What a part is called and which numbers it has.
fn described(part: &Part) -> String {
    let flag = part.unless.map_or(String::new(), |flag| format!(" (any with `{flag}`)"));
    let optional = if part.optional { ", optional" } else { "" };
    format!("{}: {}{flag}{optional}", part.name, part.domain)
}

fn explanation_json(loss: &Loss) -> Value {
    let list = |parts: &[Part]| parts.iter().map(described).collect::<Vec<String>>();
    json!({
        "loss": loss.name, "summary": loss.summary, "formula": loss.formula, "gradient": loss.gradient, "shapes": shapes(loss),
        "predictions": list(loss.predictions), "targets": list(loss.targets), "options": options::describe(loss.options),
        "source": loss.source,
    })
}

fn explanation(loss: &Loss) -> String {
    let list = |lines: Vec<String>| match lines.is_empty() {
        true => "none".into(),
        false => lines.join("\n             "),
    };
    format!(
        "{}: {}\n\n  loss       {}\n  gradient   {}\n  shapes     {}\n  predicts   {}\n  targets    {}\n  options    {}\n  source     {}\n",
        loss.name,
        loss.summary,
        loss.formula,
        loss.gradient,
        shapes(loss),
        list(loss.predictions.iter().map(described).collect()),
        list(loss.targets.iter().map(described).collect()),
        list(options::describe(loss.options)),
        loss.source,
    )
}

fn shapes(loss: &Loss) -> &'static str {
    match loss.layout {
        Layout::Same => "all [batch] or [batch, outputs]",
        Layout::Classes => "scores [batch, classes, …], labels [batch, …] (pixels of images count as examples)",
        Layout::Masks => {
            "scores [batch, channels, height, width]; masks of this shape, or labels [batch, height, width]"
        }
        Layout::Boxes => "[batch, 4]: x1, y1, x2, y2",
        Layout::Bins => "scores [batch, sides, bins], distances [batch, sides] in bins",
        Layout::Vectors if loss.targets.is_empty() => "vectors [batch, features]",
        Layout::Vectors => "vectors [batch, features], signs [batch]",
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::tests::{any_json, any_rows};
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::FileFailurePersistence::WithSource;

    fn any_part() -> impl Strategy<Value = String> {
        prop_oneof![5 => any_rows(), 1 => any_json()]
    }

    /// One text per part, so that what fits one loss meets every other.
    fn object(parts: &[Part], texts: &[String]) -> Option<Json> {
        let entry = |(part, text): (&Part, &String)| Some((part.name.to_string(), json::read(text).ok()?));
        parts.iter().zip(texts).map(entry).collect::<Option<_>>().map(Json::Object)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

        /// Whatever is given, a loss and its gradient are finite, or an error says why not.
        #[test]
        fn any_input_is_computed_or_refused(
            texts in proptest::collection::vec(any_part(), 5),
            alike in any::<bool>(),
        ) {
            for loss in loss::all() {
                let texts = if alike { vec![texts[0].clone(); 5] } else { texts.clone() };
                let (predictions, targets) = (object(loss.predictions, &texts), object(loss.targets, &texts[2..]));
                let (Some(predictions), Some(targets)) = (predictions, targets) else { continue };
                match computed(loss, Input { predictions, targets, options: Json::Null }, Reduction::Mean) {
                    Ok(Computed { value, gradients, .. }) => {
                        prop_assert!(value.is_finite(), "{}: {}", loss.name, value);
                        for gradient in gradients {
                            let slopes: Vec<f64> = gradient.flatten_all().unwrap().to_vec1().unwrap();
                            prop_assert!(slopes.iter().all(|slope| slope.is_finite()), "{}: {:?}", loss.name, slopes);
                        }
                    }
                    Err(error) => {
                        let message = format!("{error:#}");
                        prop_assert!((10..600).contains(&message.len()), "{}: {}", loss.name, message);
                    }
                }
            }
        }
    }
}
