//! Objects in images, as boxes around them: from a table, from COCO's JSON, from YOLO's text files.

pub mod coco;
mod table;
pub mod yolo;

pub use table::{BoxRow, is_list, read};

use super::images::Images;
use super::pixels::Pixels;
use super::table::Table;
use super::{DataSet, Target, Targets};
use crate::{Error, Result};
use std::collections::HashMap;

/// An object in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectBox {
    /// `x1, y1, x2, y2` in pixels from the left and the upper edge, continuous: the pixel at column 3 reaches from 3 to 4.
    pub corners: [f32; 4],
    pub class: u32,
    /// Neither to be found nor wrong to find: a crowd, or an object that is mostly hidden.
    pub ignored: bool,
}

/// So far a box may reach beyond its image: a rounding of whoever drew it. It is cut there.
const OVERHANG: f64 = 1.0;

/// More classes than these nobody has.
const MOST_CLASSES: u32 = 10_000;

/// The objects of images, while they are read.
pub struct Objects<'a> {
    pixels: &'a Pixels,
    size: [usize; 2],
    places: Places,
    of_images: Vec<Vec<ObjectBox>>,
}

/// Where an image is found by what its boxes call it.
enum Places {
    /// Its number from 0.
    Numbers,
    /// Its file from the folder on.
    Files(HashMap<String, usize>),
}

impl<'a> Objects<'a> {
    /// # Errors
    /// When there are rows of features instead of images.
    pub fn new(pixels: &'a Pixels) -> Result<Objects<'a>> {
        let places = match pixels.files.is_empty() {
            true => Places::Numbers,
            false => Places::Files(pixels.files.iter().enumerate().map(|(i, file)| (file.clone(), i)).collect()),
        };
        Ok(Objects { pixels, size: pixels.size()?, places, of_images: vec![Vec::new(); pixels.rows()] })
    }

    /// The row of an image.
    ///
    /// # Errors
    /// When there is none that is called so; the message says what would be right.
    pub fn row(&self, image: &str) -> Result<usize, String> {
        let rows = self.pixels.rows();
        match &self.places {
            Places::Numbers => match image.parse::<usize>() {
                Ok(row) if row < rows => Ok(row),
                _ => Err(format!(
                    "there is no image {image} in {}; images are numbered 0 to {}",
                    self.pixels.source,
                    rows.saturating_sub(1)
                )),
            },
            Places::Files(files) => files.get(image).copied().ok_or_else(|| {
                let known: Vec<&str> = self.pixels.files.iter().map(String::as_str).collect();
                let near = lossward_envs::names::nearest(image, &known);
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                format!("there is no image `{image}` in {}{near}", self.pixels.source)
            }),
        }
    }

    /// Adds an object; its corners are cut at the edges.
    ///
    /// # Errors
    /// When the box is turned or empty, or lies outside of its image; the message says where it would have to be.
    pub fn push(&mut self, row: usize, corners: [f64; 4], class: u32, ignored: bool) -> Result<(), String> {
        check_area(corners)?;
        let [height, width] = self.size;
        let edges = [width as f64, height as f64];
        let [x1, y1, x2, y2] = corners;
        let outside = |low: f64, high: f64, edge: f64| {
            low < -OVERHANG || high > edge + OVERHANG || low.max(0.0) as f32 >= high.min(edge) as f32
        };
        if outside(x1, x2, edges[0]) || outside(y1, y2, edges[1]) {
            return Err(format!(
                "the box {x1}, {y1}, {x2}, {y2} (x1, y1, x2, y2) lies outside of its image, {} of {width}×{height} pixels",
                self.pixels.name(row)
            ));
        }
        let corners = [x1.max(0.0), y1.max(0.0), x2.min(edges[0]), y2.min(edges[1])].map(|x| x as f32);
        self.of_images[row].push(ObjectBox { corners, class, ignored });
        Ok(())
    }

    fn targets(self) -> Targets {
        Targets::Boxes(self.of_images.into_iter().map(Into::into).collect())
    }
}

/// # Errors
/// When the corners `x1, y1, x2, y2` are turned, have no area between them, or are no numbers.
pub fn check_area([x1, y1, x2, y2]: [f64; 4]) -> Result<(), String> {
    match x1 < x2 && y1 < y2 {
        true => Ok(()),
        false => Err(format!(
            "the box {x1}, {y1}, {x2}, {y2} has no area; the first corner is the upper left one, the second the lower right one"
        )),
    }
}

/// The class that is called so, or has this number where none is.
///
/// # Errors
/// When there is none; the message names those there are.
pub fn class_of(name: &str, names: &[String]) -> Result<u32, String> {
    let named = names.iter().position(|known| known == name);
    let numbered = || name.parse::<usize>().ok().filter(|number| *number < names.len());
    named.or_else(numbered).map(|class| class as u32).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        crate::error::unknown("class", name, &known)
    })
}

/// What the classes are called that occur: their numbers, from 0 to the largest, or their names in order.
///
/// # Errors
/// When a number is beyond reason.
pub fn names_of<'t>(classes: impl Iterator<Item = &'t str> + Clone) -> Result<Vec<String>, String> {
    let numbers: Option<Vec<u32>> = classes.clone().map(|name| name.parse().ok()).collect();
    match numbers.map(|numbers| numbers.into_iter().max()) {
        Some(None) => Ok(Vec::new()),
        Some(Some(largest)) if largest < MOST_CLASSES => Ok((0..=largest).map(|class| class.to_string()).collect()),
        Some(Some(largest)) => {
            Err(format!("the class {largest} is beyond reason; classes are numbered from 0 and below {MOST_CLASSES}"))
        }
        None => {
            let mut names: Vec<String> = classes.map(String::from).collect();
            names.sort_unstable();
            names.dedup();
            Ok(names)
        }
    }
}

impl Images {
    /// Images with the boxes of a table, whose classes are those of `names`, or those that occur where there are none; and the names.
    ///
    /// # Errors
    /// When a box names no image or no class, or doesn't lie in its image; the message names the row of the table.
    pub fn with_table(pixels: Pixels, table: &Table, names: &[String]) -> Result<(Images, Vec<String>)> {
        let rows = read(table)?;
        let names = match names {
            [] => names_of(rows.iter().map(|row| row.class.as_str())).map_err(|message| table.error(message))?,
            names => names.to_vec(),
        };
        let mut objects = Objects::new(&pixels)?;
        for (i, row) in rows.iter().enumerate() {
            let here = |message: String| table.error_in(i, format!(": {message}"));
            let image = objects.row(&row.image).map_err(here)?;
            let class = class_of(&row.class, &names).map_err(here)?;
            objects.push(image, row.corners, class, row.ignored).map_err(here)?;
        }
        let targets = objects.targets();
        Ok((Images { pixels, targets, name: table.name().to_string() }, names))
    }

    /// Images of objects of these classes.
    ///
    /// # Errors
    /// As [`Images::standardized`], and when there is nothing to be found in the training part.
    pub fn data_set_of_boxes(train: Images, test: Images, names: Vec<String>) -> Result<DataSet> {
        let boxes = train.targets.boxes().unwrap_or_default().iter().flat_map(|image| image.iter());
        if !boxes.clone().any(|object| !object.ignored) {
            return Err(no_objects(&train));
        }
        let mut occurs = vec![false; names.len()];
        boxes.filter(|object| !object.ignored).for_each(|object| occurs[object.class as usize] = true);
        let absent = names.iter().zip(occurs).filter(|(_, occurs)| !occurs).map(|(name, _)| name.as_str());
        let absent: Vec<&str> = absent.collect();
        let note = (!absent.is_empty())
            .then(|| format!("{}: no image to train on has an object of the class {}", train.name, absent.join(", ")));
        let mut data = Images::standardized(train, test, Target::Boxes { names })?;
        data.notes.extend(note);
        Ok(data)
    }
}

fn no_objects(train: &Images) -> Error {
    train.error("no image to train on has a box that counts; there is nothing to be found")
}

#[cfg(test)]
mod tests {
    use super::super::idx::Elements;
    use super::super::source::ByteSource;
    use super::*;

    /// Three images of 8×10 pixels.
    fn pixels(files: &[&str]) -> Pixels {
        let files = files.iter().map(|file| file.to_string()).collect();
        Pixels::new(vec![1, 8, 10], Elements::U8((0..240).collect()), "images".into(), files)
    }

    fn with(text: &str, files: &[&str], names: &[&str]) -> Result<(Images, Vec<String>)> {
        let table = Table::read(ByteSource::Embedded("b.csv", text.as_bytes())).unwrap();
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Images::with_table(pixels(files), &table, &names)
    }

    #[test]
    fn boxes_find_their_images_by_number_or_file() {
        let object = |corners, class| ObjectBox { corners, class, ignored: false };
        let (images, names) = with("image,class,x0,y0,x1,y1\n2,1,0,0,3.5,4\n0,0,1,1,10.5,8\n", &[], &[]).unwrap();
        let boxes = images.targets.boxes().unwrap();
        assert_eq!(&*boxes[2], [object([0.0, 0.0, 3.5, 4.0], 1)]);
        assert_eq!(&*boxes[0], [object([1.0, 1.0, 10.0, 8.0], 0)], "cut at the edge");
        assert_eq!((boxes[1].len(), names), (0, vec!["0".into(), "1".into()]));
        let text = "image,class,x1,y1,x2,y2\nsub/b.png,dog,0,0,3,4\na.png,cat,1,1,2,2\n";
        let (images, names) = with(text, &["a.png", "c.png", "sub/b.png"], &[]).unwrap();
        assert_eq!(&*images.targets.boxes().unwrap()[2], [object([0.0, 0.0, 3.0, 4.0], 1)]);
        assert_eq!(names, ["cat", "dog"]);
    }

    #[test]
    fn boxes_that_do_not_fit_are_told() {
        let message = |row: &str, files: &[&str], names: &[&str]| {
            with(&format!("image,class,x1,y1,x2,y2\n0,0,1,1,2,2\n{row}\n"), files, names)
                .map(drop)
                .unwrap_err()
                .to_string()
        };
        let numbers = |row: &str| message(row, &[], &["cat", "dog"]);
        assert!(
            numbers("3,0,1,1,2,2").contains("b.csv: row 2: there is no image 3 in images; images are numbered 0 to 2")
        );
        assert!(numbers("0,2,1,1,2,2").contains("row 2: unknown class `2`; known: `cat`, `dog`"));
        assert!(numbers("0,dogg,1,1,2,2").contains("did you mean `dog`"));
        assert!(
            numbers("1,dog,5,1,12,2").contains(
                "row 2: the box 5, 1, 12, 2 (x1, y1, x2, y2) lies outside of its image, image 2 of 10×8 pixels"
            )
        );
        assert!(numbers("1,dog,10.2,1,10.9,2").contains("lies outside"));
        assert!(numbers("1,dog,5,3,7,3").contains("row 2: the box 5, 3, 7, 3 has no area"));
        let files = with("image,class,x1,y1,x2,y2\nb.pgn,0,1,1,2,2\n", &["a.png", "b.png", "c.png"], &[]);
        assert!(files.map(drop).unwrap_err().to_string().contains("no image `b.pgn` in images; did you mean `b.png`?"));
        assert!(names_of(["4000000000"].into_iter()).is_err());
    }
}
