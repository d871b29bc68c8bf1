//! The description of a table, and of a list of boxes.

use super::{ColumnDescription, Content, Description, Distribution};
use crate::data::boxes::BoxRow;
use crate::data::table::Table;
use std::collections::BTreeMap;

impl Table {
    /// Its columns, as [`Self::described_column`] has them; none of them is predicted.
    pub fn described(&self, columns: Vec<ColumnDescription>) -> Description {
        Description { parts: vec![("rows".into(), self.rows())], target: None, columns, plane: None }
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
        ColumnDescription { name: column.name.clone(), missing: self.rows() - known, counted: "rows", content }
    }
}

/// What boxes of objects in images are like; sizes are in pixels.
pub fn of_boxes(boxes: &[BoxRow]) -> Description {
    let mut of_images: BTreeMap<&str, usize> = BTreeMap::new();
    boxes.iter().for_each(|row| *of_images.entry(&row.image).or_default() += 1);
    let column = |name: &str, of: fn(&BoxRow) -> f64| {
        ColumnDescription::numbers(name, vec![Distribution::of(boxes.iter().map(of))])
    };
    let mut of_classes: BTreeMap<&str, usize> = BTreeMap::new();
    boxes.iter().for_each(|row| *of_classes.entry(&row.class).or_default() += 1);
    let mut classes: Vec<(String, Vec<usize>)> =
        of_classes.into_iter().map(|(class, boxes)| (class.to_string(), vec![boxes])).collect();
    // Numbers in their own order, names behind them.
    classes.sort_by_key(|(class, _)| class.parse::<u32>().unwrap_or(u32::MAX));
    let target = ColumnDescription::categories("class", classes);
    Description {
        parts: vec![("boxes".into(), boxes.len())],
        target: Some(ColumnDescription { counted: "boxes", ..target }),
        columns: vec![
            ColumnDescription::numbers(
                "boxes per image",
                vec![Distribution::of(of_images.into_values().map(|n| n as f64))],
            ),
            column("width", |BoxRow { corners: [x1, _, x2, _], .. }| x2 - x1),
            column("height", |BoxRow { corners: [_, y1, _, y2], .. }| y2 - y1),
            column("area", |BoxRow { corners: [x1, y1, x2, y2], .. }| (x2 - x1) * (y2 - y1)),
            column("width / height", |BoxRow { corners: [x1, y1, x2, y2], .. }| (x2 - x1) / (y2 - y1)),
            column("center x", |BoxRow { corners: [x1, _, x2, _], .. }| (x1 + x2) / 2.0),
            column("center y", |BoxRow { corners: [_, y1, _, y2], .. }| (y1 + y2) / 2.0),
            column("visible", |row| row.visible),
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
