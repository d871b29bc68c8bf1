//! `lossward data`

mod document;
mod file;
mod json;
mod set;
mod shades;
mod subject;
mod table;
mod text;

use crate::data;
use crate::data::Files;
use crate::disk;
use crate::options::{Given, OptionValue};
use anyhow::Context;
use std::path::{Path, PathBuf};
use subject::Subject;

/// Describe and draw data: a built-in set, a file of yours, or what an experiment learns from.
///
/// A file is a CSV with a header (one with the columns image, class, x1, y1, x2, y2 is a list of boxes), an IDX array, either of
/// them plain or gzip-compressed, or an experiment, a name that ends in .toml. A folder has PNG or JPEG images, in a folder for each class,
/// or with masks=… or boxes=…, as `dataset` of an experiment has them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward data digits
  lossward data moons noise=0.1 --figure moons.svg
  lossward data houses.csv --figure houses.png
  lossward data train-images-idx3-ubyte.gz --figure sheet.png
  lossward data slices masks=masks classes=none,lesion --figure sheet.png
  lossward data experiments/digits.toml --json")]
pub struct Arguments {
    /// A data set that `lossward list datasets` names, a file, or a folder of images.
    #[arg(value_name = "NAME", required_unless_present = "document")]
    name: Option<String>,
    /// Options of the data set, such as noise=0.1; of a table, how it is read (separator, decimal, thousands, missing_values); of images, what belongs to them (labels, masks, boxes, classes, …); of an experiment, overrides of its keys.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Options of the data set as an object, such as {"noise": 0.1}, as JSON, @FILE or -.
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// Draw a contact sheet or histograms into this SVG or PNG file.
    #[arg(long, value_name = "FILE")]
    figure: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Write the page on all built-in data sets and its figures into this folder: datasets.md, datasets/.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["name", "settings", "options", "figure", "json"])]
    document: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(folder) = &arguments.document {
        return document::write(folder);
    }
    arguments.figure.as_ref().map_or(Ok(()), |path| super::figure_ending(path, "--figure").map(drop))?;
    let subject = subject(arguments)?;
    if let Some(path) = &arguments.figure {
        draw(&subject, path)?;
    }
    match arguments.json {
        true => super::print(&format!("{}\n", json::of(&subject))),
        false => super::print_drawn(&text::of(&subject, arguments.figure.is_none())),
    }
}

fn subject(arguments: &Arguments) -> anyhow::Result<Subject> {
    let name = arguments.name.as_deref().unwrap_or_default();
    if let Some(bad) = arguments.settings.iter().find(|given| !given.contains('=')) {
        anyhow::bail!("`{bad}` is not of the form key=value, such as noise=0.1");
    }
    let path = Path::new(name);
    let known: Vec<&str> = data::all().map(|row| row.name).collect();
    if known.contains(&name) {
        return set::built_in(data::find(name)?, &given(arguments)?);
    }
    if !path.exists() {
        let unknown = crate::error::unknown("data set", name, &known);
        anyhow::bail!(
            "{unknown}; and there is no file of this name (CSV, IDX and experiment files and folders of images are described, too)"
        );
    }
    anyhow::ensure!(arguments.options.is_none(), "--options are for built-in data sets, and {name} is a file");
    if path.extension().is_some_and(|extension| extension == "toml") {
        return set::of_experiment(path, &arguments.settings);
    }
    let files = reading(&arguments.settings)?;
    match path.is_dir() || files.paths().next().is_some() {
        true => set::of_images(Files { images: Some(path.into()), ..files }),
        false => file::subject(path, &files),
    }
}

/// How a table is read, or what belongs to images: the keys of `dataset` that say so.
fn reading(settings: &[String]) -> anyhow::Result<Files> {
    const LISTS: [&str; 2] = ["missing_values", "classes"];
    const KEYS: [&str; 15] = [
        "separator",
        "decimal",
        "thousands",
        LISTS[0],
        "labels",
        "masks",
        "boxes",
        LISTS[1],
        "ignored_value",
        "test_images",
        "test_labels",
        "test_masks",
        "test_boxes",
        "test_every",
        "test_last",
    ];
    let mut text = String::new();
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        anyhow::ensure!(KEYS.contains(&key), crate::error::unknown("option of a file", key, &KEYS));
        let is_number = ["ignored_value", "test_every", "test_last"].contains(&key);
        let quoted = |value: &str| match is_number || value.starts_with(['"', '\'', '[']) {
            true => value.to_string(),
            false => format!("{value:?}"),
        };
        text += &match LISTS.contains(&key) && !value.starts_with('[') {
            true => format!("{key} = [{}]\n", value.split(',').map(quoted).collect::<Vec<_>>().join(", ")),
            false => format!("{key} = {}\n", quoted(value)),
        };
    }
    toml::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {}", settings.join(" "), error.message()))
}

/// The options of a built-in set, however they are given.
fn given(arguments: &Arguments) -> anyhow::Result<Given> {
    let mut given: Given = match &arguments.options {
        None => Given::new(),
        Some(text) => {
            let value = super::json::read(text).context("--options")?.into_value();
            serde_json::from_value(value).context("--options must be an object such as {\"noise\": 0.1}")?
        }
    };
    for setting in &arguments.settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        // What is not TOML is a text, so that columns=all needs no quotes.
        let parsed: Option<Given> = toml::from_str(&format!("value = {value}")).ok();
        let value = parsed.and_then(|mut table| table.remove("value"));
        given.insert(key.to_string(), value.unwrap_or_else(|| OptionValue::Text(setting[key.len() + 1..].into())));
    }
    Ok(given)
}

fn draw(subject: &Subject, path: &Path) -> anyhow::Result<()> {
    let bytes = match super::figure_ending(path, "--figure")? {
        super::Ending::Svg => subject.svg()?,
        super::Ending::Png => subject.png()?,
    };
    Ok(disk::write_whole(path, &bytes)?)
}
