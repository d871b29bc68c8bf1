//! The data sets that are embedded in the program; their sources stand in datasets/*/DATASET.md.

/// An embedded file with its name.
macro_rules! file {
    ($path:literal) => {
        ByteSource::Embedded($path, include_bytes!(concat!("../../../datasets/", $path)))
    };
}

mod boxes;
mod masks;

pub(super) use boxes::{MNIST_DETECT, TREES_NEON};
pub(super) use masks::{MRI_LESION_SIM, MRI_STRUCTURES, MRI_TISSUE};

use super::images::Images;
use super::source::ByteSource;
use super::table::Table;
use super::tabular::{Missing, Split, Tabular, TargetKind};
use super::{DataSet, DataSetRow, Target};
use crate::Result;
use crate::options::{OptionKind, OptionRow};

pub(super) const DIGITS: DataSetRow = DataSetRow {
    name: "digits",
    summary: "8×8 images of handwritten digits, 10 classes; 1437 to train, 360 of other writers held out",
    source: "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (1998), its test part; UCI, doi:10.24432/C50P49",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| {
        let all = Images::read(file!("digits8x8/images.idx3.gz"), file!("digits8x8/labels.idx1.gz"))?;
        // The order mixes writers in blocks; the last 360 are by others than the first 1437.
        let (train, test) = all.split(Split::After(1437));
        Images::data_set(train, test, &[])
    },
};

pub(super) const MNIST: DataSetRow = DataSetRow {
    name: "mnist",
    summary: "28×28 images of handwritten digits, 10 classes; a balanced subset, 10,000 to train and 2,000 held out",
    source: "Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, Proceedings of the IEEE 86(11), 1998",
    licence: "CC BY-SA 3.0",
    options: &[],
    load: |_| {
        let train = Images::read(file!("mnist/train-images.idx3.gz"), file!("mnist/train-labels.idx1.gz"))?;
        let test = Images::read(file!("mnist/test-images.idx3.gz"), file!("mnist/test-labels.idx1.gz"))?;
        Images::data_set(train, test, &[])
    },
};

pub(super) const FASHION_MNIST: DataSetRow = DataSetRow {
    name: "fashion_mnist",
    summary: "28×28 images of clothes, 10 classes; a balanced subset, 5,000 to train and 1,000 held out",
    source: "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747; © 2017 Zalando SE",
    licence: "MIT",
    options: &[],
    load: |_| {
        let train =
            Images::read(file!("fashion_mnist/train-images.idx3.gz"), file!("fashion_mnist/train-labels.idx1.gz"))?;
        let test =
            Images::read(file!("fashion_mnist/test-images.idx3.gz"), file!("fashion_mnist/test-labels.idx1.gz"))?;
        Images::data_set(train, test, &CLOTHES)
    },
};

const CLOTHES: [&str; 10] =
    ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

/// A table whose every fifth row is held out, and which has no entry missing.
fn table<'a>(table: &'a Table, target: &'a str, kind: TargetKind, ignored: &'a [&'a str]) -> Tabular<'a> {
    let (missing, split) = (Missing::Error, Split::Every(5));
    Tabular { table, target, kind: Some(kind), logarithm: false, ignored, categorical: &[], missing, split }
}

/// Classes that are numbers in the column `class`, with their names in their order; another column may have them, too.
fn classes(source: ByteSource, split: Split, names: impl Iterator<Item = String>) -> Result<DataSet> {
    let read = Table::read(source)?;
    let ignored: &[&str] = if read.column("class_name").is_ok() { &["class_name"] } else { &[] };
    let numbered = Tabular { split, ..table(&read, "class", TargetKind::Classification, ignored) }.data_set()?;
    Ok(DataSet { target: Target::Class { names: names.collect() }, ..numbered })
}

fn names<const N: usize>(names: [&str; N]) -> impl Iterator<Item = String> {
    names.map(String::from).into_iter()
}

/// The natural logarithm of a price.
fn log_price(source: ByteSource, target: &str, ignored: &[&str]) -> Result<DataSet> {
    let prices = Table::read(source)?;
    Tabular { logarithm: true, ..table(&prices, target, TargetKind::Regression, ignored) }.data_set()
}

pub(super) const HOUSE_AMES: DataSetRow = DataSetRow {
    name: "house_ames",
    summary: "2930 sales of houses in Ames, Iowa, 2006 to 2010; the logarithm of the price in dollars; every fifth held out",
    source: "D. De Cock, Ames, Iowa: alternative to the Boston housing data, Journal of Statistics Education 19(3), 2011; from the R package modeldata, © 2019 Max Kuhn, RStudio",
    licence: "MIT",
    options: &[OptionRow {
        name: "columns",
        meaning: "36 numbers, or all columns with their categories",
        kind: OptionKind::Choice(&["numeric", "all"]),
    }],
    load: |options| match options.choice("columns") {
        // Category codes in the place of square feet: a known fault of this table.
        "all" => log_price(file!("house_ames/ames_full.csv.gz"), "Sale_Price", &["BsmtFin_SF_1"]),
        _ => log_price(file!("house_ames/ames_numeric.csv"), "Sale_Price", &[]),
    },
};

pub(super) const HOUSE_SACRAMENTO: DataSetRow = DataSetRow {
    name: "house_sacramento",
    summary: "932 sales of homes around Sacramento, California, in 2008; the logarithm of the price in dollars; every fifth held out",
    source: "transactions of five days, collected by the Sacramento Bee; from the R package modeldata, © 2019 Max Kuhn, RStudio",
    licence: "MIT",
    options: &[],
    load: |_| log_price(file!("house_sacramento/sacramento.csv"), "price", &[]),
};

pub(super) const DIABETES: DataSetRow = DataSetRow {
    name: "diabetes",
    summary: "10 measures of 442 patients; the progression of their disease after a year, 25 to 346; every fifth held out",
    source: "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least angle regression, Annals of Statistics 32(2), 2004; from scikit-learn",
    licence: "BSD-3-Clause",
    options: &[],
    load: |_| {
        table(&Table::read(file!("diabetes/diabetes.csv"))?, "progression", TargetKind::Regression, &[]).data_set()
    },
};

pub(super) const IRIS: DataSetRow = DataSetRow {
    name: "iris",
    summary: "4 measures of 150 flowers of 3 species; every fifth held out",
    source: "R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936; UCI, doi:10.24432/C56C76",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| classes(file!("iris/iris.csv"), Split::Every(5), names(["setosa", "versicolor", "virginica"])),
};

pub(super) const WINE: DataSetRow = DataSetRow {
    name: "wine",
    summary: "13 chemical measures of 178 wines of 3 growers; every fifth held out",
    source: "S. Aeberhard and M. Forina, Wine, 1992; UCI, doi:10.24432/C5PC7J",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| classes(file!("wine/wine.csv"), Split::Every(5), names(["class_0", "class_1", "class_2"])),
};

pub(super) const BREAST_CANCER: DataSetRow = DataSetRow {
    name: "breast_cancer",
    summary: "30 measures of 569 tumors, malignant (0) or benign (1); every fifth held out",
    source: "W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), 1995; UCI, doi:10.24432/C5DW2B",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| classes(file!("breast_cancer/breast_cancer.csv"), Split::Every(5), names(["malignant", "benign"])),
};

pub(super) const PENGUINS: DataSetRow = DataSetRow {
    name: "penguins",
    summary: "island, sex, year and 4 measures of 344 penguins of 3 species, missing ones filled; every fifth held out",
    source: "K. Gorman, T. Williams and W. Fraser, PLoS ONE 9(3):e90081, 2014; A. Horst, A. Hill and K. Gorman, palmerpenguins, 2020",
    licence: "CC0 1.0",
    options: &[],
    load: |_| {
        let penguins = Table::read(file!("penguins/penguins.csv"))?;
        Tabular { missing: Missing::Fill, ..table(&penguins, "species", TargetKind::Classification, &[]) }.data_set()
    },
};

pub(super) const LETTER: DataSetRow = DataSetRow {
    name: "letter",
    summary: "16 measures of 20,000 images of the letters A to Z; 16,000 to train, 4,000 held out",
    source: "P. Frey and D. Slate, Letter recognition using Holland-style adaptive classifiers, Machine Learning 6(2), 1991; UCI, doi:10.24432/C5ZP40",
    licence: "CC BY 4.0",
    options: &[],
    load: |_| {
        let alphabet = ('A'..='Z').map(String::from);
        classes(file!("letter/letter.csv.gz"), Split::After(16_000), alphabet)
    },
};

#[cfg(test)]
mod tests {
    use super::super::{Examples, Scale};
    use super::*;
    use crate::options::Options;

    fn loaded(row: &DataSetRow) -> DataSet {
        (row.load)(&Options::defaults(row.options)).unwrap()
    }

    fn all_inputs(examples: &Examples) -> Vec<f32> {
        examples.inputs_of(0..examples.len())
    }

    fn class_counts(data: &DataSet) -> Vec<usize> {
        let mut counts = vec![0; data.target.classes().unwrap()];
        for part in [&data.train, &data.test] {
            part.targets.labels().unwrap().iter().for_each(|label| counts[*label as usize] += 1);
        }
        counts
    }

    /// Rows, features and class counts are those of each DATASET.md.
    #[test]
    fn every_set_of_classes_is_as_its_source_describes_it() {
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
            assert_eq!(([data.train.len(), data.test.len()], data.train.features()), (sizes, features), "{}", row.name);
            assert_eq!(class_counts(&data), counts, "{}", row.name);
            let inputs = [all_inputs(&data.train), all_inputs(&data.test)].concat();
            assert!(inputs.iter().all(|x| x.is_finite()), "{}", row.name);
        }
        let letter = loaded(&LETTER);
        assert_eq!((letter.train.len(), letter.test.len(), letter.target.classes()), (16_000, 4_000, Some(26)));
    }

    /// The column of names beside the numbers says the same of every row.
    #[test]
    fn classes_are_called_as_their_files_call_them() {
        for (row, source) in [
            (&IRIS, file!("iris/iris.csv")),
            (&WINE, file!("wine/wine.csv")),
            (&BREAST_CANCER, file!("breast_cancer/breast_cancer.csv")),
        ] {
            let Target::Class { names } = loaded(row).target else { panic!("values") };
            let table = Table::read(source).unwrap();
            let numbers = table.numbers(table.column("class").unwrap()).unwrap();
            let called = table.column("class_name").unwrap().texts();
            assert!(
                numbers
                    .iter()
                    .zip(called)
                    .all(|(class, name)| names.get(class.unwrap() as usize).map(String::as_str) == name)
            );
        }
        assert_eq!(loaded(&LETTER).target.classes(), Some(26));
    }

    /// Rows, features and the range of the target are those of each DATASET.md; prices are known to the dollar.
    #[test]
    fn every_set_of_values_is_as_its_source_describes_it() {
        for (row, sizes, features, range) in [
            (&HOUSE_AMES, [2344, 586], 36, [12_789f64.ln(), 755_000f64.ln()]),
            (&HOUSE_SACRAMENTO, [746, 186], 107, [30_000f64.ln(), 884_790f64.ln()]),
            (&DIABETES, [354, 88], 10, [25.0, 346.0]),
        ] {
            let data = loaded(row);
            assert_eq!([data.train.len(), data.test.len()], sizes, "{}", row.name);
            assert_eq!(data.train.features(), features, "{}", row.name);
            let Target::Value { scale, .. } = &data.target else { panic!("classes") };
            let values = [&data.train, &data.test].map(|part| part.targets.values().unwrap());
            let restored: Vec<f64> = values.concat().iter().map(|z| scale.restored(*z)).collect();
            let found =
                [restored.iter().copied().fold(f64::MAX, f64::min), restored.iter().copied().fold(f64::MIN, f64::max)];
            assert!(found.iter().zip(range).all(|(a, b)| (a - b).abs() < 1e-4), "{}: {found:?}, {range:?}", row.name);
            let moments = Scale::of(values[0].iter().map(|z| f64::from(*z)));
            assert!(moments.mean.abs() < 1e-5 && (moments.deviation - 1.0).abs() < 1e-5, "{}: {moments:?}", row.name);
        }
        let all =
            Options::new("house_ames", HOUSE_AMES.options, &toml::from_str("columns = \"all\"").unwrap()).unwrap();
        let all = (HOUSE_AMES.load)(&all).unwrap();
        assert_eq!(all.test.targets, loaded(&HOUSE_AMES).test.targets);
        assert!(all.train.features() > 250, "{}", all.train.features());
    }

    /// All pixels of the training images together have mean 0 and deviation 1, and so has each measure of a table.
    #[test]
    fn inputs_are_standardized_by_the_training_part() {
        let moments = |values: Vec<f32>| Scale::of(values.into_iter().map(f64::from).collect::<Vec<f64>>());
        let close = |scale: Scale| scale.mean.abs() < 1e-5 && (scale.deviation - 1.0).abs() < 1e-5;
        assert!(close(moments(all_inputs(&loaded(&DIGITS).train))));
        let wine = all_inputs(&loaded(&WINE).train);
        for feature in 0..13 {
            assert!(close(moments(wine.iter().skip(feature).step_by(13).copied().collect())), "{feature}");
        }
    }
}
