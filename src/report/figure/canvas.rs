//! Lines, areas and text on two backends of plotters, with the bundled font.

use crate::data::Picture;
use crate::{Error, Result};
use ab_glyph::{Font, FontRef};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::{LazyLock, Once};

/// What figures are made of; positions are pixels of the SVG.
pub(super) trait Canvas {
    fn line(&mut self, points: &[(f64, f64)], color: (u8, u8, u8), width: f64, dashed: bool) -> Result<()>;
    /// An opaque rectangle between two corners.
    fn block(&mut self, corners: [(f64, f64); 2], color: (u8, u8, u8)) -> Result<()>;
    /// An opaque polygon.
    fn polygon(&mut self, outline: &[(f64, f64)], color: (u8, u8, u8)) -> Result<()>;
    /// A translucent polygon.
    fn area(&mut self, outline: &[(f64, f64)], color: (u8, u8, u8)) -> Result<()>;
    /// A translucent disk.
    fn dot(&mut self, center: (f64, f64), radius: f64, color: (u8, u8, u8)) -> Result<()>;
    /// A picture between two corners, above everything else.
    fn picture(&mut self, corners: [(f64, f64); 2], picture: &Picture) -> Result<()>;
    /// A line around a part of a picture, above it.
    fn outline(&mut self, corners: [(f64, f64); 2], color: [u8; 3]) -> Result<()>;
    /// Words on a ground of this color, above pictures; `at` is the lower left corner.
    fn tag(&mut self, at: (f64, f64), words: &str, color: [u8; 3]) -> Result<()>;
    /// `at` is the baseline's start, middle or end.
    fn text(&mut self, at: (f64, f64), text: &str, size: f64, ink: Ink, anchor: Anchor) -> Result<()>;
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ink {
    Strong,
    Normal,
    Soft,
    /// On dark ground.
    Light,
    /// A shade of this color that is dark enough to read.
    Shade((u8, u8, u8)),
}

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The PNG has this many pixels per pixel of the SVG.
const PNG_SCALE: f64 = 2.0;

pub(super) fn svg((width, height): (f64, f64), draw: impl Fn(&mut dyn Canvas) -> Result<()>) -> Result<Vec<u8>> {
    register_fonts()?;
    let mut text = String::new();
    let mut pictures = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
        paint(area, 1.0, Some(&mut pictures), draw)?;
    }
    if let Some(end) = text.rfind("</svg>") {
        text.insert_str(end, &pictures);
    }
    Ok(text.into_bytes())
}

pub(super) fn png((width, height): (f64, f64), draw: impl Fn(&mut dyn Canvas) -> Result<()>) -> Result<Vec<u8>> {
    register_fonts()?;
    let size = ((width * PNG_SCALE) as u32, (height * PNG_SCALE) as u32);
    let [width, height] = [size.0, size.1].map(|side| side as usize);
    let mut pixels = vec![[255; 3]; width * height];
    paint(BitMapBackend::with_buffer(pixels.as_flattened_mut(), size).into_drawing_area(), PNG_SCALE, None, draw)?;
    Picture { width, height, pixels, outlines: Vec::new() }.png()
}

/// The element of an SVG that shows it with square pixels, also in viewers that smooth what they enlarge.
fn element([(left, top), (right, bottom)]: [(f64, f64); 2], picture: &Picture) -> Result<String> {
    let (width, height) = (right - left, bottom - top);
    let times = (width / picture.width as f64).floor().max(1.0) as usize;
    let enlarged = picture.pixels.chunks_exact(picture.width).flat_map(|row| {
        let line: Vec<[u8; 3]> = row.iter().flat_map(|pixel| std::iter::repeat_n(*pixel, times)).collect();
        std::iter::repeat_n(line, times).flatten()
    });
    let enlarged = Picture {
        width: picture.width * times,
        height: picture.height * times,
        pixels: enlarged.collect(),
        outlines: Vec::new(),
    };
    let file = enlarged.png()?;
    Ok(format!(
        "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
        base64(&file)
    ))
}

/// Four characters for three bytes (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        std::array::from_fn::<char, 4, _>(|i| match i <= three.len() {
            true => char::from(LETTERS[(bits >> (18 - 6 * i) & 63) as usize]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(four).collect()
}

/// The width of a text in pixels, by the advances of the bundled font.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    static REGULAR_FONT: LazyLock<Option<FontRef>> = LazyLock::new(|| FontRef::try_from_slice(REGULAR).ok());
    let Some(font) = &*REGULAR_FONT else { return 0.0 };
    let of_em = |c: char| f64::from(font.h_advance_unscaled(font.glyph_id(c)));
    let em = f64::from(font.units_per_em().unwrap_or(1.0));
    text.chars().map(of_em).sum::<f64>() / em * size
}

/// The size of the letters of a tag, and what is left and right of them.
const TAG: f64 = 9.0;
const TAG_PADDING: f64 = 1.5;

/// The width and the height of a tag with these words.
pub(super) fn tag_size(words: &str) -> (f64, f64) {
    (text_width(words, TAG) + 2.0 * TAG_PADDING, TAG + 1.5)
}

/// The text, or as much of its beginning as this width has room for, with an ellipsis.
pub(super) fn shortened(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_string();
    }
    let ends = text.char_indices().map(|(end, _)| end).rev();
    let parts = ends.map(|end| format!("{}…", text[..end].trim_end()));
    parts.into_iter().find(|part| text_width(part, size) <= width).unwrap_or_default()
}

fn paint<B: DrawingBackend>(
    area: DrawingArea<B, Shift>,
    scale: f64,
    pictures: Option<&mut String>,
    draw: impl Fn(&mut dyn Canvas) -> Result<()>,
) -> Result<()> {
    area.fill(&WHITE).map_err(error)?;
    draw(&mut Scaled { area: &area, scale, pictures })?;
    area.present().map_err(error)
}

fn error(error: impl std::fmt::Display) -> Error {
    Error::Drawing(error.to_string())
}

struct Scaled<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    scale: f64,
    /// Where elements of pictures go; without it, they are painted pixel by pixel.
    pictures: Option<&'a mut String>,
}

impl<B: DrawingBackend> Scaled<'_, B> {
    fn pixel(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }
}

impl<B: DrawingBackend> Canvas for Scaled<'_, B> {
    fn line(&mut self, points: &[(f64, f64)], (r, g, b): (u8, u8, u8), width: f64, dashed: bool) -> Result<()> {
        let style = RGBColor(r, g, b).stroke_width((width * self.scale).round() as u32);
        let points = points.iter().map(|point| self.pixel(*point));
        if dashed {
            let [dash, gap] = [5.0, 4.0].map(|length| (length * self.scale) as u32);
            self.area.draw(&plotters::element::DashedPathElement::new(points, dash, gap, style)).map_err(error)
        } else {
            self.area.draw(&PathElement::new(points.collect::<Vec<_>>(), style)).map_err(error)
        }
    }

    fn block(&mut self, corners: [(f64, f64); 2], (r, g, b): (u8, u8, u8)) -> Result<()> {
        let corners = corners.map(|corner| self.pixel(corner));
        self.area.draw(&Rectangle::new(corners, RGBColor(r, g, b).filled())).map_err(error)
    }

    fn polygon(&mut self, outline: &[(f64, f64)], (r, g, b): (u8, u8, u8)) -> Result<()> {
        let outline: Vec<_> = outline.iter().map(|point| self.pixel(*point)).collect();
        self.area.draw(&Polygon::new(outline, RGBColor(r, g, b).filled())).map_err(error)
    }

    fn area(&mut self, outline: &[(f64, f64)], (r, g, b): (u8, u8, u8)) -> Result<()> {
        let outline: Vec<_> = outline.iter().map(|point| self.pixel(*point)).collect();
        self.area.draw(&Polygon::new(outline, RGBColor(r, g, b).mix(0.18))).map_err(error)
    }

    fn dot(&mut self, center: (f64, f64), radius: f64, (r, g, b): (u8, u8, u8)) -> Result<()> {
        let radius = (radius * self.scale).round() as i32;
        let disk = Circle::new(self.pixel(center), radius, RGBColor(r, g, b).mix(0.6).filled());
        self.area.draw(&disk).map_err(error)
    }

    fn picture(&mut self, corners: [(f64, f64); 2], picture: &Picture) -> Result<()> {
        if let Some(pictures) = &mut self.pictures {
            pictures.push_str(&element(corners, picture)?);
            return Ok(());
        }
        let [(left, top), (right, bottom)] = corners;
        let (across, down) = ((right - left) / picture.width as f64, (bottom - top) / picture.height as f64);
        for (i, color) in picture.pixels.iter().enumerate() {
            let (x, y) = (left + (i % picture.width) as f64 * across, top + (i / picture.width) as f64 * down);
            self.block([(x, y), (x + across, y + down)], (color[0], color[1], color[2]))?;
        }
        Ok(())
    }

    fn outline(&mut self, [(left, top), (right, bottom)]: [(f64, f64); 2], [r, g, b]: [u8; 3]) -> Result<()> {
        match &mut self.pictures {
            Some(pictures) => {
                pictures.push_str(&format!(
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"rgb({r},{g},{b})\"/>\n",
                    right - left,
                    bottom - top
                ));
                Ok(())
            }
            None => {
                let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
                self.line(&corners, (r, g, b), 1.0, false)
            }
        }
    }

    fn tag(&mut self, (left, bottom): (f64, f64), words: &str, [r, g, b]: [u8; 3]) -> Result<()> {
        let (width, height) = tag_size(words);
        let (top, baseline) = (bottom - height, bottom - 0.28 * TAG);
        let is_light = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b) > 130.0;
        let Some(pictures) = &mut self.pictures else {
            self.block([(left, top), (left + width, bottom)], (r, g, b))?;
            let ink = if is_light { Ink::Strong } else { Ink::Light };
            return self.text((left + TAG_PADDING, baseline), words, TAG, ink, Anchor::Start);
        };
        let ink = if is_light { "#191919" } else { "#fff" };
        let words = crate::visible::visible_line(words).replace('&', "&amp;").replace('<', "&lt;");
        pictures.push_str(&format!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"rgb({r},{g},{b})\"/>\n\
             <text x=\"{:.1}\" y=\"{baseline:.1}\" font-family=\"sans-serif\" font-size=\"{TAG}\" fill=\"{ink}\">{words}</text>\n",
            left + TAG_PADDING
        ));
        Ok(())
    }

    fn text(&mut self, at: (f64, f64), text: &str, size: f64, ink: Ink, anchor: Anchor) -> Result<()> {
        let weight = if ink == Ink::Strong { FontStyle::Bold } else { FontStyle::Normal };
        let color = match ink {
            Ink::Strong => RGBColor(25, 25, 25),
            Ink::Normal => RGBColor(60, 60, 60),
            Ink::Soft => RGBColor(110, 110, 110),
            Ink::Light => RGBColor(255, 255, 255),
            Ink::Shade((r, g, b)) => {
                let [r, g, b] = [r, g, b].map(|part| (f64::from(part) * 0.7) as u8);
                RGBColor(r, g, b)
            }
        };
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = FontDesc::new(FontFamily::SansSerif, size * self.scale, weight);
        let style = TextStyle::from(font).color(&color).pos(Pos::new(horizontal, VPos::Bottom));
        // The bottom of the line box lies a quarter of the size below the baseline.
        let at = self.pixel((at.0, at.1 + 0.25 * size));
        self.area.draw(&Text::new(crate::visible::visible_line(text).into_owned(), at, style)).map_err(error)
    }
}

const REGULAR: &[u8] = include_bytes!("../font/Inter-Regular.ttf");

/// Text is set in Inter, compiled in, so that no font of the system is needed; see font/OFL.txt.
fn register_fonts() -> Result<()> {
    static REGISTER: Once = Once::new();
    let mut registered = Ok(());
    REGISTER.call_once(|| {
        let regular = register_font("sans-serif", FontStyle::Normal, REGULAR);
        let bold = register_font("sans-serif", FontStyle::Bold, include_bytes!("../font/Inter-SemiBold.ttf"));
        if regular.is_err() || bold.is_err() {
            registered = Err(Error::Drawing("the bundled font can't be read".into()));
        }
    });
    registered
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_its_definition() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn pictures_are_in_both_files() {
        let picture = Picture::new([3, 2, 2], |channel, pixel| f64::from(u8::from(channel == 0 && pixel == 3)));
        let draw = |canvas: &mut dyn Canvas| canvas.picture([(0.0, 0.0), (8.0, 8.0)], &picture);
        let text = String::from_utf8(svg((8.0, 8.0), draw).unwrap()).unwrap();
        assert!(text.contains("<image x=\"0\"") && text.trim_end().ends_with("</svg>"), "{text}");
        let file = png((8.0, 8.0), draw).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!((&pixels[..3], &pixels[pixels.len() - 3..]), (&[0; 3][..], &[255, 0, 0][..]));
    }
}
