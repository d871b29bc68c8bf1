//! Images beside one another, a row for each class.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::{HEAD, MARGIN};
use crate::Result;
use crate::data::Picture;

/// About so long is the longer side of an image, in pixels of the SVG.
const SIDE: f64 = 52.0;
const GAP: f64 = 5.0;

/// Images with the names of their rows.
pub struct ContactSheet {
    pub title: String,
    pub subtitle: String,
    pub rows: Vec<(String, Vec<Picture>)>,
}

impl ContactSheet {
    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.rows.iter().flat_map(|(_, pictures)| pictures)
    }

    /// Whole pixels for each pixel of an image, where it isn't larger than its place.
    fn scale(&self) -> f64 {
        let longest = self.pictures().map(|picture| picture.width.max(picture.height)).max().unwrap_or(1) as f64;
        if longest > SIDE { 2.0 * SIDE / longest } else { (SIDE / longest).round() }
    }

    /// The width and the height of the largest image as it is drawn.
    fn cell(&self) -> (f64, f64) {
        let of = |side: fn(&Picture) -> usize| self.pictures().map(side).max().unwrap_or(1) as f64 * self.scale();
        (of(|picture| picture.width), of(|picture| picture.height))
    }

    fn left(&self) -> f64 {
        let longest = self.rows.iter().map(|(name, _)| canvas::text_width(name, 13.0)).fold(0.0, f64::max);
        MARGIN + 8.0 + if longest > 0.0 { longest + 14.0 } else { 0.0 }
    }

    fn size(&self) -> (f64, f64) {
        let (width, height) = self.cell();
        let columns = self.rows.iter().map(|(_, pictures)| pictures.len()).max().unwrap_or(0) as f64;
        let text = canvas::text_width(&self.subtitle, 12.0).max(canvas::text_width(&self.title, 19.0));
        let across = (self.left() + columns * (width + GAP)).max(MARGIN + 8.0 + text);
        (across + MARGIN, HEAD + 6.0 + self.rows.len() as f64 * (height + GAP) + MARGIN)
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 30.0), &self.title, 19.0, Ink::Strong, Anchor::Start)?;
        canvas.text((MARGIN + 8.0, 51.0), &self.subtitle, 12.0, Ink::Soft, Anchor::Start)?;
        let (width, height) = self.cell();
        for (i, (name, pictures)) in self.rows.iter().enumerate() {
            let top = HEAD + 6.0 + i as f64 * (height + GAP);
            let middle = (self.left() - 14.0, top + height / 2.0 + 4.5);
            canvas.text(middle, name, 13.0, Ink::Normal, Anchor::End)?;
            for (j, picture) in pictures.iter().enumerate() {
                let left = self.left() + j as f64 * (width + GAP);
                let size = [picture.width, picture.height].map(|side| side as f64 * self.scale());
                canvas.picture([(left, top), (left + size[0], top + size[1])], picture)?;
            }
        }
        Ok(())
    }
}
