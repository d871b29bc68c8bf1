//! Images as characters.

use crate::data::Picture;

/// The width of a terminal that is always there.
const WIDTH: usize = 80;
/// Images are at most so many lines high.
const LINES: usize = 8;
/// More images than these are not shown.
const MOST: usize = 20;
/// From dark to light.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// How brightness is shown.
#[derive(Clone, Copy, PartialEq)]
pub enum Shades {
    /// By characters that are more or less full.
    Characters,
    /// By two grays in each character: the 24 of a terminal with 256 colors.
    Grays,
}

impl Shades {
    /// The images side by side, as many as fit, with their names above them.
    pub fn sheet(self, pictures: &[(&str, &Picture)]) -> String {
        let shown = &pictures[..pictures.len().min(MOST)];
        let Some((_, first)) = shown.first() else { return String::new() };
        let lines = first.height.div_ceil(first.height.div_ceil(LINES));
        let columns =
            ((2 * lines * first.width) as f64 / first.height as f64).round().clamp(1.0, WIDTH as f64) as usize;
        let side_by_side = ((WIDTH + 2) / (columns + 2)).max(1);
        shown.chunks(side_by_side).map(|row| self.row(row, [columns, lines])).collect::<Vec<_>>().join("\n")
    }

    fn row(self, row: &[(&str, &Picture)], [columns, lines]: [usize; 2]) -> String {
        let name = |(name, _): &(&str, &Picture)| {
            let name: String = name.chars().take(columns).collect();
            format!("{name:<columns$}")
        };
        let names: Vec<String> = row.iter().map(name).collect();
        let drawn: Vec<Vec<String>> = row.iter().map(|(_, picture)| self.lines(picture, [columns, lines])).collect();
        let mut text = if names.iter().all(|name| name.trim().is_empty()) { String::new() } else { joined(&names) };
        for line in 0..lines {
            text += &joined(&drawn.iter().map(|picture| picture[line].clone()).collect::<Vec<_>>());
        }
        text
    }

    fn lines(self, picture: &Picture, [columns, lines]: [usize; 2]) -> Vec<String> {
        match self {
            Shades::Characters => {
                let shade = |share: &f64| RAMP[(share * (RAMP.len() - 1) as f64).round() as usize];
                picture.shrunk(columns, lines).iter().map(|line| line.iter().map(shade).collect()).collect()
            }
            Shades::Grays => {
                let gray = |share: f64| 232 + (share * 23.0).round() as u8;
                let line = |pair: &[Vec<f64>]| {
                    let both = pair[0].iter().zip(&pair[1]);
                    let drawn: String =
                        both.map(|(up, down)| format!("\x1b[38;5;{};48;5;{}m▀", gray(*up), gray(*down))).collect();
                    drawn + "\x1b[0m"
                };
                picture.shrunk(columns, 2 * lines).chunks_exact(2).map(line).collect()
            }
        }
    }
}

fn joined(parts: &[String]) -> String {
    format!("{}\n", parts.join("  ").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright diagonal of four pixels, twice as wide as high.
    #[test]
    fn images_are_shaded_side_by_side() {
        let diagonal = Picture::new([1, 4, 4], |_, pixel| f64::from(u8::from(pixel % 5 == 0)));
        let one = "@@\n  @@\n    @@\n      @@\n";
        assert_eq!(Shades::Characters.sheet(&[("", &diagonal)]), one);
        let two = Shades::Characters.sheet(&[("a", &diagonal), ("long name", &diagonal)]);
        assert_eq!(two.lines().next().unwrap(), "a         long nam");
        assert_eq!(two.lines().nth(1).unwrap(), "@@        @@");
        let grays = Shades::Grays.sheet(&[("", &diagonal)]);
        assert!(grays.starts_with("\x1b[38;5;255;48;5;255m▀") && grays.contains("\x1b[0m"), "{grays:?}");
        let large = Picture::new([1, 28, 28], |_, _| 1.0);
        let ten = Shades::Characters.sheet(&[("0", &large); 10]);
        assert_eq!((ten.lines().count(), ten.lines().map(str::len).max()), (17, Some(78)));
    }
}
