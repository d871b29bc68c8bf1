//! Where the bytes of a data set come from: the program itself or a file, plain or gzip-compressed.

use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A table that unpacks to more than so many times its size is none, unless it is smaller than [`UNSUSPICIOUS`] bytes.
const MOST_PACKED: usize = 100;
const UNSUSPICIOUS: usize = 1 << 26;

/// A named stream of bytes.
#[derive(Clone, Copy)]
pub enum ByteSource<'a> {
    /// Its name and its content.
    Embedded(&'a str, &'a [u8]),
    File(&'a Path),
}

impl ByteSource<'_> {
    /// What errors call it.
    pub fn name(&self) -> String {
        match self {
            ByteSource::Embedded(name, _) => name.to_string(),
            ByteSource::File(path) => path.display().to_string(),
        }
    }

    /// Its content, unpacked if it is gzip-compressed; what it is tells its first two bytes, not its name.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(&self) -> Result<Box<dyn Read + '_>> {
        let mut content: Box<dyn BufRead> = match self {
            ByteSource::Embedded(_, content) => Box::new(*content),
            ByteSource::File(path) => {
                let file = File::open(path).map_err(Error::file("open the data", path))?;
                Box::new(BufReader::with_capacity(1 << 16, file))
            }
        };
        let packed = content.fill_buf().map_err(|error| self.error(error))?.starts_with(&[0x1f, 0x8b]);
        Ok(if packed { Box::new(MultiGzDecoder::new(content)) } else { Box::new(content) })
    }

    /// Whether this is the first character that is no space.
    pub fn begins_with(&self, character: u8) -> Result<bool> {
        let mut head = Vec::new();
        self.open()?.take(1 << 10).read_to_end(&mut head).map_err(|error| self.broken(&error, head.len()))?;
        Ok(head.trim_ascii_start().starts_with(&[character]))
    }

    /// All of it, unpacked.
    ///
    /// # Errors
    /// When it is broken, unpacks to more than `most` bytes, or to so many times its size that it can't be what it is taken for.
    pub fn text(&self, most: usize) -> Result<Vec<u8>> {
        let packed = match self {
            ByteSource::Embedded(_, content) => content.len(),
            ByteSource::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len() as usize),
        };
        let limit = most.min(packed.saturating_mul(MOST_PACKED).max(UNSUSPICIOUS));
        let mut text = Vec::new();
        let read = self.open()?.take(limit as u64 + 1).read_to_end(&mut text);
        read.map_err(|error| self.broken(&error, text.len()))?;
        match text.len() > limit {
            true if limit == most => Err(self.error(format!("it has more than the {most} bytes that are read"))),
            true => {
                Err(self.error(format!("its {packed} bytes unpack to more than {limit}; no table is packed so well")))
            }
            false => Ok(text),
        }
    }

    /// An error that names it.
    pub fn error(&self, message: impl ToString) -> Error {
        Error::content(self.name(), message)
    }

    /// What went wrong while reading, after so many bytes were unpacked.
    pub fn broken(&self, error: &std::io::Error, after: usize) -> Error {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                self.error(format!("broken gzip data after {after} bytes: {error}; is the file cut off?"))
            }
            _ => self.error(error),
        }
    }
}
