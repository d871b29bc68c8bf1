//! The description of masks and of objects in images, part by part.

use super::{ColumnDescription, Distribution};
use crate::data::{Masks, ObjectBox};
use std::sync::Arc;

/// What is predicted, and what else is to be said of it.
pub(super) type Described = (ColumnDescription, Vec<ColumnDescription>);

/// Pixels of each class, images without an object, and the share of each class in an image; class 0 is no object.
pub(super) fn of_masks(names: &[String], ignored: Option<u8>, parts: &[&Masks]) -> Described {
    let counted: Vec<Vec<[usize; 256]>> =
        parts.iter().map(|masks| masks.iter().map(pixels_of_each).collect()).collect();
    let classes = names.len().min(256);
    let pixels =
        |class: usize| -> Vec<usize> { counted.iter().map(|part| part.iter().map(|of| of[class]).sum()).collect() };
    let missing = ignored.map_or(0, |value| pixels(usize::from(value)).iter().sum());
    let named = names.iter().enumerate().take(classes).map(|(class, name)| (name.clone(), pixels(class)));
    let target = ColumnDescription {
        missing,
        counted: "pixels",
        ..ColumnDescription::categories("class of a pixel", named.collect())
    };
    let has_object = |of: &[usize; 256]| of[1..classes.max(1)].iter().any(|pixels| *pixels > 0);
    let images = with_objects(counted.iter().map(|part| part.iter().map(has_object).collect()).collect());
    let share = |class: usize| {
        let of_image = |of: &[usize; 256]| of[class] as f64 / of[..classes].iter().sum::<usize>().max(1) as f64;
        let of_part = |part: &Vec<[usize; 256]>| Distribution::of(part.iter().map(of_image));
        ColumnDescription::numbers(format!("share of {}", names[class]), counted.iter().map(of_part).collect())
    };
    (target, std::iter::once(images).chain((1..classes).map(share)).collect())
}

fn pixels_of_each(mask: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    mask.iter().for_each(|class| counts[usize::from(*class)] += 1);
    counts
}

/// Boxes of each class, images without an object, boxes of an image and their sizes in pixels; what is ignored is told apart.
pub(super) fn of_boxes(names: &[String], parts: &[&[Arc<[ObjectBox]>]]) -> Described {
    let all = |part: &[Arc<[ObjectBox]>]| part.iter().flat_map(|image| image.iter().copied()).collect::<Vec<_>>();
    let boxes: Vec<Vec<ObjectBox>> = parts.iter().map(|part| all(part)).collect();
    let count = |is: &dyn Fn(&ObjectBox) -> bool| {
        boxes.iter().map(|part| part.iter().filter(|object| is(object)).count()).collect::<Vec<usize>>()
    };
    let of_class = |class: usize| count(&|object| object.class as usize == class && !object.ignored);
    let named = names.iter().enumerate().map(|(class, name)| (name.clone(), of_class(class)));
    let target =
        ColumnDescription { counted: "boxes", ..ColumnDescription::categories("class of an object", named.collect()) };
    let per_image = |part: &[Arc<[ObjectBox]>]| {
        part.iter().map(|image| image.iter().filter(|object| !object.ignored).count()).collect::<Vec<usize>>()
    };
    let numbers: Vec<Vec<usize>> = parts.iter().map(|part| per_image(part)).collect();
    let has_object = |part: &Vec<usize>| part.iter().map(|objects| *objects > 0).collect();
    let mut columns = vec![with_objects(numbers.iter().map(has_object).collect())];
    let ignored = count(&|object| object.ignored);
    if ignored.iter().any(|boxes| *boxes > 0) {
        let kinds = vec![("counts".to_string(), count(&|object| !object.ignored)), ("ignored".to_string(), ignored)];
        columns.push(ColumnDescription { counted: "boxes", ..ColumnDescription::categories("box", kinds) });
    }
    let of_image = |part: &Vec<usize>| Distribution::of(part.iter().map(|objects| *objects as f64));
    columns.push(ColumnDescription::numbers("boxes per image", numbers.iter().map(of_image).collect()));
    columns.extend(sizes(&boxes));
    (target, columns)
}

/// Of the boxes that count.
fn sizes(parts: &[Vec<ObjectBox>]) -> [ColumnDescription; 3] {
    let column = |name: &str, size: fn([f64; 4]) -> f64| {
        let of_part = |part: &Vec<ObjectBox>| {
            let counting = part.iter().filter(|object| !object.ignored);
            Distribution::of(counting.map(|object| size(object.corners.map(f64::from))))
        };
        ColumnDescription::numbers(name, parts.iter().map(of_part).collect())
    };
    [
        column("width", |[x1, _, x2, _]| x2 - x1),
        column("height", |[_, y1, _, y2]| y2 - y1),
        column("area", |[x1, y1, x2, y2]| (x2 - x1) * (y2 - y1)),
    ]
}

/// Images with an object that counts, and images without; `[parts][images]`.
fn with_objects(parts: Vec<Vec<bool>>) -> ColumnDescription {
    let count = |wanted: bool| parts.iter().map(|part| part.iter().filter(|has| **has == wanted).count()).collect();
    let kinds = vec![("with an object".to_string(), count(true)), ("without".to_string(), count(false))];
    ColumnDescription::categories("image", kinds)
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::*;

    fn categories(names: &[(&str, &[usize])]) -> Content {
        Content::Categories(names.iter().map(|(name, counts)| (name.to_string(), counts.to_vec())).collect())
    }

    /// Two images of four pixels to train on, one held out that is empty but for a pixel which is ignored.
    #[test]
    fn pixels_are_counted_by_class() {
        let [train, test] = [vec![0, 1, 1, 2, 0, 0, 0, 255], vec![0, 0, 0, 255]].map(|all| Masks::new(2, 2, all));
        let names = ["none", "a", "b"].map(String::from);
        let (target, columns) = of_masks(&names, Some(255), &[&train, &test]);
        assert_eq!(target.content, categories(&[("none", &[4, 3]), ("a", &[2, 0]), ("b", &[1, 0])]));
        assert_eq!((target.missing, target.counted), (2, "pixels"));
        assert_eq!(columns[0].content, categories(&[("with an object", &[1, 0]), ("without", &[1, 1])]));
        let shares = vec![Distribution::of([0.5, 0.0]), Distribution::of([0.0])];
        assert_eq!((columns[1].name.as_str(), &columns[1].content), ("share of a", &Content::Numbers(shares)));
        assert_eq!(columns.len(), 3);
    }

    #[test]
    fn boxes_are_counted_by_class_and_ignored_ones_apart() {
        let object = |class, ignored| ObjectBox { corners: [1.0, 2.0, 4.0, 4.0], class, ignored };
        let train: Vec<Arc<[ObjectBox]>> =
            vec![[object(1, false), object(1, true)].into(), [object(0, true)].into(), [].into()];
        let (target, columns) = of_boxes(&["a", "b"].map(String::from), &[&train]);
        assert_eq!(target.content, categories(&[("a", &[0]), ("b", &[1])]));
        assert_eq!(columns[0].content, categories(&[("with an object", &[1]), ("without", &[2])]));
        assert_eq!(columns[1].content, categories(&[("counts", &[1]), ("ignored", &[2])]));
        assert_eq!(columns[2].content, Content::Numbers(vec![Distribution::of([1.0, 0.0, 0.0])]));
        let sizes: Vec<&Content> = columns[3..].iter().map(|column| &column.content).collect();
        let expected = [3.0, 2.0, 6.0].map(|size| Content::Numbers(vec![Distribution::of([size])]));
        assert_eq!(sizes, expected.iter().collect::<Vec<_>>());
    }
}
