//! The description for people.

use super::shades::Shades;
use super::subject::Subject;
use super::table;
use crate::data::Picture;
use crate::data::description::{ColumnDescription, Content};
use crate::visible::visible;
use std::io::IsTerminal;

/// Everything, with small images where `drawn`.
pub fn of(subject: &Subject, drawn: bool) -> String {
    let images = if drawn { images(subject) } else { String::new() };
    let notes: String = subject.notes.iter().map(|note| format!("{note}\n")).collect();
    let shown = |text: String| visible(&text).into_owned();
    joined(vec![shown(head(subject)), shown(tables(subject)), images, shown(notes)])
}

/// What is predicted, and every column.
pub fn tables(subject: &Subject) -> String {
    let target = subject.description.target.as_ref().map_or(String::new(), |target| predicted(subject, target));
    joined(vec![target, table::of_columns(&subject.description)])
}

fn joined(mut blocks: Vec<String>) -> String {
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n")
}

fn head(subject: &Subject) -> String {
    let (counted, rows) = subject.rows();
    let mut rows = vec![(counted.to_string(), rows)];
    let place = subject.facts.iter().take_while(|(name, _)| matches!(*name, "source" | "licence")).count();
    let fact = |(name, text): &(&str, String)| (name.to_string(), text.clone());
    rows.splice(0..0, subject.facts[..place].iter().map(fact));
    rows.extend(subject.facts[place..].iter().map(fact));
    let lines = crate::cli::two_columns(&rows);
    let indented: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("{}: {}\n\n{indented}", subject.name, subject.summary)
}

fn predicted(subject: &Subject, target: &ColumnDescription) -> String {
    match &target.content {
        Content::Categories(names) => table::of_classes(&subject.description.parts, &target.name, names),
        Content::Numbers(parts) => table::of_values(&subject.description.parts, &target.name, parts),
    }
}

/// One image of every class, or the first images.
fn images(subject: &Subject) -> String {
    let is_terminal = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let shades = if is_terminal { Shades::Grays } else { Shades::Characters };
    let named = subject.pictures.iter().any(|(name, _)| !name.is_empty());
    let shown: Vec<(&str, &Picture)> = match named {
        true => subject.pictures.iter().filter_map(|(name, row)| Some((name.as_str(), row.first()?))).collect(),
        false => subject.pictures.iter().flat_map(|(_, row)| row).map(|picture| ("", picture)).take(10).collect(),
    };
    shades.sheet(&shown)
}
