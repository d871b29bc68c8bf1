//! From files to a data set.

use super::measure::in_turns;
use super::scratch::Scratch;
use super::{Row, Unit};
use crate::data::images::Images;
use crate::data::source::ByteSource;
use crate::{Error, Result};
use flate2::{Compression, write::GzEncoder};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// As many as the MNIST training set has, and of that size.
const IMAGES: usize = 60_000;
const PIXELS: usize = 28 * 28;

/// A pair of IDX files, read, checked and standardized, beside taking the bare bytes off the disk.
pub(super) fn plain(name: &str) -> Result<Row> {
    read_images(name, false, "reading the files' bytes")
}

/// The same pair, gzip-compressed, beside unpacking the bare bytes.
pub(super) fn compressed(name: &str) -> Result<Row> {
    read_images(name, true, "unpacking the files' bytes")
}

fn read_images(name: &str, packed: bool, compared_with: &str) -> Result<Row> {
    let folder = Scratch::new("images")?;
    let write = |name: &str, shape: &[usize], elements: Vec<u8>| -> Result<PathBuf> {
        let sizes = shape.iter().flat_map(|size| (*size as u32).to_be_bytes());
        let mut content: Vec<u8> = [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).collect();
        content.extend(elements);
        let path = folder.0.join(name);
        let failed = Error::file("write", &path);
        if packed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&content).and_then(|()| encoder.finish()).and_then(|packed| std::fs::write(&path, packed))
        } else {
            std::fs::write(&path, content)
        }
        .map_err(failed)?;
        Ok(path)
    };
    // Four pixels of five are black, as in digits, so that compression has as much to do as there.
    let pixel = |i: usize| if (i / 5).is_multiple_of(5) { (i.wrapping_mul(2_654_435_761) >> 13) as u8 } else { 0 };
    let images = write("images", &[IMAGES, 28, 28], (0..IMAGES * PIXELS).map(pixel).collect())?;
    let labels = write("labels", &[IMAGES], (0..IMAGES).map(|row| (row % 10) as u8).collect())?;
    let paths: [&PathBuf; 2] = [&images, &labels];
    let test = || {
        let header = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28];
        let image = [&header[..], &[0; PIXELS]].concat();
        Images::read(ByteSource::Embedded("image", &image), ByteSource::Embedded("label", &[0, 0, 8, 1, 0, 0, 0, 1, 0]))
    };
    let [ours, bare] = in_turns(
        Duration::from_millis(1),
        [
            &mut || {
                let train = Images::read(ByteSource::File(&images), ByteSource::File(&labels))?;
                Ok(Images::data_set(train, test()?, &[])?.train.len() as f64 / IMAGES as f64)
            },
            &mut || {
                for path in paths {
                    let mut bytes = Vec::new();
                    let read = ByteSource::File(path).open()?.read_to_end(&mut bytes);
                    read.map_err(Error::file("read", path))?;
                    std::hint::black_box(bytes);
                }
                Ok(1.0)
            },
        ],
    )?;
    let [ours, bare] = [ours, bare].map(|rates| rates.iter().map(|rate| 1e3 / rate).collect::<Vec<f64>>());
    Ok(Row::new(name, Unit::Milliseconds, &ours).with_ratio(&ours, &bare, compared_with))
}
