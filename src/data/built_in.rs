//! The data sets that are embedded in the program; their sources stand in datasets/*/DATASET.md.

use super::images::{Images, Pair};
use super::table::Table;
use super::tabular::{Missing, Split, Tabular};
use super::{DataSet, DataSetRow};
use crate::Result;

/// An embedded file with its name.
macro_rules! file {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../datasets/", $path)).as_slice())
    };
}

pub(super) const DIGITS: DataSetRow = DataSetRow {
    name: "digits",
    summary: "8×8 images of handwritten digits, 10 classes; 1437 to train, 360 of other writers held out (UCI)",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| {
        let images = file!("digits8x8/images.idx3.gz");
        let all = Pair { images, labels: file!("digits8x8/labels.idx1.gz") }.read()?;
        // The order mixes writers in blocks; the last 360 are by others than the first 1437.
        let (train, test) = all.split(1437);
        Ok(Images::data_set(&train, &test, 10))
    },
};

pub(super) const MNIST: DataSetRow = DataSetRow {
    name: "mnist",
    summary: "28×28 images of handwritten digits, 10 classes; a balanced subset, 10,000 to train and 2,000 held out (LeCun 1998)",
    licence: "CC BY-SA 3.0",
    options: &[],
    load: |_| {
        let [train, test] = [
            Pair { images: file!("mnist/train-images.idx3.gz"), labels: file!("mnist/train-labels.idx1.gz") },
            Pair { images: file!("mnist/test-images.idx3.gz"), labels: file!("mnist/test-labels.idx1.gz") },
        ];
        Ok(Images::data_set(&train.read()?, &test.read()?, 10))
    },
};

pub(super) const FASHION_MNIST: DataSetRow = DataSetRow {
    name: "fashion_mnist",
    summary: "28×28 images of clothes, 10 classes; a balanced subset, 5,000 to train and 1,000 held out (Xiao 2017)",
    licence: "MIT",
    options: &[],
    load: |_| {
        let [train, test] = [
            Pair {
                images: file!("fashion_mnist/train-images.idx3.gz"),
                labels: file!("fashion_mnist/train-labels.idx1.gz"),
            },
            Pair {
                images: file!("fashion_mnist/test-images.idx3.gz"),
                labels: file!("fashion_mnist/test-labels.idx1.gz"),
            },
        ];
        Ok(Images::data_set(&train.read()?, &test.read()?, 10))
    },
};

/// A table whose every fifth row is held out.
fn every_fifth((name, content): (&str, &[u8]), target: &str, ignored: &[&str], missing: Missing) -> Result<DataSet> {
    let table = &Table::parse(name, content)?;
    Tabular { table, target, ignored, missing, split: Split::EveryFifth }.classification()
}

pub(super) const IRIS: DataSetRow = DataSetRow {
    name: "iris",
    summary: "4 measures of 150 flowers of 3 species; every fifth held out (Fisher 1936)",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| every_fifth(file!("iris/iris.csv"), "class", &["class_name"], Missing::Refused),
};

pub(super) const WINE: DataSetRow = DataSetRow {
    name: "wine",
    summary: "13 chemical measures of 178 wines of 3 growers; every fifth held out (UCI)",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| every_fifth(file!("wine/wine.csv"), "class", &["class_name"], Missing::Refused),
};

pub(super) const BREAST_CANCER: DataSetRow = DataSetRow {
    name: "breast_cancer",
    summary: "30 measures of 569 tumors, malignant (0) or benign (1); every fifth held out (UCI)",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| every_fifth(file!("breast_cancer/breast_cancer.csv"), "class", &["class_name"], Missing::Refused),
};

pub(super) const PENGUINS: DataSetRow = DataSetRow {
    name: "penguins",
    summary: "island, sex, year and 4 measures of 344 penguins of 3 species, missing ones filled; every fifth held out (Gorman 2014)",
    licence: "CC0 1.0",
    options: &[],
    load: |_| every_fifth(file!("penguins/penguins.csv"), "species", &[], Missing::Filled),
};

pub(super) const LETTER: DataSetRow = DataSetRow {
    name: "letter",
    summary: "16 measures of 20,000 images of the letters A to Z; 16,000 to train, 4,000 held out (UCI)",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| {
        let (name, content) = file!("letter/letter.csv.gz");
        let table = &Table::parse(name, content)?;
        let split = Split::After(16_000);
        Tabular { table, target: "class", ignored: &[], missing: Missing::Refused, split }.classification()
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(row: &DataSetRow) -> DataSet {
        (row.load)(&crate::options::Options::defaults(row.options)).unwrap()
    }

    /// Rows, features and class counts are those of each DATASET.md.
    #[test]
    fn every_set_is_as_its_source_describes_it() {
        let tens = |each: usize| vec![each; 10];
        let digits = vec![178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
        for (row, sizes, features, counts) in [
            (&DIGITS, [1437, 360], 64, digits),
            (&MNIST, [10_000, 2_000], 784, tens(1_200)),
            (&FASHION_MNIST, [5_000, 1_000], 784, tens(600)),
            (&IRIS, [120, 30], 4, vec![50; 3]),
            (&WINE, [143, 35], 13, vec![59, 71, 48]),
            (&BREAST_CANCER, [456, 113], 30, vec![212, 357]),
            (&PENGUINS, [276, 68], 10, vec![152, 68, 124]),
        ] {
            let data = loaded(row);
            assert_eq!(([data.train.len(), data.test.len()], data.features()), (sizes, features), "{}", row.name);
            let mut found = vec![0; data.classes];
            data.train.labels.iter().chain(&data.test.labels).for_each(|&label| found[label as usize] += 1);
            assert_eq!(found, counts, "{}", row.name);
            assert!(data.train.inputs.iter().chain(&data.test.inputs).all(|x| x.is_finite()), "{}", row.name);
        }
        let letter = loaded(&LETTER);
        assert_eq!((letter.train.len(), letter.test.len(), letter.classes), (16_000, 4_000, 26));
    }

    /// All pixels of the training images together have mean 0 and deviation 1, and so has each measure of a table.
    #[test]
    fn inputs_are_standardized_by_the_training_part() {
        let moments = |values: &mut dyn Iterator<Item = f32>| {
            let values: Vec<f64> = values.map(f64::from).collect();
            let n = values.len() as f64;
            (values.iter().sum::<f64>() / n, values.iter().map(|x| x * x).sum::<f64>() / n)
        };
        let close = |(mean, square): (f64, f64)| mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-5;
        assert!(close(moments(&mut loaded(&DIGITS).train.inputs.into_iter())));
        let wine = loaded(&WINE);
        for feature in 0..13 {
            assert!(close(moments(&mut wine.train.inputs.iter().skip(feature).step_by(13).copied())), "{feature}");
        }
    }
}
