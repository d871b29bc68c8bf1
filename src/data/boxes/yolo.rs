//! Boxes from text files, one per image, as YOLO's trainers read them: a line per box with its class, its center and its size as shares of
//! the image.

use super::{Objects, names_of};
use crate::data::folder;
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::{Error, Result};
use std::path::Path;

/// A file of names, one a line, that may lie beside the others.
const NAMES: &str = "classes.txt";

/// A text for one image is smaller than this.
const MOST_BYTES: usize = 1 << 24;

/// Images of a folder with the boxes of the text files of a folder, which are called as their images are; and what the classes are called:
/// as it is known, as classes.txt says, or by their numbers.
///
/// # Errors
/// When an image has no file or a file no image, or a line is none of a class and four numbers that lie in the image; the message names the
/// line.
pub fn read(folder: &Path, pixels: Pixels, known: &[String]) -> Result<(Images, Vec<String>)> {
    let mut texts = folder::files(folder, &["txt"])?;
    texts.retain(|file| file != NAMES);
    let pairs = folder::paired(&pixels, folder, &texts)?;
    let lines = pairs.iter().map(|file| lines(&folder.join(file))).collect::<Result<Vec<_>>>()?;
    let names = match known {
        [] => names(folder, lines.iter().flatten().map(|line| line.class))?,
        known => known.to_vec(),
    };
    let mut objects = Objects::new(&pixels)?;
    let [height, width] = objects.size.map(|side| side as f64);
    for (row, (file, lines)) in pairs.iter().zip(&lines).enumerate() {
        for Line { number, class, shares: [x, y, across, down] } in lines {
            let here = |message: String| Error::content(folder.join(file), format!("line {number}: {message}"));
            if *class as usize >= names.len() {
                let message = format!("class {class}; there are {}, counted from 0: {}", names.len(), names.join(", "));
                return Err(here(message));
            }
            let corners = [
                (x - across / 2.0) * width,
                (y - down / 2.0) * height,
                (x + across / 2.0) * width,
                (y + down / 2.0) * height,
            ];
            objects.push(row, corners, *class, false).map_err(here)?;
        }
    }
    let targets = objects.targets();
    Ok((Images { pixels, targets, name: folder.display().to_string() }, names))
}

fn names(folder: &Path, classes: impl Iterator<Item = u32>) -> Result<Vec<String>> {
    let path = folder.join(NAMES);
    if path.is_file() {
        let text = text(&path)?;
        return Ok(text.lines().map(|line| line.trim().to_string()).filter(|name| !name.is_empty()).collect());
    }
    let classes: Vec<String> = classes.map(|class| class.to_string()).collect();
    names_of(classes.iter().map(String::as_str)).map_err(|message| Error::content(folder, message))
}

fn text(path: &Path) -> Result<String> {
    let source = ByteSource::File(path);
    String::from_utf8(source.text(MOST_BYTES)?).map_err(|_| source.error("it is no UTF-8 text"))
}

/// A box as it is written.
struct Line {
    number: usize,
    class: u32,
    /// `x, y` of the center, width and height, all of them shares of the image.
    shares: [f64; 4],
}

fn lines(path: &Path) -> Result<Vec<Line>> {
    let text = text(path)?;
    let written = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(i, line): (usize, &str)| {
        let number = i + 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong = || {
            let wanted = "it must be a class from 0 and four shares of the image: `class x y width height`, x and y of the center";
            Error::content(path, format!("line {number}: `{}`; {wanted}", line.trim()))
        };
        let [class, shares @ ..] = &words[..] else { return Err(wrong()) };
        let numbers: Vec<f64> = shares.iter().filter_map(|word| word.parse().ok()).collect();
        let shares: [f64; 4] = numbers.try_into().map_err(|_| wrong())?;
        let inside = shares.iter().all(|share| (0.0..=1.0).contains(share));
        let class = class.parse().ok().filter(|_| inside && words.len() == 5).ok_or_else(wrong)?;
        Ok(Line { number, class, shares })
    };
    written.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ObjectBox;
    use crate::data::idx::Elements;

    fn parse(texts: &[(&str, &str)], known: &[String]) -> Result<(Images, Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        texts.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        let files = ["a.png", "b.jpg"].map(String::from).to_vec();
        let pixels = Pixels::new(vec![1, 8, 10], Elements::U8(vec![0; 160]), "images".into(), files);
        read(folder.path(), pixels, known)
    }

    #[test]
    fn a_line_is_a_box() {
        let (images, names) = parse(&[("a.txt", "1 0.5 0.5 0.2 0.5\n\n0 .1 .25 .2 .5\n"), ("b.txt", "")], &[]).unwrap();
        let object = |corners, class| ObjectBox { corners, class, ignored: false };
        let boxes = images.targets.boxes().unwrap();
        assert_eq!(&*boxes[0], [object([4.0, 2.0, 6.0, 6.0], 1), object([0.0, 0.0, 2.0, 4.0], 0)]);
        assert_eq!((boxes[1].len(), names), (0, vec!["0".to_string(), "1".into()]));
        let named = [("a.txt", "0 0.5 0.5 0.2 0.5"), ("b.txt", ""), ("classes.txt", "cat\ndog\n")];
        assert_eq!(parse(&named, &[]).unwrap().1, ["cat", "dog"]);
    }

    #[test]
    fn lines_and_files_that_do_not_fit_are_told() {
        let message = |texts: &[(&str, &str)]| parse(texts, &["cat".to_string()]).map(drop).unwrap_err().to_string();
        let line = |line: &str| message(&[("a.txt", line), ("b.txt", "")]);
        for bad in [
            "0 0.5 0.5 0.2",
            "0 0.5 0.5 0.2 0.2 0.9",
            "cat 0.5 0.5 0.2 0.2",
            "0 32 0.5 0.2 0.2",
            "0 0.5 nan 0.2 0.2",
            "0 x 0.5 0.5 0.2 0.2",
        ] {
            assert!(line(bad).contains(&format!("a.txt: line 1: `{bad}`; it must be a class")), "{}", line(bad));
        }
        assert!(line("0 .5 .5 .2 .2\n1 .5 .5 .2 .2").contains("line 2: class 1; there are 1, counted from 0: cat"));
        assert!(line("0 .9 .5 .9 .2").contains("line 1: the box 4.5, 3.2, 13.5, 4.8 (x1, y1, x2, y2) lies outside"));
        assert!(line("0 .9 .5 0 .2").contains("has no area"));
        assert!(message(&[("a.txt", "")]).contains("`b.jpg` has no file `b.txt`"), "{}", message(&[("a.txt", "")]));
        let stray = message(&[("a.txt", ""), ("b.txt", ""), ("c.txt", "")]);
        assert!(stray.contains("`c.txt` belongs to no image of images"), "{stray}");
    }
}
