//! Training images changed at random, with what is predicted of them: flips, shifts, turns, scales, brightness, contrast and
//! color.

mod change;

pub use change::Change;

use super::{Examples, Masks, ObjectBox, Targets};
use crate::{Error, Result, Rng};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How images are changed, each anew whenever it is put into a batch. What is not named is left as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// One of two images is mirrored, left to right.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub flip_horizontal: bool,
    /// One of two images is mirrored, top to bottom.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub flip_vertical: bool,
    /// Moved by up to so many whole pixels, across and down.
    #[serde(skip_serializing_if = "is_zero")]
    pub shift: f64,
    /// Turned about its center by up to so many degrees, either way.
    #[serde(skip_serializing_if = "is_zero")]
    pub turn: f64,
    /// Scaled about its center by 1 − `scale` to 1 + `scale`.
    #[serde(skip_serializing_if = "is_zero")]
    pub scale: f64,
    /// Made lighter or darker by up to so many standard deviations of all training pixels.
    #[serde(skip_serializing_if = "is_zero")]
    pub brightness: f64,
    /// Differences to its own mean become 1 − `contrast` to 1 + `contrast` times as large.
    #[serde(skip_serializing_if = "is_zero")]
    pub contrast: f64,
    /// Every channel of a color image made lighter or darker on its own, as `brightness` makes them together.
    #[serde(skip_serializing_if = "is_zero")]
    pub tint: f64,
    /// The share of color images that lose their color: every channel becomes the mean of all.
    #[serde(skip_serializing_if = "is_zero")]
    pub gray: f64,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

impl Augmentation {
    /// `shape` is that of an input.
    ///
    /// # Errors
    /// When inputs are no images, or a number lies outside of its range: [`Error::Setting`] at its key.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        let [channels, height, width] = shape else {
            return Err(Error::Argument(format!("augmentation is for images, and an input has the shape {shape:?}")));
        };
        let furthest = *height.min(width) as f64 - 1.0;
        let numbers = [
            ("shift", self.shift, furthest),
            ("turn", self.turn, 180.0),
            ("scale", self.scale, 0.9),
            ("brightness", self.brightness, 10.0),
            ("contrast", self.contrast, 1.0),
            ("tint", self.tint, 10.0),
            ("gray", self.gray, 1.0),
        ];
        for (key, value, most) in numbers {
            if !(0.0..=most).contains(&value) {
                return Err(Error::setting(key, format!("`{key}` must lie in [0, {most}], not {value}")));
            }
        }
        let of_color = [("tint", self.tint), ("gray", self.gray)];
        if let Some((key, _)) = of_color.into_iter().find(|(_, value)| *value > 0.0 && *channels != 3) {
            return Err(Error::setting(key, format!("`{key}` is for images of 3 channels, and these have {channels}")));
        }
        match self.shift.fract() == 0.0 {
            true => Ok(()),
            false => {
                let message = format!("`shift` is in whole pixels, not {}", self.shift);
                Err(Error::setting("shift", message))
            }
        }
    }

    /// The longer side of the largest upright box that a box of this width and height can come to be about, turned and scaled.
    pub fn largest_side(&self, [width, height]: [f64; 2]) -> f64 {
        let along = |width: f64, height: f64| {
            let turn = self.turn.to_radians().min(height.atan2(width));
            width * turn.cos() + height * turn.sin()
        };
        (1.0 + self.scale) * along(width, height).max(along(height, width))
    }

    /// What is done to one image. Eight numbers are drawn whatever is switched on, so that each setting changes its own part alone; four more
    /// where colors change.
    pub fn drawn(&self, rng: &mut Rng) -> Change {
        let [mirrored, upside_down, across, down, turn, scale, brightness, contrast]: [f64; 8] =
            std::array::from_fn(|_| rng.random());
        let [red, green, blue, gray] =
            if self.tint > 0.0 || self.gray > 0.0 { std::array::from_fn(|_| rng.random()) } else { [0.5; 4] };
        let either_way = |share: f64, most: f64| (2.0 * share - 1.0) * most;
        let whole = |share: f64| (share * (2.0 * self.shift + 1.0)).floor().min(2.0 * self.shift) - self.shift;
        Change {
            flip: [self.flip_horizontal && mirrored < 0.5, self.flip_vertical && upside_down < 0.5],
            shift: [whole(across), whole(down)],
            turn: either_way(turn, self.turn),
            scale: 1.0 + either_way(scale, self.scale),
            brightness: either_way(brightness, self.brightness),
            contrast: 1.0 + either_way(contrast, self.contrast),
            tint: [red, green, blue].map(|share| either_way(share, self.tint)),
            gray: gray < self.gray,
        }
    }

    /// The inputs of these rows, `[rows, features]`, each changed by a draw of its own, and their targets, changed alike. `shape` is that of
    /// an input, as [`Self::check`] lets it pass.
    pub fn augmented(
        &self,
        examples: &Examples,
        rows: &[usize],
        shape: &[usize],
        rng: &mut Rng,
    ) -> (Vec<f32>, Targets) {
        let shape = match *shape {
            [channels, height, width] => [channels, height, width],
            _ => [1, 1, examples.features()],
        };
        let size = [shape[1], shape[2]];
        let mut given = vec![0.0; examples.features()];
        let mut inputs = vec![0.0; rows.len() * examples.features()];
        let mut changes = Vec::with_capacity(rows.len());
        for (row, out) in rows.iter().zip(inputs.chunks_exact_mut(examples.features().max(1))) {
            let change = self.drawn(rng);
            examples.write_input(*row, &mut given);
            change.image(shape, &given, out);
            changes.push(change);
        }
        let changed = changes.iter().zip(rows);
        let targets = match &examples.targets {
            Targets::Masks(masks) => {
                let mut pixels = vec![0; rows.len() * size[0] * size[1]];
                for ((change, row), out) in changed.zip(pixels.chunks_exact_mut((size[0] * size[1]).max(1))) {
                    change.mask(size, masks.of(*row), out);
                }
                Targets::Masks(Masks::new(size[0], size[1], pixels))
            }
            Targets::Boxes(images) => {
                let boxes = |(change, row): (&Change, &usize)| -> Arc<[ObjectBox]> {
                    images[*row].iter().filter_map(|object| change.object(size, *object)).collect()
                };
                Targets::Boxes(changed.map(boxes).collect())
            }
            others => others.kept(rows),
        };
        (inputs, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::InputValues;
    use super::*;
    use crate::stream;

    fn object(corners: [f32; 4]) -> ObjectBox {
        ObjectBox { corners, class: 3, ignored: false }
    }

    /// Each setting draws from the one stream, and as often whatever the settings are; draws lie in their ranges and reach their ends.
    #[test]
    fn draws_are_as_many_whatever_is_on() {
        let all = Augmentation {
            flip_horizontal: true,
            flip_vertical: true,
            shift: 2.0,
            turn: 10.0,
            scale: 0.2,
            brightness: 0.1,
            contrast: 0.3,
            tint: 0.5,
            gray: 0.25,
        };
        let draws = |settings: Augmentation| {
            let mut rng = stream(3, "augmentation", 0);
            let draws: Vec<Change> = (0..2000).map(|_| settings.drawn(&mut rng)).collect();
            (draws, rng.random::<u64>())
        };
        let (changes, next) = draws(all);
        let (others, next_of_others) = draws(Augmentation { turn: 0.0, flip_vertical: false, ..all });
        assert_eq!(next, next_of_others);
        assert!(changes.iter().zip(&others).all(|(a, b)| a.shift == b.shift && a.scale == b.scale && b.turn == 0.0));
        let shifts = |wanted: f64| changes.iter().filter(|change| change.shift[0] == wanted).count();
        assert!([-2.0, -1.0, 0.0, 1.0, 2.0].into_iter().all(|shift| (300..500).contains(&shifts(shift))));
        assert!((900..1100).contains(&changes.iter().filter(|change| change.flip[0]).count()));
        assert!((450..550).contains(&changes.iter().filter(|change| change.gray).count()));
        let range = |of: fn(&Change) -> f64| {
            changes.iter().map(of).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)))
        };
        let near = |(low, high): (f64, f64), wanted: [f64; 2]| {
            low >= wanted[0] && high <= wanted[1] && (high - low) > 0.99 * (wanted[1] - wanted[0])
        };
        assert!(near(range(|change| change.turn), [-10.0, 10.0]) && near(range(|change| change.scale), [0.8, 1.2]));
        assert!(
            near(range(|change| change.tint[2]), [-0.5, 0.5]) && others.iter().all(|change| change.tint != [0.0; 3])
        );
        assert_eq!(draws(Augmentation::default()).0[7], Change::STILL);
    }

    #[test]
    fn batches_keep_rows_and_targets_together() {
        let inputs = InputValues::Numbers((0..36).map(|x| x as f32).collect());
        let boxes = [object([0.0, 0.0, 1.0, 2.0]), object([1.0, 1.0, 3.0, 3.0])].map(|object| Arc::from([object]));
        let examples = Examples::new(inputs, Targets::Boxes([&boxes[..], &boxes[..]].concat()));
        let still = Augmentation::default().augmented(&examples, &[3, 0], &[1, 3, 3], &mut stream(0, "a", 0));
        assert_eq!(still, (examples.inputs_of([3, 0].into_iter()), examples.targets.kept(&[3, 0])));
        let flipped = Augmentation { flip_horizontal: true, ..Default::default() };
        let of = |seed| flipped.augmented(&examples, &[1; 20], &[1, 3, 3], &mut stream(seed, "a", 0));
        let (inputs, targets) = of(0);
        assert_eq!(of(0), of(0));
        assert_ne!(of(0), of(1));
        for (input, objects) in inputs.chunks(9).zip(targets.boxes().unwrap()) {
            let mirrored = input[..3] == [11.0, 10.0, 9.0];
            assert_eq!(objects[0].corners, if mirrored { [0.0, 1.0, 2.0, 3.0] } else { [1.0, 1.0, 3.0, 3.0] });
        }
    }

    #[test]
    fn settings_out_of_range_are_told() {
        let error = |text: &str, shape: &[usize]| {
            toml::from_str::<Augmentation>(text).unwrap().check(shape).unwrap_err().to_string()
        };
        let image = [1, 8, 6];
        assert!(error("shift = 6", &image).contains("`shift` must lie in [0, 5], not 6"));
        assert!(error("shift = 1.5", &image).contains("`shift` is in whole pixels, not 1.5"));
        assert!(error("turn = -1", &image).contains("`turn` must lie in [0, 180], not -1"));
        assert!(error("scale = nan", &image).contains("`scale`"));
        assert!(error("contrast = 1.5", &image).contains("[0, 1]"));
        assert!(error("tint = 0.5", &image).contains("`tint` is for images of 3 channels, and these have 1"));
        assert!(error("gray = 2", &[3, 8, 6]).contains("`gray` must lie in [0, 1], not 2"));
        assert!(error("", &[4]).contains("augmentation is for images"));
        assert!(
            toml::from_str::<Augmentation>("flip = true").unwrap_err().to_string().contains("unknown field `flip`")
        );
        let whole: Augmentation = toml::from_str("flip_horizontal = true\nshift = 4\nturn = 10\nscale = 0.1").unwrap();
        whole.check(&image).unwrap();
        assert_eq!(toml::from_str::<Augmentation>(&toml::to_string(&whole).unwrap()).unwrap(), whole);
    }
}
