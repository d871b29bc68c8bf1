//! What a state looks like: shapes that an SVG, an animation and a terminal can all draw.

/// A picture, in units of its own: x to the right, y upward, the origin at the lower left.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub width: f32,
    pub height: f32,
    /// Later ones lie on top.
    pub shapes: Vec<Shape>,
}

/// A color by what it stands for; whoever draws chooses the shade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Background,
    /// Lines, walls, text.
    Outline,
    /// Ground, tracks, things that stand still.
    Quiet,
    /// Who acts.
    Player,
    /// What to reach.
    Goal,
    /// What to avoid.
    Danger,
    /// Everything else that moves.
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Line {
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
        ink: Ink,
    },
    Circle {
        center: (f32, f32),
        radius: f32,
        ink: Ink,
    },
    /// `corner` is the lower left one.
    Rectangle {
        corner: (f32, f32),
        size: (f32, f32),
        ink: Ink,
    },
    Polygon {
        points: Vec<(f32, f32)>,
        ink: Ink,
    },
    /// `at` is the middle of the baseline.
    Text {
        at: (f32, f32),
        text: String,
        size: f32,
        ink: Ink,
    },
}

impl Scene {
    pub fn new(width: f32, height: f32) -> Scene {
        Scene { width, height, shapes: Vec::new() }
    }

    /// Cells of a grid, row 0 at the top; `ink(row, column)` gives the color of a cell, or nothing for the background.
    pub fn grid(rows: usize, columns: usize, ink: impl Fn(usize, usize) -> Option<Ink>) -> Scene {
        let mut scene = Scene::new(columns as f32, rows as f32);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            if let Some(ink) = ink(row, column) {
                let corner = (column as f32, (rows - 1 - row) as f32);
                scene.shapes.push(Shape::Rectangle { corner, size: (1.0, 1.0), ink });
            }
        }
        scene
    }
}
