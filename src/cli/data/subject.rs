//! What is described, wherever it is from.

use crate::Result;
use crate::data::Picture;
use crate::data::description::{ColumnDescription, Content, Description};
use crate::report::figure::{ContactSheet, DescriptionFigure};

pub struct Subject {
    pub name: String,
    /// In a sentence.
    pub summary: String,
    /// What else there is to say: where it is from, what shape it has.
    pub facts: Vec<(&'static str, String)>,
    pub description: Description,
    /// Rows of images with what they are called; empty where there are none.
    pub pictures: Vec<(String, Vec<Picture>)>,
    /// What the colors on them mean; empty where there are none.
    pub legend: Vec<(String, [u8; 3])>,
    /// What whoever learns from it should know.
    pub notes: Vec<String>,
}

/// Images in a row of a contact sheet.
pub const PICTURES: usize = 12;
/// About so long is the longer side of one.
const SIDE: f64 = 52.0;

impl Subject {
    pub fn svg(&self) -> Result<Vec<u8>> {
        match self.contact_sheet() {
            Some(sheet) => sheet.svg(),
            None => self.histograms().svg(),
        }
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        match self.contact_sheet() {
            Some(sheet) => sheet.png(),
            None => self.histograms().png(),
        }
    }

    /// `1437 to train on, 360 held out`, or `932 rows`.
    fn rows_text(&self) -> String {
        let part = |(name, rows): &(String, usize)| format!("{rows} {name}");
        self.description.parts.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// The same with what is counted in front.
    pub fn rows(&self) -> (&str, String) {
        match &self.description.parts[..] {
            [(name, rows)] => (name, rows.to_string()),
            _ => ("rows", self.rows_text()),
        }
    }

    /// Without the folders of a file.
    fn title(&self) -> String {
        let file = std::path::Path::new(&self.name).file_name();
        file.map_or(self.name.clone(), |file| file.to_string_lossy().into_owned())
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(fact, _)| *fact == name).map(|(_, text)| text.as_str())
    }

    fn contact_sheet(&self) -> Option<ContactSheet> {
        (!self.pictures.is_empty()).then(|| ContactSheet {
            title: self.title(),
            subtitle: self.subtitle(),
            legend: self.legend.clone(),
            rows: self.pictures.clone(),
            side: SIDE,
        })
    }

    fn histograms(&self) -> DescriptionFigure<'_> {
        let is_bars = |column: &ColumnDescription| matches!(column.content, Content::Categories(_));
        let has_bars = self.description.all_columns().any(is_bars);
        let shares = match (self.description.parts.len() > 1, has_bars) {
            (true, true) => "heights and lengths are shares of each part; beside bars: of the rows to train on",
            (true, false) => "heights are shares of each part",
            (false, _) => "heights and lengths are shares of all rows",
        };
        let subtitle = format!("{}; {shares}", self.subtitle());
        DescriptionFigure { title: self.title(), subtitle, description: &self.description }
    }

    fn subtitle(&self) -> String {
        let licence = self.fact("licence").map_or(String::new(), |licence| format!("; {licence}"));
        format!("{}{licence}", self.rows_text())
    }
}
