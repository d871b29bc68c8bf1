//! The page on all built-in data sets, from their table.

use super::subject::Subject;
use super::{set, text};
use crate::data::{self, DataSetRow};
use crate::disk;
use crate::options::{self, Given};
use std::path::Path;

/// Writes datasets.md and a figure of each set.
pub fn write(folder: &Path) -> anyhow::Result<()> {
    let figures = folder.join("datasets");
    disk::create_folder(&figures)?;
    let mut page = String::from(
        "# Data sets\n\nWritten by `lossward data --document docs` from the data itself: what is said of a set here is said by `lossward data NAME`, too.\n\n\
         | name | in a sentence | to train on | held out | licence |\n|---|---|---|---|---|\n",
    );
    let mut sections = String::new();
    for row in data::BUILT_IN {
        let subject = set::built_in(row, &Given::new())?;
        let (figure, bytes) = figure(row, &subject)?;
        disk::write_whole(&figures.join(&figure), &bytes)?;
        let mut rows = subject.description.parts.iter().map(|(_, rows)| rows.to_string());
        let (train, held_out) = (rows.next().unwrap_or_default(), rows.collect::<Vec<_>>().join(" + "));
        page += &format!("| [{0}](#{0}) | {1} | {train} | {held_out} | {2} |\n", row.name, row.summary, row.licence);
        sections += &section(row, &subject, &figure);
    }
    disk::write_whole(&folder.join("datasets.md"), (page + &sections).as_bytes())?;
    super::super::print(&format!("described {} data sets in {}\n", data::BUILT_IN.len(), folder.display()))
}

/// Images and points are smaller as PNG, outlines as SVG.
fn figure(row: &DataSetRow, subject: &Subject) -> anyhow::Result<(String, Vec<u8>)> {
    Ok(match subject.pictures.is_empty() && subject.description.plane.is_none() {
        true => (format!("{}.svg", row.name), subject.svg()?),
        false => (format!("{}.png", row.name), subject.png()?),
    })
}

fn section(row: &DataSetRow, subject: &Subject, figure: &str) -> String {
    let alternative = match (subject.pictures.is_empty(), subject.legend.is_empty()) {
        (true, _) => "Histograms of every column",
        (false, true) => "Twelve training images of every class",
        (false, false) => "Images of every part with what is predicted drawn on them",
    };
    let options: String = options::describe(row.options).iter().map(|line| format!("- {line}\n")).collect();
    let options = if options.is_empty() { options } else { format!("\nOptions:\n\n{options}") };
    let notes: String = subject.notes.iter().map(|note| format!("\n{}.\n", capitalized(note))).collect();
    format!(
        "\n## {0}\n\n{1}.\n\nSource: {2}. Licence: {3}.\n{notes}{options}\n![{alternative}](datasets/{figure})\n\n```text\n{4}```\n",
        row.name,
        capitalized(row.summary),
        row.source,
        row.licence,
        text::tables(subject)
    )
}

fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
