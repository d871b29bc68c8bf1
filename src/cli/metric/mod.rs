//! `lossward metric`

mod input;
mod text;

use super::json::{self, Json};
use crate::metric::{self, Metric, Value};
use crate::options::{self, Given, Options};
use crate::report::figure::Drawing;
use anyhow::Context;
use input::{Input, Reading};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Compute a metric of predictions and targets, or say what it is.
///
/// Chosen classes are class indices, or rows of scores of which the first largest is taken. Probabilities are rows, one
/// number per class, or a flat list of those of class 1. Masks are class maps [height][width] or [images][height][width], or
/// the probabilities of class 1 of their pixels; boxes have COCO's fields. Every JSON may be given as it is, as @FILE, or as -
/// for standard input, up to 64 MiB of it. Everything is computed in double precision.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward metric f1 --predictions '[0,1,1,2]' --targets '[0,1,2,2]' --options '{\"average\":\"none\"}'
  lossward metric roc_auc '{\"predictions\":[0.9,0.2,0.4],\"targets\":[1,0,1]}' --json
  lossward metric confusion_matrix --predictions @chosen.json --targets @labels.json --figure confusion.svg
  lossward metric hausdorff_95 --predictions '[[1,1,0],[0,0,0]]' --targets '[[0,1,1],[0,1,0]]'
  lossward metric map --explain")]
pub struct Arguments {
    /// The metric; `lossward list metrics` names them.
    name: String,
    /// One object with `predictions`, `targets` and, if wanted, `options`, `classes`, `logits` and `ignored`.
    #[arg(value_name = "JSON", conflicts_with_all = ["predictions", "targets"])]
    data: Option<String>,
    /// What is judged: a list, of rows where there is a number per class.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true, requires = "targets")]
    predictions: Option<String>,
    /// What is true: class indices, values, class maps or boxes, whatever the metric compares with.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true, requires = "predictions")]
    targets: Option<String>,
    /// An object of the metric's options, such as {"average": "micro"}; --explain lists them.
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// How many classes there are, where that is more than the largest index says.
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// The predictions are logits; probabilities are their softmax, of a flat list the sigmoid.
    #[arg(long)]
    logits: bool,
    /// Pixels of masks that are truly of this class count nowhere.
    #[arg(long, value_name = "CLASS")]
    ignored: Option<u32>,
    /// Say what the metric is: formula, range, direction, options and source.
    #[arg(long)]
    explain: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Draw a confusion matrix, a curve or a reliability diagram into this SVG or PNG file.
    #[arg(long, value_name = "FILE")]
    figure: Option<PathBuf>,
}

/// What a run is about: from the flags, or from the one object.
struct Data {
    predictions: Json,
    targets: Json,
    options: Option<Json>,
    reading: Reading,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let metric = metric::find(&arguments.name)?;
    if arguments.explain {
        explain(metric, arguments.json)?;
    }
    let Some(given) = given(arguments)? else {
        anyhow::ensure!(
            arguments.explain,
            "give --predictions and --targets ({}), or one object with both; --explain says what {} is",
            json::FORMS,
            metric.name
        );
        return Ok(());
    };
    let options = match given.options {
        None => Options::defaults(metric.options),
        Some(options) => {
            let given: Given =
                serde_json::from_value(options.into_value()).context("the options are not an object of options")?;
            Options::new(metric.name, metric.options, &given)?
        }
    };
    let input = Input::read(metric, given.predictions, given.targets, given.reading)?;
    let value = input.judged_by(metric, &options)?;
    if let Some(path) = &arguments.figure {
        draw(metric, &value, path)?;
    }
    match arguments.json {
        true => super::print(&format!("{}\n", json!({ "metric": metric.name, "value": text::json(&value) }))),
        false => super::print(&text::of(metric, &value)),
    }
}

fn given(arguments: &Arguments) -> anyhow::Result<Option<Data>> {
    let reading = Reading { classes: arguments.classes, logits: arguments.logits, ignored: arguments.ignored };
    let options = arguments.options.as_deref().map(json::read).transpose().context("--options")?;
    if let (Some(predictions), Some(targets)) = (&arguments.predictions, &arguments.targets) {
        let predictions = json::read(predictions).context("--predictions")?;
        let targets = json::read(targets).context("--targets")?;
        return Ok(Some(Data { predictions, targets, options, reading }));
    }
    let Some(data) = &arguments.data else { return Ok(None) };
    let Json::Object(mut object) = json::read(data)? else {
        anyhow::bail!("the data must be one object: {{\"predictions\": …, \"targets\": …}}");
    };
    let mut take = |key: &str| object.remove(key);
    let (predictions, targets, inner) = (take("predictions"), take("targets"), take("options"));
    let classes =
        take("classes").map(|given| serde_json::from_value(given.into_value())).transpose().context("`classes`")?;
    let logits = take("logits").map(|given| serde_json::from_value::<bool>(given.into_value()));
    let logits = logits.transpose().context("`logits`")?.unwrap_or(false);
    let ignored =
        take("ignored").map(|given| serde_json::from_value(given.into_value())).transpose().context("`ignored`")?;
    if let Some(key) = object.keys().next() {
        let known = ["predictions", "targets", "options", "classes", "logits", "ignored"];
        anyhow::bail!("{}", crate::error::unknown("key of the data", key, &known));
    }
    Ok(Some(Data {
        predictions: predictions.context("the data has no `predictions`")?,
        targets: targets.context("the data has no `targets`")?,
        options: options.or(inner),
        reading: Reading {
            classes: reading.classes.or(classes),
            logits: reading.logits || logits,
            ignored: reading.ignored.or(ignored),
        },
    }))
}

fn explain(metric: &Metric, as_json: bool) -> anyhow::Result<()> {
    let options = options::describe(metric.options);
    if as_json {
        let object = json!({
            "metric": metric.name, "summary": metric.summary, "formula": metric.formula,
            "judges": metric.judge.to_string(), "range": metric.range_text(),
            "higher_is_better": metric.higher_is_better, "options": options, "source": metric.source,
        });
        return super::print(&format!("{object}\n"));
    }
    let mut rows: Vec<(String, String)> = vec![
        (metric.name.into(), metric.summary.into()),
        ("formula".into(), metric.formula.into()),
        ("judges".into(), metric.judge.to_string()),
        ("range".into(), format!("{}; {}", metric.range_text(), metric.direction_text())),
        ("source".into(), metric.source.into()),
    ];
    rows.extend(options.into_iter().map(|option| ("option".to_string(), option)));
    super::print(&super::two_columns(&rows))
}

/// A cell of a larger matrix would be smaller than a pixel.
const MOST_DRAWN: usize = 200;

fn draw(metric: &Metric, value: &Value, path: &Path) -> anyhow::Result<()> {
    if let Value::Counts(rows) = value {
        anyhow::ensure!(rows.len() <= MOST_DRAWN, "{} classes; at most {MOST_DRAWN} are drawn", rows.len());
    }
    let drawing = Drawing::of(metric, value).with_context(|| {
        let drawn: Vec<&str> = metric::all().filter(|metric| metric.is_drawn()).map(|metric| metric.name).collect();
        format!("{} is not drawn; drawn are {}", metric.name, drawn.join(", "))
    })?;
    let bytes = match super::figure_ending(path, "--figure")? {
        super::Ending::Svg => drawing.svg()?,
        super::Ending::Png => drawing.png()?,
    };
    Ok(crate::disk::write_whole(path, &bytes)?)
}
