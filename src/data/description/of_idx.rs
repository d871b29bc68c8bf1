//! The description of an array from an IDX file.

use super::{ColumnDescription, Description, Distribution};
use crate::data::Picture;
use crate::data::idx::{Elements, Idx};

/// Arrays of rank 1 with at most so many different whole numbers are labels.
const MOST_CLASSES: usize = 1_000;

impl Idx {
    /// All elements together; those that are not finite count as missing.
    pub fn description(&self) -> Description {
        let elements = self.distribution();
        let missing = self.elements.len() - elements.rows();
        let are_labels = self.shape.len() == 1 && elements.is_whole() && elements.distinct() <= MOST_CLASSES;
        let parts = vec![("rows".to_string(), self.shape.first().copied().unwrap_or(1))];
        if are_labels {
            let classes = elements.counts().iter().map(|(class, rows)| (class.to_string(), vec![*rows]));
            let target =
                Some(ColumnDescription { missing, ..ColumnDescription::categories("label", classes.collect()) });
            return Description { parts, target, columns: Vec::new(), plane: None };
        }
        let name = if self.image_shape().is_some() { "pixel" } else { "element" };
        let column = ColumnDescription { missing, ..ColumnDescription::numbers(name, vec![elements]) };
        Description { parts, target: None, columns: vec![column], plane: None }
    }

    fn distribution(&self) -> Distribution {
        match &self.elements {
            Elements::U8(bytes) => {
                let mut counts = [0; 256];
                bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
                Distribution::of_counts((0..=255).map(f64::from).zip(counts))
            }
            others => Distribution::of(others.numbers().filter(|x| x.is_finite())),
        }
    }

    /// `[channels, height, width]`, if the array looks like images.
    fn image_shape(&self) -> Option<[usize; 3]> {
        match self.shape[..] {
            [_, height, width] if height > 1 && width > 1 => Some([1, height, width]),
            [_, height, width, channels @ 1..=4] if height > 1 && width > 1 => Some([channels, height, width]),
            _ => None,
        }
    }

    /// The first images, if the array looks like images.
    pub fn pictures(&self, most: usize) -> Vec<Picture> {
        let (Some(shape), Some((low, high))) = (self.image_shape(), self.distribution().range()) else {
            return Vec::new();
        };
        let size: usize = shape.iter().product();
        let images = (self.elements.len() / size).min(most);
        let numbers: Vec<f64> = self.elements.numbers().take(images * size).collect();
        let share = |x: f64| (x - low) / (high - low).max(f64::MIN_POSITIVE);
        let picture = |image: &[f64]| Picture::new(shape, |channel, pixel| share(image[pixel * shape[0] + channel]));
        numbers.chunks_exact(size).map(picture).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::*;

    #[test]
    fn arrays_are_images_labels_or_numbers() {
        let of = |shape: &[usize], elements| Idx { shape: shape.to_vec(), elements };
        let images = of(&[2, 2, 2], Elements::U8(vec![0, 0, 0, 8, 8, 8, 8, 0]));
        assert_eq!(images.pictures(9)[1], Picture::new([1, 2, 2], |_, pixel| if pixel < 3 { 1.0 } else { 0.0 }));
        assert_eq!(images.pictures(1).len(), 1);
        assert_eq!(images.description().columns[0].name, "pixel");
        let colors = of(&[1, 2, 2, 3], Elements::F32((0..12).map(|i| i as f32).collect()));
        assert_eq!(colors.pictures(1)[0].pixels[3], [209, 232, 255], "the channels of a pixel stand side by side");
        let labels = of(&[3], Elements::U8(vec![1, 0, 1])).description();
        assert_eq!(
            labels.target.unwrap().content,
            Content::Categories(vec![("0".into(), vec![1]), ("1".into(), vec![2])])
        );
        let numbers = of(&[2], Elements::F64(vec![0.5, f64::NAN])).description();
        assert_eq!(numbers.columns[0].missing, 1);
        assert!(of(&[2, 5], Elements::U8(vec![0; 10])).pictures(9).is_empty());
    }
}
