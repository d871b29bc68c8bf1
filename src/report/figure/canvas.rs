//! Lines, areas and text on two backends of plotters, with the bundled font.

use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::Once;

/// What figures are made of; positions are pixels of the SVG.
pub(super) trait Canvas {
    fn line(&mut self, points: &[(f64, f64)], color: (u8, u8, u8), width: f64, dashed: bool) -> Result<()>;
    /// An opaque rectangle between two corners.
    fn block(&mut self, corners: [(f64, f64); 2], color: (u8, u8, u8)) -> Result<()>;
    /// An opaque polygon.
    fn polygon(&mut self, outline: &[(f64, f64)], color: (u8, u8, u8)) -> Result<()>;
    /// A translucent polygon.
    fn area(&mut self, outline: &[(f64, f64)], color: (u8, u8, u8)) -> Result<()>;
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
    {
        let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
        paint(area, 1.0, draw)?;
    }
    Ok(text.into_bytes())
}

pub(super) fn png((width, height): (f64, f64), draw: impl Fn(&mut dyn Canvas) -> Result<()>) -> Result<Vec<u8>> {
    register_fonts()?;
    let size = ((width * PNG_SCALE) as u32, (height * PNG_SCALE) as u32);
    let mut pixels = vec![255; (3 * size.0 * size.1) as usize];
    paint(BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area(), PNG_SCALE, draw)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| Error::Drawing(error.to_string()))?;
    Ok(bytes)
}

/// The width of a text in pixels, near enough to lay out a legend.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.53
}

fn paint<B: DrawingBackend>(
    area: DrawingArea<B, Shift>,
    scale: f64,
    draw: impl Fn(&mut dyn Canvas) -> Result<()>,
) -> Result<()> {
    area.fill(&WHITE).map_err(error)?;
    draw(&mut Scaled { area: &area, scale })?;
    area.present().map_err(error)
}

fn error(error: impl std::fmt::Display) -> Error {
    Error::Drawing(error.to_string())
}

struct Scaled<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    scale: f64,
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

    fn text(&mut self, at: (f64, f64), text: &str, size: f64, ink: Ink, anchor: Anchor) -> Result<()> {
        let weight = if ink == Ink::Strong { FontStyle::Bold } else { FontStyle::Normal };
        let color = match ink {
            Ink::Strong => RGBColor(25, 25, 25),
            Ink::Normal => RGBColor(60, 60, 60),
            Ink::Soft => RGBColor(110, 110, 110),
            Ink::Light => RGBColor(255, 255, 255),
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
        self.area.draw(&Text::new(text.to_string(), at, style)).map_err(error)
    }
}

/// Text is set in Inter, compiled in, so that no font of the system is needed; see font/OFL.txt.
fn register_fonts() -> Result<()> {
    static REGISTER: Once = Once::new();
    let mut registered = Ok(());
    REGISTER.call_once(|| {
        let regular = register_font("sans-serif", FontStyle::Normal, include_bytes!("../font/Inter-Regular.ttf"));
        let bold = register_font("sans-serif", FontStyle::Bold, include_bytes!("../font/Inter-SemiBold.ttf"));
        if regular.is_err() || bold.is_err() {
            registered = Err(Error::Drawing("the bundled font can't be read".into()));
        }
    });
    registered
}
