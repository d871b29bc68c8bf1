//! Matches against the plain loop, and what is counted, by hand and by pycocotools.

use super::*;
use crate::stream;
use rand::Rng as _;

fn truth(bbox: Rectangle, ignored: bool) -> TrueBox {
    TrueBox { image: 0, category: 0, bbox, area: bbox[2] * bbox[3], ignored }
}

fn detection(bbox: Rectangle, score: f64) -> Detection {
    Detection { image: 0, category: 0, bbox, score }
}

/// The loop of COCO's evaluation, box by box over all true boxes, those that count first.
fn matched(truths: &[TrueBox], detections: &[Detection], threshold: f64, area: AreaRange) -> Vec<Match> {
    let is_ignored = |truth: &TrueBox| truth.ignored || !inside(truth.area, area);
    let mut truths: Vec<&TrueBox> = truths.iter().collect();
    truths.sort_by_key(|truth| is_ignored(truth));
    let mut detections: Vec<&Detection> = detections.iter().collect();
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut taken = vec![false; truths.len()];
    let mut become_of = |found: &&Detection| {
        let (mut best, mut overlap): (Option<usize>, f64) = (None, threshold.min(1.0 - 1e-10));
        for (i, truth) in truths.iter().enumerate() {
            if taken[i] && !truth.ignored {
                continue;
            }
            if best.is_some_and(|best| !is_ignored(truths[best])) && is_ignored(truth) {
                break;
            }
            let [x, y] = [0, 1].map(|i| {
                let ends = [found.bbox[i] + found.bbox[i + 2], truth.bbox[i] + truth.bbox[i + 2]];
                (ends[0].min(ends[1]) - found.bbox[i].max(truth.bbox[i])).max(0.0)
            });
            let own = found.bbox[2] * found.bbox[3];
            let here = x * y / if truth.ignored { own } else { own + truth.bbox[2] * truth.bbox[3] - x * y };
            if here >= overlap {
                (best, overlap) = (Some(i), here);
            }
        }
        let Some(best) = best else {
            return if inside(found.bbox[2] * found.bbox[3], area) { Match::False } else { Match::Ignored };
        };
        taken[best] = true;
        if is_ignored(truths[best]) { Match::Ignored } else { Match::True }
    };
    detections.iter().map(&mut become_of).collect()
}

#[test]
fn matches_are_those_of_the_loop_over_all_boxes() {
    let mut rng = stream(0, "matches", 0);
    let mut seen = [0; 3];
    for _ in 0..400 {
        // Whole numbers, so that overlaps are equal now and then.
        let mut bbox = || [0.0, 0.0, 4.0, 4.0].map(|least| least + f64::from(rng.random_range(0..8)));
        let truths: Vec<TrueBox> = (0..6).map(|i| truth(bbox(), i % 3 == 0)).collect();
        let detections: Vec<Detection> = (0..12).map(|i| detection(bbox(), f64::from(i % 5) / 5.0)).collect();
        for (threshold, area) in [(0.5, ALL_AREAS), (0.25, (0.0, 50.0)), (0.75, (36.0, 1e10))] {
            let boxes = Boxes::new(&truths, &detections, &[]).unwrap();
            let got = boxes.of_category[0].images[0].matched(threshold, area);
            let got: Vec<Match> = got.into_iter().map(|(became, _)| became).collect();
            assert_eq!(got, matched(&truths, &detections, threshold, area));
            got.iter().for_each(|matched| seen[*matched as usize] += 1);
        }
    }
    assert!(seen.iter().all(|times| *times > 100), "{seen:?}");
}

/// A cat that is found twice, a dog that is taken for a cat, one that is found, and a bird in a flock that counts neither way.
#[test]
fn each_box_is_told_what_became_of_it() {
    let of = |category: i64, left: f64, ignored: bool| TrueBox { category, ..truth([left, 0.0, 10.0, 10.0], ignored) };
    let seen =
        |category: i64, left: f64, score: f64| Detection { category, ..detection([left, 0.0, 10.0, 10.0], score) };
    let truths = [of(1, 100.0, false), of(0, 0.0, false), of(2, 200.0, true), of(1, 50.0, false)];
    let found = [seen(0, 1.0, 0.6), seen(0, 0.0, 0.9), seen(0, 50.0, 0.8), seen(1, 102.0, 0.7), seen(2, 200.0, 0.9)];
    let became = super::matched(&truths, &found, 0.5);
    assert_eq!(became.truths, [Some(true), Some(true), None, Some(false)]);
    assert_eq!(became.detections, [Some(false), Some(true), Some(false), Some(true), None]);
    let counts = Boxes::new(&truths, &found, &[]).unwrap().counts(0.5, 0.5);
    assert_eq!((counts.found, counts.wrong, counts.missed), (2, 2, 1));
    let strict = super::matched(&truths, &found, 0.9);
    assert_eq!((strict.truths[0], strict.detections[3]), (Some(false), Some(false)), "an overlap of 8 tenths by 12");
}

/// Two boxes to be found and a region to ignore: one box is found twice, the region holds two detections, one is far from all.
#[test]
fn what_lies_within_an_ignored_box_counts_neither_way() {
    let truths = [
        truth([0.0, 0.0, 10.0, 10.0], false),
        truth([20.0, 0.0, 10.0, 10.0], false),
        truth([0.0, 40.0, 100.0, 100.0], true),
    ];
    let boxes = [
        [0.0, 0.0, 10.0, 9.0],
        [0.0, 1.0, 10.0, 9.0],
        [5.0, 50.0, 9.0, 9.0],
        [50.0, 50.0, 9.0, 9.0],
        [60.0, 0.0, 9.0, 9.0],
    ];
    let detections: Vec<Detection> =
        boxes.iter().zip([0.9, 0.8, 0.7, 0.6, 0.3]).map(|(bbox, score)| detection(*bbox, score)).collect();
    let boxes = Boxes::new(&truths, &detections, &[]).unwrap();
    assert_eq!(boxes.counts(0.0, 0.5), BoxCounts { found: 1, wrong: 2, missed: 1 });
    let counts = boxes.counts(0.5, 0.5);
    assert_eq!(counts, BoxCounts { found: 1, wrong: 1, missed: 1 });
    assert_eq!([counts.precision(), counts.recall(), counts.f1()], [0.5; 3]);
    assert_eq!(box_f1(&truths, &detections, 0.5).unwrap(), 2.0 / 5.0);
    let curve = boxes.ranking(0, 0.5, ALL_AREAS, MOST).unwrap().curve(0);
    let points: Vec<[f64; 3]> = curve.points.iter().map(|point| [point.x, point.y, point.threshold]).collect();
    let expected = [[0.5, 1.0 / 3.0, 0.3], [0.5, 0.5, 0.6], [0.5, 0.5, 0.7], [0.5, 0.5, 0.8], [0.5, 1.0, 0.9]];
    assert_eq!(points, [&expected[..], &[[0.0, 1.0, f64::INFINITY]]].concat());
    // Recall 0 to 0.5 with precision 1: 51 of 101 grid points.
    assert!((curve.area - 51.0 / 101.0).abs() < 1e-12);
}

#[test]
fn a_list_of_boxes_earns_its_f1() {
    let one = [truth([0.0, 0.0, 10.0, 10.0], false)];
    let region = [truth([0.0, 0.0, 10.0, 10.0], true)];
    let found = |n: usize| vec![detection([0.0, 0.0, 10.0, 10.0], 0.5); n];
    for (truths, detections, earned) in [
        (&[][..], 0, 1.0),
        (&[], 1, 0.0),
        (&one, 0, 0.0),
        (&one, 1, 1.0),
        (&one, 3, 0.5),
        (&region, 0, 1.0),
        (&region, 5, 1.0),
        // Beyond the 100 that are matched, too.
        (&one, 399, 2.0 / 400.0),
    ] {
        assert_eq!(box_f1(truths, &found(detections), 0.5).unwrap(), earned, "{truths:?}, {detections} found");
    }
}

/// Image, category, x, y, width, height, and 1 for a crowd.
const TRUTHS: [[f64; 7]; 24] = [
    [1.0, 1.0, 100.0, 120.0, 22.0, 100.0, 0.0],
    [1.0, 1.0, 149.0, 28.0, 85.0, 95.0, 0.0],
    [1.0, 1.0, 99.0, 9.0, 115.0, 75.0, 0.0],
    [1.0, 1.0, 130.0, 45.0, 200.0, 150.0, 1.0],
    [1.0, 2.0, 21.0, 119.0, 71.0, 70.0, 0.0],
    [1.0, 2.0, 142.0, 101.0, 59.0, 41.0, 0.0],
    [1.0, 2.0, 53.0, 96.0, 85.0, 30.0, 0.0],
    [1.0, 2.0, 57.0, 4.0, 200.0, 150.0, 1.0],
    [2.0, 1.0, 22.0, 0.0, 99.0, 62.0, 0.0],
    [2.0, 1.0, 23.0, 103.0, 60.0, 54.0, 0.0],
    [2.0, 1.0, 105.0, 15.0, 118.0, 106.0, 0.0],
    [2.0, 1.0, 133.0, 28.0, 200.0, 150.0, 1.0],
    [2.0, 2.0, 45.0, 32.0, 74.0, 40.0, 0.0],
    [2.0, 2.0, 102.0, 20.0, 98.0, 62.0, 0.0],
    [2.0, 2.0, 54.0, 108.0, 112.0, 73.0, 0.0],
    [2.0, 2.0, 3.0, 93.0, 200.0, 150.0, 1.0],
    [3.0, 1.0, 4.0, 44.0, 118.0, 64.0, 0.0],
    [3.0, 1.0, 37.0, 17.0, 26.0, 69.0, 0.0],
    [3.0, 1.0, 62.0, 30.0, 39.0, 93.0, 0.0],
    [3.0, 1.0, 0.0, 84.0, 200.0, 150.0, 1.0],
    [3.0, 2.0, 44.0, 76.0, 81.0, 30.0, 0.0],
    [3.0, 2.0, 62.0, 118.0, 57.0, 66.0, 0.0],
    [3.0, 2.0, 137.0, 23.0, 97.0, 111.0, 0.0],
    [3.0, 2.0, 10.0, 143.0, 200.0, 150.0, 1.0],
];

/// Image, category, x, y, width, height, score.
const DETECTIONS: [[f64; 7]; 72] = [
    [1.0, 1.0, 100.0, 120.0, 24.0, 97.0, 0.98],
    [1.0, 1.0, 94.0, 117.0, 20.0, 101.0, 0.43],
    [1.0, 1.0, 95.0, 114.0, 16.0, 94.0, 0.19],
    [1.0, 1.0, 146.0, 25.0, 84.0, 92.0, 0.97],
    [1.0, 1.0, 145.0, 33.0, 89.0, 99.0, 0.15],
    [1.0, 1.0, 148.0, 30.0, 85.0, 97.0, 0.69],
    [1.0, 1.0, 104.0, 6.0, 113.0, 80.0, 0.22],
    [1.0, 1.0, 93.0, 7.0, 117.0, 70.0, 0.87],
    [1.0, 1.0, 97.0, 5.0, 116.0, 80.0, 0.88],
    [1.0, 1.0, 210.0, 81.0, 37.0, 57.0, 0.24],
    [1.0, 1.0, 154.0, 79.0, 24.0, 25.0, 0.31],
    [1.0, 1.0, 257.0, 132.0, 29.0, 22.0, 0.35],
    [1.0, 2.0, 18.0, 119.0, 77.0, 67.0, 0.77],
    [1.0, 2.0, 15.0, 117.0, 77.0, 75.0, 0.13],
    [1.0, 2.0, 25.0, 123.0, 70.0, 68.0, 0.98],
    [1.0, 2.0, 148.0, 98.0, 60.0, 43.0, 0.27],
    [1.0, 2.0, 140.0, 104.0, 55.0, 43.0, 0.94],
    [1.0, 2.0, 144.0, 103.0, 59.0, 47.0, 0.26],
    [1.0, 2.0, 49.0, 98.0, 89.0, 32.0, 0.93],
    [1.0, 2.0, 51.0, 94.0, 89.0, 24.0, 0.23],
    [1.0, 2.0, 49.0, 95.0, 81.0, 34.0, 0.85],
    [1.0, 2.0, 215.0, 71.0, 48.0, 35.0, 0.81],
    [1.0, 2.0, 134.0, 97.0, 57.0, 36.0, 0.45],
    [1.0, 2.0, 210.0, 84.0, 32.0, 37.0, 0.43],
    [2.0, 1.0, 20.0, 2.0, 100.0, 68.0, 0.63],
    [2.0, 1.0, 28.0, 1.0, 97.0, 60.0, 0.98],
    [2.0, 1.0, 23.0, -4.0, 103.0, 66.0, 0.06],
    [2.0, 1.0, 17.0, 99.0, 65.0, 58.0, 0.83],
    [2.0, 1.0, 24.0, 98.0, 58.0, 54.0, 0.99],
    [2.0, 1.0, 20.0, 104.0, 60.0, 54.0, 0.57],
    [2.0, 1.0, 108.0, 12.0, 117.0, 105.0, 0.34],
    [2.0, 1.0, 99.0, 18.0, 112.0, 109.0, 0.23],
    [2.0, 1.0, 107.0, 13.0, 115.0, 112.0, 0.5],
    [2.0, 1.0, 270.0, 51.0, 33.0, 21.0, 0.8],
    [2.0, 1.0, 287.0, 109.0, 43.0, 40.0, 0.24],
    [2.0, 1.0, 133.0, 108.0, 21.0, 52.0, 0.19],
    [2.0, 2.0, 42.0, 26.0, 80.0, 36.0, 0.23],
    [2.0, 2.0, 46.0, 27.0, 79.0, 44.0, 0.38],
    [2.0, 2.0, 44.0, 30.0, 77.0, 39.0, 0.32],
    [2.0, 2.0, 108.0, 17.0, 96.0, 67.0, 0.72],
    [2.0, 2.0, 96.0, 18.0, 92.0, 66.0, 0.44],
    [2.0, 2.0, 98.0, 23.0, 103.0, 57.0, 0.52],
    [2.0, 2.0, 57.0, 106.0, 113.0, 73.0, 0.74],
    [2.0, 2.0, 48.0, 105.0, 106.0, 79.0, 0.55],
    [2.0, 2.0, 54.0, 108.0, 106.0, 77.0, 0.85],
    [2.0, 2.0, 119.0, 169.0, 40.0, 53.0, 0.58],
    [2.0, 2.0, 146.0, 120.0, 34.0, 42.0, 0.37],
    [2.0, 2.0, 161.0, 149.0, 49.0, 50.0, 0.95],
    [3.0, 1.0, 3.0, 41.0, 112.0, 58.0, 0.97],
    [3.0, 1.0, -2.0, 39.0, 115.0, 61.0, 0.86],
    [3.0, 1.0, 2.0, 40.0, 117.0, 66.0, 0.47],
    [3.0, 1.0, 33.0, 18.0, 28.0, 67.0, 0.52],
    [3.0, 1.0, 31.0, 18.0, 22.0, 68.0, 0.15],
    [3.0, 1.0, 34.0, 16.0, 26.0, 63.0, 0.92],
    [3.0, 1.0, 61.0, 27.0, 38.0, 89.0, 0.2],
    [3.0, 1.0, 60.0, 36.0, 34.0, 94.0, 0.93],
    [3.0, 1.0, 61.0, 28.0, 40.0, 89.0, 0.71],
    [3.0, 1.0, 96.0, 91.0, 59.0, 39.0, 0.89],
    [3.0, 1.0, 134.0, 185.0, 39.0, 24.0, 0.99],
    [3.0, 1.0, 125.0, 106.0, 32.0, 54.0, 0.64],
    [3.0, 2.0, 41.0, 79.0, 83.0, 34.0, 0.74],
    [3.0, 2.0, 44.0, 73.0, 80.0, 26.0, 0.95],
    [3.0, 2.0, 38.0, 74.0, 75.0, 35.0, 0.67],
    [3.0, 2.0, 60.0, 121.0, 51.0, 67.0, 0.31],
    [3.0, 2.0, 68.0, 114.0, 56.0, 60.0, 0.52],
    [3.0, 2.0, 63.0, 121.0, 56.0, 63.0, 0.07],
    [3.0, 2.0, 135.0, 18.0, 100.0, 109.0, 0.08],
    [3.0, 2.0, 143.0, 28.0, 92.0, 114.0, 0.43],
    [3.0, 2.0, 131.0, 27.0, 102.0, 105.0, 0.15],
    [3.0, 2.0, 86.0, 154.0, 29.0, 47.0, 0.89],
    [3.0, 2.0, 156.0, 200.0, 46.0, 27.0, 0.91],
    [3.0, 2.0, 124.0, 168.0, 27.0, 42.0, 0.36],
];

/// COCO's twelve numbers as pycocotools 2.0.11 computes them of these boxes.
#[test]
fn crowds_count_as_in_pycocotools() {
    let bbox = |row: &[f64; 7]| [row[2], row[3], row[4], row[5]];
    let truths =
        TRUTHS.map(|row| TrueBox { image: row[0] as i64, category: row[1] as i64, ..truth(bbox(&row), row[6] == 1.0) });
    let detections = DETECTIONS.map(|row| Detection {
        image: row[0] as i64,
        category: row[1] as i64,
        ..detection(bbox(&row), row[6])
    });
    let boxes = Boxes::new(&truths, &detections, &[]).unwrap();
    let ten = thresholds();
    let precision =
        |thresholds: &[f64], area| boxes.mean_over_categories(thresholds, area, MOST, Ranking::average_precision);
    let recall = |area, at_most| boxes.mean_over_categories(&ten, area, at_most, Ranking::recall);
    let got = [
        precision(&ten, ALL_AREAS),
        precision(&ten[..1], ALL_AREAS),
        precision(&ten[5..6], ALL_AREAS),
        precision(&ten, SMALL),
        precision(&ten, MEDIUM),
        precision(&ten, LARGE),
        recall(ALL_AREAS, 1),
        recall(ALL_AREAS, 10),
        recall(ALL_AREAS, MOST),
        recall(SMALL, MOST),
        recall(MEDIUM, MOST),
        recall(LARGE, MOST),
    ];
    let expected = [
        0.5888635758648672,
        0.9002828854314003,
        0.6623261433286185,
        -1.0,
        0.6062413016511735,
        0.825,
        0.14444444444444443,
        0.7333333333333333,
        0.7555555555555555,
        -1.0,
        0.74375,
        0.85,
    ];
    for (got, expected) in got.iter().zip(expected) {
        // What is undefined is −1 there.
        let got = if got.is_nan() { -1.0 } else { *got };
        assert!((got - expected).abs() < 1e-12, "{got}, not {expected}");
    }
}
