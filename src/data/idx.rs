//! The IDX format of LeCun's MNIST pages: a magic number `0, 0, type, rank`, big-endian sizes, then the elements.

use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::io::Read;

/// An array of unsigned bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

const UNSIGNED_BYTE: u8 = 0x08;

/// Parses an IDX file of unsigned bytes, plain or gzip-compressed. `name` is what errors call it.
pub fn parse(name: &str, content: &[u8]) -> Result<Idx> {
    let error = |message: String| Error::content(name, message);
    let mut unpacked = Vec::new();
    if content.starts_with(&[0x1f, 0x8b]) {
        let read = GzDecoder::new(content).read_to_end(&mut unpacked);
        read.map_err(|e| error(format!("broken gzip data after {} bytes: {e}", unpacked.len())))?;
    } else {
        unpacked.extend_from_slice(content);
    }
    let [0, 0, kind, rank, ..] = unpacked[..] else {
        return Err(error("not an IDX file: it must begin with two zero bytes, a type and a rank".into()));
    };
    if kind != UNSIGNED_BYTE {
        return Err(error(format!("elements of IDX type {kind:#04x}; only unsigned bytes (0x08) are read")));
    }
    let header = 4 + 4 * usize::from(rank);
    let Some(sizes) = unpacked.get(4..header) else {
        return Err(error(format!("cut off inside the {rank} sizes of its header")));
    };
    let shape: Vec<usize> =
        sizes.chunks_exact(4).map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize).collect();
    let expected = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if expected != Some(unpacked.len() - header) {
        return Err(error(format!("{} elements follow a header that says {shape:?}", unpacked.len() - header)));
    }
    unpacked.drain(..header);
    Ok(Idx { shape, bytes: unpacked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_are_told_apart() {
        let good = [0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9];
        assert_eq!(parse("x", &good).unwrap(), Idx { shape: vec![1, 2], bytes: vec![7, 9] });
        let message = |content: &[u8]| parse("x", content).unwrap_err().to_string();
        assert!(message(&good[..13]).contains("1 elements follow a header that says [1, 2]"));
        assert!(message(&good[..9]).contains("cut off"));
        assert!(message(b"PNG").contains("not an IDX file"));
        assert!(message(&[0, 0, 13, 1, 0, 0, 0, 0]).contains("type 0x0d"));
        assert!(message(&[0x1f, 0x8b, 8, 0]).contains("broken gzip"));
    }
}
