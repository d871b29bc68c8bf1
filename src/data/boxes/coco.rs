//! Boxes from a JSON file in the format of COCO's instances (Lin et al. 2014): `images`, `annotations` and `categories`.

use super::Objects;
use crate::Result;
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::data::texts::MOST_BYTES;
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Instances {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    width: Option<usize>,
    height: Option<usize>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    category_id: i64,
    /// `[x, y, width, height]` in pixels.
    bbox: [f64; 4],
    #[serde(default)]
    iscrowd: Flag,
}

/// 0 and 1, or false and true.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Number(u8),
    Bool(bool),
}

impl Default for Flag {
    fn default() -> Self {
        Flag::Bool(false)
    }
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

/// Images of a folder with their boxes, and what the classes are called: the categories by rising id. Crowds are ignored. Classes that
/// are known already, if any are, must be the same.
///
/// # Errors
/// When the JSON is broken or is none of this format; an image of it has no file, a file no image, or another size; an annotation names no
/// image or no category, or its box doesn't lie in the image. The message names the entry, counted from 1.
pub fn read(source: ByteSource, pixels: Pixels, known: &[String]) -> Result<(Images, Vec<String>)> {
    let text = source.text(MOST_BYTES)?;
    let broken = |error: serde_json::Error| source.error(format!("no instances of COCO: {error}"));
    let instances: Instances = serde_json::from_slice(&text).map_err(broken)?;
    let (names, classes) = categories(&instances.categories, known).map_err(|message| source.error(message))?;
    let mut objects = Objects::new(&pixels)?;
    let rows = rows(&instances.images, &objects).map_err(|message| source.error(message))?;
    for (i, annotation) in instances.annotations.iter().enumerate() {
        let here = |message: String| source.error(format!("annotation {}: {message}", i + 1));
        let row = rows.get(&annotation.image_id);
        let row = row.ok_or_else(|| here(format!("`image_id` {} is the id of no image", annotation.image_id)))?;
        let class = classes.get(&annotation.category_id).ok_or_else(|| {
            let known: Vec<String> = instances.categories.iter().map(|category| category.id.to_string()).collect();
            let id = annotation.category_id;
            here(format!("`category_id` {id} is the id of no category; there are {}", known.join(", ")))
        })?;
        let [x, y, width, height] = annotation.bbox;
        let ignored = matches!(annotation.iscrowd, Flag::Bool(true) | Flag::Number(1..));
        objects.push(*row, [x, y, x + width, y + height], *class, ignored).map_err(here)?;
    }
    let targets = objects.targets();
    Ok((Images { pixels, targets, name: source.name() }, names))
}

/// Names in the order of the ids, and the class of each id.
fn categories(categories: &[Category], known: &[String]) -> Result<(Vec<String>, HashMap<i64, u32>), String> {
    let mut sorted: Vec<&Category> = categories.iter().collect();
    sorted.sort_by_key(|category| category.id);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(format!("the categories `{}` and `{}` have one id, {}", pair[0].name, pair[1].name, pair[0].id));
    }
    let names: Vec<String> = match known {
        [] => sorted.iter().map(|category| category.name.clone()).collect(),
        known => known.to_vec(),
    };
    let class = |category: &Category| Ok((category.id, super::class_of(&category.name, &names)?));
    let classes = sorted.iter().map(|category| class(category)).collect::<Result<_, String>>()?;
    Ok((names, classes))
}

/// The row of each image by its id.
fn rows(images: &[Image], objects: &Objects) -> Result<HashMap<i64, usize>, String> {
    let mut rows = HashMap::new();
    let mut named = vec![false; objects.pixels.rows()];
    for (i, image) in images.iter().enumerate() {
        let here = |message: String| format!("image {} of `images`: {message}", i + 1);
        let row = objects.row(&image.file_name).map_err(here)?;
        let size = [image.height.unwrap_or(objects.size[0]), image.width.unwrap_or(objects.size[1])];
        if size != objects.size {
            let ([height, width], [of_file, across]) = (size, objects.size);
            return Err(here(format!(
                "it says {width}×{height} pixels, and `{}` has {across}×{of_file}",
                image.file_name
            )));
        }
        if rows.insert(image.id, row).is_some() || std::mem::replace(&mut named[row], true) {
            return Err(here(format!("its id {} or its file `{}` is there twice", image.id, image.file_name)));
        }
    }
    match named.iter().position(|named| !named) {
        None => Ok(rows),
        Some(row) => Err(format!(
            "it says nothing of {} in {}: `images` must list it, also where nothing is to be found in it",
            objects.pixels.name(row),
            objects.pixels.source
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ObjectBox;
    use crate::data::idx::Elements;
    use serde_json::{Value, json};

    fn instances() -> Value {
        json!({
            "info": { "year": 2017 },
            "images": [{ "id": 9, "file_name": "b.png", "width": 10, "height": 8 }, { "id": 4, "file_name": "a.png" }],
            "annotations": [
                { "id": 1, "image_id": 9, "category_id": 7, "bbox": [1, 2, 3.5, 4], "iscrowd": 0, "segmentation": [[1, 2]] },
                { "id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 10, 8], "iscrowd": 1 },
            ],
            "categories": [{ "id": 7, "name": "dog" }, { "id": 3, "name": "cat" }],
        })
    }

    fn parse(instances: &Value, known: &[String]) -> Result<(Images, Vec<String>)> {
        let files = ["a.png", "b.png"].map(String::from).to_vec();
        let pixels = Pixels::new(vec![1, 8, 10], Elements::U8(vec![0; 160]), "images".into(), files);
        read(ByteSource::Embedded("c.json", instances.to_string().as_bytes()), pixels, known)
    }

    #[test]
    fn instances_are_boxes_with_categories_by_rising_id() {
        let (images, names) = parse(&instances(), &[]).unwrap();
        let boxes = images.targets.boxes().unwrap();
        let dog = ObjectBox { corners: [1.0, 2.0, 4.5, 6.0], class: 1, ignored: false };
        let cats = ObjectBox { corners: [0.0, 0.0, 10.0, 8.0], class: 0, ignored: true };
        assert_eq!((&*boxes[1], boxes[0].len()), (&[dog, cats][..], 0));
        assert_eq!(names, ["cat", "dog"]);
        let (again, _) = parse(&instances(), &["dog", "cat"].map(String::from)).unwrap();
        assert_eq!(again.targets.boxes().unwrap()[1][0].class, 0, "by name where the classes are known");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let message = |change: fn(&mut Value)| {
            let mut changed = instances();
            change(&mut changed);
            parse(&changed, &[]).map(drop).unwrap_err().to_string()
        };
        type Case = (fn(&mut Value), &'static str);
        let cases: [Case; 11] = [
            (|all| *all = json!([1]), "c.json: no instances of COCO"),
            (|all| _ = all.as_object_mut().unwrap().remove("images"), "missing field `images`"),
            (|all| all["annotations"][1]["image_id"] = json!(5), "annotation 2: `image_id` 5 is the id of no image"),
            (
                |all| all["annotations"][0]["category_id"] = json!(5),
                "annotation 1: `category_id` 5 is the id of no category; there are 7, 3",
            ),
            (
                |all| all["annotations"][0]["bbox"] = json!([1, 2, -3, 4]),
                "annotation 1: the box 1, 2, -2, 6 has no area",
            ),
            (
                |all| all["annotations"][0]["bbox"] = json!([8, 2, 4, 4]),
                "annotation 1: the box 8, 2, 12, 6 (x1, y1, x2, y2) lies outside",
            ),
            (|all| all["annotations"][0]["bbox"] = json!([8, 2, 4]), "invalid length 3"),
            (
                |all| all["images"][0]["file_name"] = json!("c.jpg"),
                "image 1 of `images`: there is no image `c.jpg` in images",
            ),
            (|all| all["images"][0]["width"] = json!(11), "it says 11×8 pixels, and `b.png` has 10×8"),
            (|all| _ = all["images"].as_array_mut().unwrap().pop(), "it says nothing of `a.png` in images"),
            (|all| all["categories"][0]["id"] = json!(3), "have one id, 3"),
        ];
        for (change, part) in cases {
            assert!(message(change).contains(part), "no `{part}` in {}", message(change));
        }
    }
}
