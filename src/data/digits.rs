//! The optical digits of UCI: 1797 images of 8×8 pixels, handwritten; see datasets/digits8x8/DATASET.md.

use super::{DataSet, DataSetRow, Examples, idx};
use crate::Result;

pub(super) const ROW: DataSetRow = DataSetRow {
    name: "digits",
    summary: "8×8 images of handwritten digits, 10 classes; 1437 to train, 360 of other writers held out (UCI)",
    licence: "CC BY 4.0",
    load,
};

/// The order mixes writers in blocks; the last 360 are by others than the first 1437.
const TRAIN: usize = 1437;
const LARGEST_PIXEL: f32 = 16.0;

fn load() -> Result<DataSet> {
    let images = idx::parse("digits8x8/images.idx3.gz", include_bytes!("../../datasets/digits8x8/images.idx3.gz"))?;
    let labels = idx::parse("digits8x8/labels.idx1.gz", include_bytes!("../../datasets/digits8x8/labels.idx1.gz"))?;
    let features = images.shape[1..].iter().product();
    let examples = |rows: std::ops::Range<usize>| Examples {
        inputs: images.bytes[rows.start * features..rows.end * features]
            .iter()
            .map(|&pixel| f32::from(pixel) / LARGEST_PIXEL)
            .collect(),
        labels: labels.bytes[rows].iter().map(|&label| u32::from(label)).collect(),
    };
    let rows = images.shape[0];
    Ok(DataSet { features, classes: 10, train: examples(0..TRAIN), test: examples(TRAIN..rows) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The class counts, pixel range and split that DATASET.md states.
    #[test]
    fn the_digits_are_as_described() {
        let data = load().unwrap();
        assert_eq!((data.train.len(), data.test.len(), data.features), (1437, 360, 64));
        let mut counts = [0; 10];
        data.train.labels.iter().chain(&data.test.labels).for_each(|&label| counts[label as usize] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let pixels = || data.train.inputs.iter().chain(&data.test.inputs).copied();
        assert_eq!((pixels().fold(9.0, f32::min), pixels().fold(0.0, f32::max)), (0.0, 1.0));
    }
}
