//! Images beside one another, a row for each class or each part of the data.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::{HEAD, LEGEND_LINE, MARGIN};
use crate::Result;
use crate::data::{Outline, Picture};

const GAP: f64 = 5.0;

/// So much wider than its outline a tag may be.
const SPARE: f64 = 12.0;

/// Around a color of the legend.
const FRAME: (u8, u8, u8) = (120, 120, 120);
/// The side of the color beside a name.
const SWATCH: f64 = 10.0;

/// Images with the names of their rows.
pub struct ContactSheet {
    pub title: String,
    pub subtitle: String,
    /// What the colors on the images mean, where there are any.
    pub legend: Vec<(String, [u8; 3])>,
    pub rows: Vec<(String, Vec<Picture>)>,
    /// About so long is the longer side of an image, in pixels of the SVG.
    pub side: f64,
}

impl ContactSheet {
    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    /// What the colors on the images mean, in words, and what the rows are.
    pub fn in_words(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        self.rows.iter().map(|(name, _)| name.as_str()).for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        format!("{}. From top to bottom: {}.", self.subtitle, names.join(", "))
    }

    fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.rows.iter().flat_map(|(_, pictures)| pictures)
    }

    /// Whole pixels for each pixel of an image; halves, which are whole in a PNG, where it is larger than its place.
    fn scale(&self) -> f64 {
        let longest = self.pictures().map(|picture| picture.width.max(picture.height)).max().unwrap_or(1) as f64;
        let side = self.side;
        if longest <= side { (side / longest).round() } else { (4.0 * side / longest).round().max(1.0) / 2.0 }
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
        (across + MARGIN, self.top(across) + self.rows.len() as f64 * (height + GAP) + MARGIN)
    }

    /// Where each name of the legend begins, line by line, in a sheet of this width.
    fn legend_places(&self, across: f64) -> Vec<(f64, f64)> {
        let (mut x, mut y) = (MARGIN + 8.0, HEAD + 12.0);
        let place = |(name, _): &(String, [u8; 3])| {
            let width = SWATCH + 5.0 + canvas::text_width(name, 12.0) + 16.0;
            if x + width > across && x > MARGIN + 8.0 {
                (x, y) = (MARGIN + 8.0, y + LEGEND_LINE);
            }
            x += width;
            (x - width, y)
        };
        self.legend.iter().map(place).collect()
    }

    /// Where the images begin.
    fn top(&self, across: f64) -> f64 {
        self.legend_places(across).last().map_or(HEAD + 6.0, |(_, y)| y + 14.0)
    }

    fn draw_legend(&self, canvas: &mut dyn Canvas, across: f64) -> Result<()> {
        for ((name, [r, g, b]), (x, y)) in self.legend.iter().zip(self.legend_places(across)) {
            let corners = [(x, y - SWATCH + 1.0), (x + SWATCH, y + 1.0)];
            // A frame, so that white is seen.
            canvas
                .block([(corners[0].0 - 1.0, corners[0].1 - 1.0), (corners[1].0 + 1.0, corners[1].1 + 1.0)], FRAME)?;
            canvas.block(corners, (*r, *g, *b))?;
            canvas.text((x + SWATCH + 5.0, y), name, 12.0, Ink::Normal, Anchor::Start)?;
        }
        Ok(())
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 30.0), &self.title, 19.0, Ink::Strong, Anchor::Start)?;
        canvas.text((MARGIN + 8.0, 51.0), &self.subtitle, 12.0, Ink::Soft, Anchor::Start)?;
        let across = self.size().0 - MARGIN;
        self.draw_legend(canvas, across)?;
        let (width, height) = self.cell();
        for (i, (name, pictures)) in self.rows.iter().enumerate() {
            let top = self.top(across) + i as f64 * (height + GAP);
            let middle = (self.left() - 14.0, top + height / 2.0 + 4.5);
            canvas.text(middle, name, 13.0, Ink::Normal, Anchor::End)?;
            for (j, picture) in pictures.iter().enumerate() {
                let left = self.left() + j as f64 * (width + GAP);
                let size = [picture.width, picture.height].map(|side| side as f64 * self.scale());
                canvas.picture([(left, top), (left + size[0], top + size[1])], picture)?;
                let place = |outline: &Outline| {
                    let [x1, y1, x2, y2] = outline.corners.map(|place| place * self.scale());
                    [(left + x1, top + y1), (left + x2, top + y2)]
                };
                picture.outlines.iter().try_for_each(|outline| canvas.outline(place(outline), outline.color))?;
                let words = picture.outlines.iter().filter(|outline| !outline.words.is_empty());
                words.clone().try_for_each(|outline| {
                    tag(canvas, place(outline), outline, [(left, top), (left + size[0], top + size[1])])
                })?;
            }
        }
        Ok(())
    }
}

/// The words of an outline on the line above it, within the picture between these corners; nothing where they are much wider than it is,
/// so that neighbors stay readable.
fn tag(
    canvas: &mut dyn Canvas,
    [(left, top), (right, _)]: [(f64, f64); 2],
    outline: &Outline,
    [(edge, above), (end, _)]: [(f64, f64); 2],
) -> Result<()> {
    let room = right - left + SPARE;
    let first = outline.words.split(": ").next().unwrap_or_default();
    let Some(words) = [outline.words.as_str(), first].into_iter().find(|words| canvas::tag_size(words).0 <= room)
    else {
        return Ok(());
    };
    let (width, height) = canvas::tag_size(words);
    let bottom = if top - height < above { top + height } else { top };
    canvas.tag((left.min(end - width).max(edge), bottom), words, outline.color)
}
