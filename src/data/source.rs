//! Where the bytes of a data set come from: the program itself or a file, plain or gzip-compressed.

use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A named stream of bytes.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Its name and its content.
    Embedded(&'a str, &'a [u8]),
    File(&'a Path),
}

impl Source<'_> {
    /// What errors call it.
    pub fn name(&self) -> String {
        match self {
            Source::Embedded(name, _) => name.to_string(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Its content, unpacked if it is gzip-compressed; what it is tells its first two bytes, not its name.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(&self) -> Result<Box<dyn Read + '_>> {
        let mut content: Box<dyn BufRead> = match self {
            Source::Embedded(_, content) => Box::new(*content),
            Source::File(path) => {
                let file = File::open(path).map_err(Error::file("open the data", path))?;
                Box::new(BufReader::with_capacity(1 << 16, file))
            }
        };
        let packed = content.fill_buf().map_err(|error| self.error(error))?.starts_with(&[0x1f, 0x8b]);
        Ok(if packed { Box::new(MultiGzDecoder::new(content)) } else { Box::new(content) })
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
