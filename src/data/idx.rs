//! The IDX format of LeCun's MNIST pages: a magic number `0, 0, type, rank`, as many big-endian sizes, then the elements, big-endian
//! as well.

use super::source::ByteSource;
use crate::Result;
use std::io::Read;

/// An array of any rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub elements: Elements,
}

/// The elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    U8(Vec<u8>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Elements {
    /// What they are, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Elements::U8(_) => "unsigned bytes",
            Elements::I8(_) => "signed bytes",
            Elements::I16(_) => "16-bit integers",
            Elements::I32(_) => "32-bit integers",
            Elements::F32(_) => "32-bit floats",
            Elements::F64(_) => "64-bit floats",
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Elements::U8(all) => all.len(),
            Elements::I8(all) => all.len(),
            Elements::I16(all) => all.len(),
            Elements::I32(all) => all.len(),
            Elements::F32(all) => all.len(),
            Elements::F64(all) => all.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those at these places, of which there are `count`.
    pub fn gathered(&self, count: usize, places: impl Iterator<Item = usize>) -> Elements {
        fn of<T: Copy>(all: &[T], count: usize, places: impl Iterator<Item = usize>) -> Vec<T> {
            let mut gathered = Vec::with_capacity(count);
            gathered.extend(places.map(|place| all[place]));
            gathered
        }
        match self {
            Elements::U8(all) => Elements::U8(of(all, count, places)),
            Elements::I8(all) => Elements::I8(of(all, count, places)),
            Elements::I16(all) => Elements::I16(of(all, count, places)),
            Elements::I32(all) => Elements::I32(of(all, count, places)),
            Elements::F32(all) => Elements::F32(of(all, count, places)),
            Elements::F64(all) => Elements::F64(of(all, count, places)),
        }
    }

    /// Those at these places alone, which rise: in the memory that they have.
    pub fn keep(&mut self, places: impl Iterator<Item = usize>) {
        fn of<T: Copy>(all: &mut Vec<T>, places: impl Iterator<Item = usize>) {
            let mut kept = 0;
            for place in places {
                all[kept] = all[place];
                kept += 1;
            }
            all.truncate(kept);
        }
        match self {
            Elements::U8(all) => of(all, places),
            Elements::I8(all) => of(all, places),
            Elements::I16(all) => of(all, places),
            Elements::I32(all) => of(all, places),
            Elements::F32(all) => of(all, places),
            Elements::F64(all) => of(all, places),
        }
    }

    /// The number at this place.
    pub fn number(&self, place: usize) -> f64 {
        match self {
            Elements::U8(all) => f64::from(all[place]),
            Elements::I8(all) => f64::from(all[place]),
            Elements::I16(all) => f64::from(all[place]),
            Elements::I32(all) => f64::from(all[place]),
            Elements::F32(all) => f64::from(all[place]),
            Elements::F64(all) => all[place],
        }
    }

    /// All of them as numbers.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + Clone {
        (0..self.len()).map(|place| self.number(place))
    }
}

/// Bytes of an element, by the third byte of the magic number.
fn width(kind: u8) -> Option<usize> {
    match kind {
        0x08 | 0x09 => Some(1),
        0x0B => Some(2),
        0x0C | 0x0D => Some(4),
        0x0E => Some(8),
        _ => None,
    }
}

/// Arrays may have so many bytes.
pub const MOST_BYTES: usize = 1 << 32;

/// Reads an IDX file. What its header claims is not believed: memory grows to at most four times what has been read of it (or 1 MiB), so
/// that unsigned bytes take as much as they have in the file, unpacked, and a quarter of it once more while it is read.
///
/// # Errors
/// When it is broken: another magic number, an element type that the format does not know, fewer or more elements than its
/// header says, more than [`MOST_BYTES`], or damaged compression.
pub fn read(source: ByteSource) -> Result<Idx> {
    let mut content = source.open()?;
    let mut fill = |wanted: usize| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < wanted {
            let mut room = wanted;
            while room > (4 * bytes.len() + 4).max(1 << 20) {
                room = room.div_ceil(4);
            }
            let more = (room - bytes.len()) as u64;
            let reserved = bytes.try_reserve_exact(room - bytes.len());
            reserved
                .map_err(|_| source.error(format!("its header asks for {wanted} bytes, more than there is memory")))?;
            let read = content.by_ref().take(more).read_to_end(&mut bytes);
            if read.map_err(|error| source.broken(&error, bytes.len()))? < more as usize {
                break;
            }
        }
        Ok(bytes)
    };
    let magic = fill(4)?;
    let [0, 0, kind, rank] = magic[..] else {
        return Err(source.error("not an IDX file: it must begin with two zero bytes, a type and a rank"));
    };
    let Some(width) = width(kind) else {
        let known = "0x08 unsigned bytes, 0x09 signed bytes, 0x0b, 0x0c integers, 0x0d, 0x0e floats";
        return Err(source.error(format!("elements of IDX type {kind:#04x}, which does not exist; there are {known}")));
    };
    let sizes = fill(4 * usize::from(rank))?;
    if sizes.len() < 4 * usize::from(rank) {
        return Err(source.error(format!("cut off inside the {rank} sizes of its header")));
    }
    let shape: Vec<usize> = big_endian(&sizes, |bytes| u32::from_be_bytes(bytes) as usize);
    let wanted = shape.iter().try_fold(width, |product, &size| product.checked_mul(size));
    let wanted = wanted.ok_or_else(|| source.error(format!("a header that says {shape:?}, more than can exist")))?;
    if wanted > MOST_BYTES {
        return Err(source.error(format!("a header that says {shape:?}, {wanted} bytes; arrays may have {MOST_BYTES}")));
    }
    let bytes = fill(wanted)?;
    if bytes.len() < wanted {
        let elements = bytes.len() / width;
        return Err(source.error(format!("{elements} elements follow a header that says {shape:?}")));
    }
    if !fill(1)?.is_empty() {
        return Err(source.error(format!("more elements follow than its header says, which is {shape:?}")));
    }
    let elements = match kind {
        0x08 => Elements::U8(bytes),
        0x09 => Elements::I8(big_endian(&bytes, i8::from_be_bytes)),
        0x0B => Elements::I16(big_endian(&bytes, i16::from_be_bytes)),
        0x0C => Elements::I32(big_endian(&bytes, i32::from_be_bytes)),
        0x0D => Elements::F32(big_endian(&bytes, f32::from_be_bytes)),
        _ => Elements::F64(big_endian(&bytes, f64::from_be_bytes)),
    };
    Ok(Idx { shape, elements })
}

fn big_endian<const N: usize, T>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| of(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn parse(content: &[u8]) -> Result<Idx> {
        read(ByteSource::Embedded("x.idx", content))
    }

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    const GOOD: [u8; 14] = [0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9];

    #[test]
    fn every_element_type_and_rank_is_read() {
        let of = |kind: u8, shape: &[u8], elements: &[u8]| {
            let sizes = shape.iter().flat_map(|size| [0, 0, 0, *size]);
            let content: Vec<u8> =
                [0, 0, kind, shape.len() as u8].into_iter().chain(sizes).chain(elements.iter().copied()).collect();
            assert_eq!(parse(&content).unwrap(), parse(&packed(&content)).unwrap(), "plain and compressed");
            parse(&content).unwrap()
        };
        assert_eq!(of(8, &[1, 2], &[7, 9]), Idx { shape: vec![1, 2], elements: Elements::U8(vec![7, 9]) });
        assert_eq!(of(9, &[2], &[0xff, 9]).elements, Elements::I8(vec![-1, 9]));
        assert_eq!(of(0x0B, &[1, 1, 2], &[1, 0, 0xff, 0xfe]).elements, Elements::I16(vec![256, -2]));
        assert_eq!(of(0x0C, &[1], &[0, 1, 0, 0]).elements, Elements::I32(vec![65_536]));
        assert_eq!(of(0x0D, &[1, 1, 1, 1], &1.5f32.to_be_bytes()).elements, Elements::F32(vec![1.5]));
        assert_eq!(of(0x0E, &[1], &(-2.25f64).to_be_bytes()).elements, Elements::F64(vec![-2.25]));
        assert_eq!(of(8, &[0, 28, 28], &[]).elements.len(), 0);
        let two_members = [packed(&GOOD[..9]), packed(&GOOD[9..])].concat();
        assert_eq!(parse(&two_members).unwrap(), parse(&GOOD).unwrap());
    }

    #[test]
    fn bad_files_are_told_apart() {
        let message = |content: &[u8]| parse(content).unwrap_err().to_string();
        assert!(message(&GOOD[..13]).contains("1 elements follow a header that says [1, 2]"));
        assert!(message(&[&GOOD[..], &[0]].concat()).contains("more elements follow"));
        assert!(message(&GOOD[..9]).contains("cut off inside the 2 sizes"));
        assert!(message(b"PNG").contains("not an IDX file"));
        assert!(message(b"").contains("not an IDX file"));
        assert!(message(b"\x89PNG\r\n").contains("not an IDX file"));
        assert!(message(&[0, 0, 10, 1, 0, 0, 0, 0]).contains("type 0x0a"));
        assert!(message(&[0x1f, 0x8b, 8, 0]).contains("broken gzip"));
        let packed = packed(&GOOD);
        for length in 3..packed.len() {
            assert!(message(&packed[..length]).contains("broken gzip data"), "cut to {length} bytes");
        }
        assert!(
            message(&[0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]).contains("more than")
        );
    }
}
