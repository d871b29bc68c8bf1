//! Images whose class is the folder that they are in.

use super::Targets;
use super::folder;
use super::images::Images;
use crate::{Error, Result};
use std::path::Path;

impl Images {
    /// The images of the folders in a folder, and what their classes are called: as is known, or as the folders are, in order.
    ///
    /// # Errors
    /// When an image is in no folder of its own class, is broken, or differs in size, or a folder is none of the known classes.
    pub fn of_class_folders(path: &Path, known: &[String]) -> Result<(Images, Vec<String>)> {
        let files = folder::files(path, &folder::IMAGES)?;
        let class = |file: &String| file.split_once('/').map(|(class, _)| class.to_string());
        if let Some(stray) = files.iter().find(|file| class(file).is_none()) {
            let wanted = "the class of an image is the folder that it is in, unless `labels`, `masks` or `boxes` say what is predicted";
            return Err(Error::content(path, format!("`{stray}` is in none of its folders; {wanted}")));
        }
        let classes: Vec<String> = files.iter().filter_map(class).collect();
        let mut names = known.to_vec();
        if known.is_empty() {
            names.clone_from(&classes);
            names.dedup();
        }
        let label = |class: &String| match names.iter().position(|name| name == class) {
            Some(label) => Ok(label as u32),
            None => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                Err(Error::content(path, crate::error::unknown("class", class, &known)))
            }
        };
        let targets = Targets::Classes(classes.iter().map(label).collect::<Result<_>>()?);
        let pixels = folder::pixels(path, files)?;
        Ok((Images { pixels, targets, name: path.display().to_string() }, names))
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::tests::png;
    use super::*;

    #[test]
    fn a_folder_is_a_class() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: u8| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, png([1, 1], ::png::ColorType::Grayscale, ::png::BitDepth::Eight, &[value])).unwrap();
        };
        [("dog/1.png", 1), ("cat/2.png", 2), ("cat/old/3.png", 3)].into_iter().for_each(|(name, x)| write(name, x));
        let (images, names) = Images::of_class_folders(folder.path(), &[]).unwrap();
        assert_eq!((images.targets, names), (Targets::Classes(vec![0, 0, 1]), vec!["cat".to_string(), "dog".into()]));
        assert_eq!(images.pixels.elements, crate::data::idx::Elements::U8(vec![2, 3, 1]));
        let known = ["dog", "cat", "cow"].map(String::from);
        let (images, _) = Images::of_class_folders(folder.path(), &known).unwrap();
        assert_eq!(images.targets, Targets::Classes(vec![1, 1, 0]), "in the order of the names");
        let message =
            |known: &[String]| Images::of_class_folders(folder.path(), known).map(drop).unwrap_err().to_string();
        assert!(message(&known[..1]).contains("unknown class `cat`; known: `dog`"), "{}", message(&known[..1]));
        write("stray.png", 4);
        assert!(message(&[]).contains("`stray.png` is in none of its folders"), "{}", message(&[]));
    }
}
