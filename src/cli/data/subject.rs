//! What is described, wherever it is from.

use crate::Result;
use crate::data::Picture;
use crate::data::description::Description;
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
    /// What whoever learns from it should know.
    pub notes: Vec<String>,
}

/// Images in a row of a contact sheet.
pub const PICTURES: usize = 12;

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

    /// `1437 to train on, 360 held out`
    pub fn rows_text(&self) -> String {
        let part = |(name, rows): &(&'static str, usize)| format!("{rows} {name}");
        self.description.parts.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(fact, _)| *fact == name).map(|(_, text)| text.as_str())
    }

    fn contact_sheet(&self) -> Option<ContactSheet> {
        (!self.pictures.is_empty()).then(|| ContactSheet {
            title: self.name.clone(),
            subtitle: self.subtitle(),
            rows: self.pictures.clone(),
        })
    }

    fn histograms(&self) -> DescriptionFigure<'_> {
        let heights = "heights are shares of the rows";
        let of_part = if self.description.parts.len() > 1 { " of each part" } else { "" };
        let subtitle = format!("{}; {heights}{of_part}", self.subtitle());
        DescriptionFigure { title: self.name.clone(), subtitle, description: &self.description }
    }

    fn subtitle(&self) -> String {
        let licence = self.fact("licence").map_or(String::new(), |licence| format!("; {licence}"));
        format!("{}{licence}", self.rows_text())
    }
}
