//! What every row of the table has to keep to.

use super::*;
use rand::Rng as _;

const CLASSES: usize = 4;
const EXAMPLES: usize = 24;

/// Inputs of every kind, the predictions random or perfect.
struct Inputs {
    labels: Vec<u32>,
    chosen: Vec<u32>,
    logits: Vec<f64>,
    probabilities: Vec<f64>,
    /// Of pixels of two classes, against `labels % 2`.
    mask_logits: Vec<f32>,
    masks: Vec<u8>,
    true_values: Vec<f64>,
    values: Vec<f64>,
    truths: Vec<TrueBox>,
    detections: Vec<Detection>,
}

impl Inputs {
    fn new(seed: u64, perfect: bool) -> Inputs {
        let mut rng = crate::stream(seed, "metrics", 0);
        let labels: Vec<u32> = (0..EXAMPLES).map(|i| (i % CLASSES) as u32).collect();
        let logits = (0..EXAMPLES * CLASSES).map(|i| match perfect {
            true => 1e3 * f64::from(u8::from(labels[i / CLASSES] as usize == i % CLASSES)),
            false => rng.random_range(-3.0..3.0),
        });
        let logits: Vec<f64> = logits.collect();
        let probabilities: Vec<f64> =
            logits.chunks(CLASSES).flat_map(crate::distribution::log_probs).map(f64::exp).collect();
        let chosen = logits.chunks(CLASSES).map(crate::distribution::mode).collect();
        let masks: Vec<u8> = labels.iter().map(|label| (label % 2) as u8).collect();
        let mask_logits = masks.iter().map(|mask| match perfect {
            true => 2e3 * (f32::from(*mask) - 0.5),
            false => rng.random_range(-3.0..3.0),
        });
        let mask_logits = mask_logits.collect();
        let true_values: Vec<f64> = (0..EXAMPLES).map(|_| rng.random_range(-5.0..5.0)).collect();
        let noise = if perfect { 0.0 } else { 4.0 };
        let values = true_values.iter().map(|value| value + noise * rng.random_range(-1.0..1.0)).collect();
        let bbox = |i: i64| [40.0 * i as f64, 10.0, 20.0 + 5.0 * i as f64, 30.0];
        let truths: Vec<TrueBox> = (0..8)
            .map(|i| {
                let area = bbox(i)[2] * bbox(i)[3];
                TrueBox { image: i / 4, category: i % 2, bbox: bbox(i), area, ignored: false }
            })
            .collect();
        let found = |truth: &TrueBox| {
            let bbox = truth.bbox.map(|side| side + noise * rng.random_range(0.0..1.0));
            // Sure enough for the metrics that count from a score on.
            let least = if perfect { 0.5 } else { 0.0 };
            Detection { image: truth.image, category: truth.category, bbox, score: rng.random_range(least..1.0) }
        };
        let detections = truths.iter().map(found).collect();
        Inputs { labels, chosen, logits, probabilities, mask_logits, masks, true_values, values, truths, detections }
    }

    fn judged_by(&self, metric: &Metric) -> Value {
        let options = Options::defaults(metric.options);
        let chosen = Confusion::new(&self.chosen, &self.labels, CLASSES).unwrap();
        let two_images = MaskShape::new(3, 4, 2);
        let judged = match metric.judge {
            Judge::Chosen(_) => Judged::Chosen(&chosen),
            Judge::Rows(_) => Judged::Scores(Scores::new(&self.logits, CLASSES, &self.labels).unwrap()),
            Judge::Scores(_) | Judge::Probabilities(_) => {
                Judged::Scores(Scores::probabilities(&self.probabilities, CLASSES, &self.labels).unwrap())
            }
            Judge::Values(_) => Judged::Values(RealValues::new(&self.values, &self.true_values, 1).unwrap()),
            Judge::Masks(_) | Judge::Overlap(_) => {
                let prediction = MaskPrediction::Logits(&self.mask_logits);
                Judged::Masks(PredictedMasks::new(two_images, prediction, &self.masks[..]).unwrap())
            }
            Judge::Detections(_) => Judged::Boxes(Boxes::new(&self.truths, &self.detections, &[]).unwrap()),
        };
        judged.by(metric, &options).unwrap()
    }
}

#[test]
fn names_differ_and_every_row_says_what_it_is() {
    for (i, metric) in all().enumerate() {
        assert!(all().take(i).all(|other| other.name != metric.name), "{}", metric.name);
        for text in [metric.name, metric.formula, metric.summary, metric.source] {
            assert!(!text.is_empty() && text.trim() == text, "{}: `{text}`", metric.name);
        }
        assert!(metric.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        assert!(metric.range.0 < metric.range.1, "{}", metric.name);
        assert!(find(metric.name).is_ok());
    }
    assert!(find("acuracy").err().unwrap().to_string().contains("did you mean `accuracy`"));
    assert_eq!(of_column("f1(average=none)[2]").unwrap().name, "f1");
    assert_eq!(of_column("out_of_domain_box_f1(iou=0.6)").unwrap().name, "box_f1");
    assert_eq!(further("out_of_domain_ap_per_class[2]"), Some(("out_of_domain", "ap_per_class[2]")));
    assert_eq!((further("balanced_accuracy"), further("train_f1"), further("dice_loss")), (None, None, None));
}

#[test]
fn values_lie_in_their_range() {
    for seed in 0..20 {
        let inputs = Inputs::new(seed, false);
        for metric in all() {
            let (low, high) = metric.range;
            for number in inputs.judged_by(metric).numbers() {
                let inside = number.is_nan() || (low..=high).contains(&number);
                assert!(inside, "{} is {number}, not in {}", metric.name, metric.range_text());
            }
        }
    }
}

#[test]
fn perfect_predictions_reach_the_best_end() {
    let inputs = Inputs::new(0, true);
    for metric in all() {
        let Some(higher) = metric.higher_is_better else { continue };
        let best = if higher { metric.range.1 } else { metric.range.0 };
        for number in inputs.judged_by(metric).numbers() {
            assert!((number - best).abs() < 1e-12, "{} is {number}, the best is {best}", metric.name);
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let message = |result: Result<()>| result.unwrap_err().to_string();
    let (scores, classes) = ([0.5, 0.5, 0.9, 0.1], [0, 2]);
    for (error, part) in [
        (message(Confusion::new(&[], &[], 3).map(drop)), "the batch is empty"),
        (message(Confusion::new(&[1], &[1, 2], 3).map(drop)), "1 predictions for 2 targets"),
        (message(Confusion::new(&[1, 3], &[1, 2], 3).map(drop)), "prediction 1 is class 3; the classes are 0 to 2"),
        (message(Confusion::new(&[1, 1], &[5, 2], 3).map(drop)), "target 0 is class 5"),
        (message(Scores::new(&[], 2, &[]).map(drop)), "the batch is empty"),
        (message(Scores::new(&scores, 2, &classes).map(drop)), "target 1 is class 2; the classes are 0 to 1"),
        (message(Scores::new(&scores, 2, &[0]).map(drop)), "2 predictions for 1 targets"),
        (message(Scores::new(&[0.5, f64::NAN], 1, &[0, 1]).map(drop)), "prediction 1 is NaN"),
        (message(Scores::probabilities(&[0.5, 1.5], 1, &[0, 1]).map(drop)), "prediction 1 is 1.5, not a probability"),
        (message(Scores::probabilities(&[0.5, 0.4], 2, &[0]).map(drop)), "row 0 sum to 0.9"),
        (message(RealValues::new(&[], &[], 1).map(drop)), "the batch is empty"),
        (message(RealValues::new(&[1.0], &[1.0, 2.0], 1).map(drop)), "1 predictions for 2 targets"),
        (message(RealValues::new(&[1.0, 2.0], &[1.0, f64::INFINITY], 2).map(drop)), "target [0][1] is inf"),
        (message(Boxes::new(&[], &[], &[]).map(drop)), "the batch is empty"),
    ] {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
    let f1 = find("f1").unwrap();
    let options = Options::new("f1", f1.options, &toml::from_str("positive = 7").unwrap()).unwrap();
    let output = Judged::Classifier(ClassifierOutput::new(&[0.0, 1.0], &[1], 2));
    assert!(message(output.by(f1, &options).map(drop)).contains("`positive` is 7; the classes are 0 to 1"));
}

/// Mann and Whitney's count, over every pair.
#[test]
fn the_area_under_the_roc_curve_is_a_share_of_pairs() {
    let mut rng = crate::stream(0, "pairs", 0);
    for _ in 0..20 {
        let scores: Vec<f64> = (0..30).map(|_| f64::from(rng.random_range(0..6))).collect();
        let positive: Vec<bool> = (0..30).map(|i| i % 3 == 0).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..30).filter(|i| positive[*i]) {
            for j in (0..30).filter(|j| !positive[*j]) {
                pairs += 1.0;
                won += if scores[i] > scores[j] { 1.0 } else { f64::from(u8::from(scores[i] == scores[j])) / 2.0 };
            }
        }
        assert!((roc_auc(&scores, &positive) - won / pairs).abs() < 1e-12);
        let curve = roc_curve(&scores, &positive);
        let area = curve.windows(2).map(|pair| (pair[1].x - pair[0].x) * (pair[1].y + pair[0].y) / 2.0).sum::<f64>();
        assert!((area - won / pairs).abs() < 1e-12);
    }
}

/// Labels 0, 2, 2 and predictions 0, 3, 2 of four classes, as scikit-learn 1.9 averages them: over 0, 2 and 3.
#[test]
fn means_are_over_the_classes_that_occur() {
    let confusion = Confusion::new(&[0, 3, 2], &[0, 2, 2], 4).unwrap();
    let of = |name: &str, options: &str| {
        let metric = find(name).unwrap();
        let options = Options::new(name, metric.options, &toml::from_str(options).unwrap()).unwrap();
        let Judge::Chosen(value) = metric.judge else { panic!("{name}") };
        value(&confusion, &options).unwrap().numbers()
    };
    let three = |options: &str| ["precision", "recall", "f1"].map(|name| of(name, options)[0]);
    let close = |got: [f64; 3], expected: [f64; 3]| {
        let same = got.iter().zip(&expected).all(|(got, expected)| (got - expected).abs() < 1e-15);
        assert!(same, "{got:?}, not {expected:?}");
    };
    close(three(""), [2.0 / 3.0, 0.5, 5.0 / 9.0]);
    close(three("zero_division = 1"), [2.0 / 3.0, 5.0 / 6.0, 5.0 / 9.0]);
    close(three("average = 'weighted'"), [1.0, 2.0 / 3.0, 7.0 / 9.0]);
    close(three("average = 'micro'"), [2.0 / 3.0; 3]);
    close(three("absent = 'zero'"), [0.5, 0.375, 5.0 / 12.0]);
    close(three("absent = 'one'"), [0.75, 0.625, 2.0 / 3.0]);
    assert_eq!(of("balanced_accuracy", ""), [0.75]);
    let list = of("f1", "average = 'none'");
    assert!(list[1].is_nan() && list[3] == 0.0, "{list:?}");
    // All of the weight on recall.
    assert_eq!(of("f_beta", "beta = 1e308"), of("recall", ""));
    // A class that is asked for alone is 0 / 0, as `average="binary"` has it.
    assert_eq!((of("f1", "positive = 1"), of("f1", "positive = 1\nzero_division = 1")), (vec![0.0], vec![1.0]));
    assert_eq!(of("f1", "positive = 1\nabsent = 'one'"), [1.0]);
}

/// Each of the two classes that are there is found first; the third has no examples.
#[test]
fn average_precision_is_over_the_classes_that_have_examples() {
    let scores = [0.7, 0.2, 0.1, 0.2, 0.7, 0.1];
    let scores = Scores::new(&scores, 3, &[0, 1]).unwrap();
    let metric = find("average_precision").unwrap();
    let Judge::Scores(value) = metric.judge else { panic!() };
    let of = |options: &str| {
        let options = Options::new(metric.name, metric.options, &toml::from_str(options).unwrap()).unwrap();
        value(&scores, &options).unwrap().numbers()
    };
    assert_eq!((of(""), of("average = 'weighted'")), (vec![1.0], vec![1.0]));
    assert_eq!(of("absent = 'zero'"), [2.0 / 3.0]);
    assert!(of("average = 'none'")[2].is_nan());
}
