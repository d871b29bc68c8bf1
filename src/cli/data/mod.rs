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
/// A file is a CSV with a header (one with the columns image, class, x0, y0, x1, y1 is a list of boxes), an IDX array, either of
/// them plain or gzip-compressed, or an experiment, a name that ends in .toml.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward data digits
  lossward data moons noise=0.1 --figure moons.svg
  lossward data houses.csv --figure houses.png
  lossward data train-images-idx3-ubyte.gz --figure sheet.png
  lossward data experiments/digits.toml --json")]
pub struct Arguments {
    /// A data set that `lossward list datasets` names, or a file.
    #[arg(value_name = "NAME", required_unless_present = "document")]
    name: Option<String>,
    /// Options of the data set, such as noise=0.1; of a table, how it is read (separator, decimal, thousands, missing_values); of an experiment, overrides of its keys.
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
            "{unknown}; and there is no file of this name (CSV, IDX and experiment files are described, too)"
        );
    }
    anyhow::ensure!(!path.is_dir(), "{name} is a folder; give one file of it");
    anyhow::ensure!(arguments.options.is_none(), "--options are for built-in data sets, and {name} is a file");
    if path.extension().is_some_and(|extension| extension == "toml") {
        return set::of_experiment(path, &arguments.settings);
    }
    file::subject(path, &reading(&arguments.settings)?)
}

/// How a table is read: the keys of `dataset` that say so.
fn reading(settings: &[String]) -> anyhow::Result<Files> {
    const KEYS: [&str; 4] = ["separator", "decimal", "thousands", "missing_values"];
    let mut text = String::new();
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        anyhow::ensure!(KEYS.contains(&key), crate::error::unknown("option of a file", key, &KEYS));
        let is_list = key == "missing_values" && !value.starts_with('[');
        let value = if value.starts_with(['"', '\'', '[']) { value.to_string() } else { format!("{value:?}") };
        text += &if is_list { format!("{key} = [{value}]\n") } else { format!("{key} = {value}\n") };
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
