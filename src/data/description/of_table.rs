//! The description of a table, and of a list of boxes.

use super::{ColumnDescription, Content, Description, Distribution};
use crate::data::boxes::LabelledBox;
use crate::data::table::Table;
use std::collections::BTreeMap;

impl Table {
    /// Its columns, as [`Self::described_column`] has them; none of them is predicted.
    pub fn described(&self, columns: Vec<ColumnDescription>) -> Description {
        Description { parts: vec![("rows", self.rows())], target: None, columns, plane: None }
    }

    /// One of its columns, numbers that are not finite counted as missing; `numbers` are those of [`crate::data::table::Column::numbers`].
    pub fn described_column(
        &self,
        column: &crate::data::table::Column,
        numbers: Option<&[Option<f64>]>,
    ) -> ColumnDescription {
        let content = match numbers {
            Some(numbers) => Content::Numbers(vec![Distribution::of(numbers.iter().copied().flatten())]),
            None => {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                column.texts().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
                Content::Categories(counts.into_iter().map(|(name, rows)| (name.to_string(), vec![rows])).collect())
            }
        };
        let known = match &content {
            Content::Numbers(parts) => parts[0].rows(),
            Content::Categories(names) => names.iter().map(|(_, rows)| rows[0]).sum(),
        };
        ColumnDescription { name: column.name.clone(), missing: self.rows() - known, content }
    }
}

/// What boxes of objects in images are like; sizes are in pixels.
pub fn of_boxes(boxes: &[LabelledBox]) -> Description {
    let mut of_images: BTreeMap<i64, usize> = BTreeMap::new();
    let mut of_classes: BTreeMap<i64, usize> = BTreeMap::new();
    for labelled in boxes {
        *of_images.entry(labelled.truth.image).or_default() += 1;
        *of_classes.entry(labelled.truth.category).or_default() += 1;
    }
    let column = |name: &str, of: fn(&LabelledBox) -> f64| {
        ColumnDescription::numbers(name, vec![Distribution::of(boxes.iter().map(of))])
    };
    let classes = of_classes.into_iter().map(|(class, rows)| (class.to_string(), vec![rows]));
    Description {
        parts: vec![("boxes", boxes.len())],
        target: Some(ColumnDescription {
            name: "class".into(),
            missing: 0,
            content: Content::Categories(classes.collect()),
        }),
        columns: vec![
            ColumnDescription::numbers(
                "boxes per image",
                vec![Distribution::of(of_images.into_values().map(|n| n as f64))],
            ),
            column("width", |labelled| labelled.truth.bbox[2]),
            column("height", |labelled| labelled.truth.bbox[3]),
            column("area", |labelled| labelled.truth.area),
            column("width / height", |labelled| labelled.truth.bbox[2] / labelled.truth.bbox[3]),
            column("center x", |labelled| labelled.truth.bbox[0] + labelled.truth.bbox[2] / 2.0),
            column("center y", |labelled| labelled.truth.bbox[1] + labelled.truth.bbox[3] / 2.0),
            column("visible", |labelled| labelled.visible),
        ],
        plane: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::ByteSource;

    fn table(text: &str) -> Table {
        Table::read(ByteSource::Embedded("t.csv", text.as_bytes())).unwrap()
    }

    #[test]
    fn columns_have_numbers_or_categories_and_gaps() {
        let table = table("size,color\n1,red\n,blue\nnan,red\n3,\n");
        let [size, color] = &table.columns[..] else { panic!() };
        let [size, color] = [size, color].map(|column| table.described_column(column, column.numbers().as_deref()));
        assert_eq!((size.missing, color.missing), (2, 1));
        assert_eq!(size.content, Content::Numbers(vec![Distribution::of([1.0, 3.0])]));
        assert_eq!(color.content, Content::Categories(vec![("blue".into(), vec![1]), ("red".into(), vec![2])]));
    }

    #[test]
    fn boxes_are_counted_by_image_and_class() {
        let boxes = table("image,class,x0,y0,x1,y1\n0,8,0,0,4,2\n0,1,1,1,3,3\n5,1,0,0,1,4\n");
        let description = of_boxes(&crate::data::boxes::read(&boxes).unwrap());
        let numbers =
            |name: &str| description.columns.iter().find(|column| column.name == name).unwrap().content.clone();
        assert_eq!(numbers("boxes per image"), Content::Numbers(vec![Distribution::of([2.0, 1.0])]));
        assert_eq!(numbers("width / height"), Content::Numbers(vec![Distribution::of([2.0, 1.0, 0.25])]));
        assert_eq!(numbers("center x"), Content::Numbers(vec![Distribution::of([2.0, 2.0, 0.5])]));
        let classes = Content::Categories(vec![("1".into(), vec![2]), ("8".into(), vec![1])]);
        assert_eq!(description.target.unwrap().content, classes);
    }
}
