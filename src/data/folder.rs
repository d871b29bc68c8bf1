//! Folders of images: which files are in them, what belongs to what, and their pixels.

use super::decoded::{self, Header, Samples};
use super::idx::{Elements, MOST_BYTES};
use super::pixels::Pixels;
use super::source::ByteSource;
use crate::checks::most;
use crate::{Error, Result, parallel};
use std::path::Path;

/// How the names of images end that are read.
pub const IMAGES: [&str; 3] = ["png", "jpg", "jpeg"];
/// And of images that are not.
const OTHERS: [&str; 6] = ["gif", "bmp", "tif", "tiff", "webp", "avif"];
/// Folders in folders; a link may lead round in circles.
const DEPTH: usize = 8;
/// Images that are decoded before they are put to the others.
const AT_ONCE: usize = 256;

/// What is read of folders: images, masks and texts of boxes.
pub const READ: [&str; 4] = ["png", "jpg", "jpeg", "txt"];

/// The files of a folder, and of the folders in it, that end in one of these, or all where none is named: their ways from it, with `/`, in order. Those whose name
/// begins with a point are none.
///
/// # Errors
/// When it can't be read, has none, or an image of another format where images are wanted.
pub fn files(folder: &Path, endings: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    add_files(folder, "", endings, DEPTH, &mut found)?;
    if found.is_empty() && !endings.is_empty() {
        return Err(Error::content(folder, format!("no file in it ends in .{}", endings.join(" or ."))));
    }
    found.sort_unstable();
    Ok(found)
}

fn add_files(folder: &Path, way: &str, endings: &[&str], depth: usize, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::file("read the folder", folder))? {
        let entry = entry.map_err(Error::file("read the folder", folder))?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| Error::content(folder.join(name), "its name is no Unicode"))?;
        if name.starts_with('.') {
            continue;
        }
        let way = if way.is_empty() { name.clone() } else { format!("{way}/{name}") };
        if entry.path().is_dir() {
            if depth == 0 {
                return Err(Error::content(entry.path(), format!("more than {DEPTH} folders inside one another")));
            }
            add_files(&entry.path(), &way, endings, depth - 1, found)?;
            continue;
        }
        let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_lowercase());
        if endings == IMAGES && OTHERS.contains(&ending.as_str()) {
            return Err(Error::content(entry.path(), "images are read as PNG and JPEG; save it as one of them"));
        }
        if endings.is_empty() || endings.contains(&ending.as_str()) {
            found.push(way);
        }
        if found.len() as u64 > most::ROWS {
            return Err(Error::content(folder, format!("more than {} files", most::ROWS)));
        }
    }
    Ok(())
}

/// Without the ending.
fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The file in a folder that belongs to each image: the one that is called like it but for the ending.
///
/// # Errors
/// When there is none, or a file is left.
pub fn paired(pixels: &Pixels, folder: &Path, files: &[String]) -> Result<Vec<String>> {
    if pixels.files.is_empty() {
        let message = format!("a folder belongs to a folder of images, and {} is one array", pixels.source);
        return Err(Error::content(folder, message));
    }
    let stems: std::collections::HashMap<&str, &String> = files.iter().map(|file| (stem(file), file)).collect();
    let ending = files.first().and_then(|file| file.rsplit_once('.')).map_or("", |(_, ending)| ending);
    let file = |image: &String| {
        stems.get(stem(image)).map(|file| file.to_string()).ok_or_else(|| {
            let wanted = format!("{}.{ending}", stem(image));
            Error::content(folder, format!("the image `{image}` has no file `{wanted}` here"))
        })
    };
    let pairs = pixels.files.iter().map(file).collect::<Result<Vec<String>>>()?;
    let mut images: Vec<&str> = pixels.files.iter().map(|image| stem(image)).collect();
    images.sort_unstable();
    if let Some(pair) = images.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two images are called `{}` but for their endings; what belongs to which?", pair[0]);
        return Err(Error::content(&pixels.source, message));
    }
    match files.iter().find(|file| images.binary_search(&stem(file)).is_err()) {
        Some(file) => Err(Error::content(folder, format!("`{file}` belongs to no image of {}", pixels.source))),
        None => Ok(pairs),
    }
}

/// These images of a folder: one channel if all of them are gray, three otherwise; bytes, or numbers up to 65,535 where a file has 16
/// bits for each. What is transparent is left out.
///
/// # Errors
/// When a file is broken, or they are not all of one size.
pub fn pixels(folder: &Path, files: Vec<String>) -> Result<Pixels> {
    let headers = parallel::map(&files, |file| decoded::header(&content(folder, file)?).map_err(at(folder, file)));
    let headers = headers.into_iter().collect::<Result<Vec<Header>>>()?;
    if let Some(other) = headers.iter().position(|header| header.size() != headers[0].size()) {
        let [size, differing] = [headers[0], headers[other]].map(|header| header.in_words());
        let message = format!(
            "`{}` has {size} pixels and `{}` {differing}; all images must be of one size: cut or scale them to it first",
            files[0], files[other]
        );
        return Err(Error::content(folder, message));
    }
    let channels = headers.iter().map(|header| header.channels).max().unwrap_or(1);
    let [height, width] = headers[0].size();
    let wide = headers.iter().any(|header| header.wide);
    let numbers = files.len().saturating_mul(channels * height * width);
    if numbers.saturating_mul(if wide { 4 } else { 1 }) > MOST_BYTES {
        return Err(Error::content(
            folder,
            format!("{numbers} pixels, more than the {MOST_BYTES} bytes that are read"),
        ));
    }
    let mut bytes = Vec::new();
    let mut words = Vec::new();
    for files in files.chunks(AT_ONCE) {
        let read = |file: &String| decoded::image(&content(folder, file)?).map_err(at(folder, file));
        for samples in parallel::map(files, read) {
            match samples? {
                Samples::Bytes(samples) if !wide => planes(&samples, channels, height * width, |x| x, &mut bytes),
                // The largest byte is the largest word.
                Samples::Bytes(samples) => {
                    planes(&samples, channels, height * width, |x| 257 * i32::from(x), &mut words)
                }
                Samples::Words(samples) => planes(&samples, channels, height * width, i32::from, &mut words),
            }
        }
    }
    let elements = if wide { Elements::I32(words) } else { Elements::U8(bytes) };
    let transparent = headers.iter().filter(|header| header.transparent).count();
    let mut pixels = Pixels::new(vec![channels, height, width], elements, folder.display().to_string(), files);
    if transparent > 0 {
        let note = format!("{}: {transparent} images say what is transparent, which is left out", pixels.source);
        pixels.notes.push(note);
    }
    Ok(pixels)
}

pub(super) fn content(folder: &Path, file: &str) -> Result<Vec<u8>> {
    ByteSource::File(&folder.join(file)).text(decoded::MOST_BYTES)
}

pub(super) fn at(folder: &Path, file: &str) -> impl FnOnce(String) -> Error {
    let path = folder.join(file);
    move |message| Error::content(path, message)
}

/// Appends an image of one or three channels, side by side, as planes one behind the other.
fn planes<T: Copy, U>(samples: &[T], channels: usize, pixels: usize, number: impl Fn(T) -> U, out: &mut Vec<U>) {
    let given = samples.len() / pixels.max(1);
    for channel in 0..channels {
        out.extend((0..pixels).map(|pixel| number(samples[pixel * given + channel.min(given - 1)])));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A PNG file of this many bits.
    pub fn png(size: [u32; 2], color: png::ColorType, depth: png::BitDepth, samples: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, size[1], size[0]);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette(vec![10, 20, 30, 40, 50, 60, 70, 80, 90]);
        }
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        file
    }

    fn gray(size: [u32; 2], samples: &[u8]) -> Vec<u8> {
        png(size, png::ColorType::Grayscale, png::BitDepth::Eight, samples)
    }

    fn folder(contents: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in contents {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    fn read(contents: &[(&str, Vec<u8>)]) -> Result<Pixels> {
        let folder = folder(contents);
        pixels(folder.path(), files(folder.path(), &IMAGES)?)
    }

    #[test]
    fn images_are_gray_or_have_three_channels() {
        let [one, two] = [gray([1, 2], &[1, 2]), gray([1, 2], &[3, 4])];
        let both = read(&[("b.PNG", two), ("a.png", one.clone()), (".hidden.png", vec![]), ("x.txt", vec![])]).unwrap();
        assert_eq!((both.shape, both.elements), (vec![1, 1, 2], Elements::U8(vec![1, 2, 3, 4])));
        let color = png([1, 2], png::ColorType::Rgba, png::BitDepth::Eight, &[5, 6, 7, 0, 8, 9, 10, 255]);
        let mixed = read(&[("a.png", one.clone()), ("sub/c.png", color)]).unwrap();
        assert_eq!(mixed.elements, Elements::U8(vec![1, 2, 1, 2, 1, 2, 5, 8, 6, 9, 7, 10]));
        assert_eq!((mixed.shape, mixed.files), (vec![3, 1, 2], vec!["a.png".to_string(), "sub/c.png".into()]));
        assert!(mixed.notes[0].contains("1 images say what is transparent"), "{:?}", mixed.notes);
        let wide = png([1, 2], png::ColorType::Grayscale, png::BitDepth::Sixteen, &[1, 0, 255, 255]);
        let words = read(&[("a.png", one), ("b.png", wide)]).unwrap();
        assert_eq!(words.elements, Elements::I32(vec![257, 514, 256, 65_535]));
        let palette = png([1, 2], png::ColorType::Indexed, png::BitDepth::Eight, &[2, 0]);
        assert_eq!(read(&[("p.png", palette)]).unwrap().elements, Elements::U8(vec![70, 10, 80, 20, 90, 30]));
    }

    #[test]
    fn folders_that_can_not_be_read_are_told() {
        let message = |contents: &[(&str, Vec<u8>)]| read(contents).map(drop).unwrap_err().to_string();
        let good = gray([1, 2], &[1, 2]);
        let sizes = message(&[("a.png", good.clone()), ("b.png", good.clone()), ("sub/c.png", gray([2, 1], &[1, 2]))]);
        assert!(
            sizes.contains("`a.png` has 2×1 pixels and `sub/c.png` 1×2; all images must be of one size"),
            "{sizes}"
        );
        assert!(message(&[("x.txt", vec![])]).contains("no file in it ends in .png or .jpg or .jpeg"));
        assert!(
            message(&[("a.png", good.clone()), ("b.tif", vec![])]).contains("b.tif: images are read as PNG and JPEG")
        );
        let broken = message(&[("a.png", good.clone()), ("b.png", good[..good.len() - 20].to_vec())]);
        assert!(broken.contains("b.png: broken PNG"), "{broken}");
        assert!(message(&[("a.png", b"GIF89a".to_vec())]).contains("a.png: neither PNG nor JPEG"));
        assert!(
            files(Path::new("/nowhere"), &IMAGES).unwrap_err().to_string().contains("cannot read the folder /nowhere")
        );
    }
}
