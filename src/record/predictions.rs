//! Held-out images with what is predicted of them: the images as a PNG that anyone can look at, what is on them as JSON.

use super::TrialFolder;
use crate::data::Picture;
use crate::disk::write_whole;
use crate::task::Predictions;
use crate::{Error, Result};

/// The steps that a channel of a kept color lies apart; as many bits are lost to anyone's eye. Shades of gray are kept finer.
const COLOR_STEP: u8 = 8;
const GRAY_STEP: u8 = 4;

impl TrialFolder {
    /// Writes `predictions.json` and `predictions.png`, which has the images side by side.
    pub fn write_predictions(&self, predictions: &Predictions) -> Result<()> {
        let path = self.predictions();
        let text = serde_json::to_string(predictions).map_err(|error| Error::content(&path, error))?;
        write_whole(&path, (text + "\n").as_bytes())?;
        let mut images = Picture::side_by_side(&predictions.images);
        let step = if images.is_gray() { GRAY_STEP } else { COLOR_STEP };
        // White and black stay what they are.
        let coarse = |value: u8| (u32::from(value / step) * 255 / u32::from(255 / step)) as u8;
        images.pixels.iter_mut().for_each(|pixel| *pixel = pixel.map(coarse));
        write_whole(&self.predicted_images(), &images.png()?)
    }

    /// Reads them back; nothing where none are kept.
    ///
    /// # Errors
    /// When a file is no such thing, or the two don't belong together.
    pub fn read_predictions(&self) -> Result<Option<Predictions>> {
        let path = self.predictions();
        let Some(text) = super::outcome::read_if_present(&path)? else { return Ok(None) };
        let mut kept: Predictions = serde_json::from_str(&text).map_err(|error| Error::content(&path, error))?;
        let file = self.predicted_images();
        let content = std::fs::read(&file).map_err(Error::file("read", &file))?;
        let strip = Picture::of_png(&content).map_err(|message| Error::content(&file, message))?;
        kept.images = strip.apart(kept.rows.len());
        let pixels = kept.images.first().map_or(0, |image| image.width * image.height);
        match kept.fits(pixels) && strip.width % kept.rows.len() == 0 {
            true => Ok(Some(kept)),
            false => Err(Error::content(&path, "does not belong to the images of predictions.png")),
        }
    }
}
