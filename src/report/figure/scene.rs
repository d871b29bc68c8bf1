//! Scenes of environments, one alone or many on a sheet.

use super::canvas::{self, Anchor, Canvas};
use crate::Result;
use lossward_envs::{Ink, Scene, Shape};

/// The longer side of a scene by itself, and of one on a sheet, in pixels.
const ALONE: f64 = 400.0;
const CELL: f64 = 200.0;
const MARGIN: f64 = 14.0;
const COLUMNS: usize = 4;
const CAPTION: f64 = 24.0;

pub fn svg(scene: &Scene) -> Result<Vec<u8>> {
    let (width, height) = size(scene, ALONE);
    canvas::svg((width + 2.0 * MARGIN, height + 2.0 * MARGIN), |canvas| draw(canvas, scene, (MARGIN, MARGIN), ALONE))
}

pub fn png(scene: &Scene) -> Result<Vec<u8>> {
    let (width, height) = size(scene, ALONE);
    canvas::png((width + 2.0 * MARGIN, height + 2.0 * MARGIN), |canvas| draw(canvas, scene, (MARGIN, MARGIN), ALONE))
}

/// All of them as one PNG, with their names.
pub fn sheet(scenes: &[(&str, Scene)]) -> Result<Vec<u8>> {
    let rows = scenes.len().div_ceil(COLUMNS).max(1) as f64;
    let total = (MARGIN + COLUMNS as f64 * (CELL + MARGIN), MARGIN + rows * (CELL + CAPTION + MARGIN));
    canvas::png(total, |canvas| {
        for (i, (name, scene)) in scenes.iter().enumerate() {
            let (column, row) = ((i % COLUMNS) as f64, (i / COLUMNS) as f64);
            let (left, top) = (MARGIN + column * (CELL + MARGIN), MARGIN + row * (CELL + CAPTION + MARGIN));
            let (width, height) = size(scene, CELL);
            draw(canvas, scene, (left + (CELL - width) / 2.0, top + (CELL - height) / 2.0), CELL)?;
            canvas.text((left + CELL / 2.0, top + CELL + 16.0), name, 11.5, canvas::Ink::Normal, Anchor::Middle)?;
        }
        Ok(())
    })
}

/// Width and height in pixels when the longer side is `longest`.
fn size(scene: &Scene, longest: f64) -> (f64, f64) {
    let (width, height) = (f64::from(scene.width), f64::from(scene.height));
    let scale = longest / width.max(height);
    (width * scale, height * scale)
}

fn color(ink: Ink) -> (u8, u8, u8) {
    match ink {
        Ink::Background => (247, 247, 245),
        Ink::Outline => (60, 60, 60),
        Ink::Quiet => (190, 190, 186),
        Ink::Player => (0, 114, 178),
        Ink::Goal => (0, 158, 115),
        Ink::Danger => (213, 94, 0),
        Ink::Other => (230, 159, 0),
    }
}

/// Draws into the rectangle whose upper left corner is given.
fn draw(canvas: &mut dyn Canvas, scene: &Scene, (left, top): (f64, f64), longest: f64) -> Result<()> {
    let (width, height) = size(scene, longest);
    let scale = width / f64::from(scene.width);
    let at = |(x, y): (f32, f32)| (left + f64::from(x) * scale, top + height - f64::from(y) * scale);
    canvas.block([(left, top), (left + width, top + height)], color(Ink::Background))?;
    for shape in &scene.shapes {
        match shape {
            Shape::Line { from, to, width, ink } => {
                canvas.line(&[at(*from), at(*to)], color(*ink), (f64::from(*width) * scale).max(1.0), false)?;
            }
            Shape::Circle { center, radius, ink } => {
                let point = |i: i32| {
                    let angle = f64::from(i) * std::f64::consts::TAU / 32.0;
                    let (x, y) = at(*center);
                    (x + f64::from(*radius) * scale * angle.cos(), y + f64::from(*radius) * scale * angle.sin())
                };
                canvas.polygon(&(0..32).map(point).collect::<Vec<_>>(), color(*ink))?;
            }
            Shape::Rectangle { corner, size, ink } => {
                let opposite = (corner.0 + size.0, corner.1 + size.1);
                canvas.block([at(*corner), at(opposite)], color(*ink))?;
            }
            Shape::Polygon { points, ink } => {
                canvas.polygon(&points.iter().map(|point| at(*point)).collect::<Vec<_>>(), color(*ink))?;
            }
            Shape::Text { at: place, text, size, .. } => {
                canvas.text(at(*place), text, f64::from(*size) * scale, canvas::Ink::Normal, Anchor::Middle)?;
            }
        }
    }
    Ok(())
}
