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

fn load() -> Result<DataSet> {
    let images = idx::parse("digits8x8/images.idx3.gz", include_bytes!("../../datasets/digits8x8/images.idx3.gz"))?;
    let labels = idx::parse("digits8x8/labels.idx1.gz", include_bytes!("../../datasets/digits8x8/labels.idx1.gz"))?;
    let shape = vec![1, images.shape[1], images.shape[2]];
    let features: usize = shape.iter().product();
    let (mean, deviation) = mean_and_deviation(&images.bytes[..TRAIN * features]);
    let examples = |rows: std::ops::Range<usize>| Examples {
        inputs: images.bytes[rows.start * features..rows.end * features]
            .iter()
            .map(|&pixel| ((f64::from(pixel) - mean) / deviation) as f32)
            .collect(),
        labels: labels.bytes[rows].iter().map(|&label| u32::from(label)).collect(),
    };
    let rows = images.shape[0];
    Ok(DataSet { shape, classes: 10, train: examples(0..TRAIN), test: examples(TRAIN..rows) })
}

/// Of all pixels together: pixels keep their scale relative to one another.
fn mean_and_deviation(pixels: &[u8]) -> (f64, f64) {
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / n;
    let variance = pixels.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The class counts and the split that DATASET.md states; pixels standardized over the training part.
    #[test]
    fn the_digits_are_as_described() {
        let data = load().unwrap();
        assert_eq!((data.train.len(), data.test.len(), &data.shape[..]), (1437, 360, &[1, 8, 8][..]));
        let mut counts = [0; 10];
        data.train.labels.iter().chain(&data.test.labels).for_each(|&label| counts[label as usize] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let sum = |f: fn(f64) -> f64| data.train.inputs.iter().map(|&x| f(f64::from(x))).sum::<f64>();
        let n = data.train.inputs.len() as f64;
        assert!((sum(|x| x) / n).abs() < 1e-6 && (sum(|x| x * x) / n - 1.0).abs() < 1e-6);
    }
}
