//! The description of a data set, from standardized inputs back to the units of its source.

use super::of_targets::{self, Described};
use super::{ColumnDescription, Content, Description, Distribution, Plane};
use crate::data::picture::{IGNORED_COLOR, class_color, mask_color};
use crate::data::{DataSet, Examples, Feature, Picture, Target, Targets};
use crate::parallel;

impl DataSet {
    /// All parts, with a column for all pixels of images, and one for all categories of a column.
    pub fn description(&self) -> Description {
        let groups = self.features.chunk_by(|a, b| a.column == b.column);
        let mut first = 0;
        let placed = groups.map(|group| {
            first += group.len();
            (group, first - group.len())
        });
        let mut columns = parallel::map(&placed.collect::<Vec<_>>(), |(group, first)| self.column(group, *first));
        let (target, of_targets) = self.target_columns();
        columns.extend(of_targets);
        Description {
            parts: self.parts().into_iter().map(|(name, part)| (name.to_string(), part.len())).collect(),
            columns,
            target: Some(target),
            plane: self.plane(),
        }
    }

    /// The training rows of each class of two features; of one feature and a value, the rows of each part.
    fn plane(&self) -> Option<Plane> {
        let original = |feature: usize, z: f32| self.features[feature].scale.original(z);
        match (&self.target, &self.features[..]) {
            (Target::Class { names }, [x, y]) => {
                let inputs = self.train.inputs_of(0..self.train.len());
                let points = |class: usize| {
                    let rows = (0..self.train.len()).filter(|row| self.train.targets.number(*row) == class as f64);
                    rows.map(|row| (original(0, inputs[2 * row]), original(1, inputs[2 * row + 1]))).collect()
                };
                let groups = names.iter().enumerate().map(|(class, name)| (name.clone(), points(class)));
                Some(Plane { axes: [x.name.clone(), y.name.clone()], groups: groups.collect() })
            }
            (Target::Value { scale, .. }, [x]) if self.shape == [1] => {
                let points = |part: &Examples| {
                    let inputs = part.inputs_of(0..part.len());
                    let value = |row| scale.original(part.targets.number(row) as f32);
                    inputs.iter().enumerate().map(|(row, z)| (original(0, *z), value(row))).collect()
                };
                let groups = self.parts().into_iter().map(|(name, part)| (name.to_string(), points(part)));
                Some(Plane { axes: [x.name.clone(), self.target.name()], groups: groups.collect() })
            }
            _ => None,
        }
    }

    /// With what they are called.
    pub(super) fn parts(&self) -> Vec<(&str, &Examples)> {
        let further = self.further.iter().map(|(name, part)| (name.as_str(), &**part));
        [("to train on", &*self.train), ("held out", &*self.test)].into_iter().chain(further).collect()
    }

    fn of_parts<T>(&self, of: impl Fn(&Examples) -> T) -> Vec<T> {
        self.parts().into_iter().map(|(_, part)| of(part)).collect()
    }

    fn column(&self, group: &[Feature], first: usize) -> ColumnDescription {
        let content = match group[0].category() {
            None => Content::Numbers(self.of_parts(|part| self.distribution(part, first))),
            Some(_) => {
                let rows = |part: &Examples, feature| part.feature(feature).filter(|one| *one == 1.0).count();
                let name = |feature: &Feature| feature.category().unwrap_or(&feature.name).to_string();
                let named =
                    |(i, feature): (usize, &Feature)| (name(feature), self.of_parts(|part| rows(part, first + i)));
                Content::Categories(group.iter().enumerate().map(named).collect())
            }
        };
        ColumnDescription { name: group[0].column.clone(), missing: group[0].missing, counted: "rows", content }
    }

    fn target_columns(&self) -> Described {
        let parts = self.parts();
        match &self.target {
            Target::Class { names } => {
                let is = |part: &Examples, row: usize, class: usize| part.targets.number(row) == class as f64;
                let rows =
                    |class: usize| self.of_parts(|part| (0..part.len()).filter(|row| is(part, *row, class)).count());
                let classes = names.iter().enumerate().map(|(class, name)| (name.clone(), rows(class)));
                (ColumnDescription::categories(self.target.name(), classes.collect()), Vec::new())
            }
            Target::Value { scale, .. } => {
                let numbers = |part: &Examples| {
                    let values = part.targets.values().into_iter().flatten();
                    Distribution::of(values.map(|z| scale.original(*z)))
                };
                (ColumnDescription::numbers(self.target.name(), self.of_parts(numbers)), Vec::new())
            }
            Target::Mask { names, ignored } => {
                let masks: Vec<_> = parts.iter().filter_map(|(_, part)| part.targets.masks()).collect();
                of_targets::of_masks(names, *ignored, &masks)
            }
            Target::Boxes { names } => {
                let boxes: Vec<_> = parts.iter().filter_map(|(_, part)| part.targets.boxes()).collect();
                of_targets::of_boxes(names, &boxes)
            }
        }
    }

    /// The first `each` training images of every class with its name, if the inputs are images; of masks and boxes, so many of each
    /// part from its first to its last, with what is predicted drawn on them.
    pub fn pictures(&self, each: usize) -> Option<Vec<(String, Vec<Picture>)>> {
        let picture = self.plain()?;
        match &self.target {
            Target::Class { names } => {
                let of_class = |class: usize| {
                    let rows = (0..self.train.len()).filter(|row| self.train.targets.number(*row) == class as f64);
                    rows.take(each).map(|row| picture(&self.train, row)).collect()
                };
                Some(names.iter().enumerate().map(|(class, name)| (name.clone(), of_class(class))).collect())
            }
            Target::Value { .. } => None,
            Target::Mask { .. } | Target::Boxes { .. } => {
                Some(self.parts().into_iter().flat_map(|part| self.drawn(part, each, &picture)).collect())
            }
        }
    }

    /// Rows of a part as images; nothing where they are none.
    pub fn images(&self, part: &Examples, rows: &[usize]) -> Option<Vec<Picture>> {
        let picture = self.plain()?;
        Some(rows.iter().map(|row| picture(part, *row)).collect())
    }

    /// A row of a part as an image: black and white are the least and the largest number of all pixels.
    fn plain(&self) -> Option<impl Fn(&Examples, usize) -> Picture> {
        let [channels, height, width] = self.shape[..] else { return None };
        let Content::Numbers(pixels) = self.column(&self.features[..1], 0).content else { return None };
        let (low, high) = super::joined(&pixels).range()?;
        let scale = self.features[0].scale;
        Some(move |part: &Examples, row: usize| {
            let numbers = part.inputs_of(std::iter::once(row));
            Picture::new([channels, height, width], |channel, pixel| {
                (scale.original(numbers[channel * height * width + pixel]) - low) / (high - low)
            })
        })
    }

    /// Rows of a part from its first to its last: boxes on the images, masks below them.
    fn drawn(
        &self,
        (name, part): (&str, &Examples),
        each: usize,
        picture: &impl Fn(&Examples, usize) -> Picture,
    ) -> Vec<(String, Vec<Picture>)> {
        let shown = each.min(part.len());
        let rows = (0..shown).map(|i| i * part.len() / shown);
        let plain = rows.clone().map(|row| picture(part, row));
        match (&part.targets, &self.target) {
            (Targets::Masks(masks), Target::Mask { ignored, .. }) => {
                let tinted = plain.clone().zip(rows).map(|(picture, row)| picture.tinted(masks.of(row), *ignored));
                vec![(name.to_string(), plain.collect()), ("with masks".into(), tinted.collect())]
            }
            (Targets::Boxes(images), _) => {
                let outlined = plain.zip(rows).map(|(picture, row)| picture.outlined(&images[row]));
                vec![(name.to_string(), outlined.collect())]
            }
            _ => Vec::new(),
        }
    }

    /// What the colors on [`Self::pictures`] mean; nothing where there are none.
    pub fn legend(&self) -> Vec<(String, [u8; 3])> {
        let ignores = match (&self.target, &self.train.targets) {
            (Target::Mask { ignored, .. }, _) => ignored.is_some(),
            (_, Targets::Boxes(images)) => images.iter().flat_map(|image| image.iter()).any(|object| object.ignored),
            _ => false,
        };
        let color = |class: usize| match self.target {
            Target::Mask { .. } => mask_color(class),
            Target::Boxes { .. } => Some(class_color(class)),
            Target::Class { .. } | Target::Value { .. } => None,
        };
        let names = self.target.names().iter().enumerate();
        let colors = names.filter_map(|(class, name)| Some((name.clone(), color(class)?)));
        colors.chain(ignores.then(|| ("ignored".to_string(), IGNORED_COLOR))).collect()
    }

    /// One feature in its own unit; of images, which have a single one, all pixels.
    fn distribution(&self, part: &Examples, feature: usize) -> Distribution {
        let scale = self.features[feature].scale;
        match (part.counts(), self.features.len()) {
            (Some(counts), 1) => Distribution::of_counts(counts.into_iter().map(|(z, n)| (scale.original(z), n))),
            (_, 1) => Distribution::of(part.inputs_of(0..part.len()).into_iter().map(|z| scale.original(z))),
            _ => Distribution::of(part.feature(feature).map(|z| scale.original(z))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::joined;
    use super::*;
    use crate::options::Options;

    fn described(name: &str) -> Description {
        let row = crate::data::find(name).unwrap();
        (row.load)(&Options::defaults(row.options)).unwrap().description()
    }

    fn column<'a>(description: &'a Description, name: &str) -> &'a ColumnDescription {
        description.columns.iter().find(|column| column.name == name).unwrap()
    }

    /// The numbers of the files themselves: penguins.csv has 2 rows without measures and 11 without a sex, mass from 2700 to 6300;
    /// sacramento.csv has 438 homes of 932 in the city itself.
    #[test]
    fn columns_are_what_the_source_says() {
        let penguins = described("penguins");
        let mass = column(&penguins, "body_mass_g");
        let Content::Numbers(parts) = &mass.content else { panic!() };
        assert_eq!((mass.missing, joined(parts).range()), (2, Some((2700.0, 6300.0))));
        let sex = column(&penguins, "sex");
        let Content::Categories(names) = &sex.content else { panic!() };
        assert_eq!((sex.missing, names.iter().map(|(_, rows)| rows.iter().sum::<usize>()).sum::<usize>()), (11, 333));
        assert_eq!(penguins.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>()[0], "island");
        let homes = described("house_sacramento");
        let Content::Categories(cities) = &column(&homes, "city").content else { panic!() };
        let (city, rows) = super::super::by_frequency(cities)[0];
        assert_eq!((city.as_str(), rows.iter().sum::<usize>(), homes.columns.len()), ("SACRAMENTO", 438, 8));
    }

    /// 16 shades of gray, and 10 classes whose counts are those of DATASET.md.
    #[test]
    fn images_are_one_column_and_pictures() {
        let digits = described("digits");
        let Content::Numbers(parts) = &digits.columns[0].content else { panic!() };
        assert_eq!(
            (digits.columns.len(), joined(parts).range(), joined(parts).rows()),
            (1, Some((0.0, 16.0)), 1797 * 64)
        );
        let Content::Categories(classes) = digits.target.unwrap().content else { panic!() };
        assert_eq!(classes[0].1.iter().sum::<usize>(), 178);
        let row = crate::data::find("digits").unwrap();
        let pictures = (row.load)(&Options::defaults(row.options)).unwrap().pictures(3).unwrap();
        assert_eq!((pictures.len(), pictures[9].1.len(), pictures[0].1[0].width), (10, 3, 8));
    }
}
