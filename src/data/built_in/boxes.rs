//! Scenes with boxes around what is in them.

use crate::Result;
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::data::table::Table;
use crate::data::{DataSet, DataSetRow};

pub const MNIST_DETECT: DataSetRow = DataSetRow {
    name: "mnist_detect",
    summary: "synthetic scenes of real digits: one to four on 64×64 pixels, a box around each; 800 to train on, 200 held out",
    source: "digits of Y. LeCun et al., 1998, as in mnist, put into scenes",
    licence: "CC BY-SA 3.0",
    options: &[],
    load: |_| {
        let names: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
        let train = scenes(file!("mnist_detect/train-images.idx3.gz"), file!("mnist_detect/train-boxes.csv"), &names)?;
        let test = scenes(file!("mnist_detect/test-images.idx3.gz"), file!("mnist_detect/test-boxes.csv"), &names)?;
        let data = Images::data_set_of_boxes(train, test, names)?;
        let note = "the digits are real, the scenes are synthetic: where they lie and how large they are was drawn";
        Ok(DataSet { notes: vec![note.into()], ..data })
    },
};

pub const TREES_NEON: DataSetRow = DataSetRow {
    name: "trees_neon",
    summary: "64×64 color tiles of airborne photographs with boxes around the crowns of trees; 323 to train on, 72 of another place held out, and 18 of other states",
    source: "B. Weinstein et al., Remote Sensing 11(11):1309, 2019, and NeonTreeEvaluation, PLoS Computational Biology 17(7), 2021; photographs of the National Ecological Observatory Network (NEON); from deepforest 2.1.0, © 2019 Ben Weinstein",
    licence: "MIT",
    options: &[],
    load: |_| {
        let names = vec!["tree".to_string()];
        let train = scenes(file!("trees_neon/train-images.idx4.gz"), file!("trees_neon/train-boxes.csv"), &names)?;
        let test = scenes(file!("trees_neon/test-images.idx4.gz"), file!("trees_neon/test-boxes.csv"), &names)?;
        let elsewhere = scenes(file!("trees_neon/ood-images.idx4.gz"), file!("trees_neon/ood-boxes.csv"), &names)?;
        let data = Images::data_set_of_boxes(train, test, names)?;
        let scale = data.features[0].scale;
        let elsewhere = elsewhere.pixels.examples(scale, elsewhere.targets);
        let note = "crowns of which a tile shows less than half are ignored; the part out_of_domain is from Florida and California, the others from Yellowstone";
        Ok(DataSet { further: vec![("out_of_domain".into(), elsewhere)], notes: vec![note.into()], ..data })
    },
};

fn scenes(images: ByteSource, boxes: ByteSource, names: &[String]) -> Result<Images> {
    Ok(Images::with_table(Pixels::read(images)?, &Table::read(boxes)?, names)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Examples;
    use crate::options::Options;

    /// Images, boxes, and boxes that count.
    fn counts(part: &Examples) -> [usize; 3] {
        let boxes = part.targets.boxes().unwrap();
        let all = || boxes.iter().flat_map(|image| image.iter());
        [part.len(), all().count(), all().filter(|object| !object.ignored).count()]
    }

    /// The numbers of DATASET.md: tiles, boxes, boxes of which at least half is visible.
    #[test]
    fn crowns_are_as_their_source_describes_them() {
        let data = (TREES_NEON.load)(&Options::defaults(&[])).unwrap();
        assert_eq!(data.shape, [3, 64, 64]);
        assert_eq!((counts(&data.train), counts(&data.test)), ([323, 834, 495], [72, 383, 247]));
        let [(name, elsewhere)] = &data.further[..] else { panic!() };
        assert_eq!((name.as_str(), counts(elsewhere)), ("out_of_domain", [18, 132, 93]));
        let first = &data.train.targets.boxes().unwrap()[4];
        assert_eq!((first[0].corners, first[0].ignored), ([56.0, 21.0, 64.0, 52.0], true));
        assert!(first.iter().any(|object| object.corners == [24.5, 31.5, 51.0, 59.0] && !object.ignored));
    }

    /// The numbers of scenes are those of DATASET.md, those of boxes the lines of the tables; each scene has one to four digits.
    #[test]
    fn scenes_are_as_their_source_describes_them() {
        let data = (MNIST_DETECT.load)(&Options::defaults(&[])).unwrap();
        assert_eq!((data.shape.clone(), data.target.classes()), (vec![1, 64, 64], Some(10)));
        assert_eq!((counts(&data.train), counts(&data.test)), ([800, 1987, 1987], [200, 519, 519]));
        for part in [&data.train, &data.test] {
            let boxes = part.targets.boxes().unwrap();
            assert!(boxes.iter().all(|image| (1..=4).contains(&image.len())));
        }
        let first = data.train.targets.boxes().unwrap()[0][0];
        assert_eq!((first.corners, first.class), ([40.0, 30.0, 61.0, 51.0], 8));
    }

    /// Digits are boxed where they are bright: inside a box is brighter than outside.
    #[test]
    fn boxes_lie_on_their_digits() {
        let data = (MNIST_DETECT.load)(&Options::defaults(&[])).unwrap();
        let mut means = [(0.0, 0usize); 2];
        for (row, boxes) in data.train.targets.boxes().unwrap().iter().enumerate() {
            for (place, x) in data.train.inputs_of(row..row + 1).into_iter().enumerate() {
                let [x_at, y_at] = [(place % 64) as f32 + 0.5, (place / 64) as f32 + 0.5];
                let inside = boxes.iter().any(|object| {
                    let [x1, y1, x2, y2] = object.corners;
                    x1 < x_at && x_at < x2 && y1 < y_at && y_at < y2
                });
                let (sum, count) = &mut means[usize::from(inside)];
                (*sum, *count) = (*sum + f64::from(x), *count + 1);
            }
        }
        let [outside, inside] = means.map(|(sum, count)| sum / count as f64);
        assert!(inside > outside + 1.0, "{inside} {outside}");
    }
}
