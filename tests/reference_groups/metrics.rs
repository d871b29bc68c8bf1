use super::{Case, numbers};
use lossward::metric::{
    self, ClassMaps, Confusion, MaskPrediction, MaskShape, Norm, PredictedMasks, Ratio, RealValues, Scores,
};
use lossward::options::{Given, Options};
use serde_json::{Value, json};

/// A row of the table with options, as a user names them.
pub fn row(name: &str, options: &Value) -> (&'static metric::Metric, Options) {
    let row = metric::find(name).unwrap();
    let given: Given = serde_json::from_value(options.clone()).unwrap();
    (row, Options::new(name, row.options, &given).unwrap())
}

fn chosen(confusion: &Confusion, name: &str, options: &Value) -> Vec<f64> {
    let (row, options) = row(name, options);
    let metric::Judge::Chosen(value) = row.judge else { panic!("{name} does not judge chosen classes") };
    value(confusion, &options).unwrap().numbers()
}

/// What a metric of masks says of class maps, `[images][height][width]` or those of one image.
pub fn masks(masks: &PredictedMasks, name: &str, options: &Value) -> Vec<f64> {
    let (row, options) = row(name, options);
    let value = match row.judge {
        metric::Judge::Masks(value) => value(masks, &options),
        metric::Judge::Overlap(value) => masks.overlap(value, &options),
        _ => panic!("{name} does not judge masks"),
    };
    value.unwrap().numbers()
}

pub fn class_maps(chosen: &Value, truth: &Value, classes: usize) -> PredictedMasks<'static> {
    let mut levels = Vec::new();
    let mut inner = truth;
    while let Value::Array(list) = inner {
        levels.push(list.len());
        inner = &list[0];
    }
    let [.., height, width] = levels[..] else { panic!("{truth} has no rows") };
    let maps =
        |value: &Value| ClassMaps::from(numbers(value).into_iter().map(|class| class as u32).collect::<Vec<_>>());
    let prediction = MaskPrediction::Classes(maps(chosen));
    PredictedMasks::new(MaskShape::new(height, width, classes), prediction, maps(truth)).unwrap()
}

/// For metrics of scores and of probabilities.
fn scores(scores: &Scores, name: &str, options: &Value) -> Vec<f64> {
    let (row, options) = row(name, options);
    match row.judge {
        metric::Judge::Rows(value) | metric::Judge::Scores(value) | metric::Judge::Probabilities(value) => {
            value(scores, &options).unwrap().numbers()
        }
        _ => panic!("{name} does not judge scores"),
    }
}

fn confusion(case: &Case, chosen: &str, labels: &str) -> Confusion {
    let classes = if case.has("num_classes") { case.number("num_classes") as usize } else { 2 };
    Confusion::new(&case.indices(chosen), &case.indices(labels), classes).unwrap()
}

pub fn classification(case: &Case) {
    let confusion = confusion(case, "y_pred", "y_true");
    let plain = |name: &str| chosen(&confusion, name, &json!({}));
    case.check("accuracy", &plain("accuracy"));
    case.check("confusion_matrix", &plain("confusion_matrix"));
    case.check("balanced_accuracy", &plain("balanced_accuracy"));
    case.check("matthews_corrcoef", &plain("matthews"));
    case.check("cohen_kappa", &plain("cohen_kappa"));
    case.check("fbeta2_macro_zd0", &chosen(&confusion, "f_beta", &json!({"beta": 2, "absent": "zero"})));
    // Recorded over all classes, `labels=range(num_classes)`: one that does not occur is 0 / 0, too.
    for (zero_division, absent) in [(0, "zero"), (1, "one")] {
        for (average, field) in
            [("macro", "macro"), ("micro", "micro"), ("weighted", "weighted"), ("none", "per_class")]
        {
            let options = json!({"average": average, "zero_division": zero_division, "absent": absent});
            let three = ["precision", "recall", "f1"].map(|name| chosen(&confusion, name, &options));
            case.check(&format!("precision_recall_f1_{field}_zd{zero_division}"), &three.concat());
        }
    }
}

pub fn binary(case: &Case) {
    let confusion = confusion(case, "y_pred", "y_true");
    for zero_division in [0, 1] {
        let expected = case.expected(&format!("zd{zero_division}"));
        let options = json!({"positive": case.number("pos_label") as u32, "zero_division": zero_division});
        assert_eq!(expected.as_object().unwrap().len(), 3);
        for name in ["precision", "recall", "f1"] {
            case.compare(name, &chosen(&confusion, name, &options), &expected[name]);
        }
    }
}

pub fn binary_masks(case: &Case) {
    let image = flat_maps(case);
    let of = |name: &str, absent: &str| masks(&image, name, &json!({"positive": 1, "absent": absent}));
    check_or_undefined(case, "dice", &of("dice", "undefined"));
    check_or_undefined(case, "iou", &of("mean_iou", "undefined"));
    case.check("sklearn_f1_zd1", &of("dice", "one"));
    case.check("sklearn_jaccard_zd1", &of("mean_iou", "one"));
}

/// One image; `pred` and `target` are lists or maps.
fn flat_maps(case: &Case) -> PredictedMasks<'static> {
    let (chosen, truth) = (case.indices("pred"), case.indices("target"));
    let shape = MaskShape { width: None, ..MaskShape::new(1, truth.len(), 2) };
    PredictedMasks::new(shape, MaskPrediction::Classes(chosen.into()), truth).unwrap()
}

fn check_or_undefined(case: &Case, field: &str, got: &[f64]) {
    match case.expected(field) {
        Value::String(text) if text == "undefined" => assert!(got[0].is_nan(), "{field} is {}", got[0]),
        _ => case.check(field, got),
    }
}

pub fn segmentation(case: &Case) {
    let images = class_maps(case.input("pred"), case.input("target"), case.number("num_classes") as usize);
    let pooled = Confusion::sum(images.confusions());
    case.check("confusion_matrix", &pooled.rows().concat().iter().map(|n| *n as f64).collect::<Vec<_>>());
    let of = |name: &str, average: &str| masks(&images, name, &json!({"average": average}));
    case.check("iou_per_class", &of("mean_iou", "none"));
    case.check("mean_iou", &of("mean_iou", "macro"));
    case.check("dice_per_class", &of("dice", "none"));
    case.check("mean_dice", &of("dice", "macro"));
    case.check("pixel_accuracy", &masks(&images, "pixel_accuracy", &json!({})));
    let torch = case.expected("torchmetrics").as_object().unwrap();
    for (field, expected) in torch {
        let got = match field.as_str() {
            "jaccard_macro" => of("mean_iou", "macro"),
            "jaccard_micro" => of("mean_iou", "micro"),
            "dice_score_global_per_class" => of("dice", "none"),
            "mean_iou_samplewise_per_class" => {
                let images = images
                    .confusions()
                    .iter()
                    .flat_map(|image| image.per_class(Ratio::IntersectionOverUnion, f64::NAN));
                // A class absent from an image is −1 or NaN, as the version of torchmetrics has it.
                images
                    .zip(numbers(expected))
                    .map(|(iou, want)| if iou.is_nan() && want == -1.0 { want } else { iou })
                    .collect()
            }
            other => panic!("unknown field {other}"),
        };
        case.compare(field, &got, expected);
    }
}

pub fn top_k(case: &Case) {
    let (values, labels) = (case.numbers("scores"), case.indices("y_true"));
    let rows = Scores::new(&values, values.len() / labels.len(), &labels).unwrap();
    for k in [1, 2, 3, 5] {
        case.check(&format!("top{k}"), &scores(&rows, "top_k", &json!({"k": k})));
    }
    assert_eq!(metric::top_k(&rows, rows.classes()), 1.0);
}

pub fn ranking(case: &Case) {
    let (values, labels) = (case.numbers("scores"), case.indices("y_true"));
    let column = Scores::new(&values, 1, &labels).unwrap();
    check_or_undefined(case, "roc_auc", &scores(&column, "roc_auc", &json!({})));
    case.check("average_precision", &scores(&column, "average_precision", &json!({})));
    let positive: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    let check = |prefix: &str, points: Vec<metric::Point>, [x, y]: [&str; 2], thresholds: usize| {
        if case.expects(&format!("{prefix}_thresholds")) {
            let of = |read: fn(&metric::Point) -> f64| points.iter().map(read).collect::<Vec<f64>>();
            case.check(&format!("{prefix}_{x}"), &of(|point| point.x));
            case.check(&format!("{prefix}_{y}"), &of(|point| point.y));
            case.check(&format!("{prefix}_thresholds"), &of(|point| point.threshold)[..thresholds]);
        }
    };
    let (roc, pr) = (metric::roc_curve(&values, &positive), metric::precision_recall_curve(&values, &positive));
    // scikit-learn gives the last point of a precision-recall curve, (0, 1), no threshold.
    let (roc_len, pr_len) = (roc.len(), pr.len() - 1);
    check("roc", roc, ["fpr", "tpr"], roc_len);
    check("pr", pr, ["recall", "precision"], pr_len);
}

pub fn probabilistic(case: &Case) {
    let (values, labels) = (case.numbers("probs"), case.indices("y_true"));
    let columns = values.len() / labels.len();
    let rows = Scores::probabilities(&values, columns, &labels).unwrap();
    case.check("log_loss", &scores(&rows, "log_loss", &json!({})));
    if columns == 1 {
        case.check("brier", &scores(&rows, "brier", &json!({})));
        return case.check("roc_auc", &scores(&rows, "roc_auc", &json!({})));
    }
    case.check("roc_auc_ovr_macro", &scores(&rows, "roc_auc", &json!({"multi_class": "ovr"})));
    case.check("roc_auc_ovr_weighted", &scores(&rows, "roc_auc", &json!({"average": "weighted"})));
    case.check("roc_auc_ovo_macro", &scores(&rows, "roc_auc", &json!({"multi_class": "ovo"})));
    case.check("average_precision_macro_ovr", &scores(&rows, "average_precision", &json!({})));
    case.check("top1_accuracy", &scores(&rows, "top_k", &json!({"k": 1})));
}

pub fn calibration(case: &Case) {
    let (values, labels) = (case.numbers("probs"), case.indices("y_true"));
    let columns = if case.text("task") == "binary" { 1 } else { values.len() / labels.len() };
    let rows = Scores::probabilities(&values, columns, &labels).unwrap();
    let bins = case.number("n_bins") as usize;
    for norm in ["l1", "l2", "max"] {
        case.check(norm, &scores(&rows, "calibration_error", &json!({"bins": bins, "norm": norm})));
    }
    let diagram = metric::reliability(&rows, bins);
    case.check("l1", &[metric::calibration_error(&diagram, Norm::L1)]);
}

pub fn regression(case: &Case) {
    let (predictions, targets) = (case.numbers("y_pred"), case.numbers("y_true"));
    let values = RealValues::new(&predictions, &targets, 1).unwrap();
    let names = ["r2", "mse", "rmse", "mae", "mape", "median_absolute_error", "max_error", "explained_variance"];
    for name in names {
        let (row, options) = row(name, &json!({}));
        let metric::Judge::Values(value) = row.judge else { panic!("{name} does not judge real values") };
        let field = if name == "median_absolute_error" { "median_ae" } else { name };
        case.check(field, &value(&values, &options).unwrap().numbers());
    }
}
