//! A user's own files: a table, a list of boxes, or an array.

use super::subject::{PICTURES, Subject};
use crate::data::description::{ColumnDescription, Content, of_boxes};
use crate::data::source::ByteSource;
use crate::data::table::Table;
use crate::data::{Files, advice, boxes, idx, images};
use crate::parallel;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// Rows of a contact sheet without classes.
const SHEET_ROWS: usize = 8;

/// `files` says how a table is read.
pub fn subject(path: &Path, files: &Files) -> anyhow::Result<Subject> {
    let source = ByteSource::File(path);
    if is_idx(source)? {
        return array(path);
    }
    let table = Table::read_as(source, &files.format()?)?;
    if boxes::is_list(&table) { of_list(path, &table) } else { Ok(of_table(path, &table)) }
}

/// Whether it begins as IDX arrays do; no text begins with a zero byte.
fn is_idx(source: ByteSource) -> anyhow::Result<bool> {
    let mut head = [0; 2];
    let begins = source.open()?.read_exact(&mut head);
    Ok(begins.is_ok() && head == [0, 0])
}

fn array(path: &Path) -> anyhow::Result<Subject> {
    let array = idx::read(ByteSource::File(path))?;
    let sides: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let (shape, kind) = (format!("[{}]", sides.join(", ")), array.elements.kind());
    let pictures = array.pictures(SHEET_ROWS * PICTURES);
    let description = array.description();
    Ok(Subject {
        name: path.display().to_string(),
        summary: format!("an IDX array of {kind}"),
        facts: vec![("shape", shape), ("elements", kind.into())],
        notes: if description.target.is_some() { gaps(&array) } else { Vec::new() },
        description,
        pictures: pictures.chunks(PICTURES).map(|row| (String::new(), row.to_vec())).collect(),
        legend: Vec::new(),
    })
}

/// Says which classes no label has.
fn gaps(array: &idx::Idx) -> Vec<String> {
    let labels: Vec<f64> = array.elements.numbers().collect();
    let largest = labels.iter().copied().fold(0.0, f64::max);
    if largest >= f64::from(images::MOST_CLASSES) {
        return Vec::new();
    }
    let absent =
        images::absent(labels.iter().filter(|label| **label >= 0.0).map(|label| *label as u32), largest as usize + 1);
    absent.map(|absent| format!("of the classes from 0 to {largest}, no label is {absent}")).into_iter().collect()
}

fn of_list(path: &Path, table: &Table) -> anyhow::Result<Subject> {
    let rows = boxes::read(table)?;
    let images: BTreeSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
    let numbers: Option<BTreeSet<u64>> = images.iter().map(|image| image.parse().ok()).collect();
    let numbered = match numbers.as_ref().and_then(|numbers| Some((numbers.first()?, numbers.last()?))) {
        Some((first, last)) => format!(", numbered {first} to {last}"),
        None => String::new(),
    };
    Ok(Subject {
        name: path.display().to_string(),
        summary: "a list of boxes around objects in images, sizes in pixels".into(),
        facts: vec![("images", format!("{} with at least one box{numbered}", images.len()))],
        description: of_boxes(&rows),
        pictures: Vec::new(),
        legend: Vec::new(),
        notes: Vec::new(),
    })
}

fn of_table(path: &Path, table: &Table) -> Subject {
    let read = parallel::map(&table.columns, |column| {
        let numbers = column.numbers();
        (table.described_column(column, numbers.as_deref()), faults(table, column, numbers))
    });
    let (columns, faults): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let description = table.described(columns);
    let mut notes: Vec<String> = faults.into_iter().flatten().collect();
    notes.extend(description.columns.iter().filter_map(advice));
    if description.columns.iter().any(|column| column.missing > 0) {
        notes.push("entries are missing: `missing = \"fill\"` gives numbers the mean and texts no category".into());
    }
    let file = path.display();
    notes.push(format!(
        "to learn from it: [task] dataset = {{ csv = \"{file}\", target = \"…\", ignored = […], categorical = […] }}"
    ));
    Subject {
        name: file.to_string(),
        summary: "a table".into(),
        facts: vec![("columns", table.columns.len().to_string())],
        description,
        pictures: Vec::new(),
        legend: Vec::new(),
        notes,
    }
}

/// What would be refused, or should be known.
fn faults(table: &Table, column: &crate::data::table::Column, numbers: Option<Vec<Option<f64>>>) -> Vec<String> {
    let name = &column.name;
    let Some(numbers) = numbers else {
        return match column.slip() {
            Some(slip) => {
                vec![format!("`{name}` is mostly numbers, but row {}: {}", slip.row + 1, slip.message())]
            }
            None => advice::perhaps_missing(column).into_iter().collect(),
        };
    };
    if advice::looks_like_an_id(&numbers) {
        return vec![format!(
            "`{name}` is a whole number that differs in every row, as an id does: `ignored`, if it is one"
        )];
    }
    match table.usable(column, numbers) {
        Err(error) => vec![format!("`{name}` can't be learned from: {error}")],
        Ok(_) => Vec::new(),
    }
}

/// What a column is not good for.
fn advice(column: &ColumnDescription) -> Option<String> {
    let (name, distinct) = (&column.name, column.distinct());
    match &column.content {
        _ if distinct == 1 => Some(format!("`{name}` is the same everywhere and teaches nothing: `ignored`")),
        _ if distinct == 0 => Some(format!("`{name}` is empty: `ignored`")),
        Content::Categories(names) => {
            let rows = names.iter().map(|(_, rows)| rows[0]).sum();
            let are_names = advice::are_names(distinct, rows);
            are_names
                .then(|| format!("`{name}` has nearly as many texts as rows, names rather than categories: `ignored`"))
        }
        Content::Numbers(_) => None,
    }
}
