//! The metrics of a trial that are drawn: matrices, curves and bins of the final weights.

use super::TrialFolder;
use crate::disk::write_whole;
use crate::metric::Drawn;
use crate::{Error, Result};

impl TrialFolder {
    /// Writes `drawn.json`, if there is anything to draw.
    pub fn write_drawn(&self, drawn: &Drawn) -> Result<()> {
        if drawn.values.is_empty() {
            return Ok(());
        }
        let path = self.drawn();
        let text = serde_json::to_string(drawn).map_err(|error| Error::content(&path, error))?;
        write_whole(&path, (text + "\n").as_bytes())
    }

    /// Reads it back; nothing where nothing is drawn.
    pub fn read_drawn(&self) -> Result<Drawn> {
        let path = self.drawn();
        match super::outcome::read_if_present(&path)? {
            Some(text) => serde_json::from_str(&text).map_err(|error| Error::content(&path, error)),
            None => Ok(Drawn::default()),
        }
    }
}
