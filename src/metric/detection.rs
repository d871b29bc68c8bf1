//! The metrics of detected boxes, with their options.

use super::boxes::{ALL_AREAS, AreaRange, Boxes, LARGE, MEDIUM, MOST, SMALL, thresholds};
use super::ranked_boxes::Ranking;
use super::{ClassValue, DrawnAs, Judge, Metric, Value};
use crate::Result;
use crate::options::{Interval, OptionKind, OptionRow, Options};

fn area_range(options: &Options) -> AreaRange {
    match options.choice("area") {
        "small" => SMALL,
        "medium" => MEDIUM,
        "large" => LARGE,
        _ => ALL_AREAS,
    }
}

fn mean_average_precision(boxes: &Boxes, thresholds: &[f64], options: &Options) -> Result<Value> {
    let mean = boxes.mean_over_categories(thresholds, area_range(options), MOST, Ranking::average_precision);
    Ok(Value::Number(mean))
}

const AREA: OptionRow = OptionRow {
    name: "area",
    meaning: "of boxes up to 32², up to 96² or above that many pixels",
    kind: OptionKind::Choice(&["all", "small", "medium", "large"]),
};

pub(super) const MAP: Metric = Metric {
    name: "map",
    formula: "mean over categories and IoU 0.5, 0.55 … 0.95 of the mean interpolated precision at recall 0, 0.01 … 1",
    summary: "mAP@[.5:.95], COCO's main number; undefined without true boxes",
    source: "Lin et al. 2014; pycocotools COCOeval",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: &[AREA],
    judge: Judge::Detections(|boxes, options| mean_average_precision(boxes, &thresholds(), options)),
    reward: None,
};

pub(super) const MAP_50: Metric = Metric {
    name: "map_50",
    formula: "mean over categories of the mean interpolated precision at recall 0, 0.01 … 1, at IoU 0.5",
    summary: "mAP@0.5; undefined without true boxes",
    judge: Judge::Detections(|boxes, options| mean_average_precision(boxes, &thresholds()[..1], options)),
    ..MAP
};

pub(super) const MAP_75: Metric = Metric {
    name: "map_75",
    formula: "mean over categories of the mean interpolated precision at recall 0, 0.01 … 1, at IoU 0.75",
    summary: "mAP@0.75; undefined without true boxes",
    judge: Judge::Detections(|boxes, options| mean_average_precision(boxes, &thresholds()[5..6], options)),
    ..MAP
};

pub(super) const AP_PER_CLASS: Metric = Metric {
    name: "ap_per_class",
    formula: "mean interpolated precision at recall 0, 0.01 … 1 per category, mean over IoU 0.5, 0.55 … 0.95",
    summary: "average precision of every category; undefined for one without true boxes",
    options: &[OptionRow {
        name: "threshold",
        meaning: "at this IoU alone; at 0 the mean over all ten",
        kind: OptionKind::Number { default: 0.0, range: Interval::UNIT },
    }],
    judge: Judge::Detections(|boxes, options| {
        let ten = thresholds();
        let one = [options.number("threshold")];
        let thresholds = if one[0] == 0.0 { &ten[..] } else { &one };
        let value = |&class: &i64| ClassValue { class, value: boxes.average_precision(class, thresholds) };
        Ok(Value::PerClass(boxes.categories().iter().map(value).collect()))
    }),
    ..MAP
};

pub(super) const AVERAGE_RECALL: Metric = Metric {
    name: "average_recall",
    formula: "mean over categories and IoU 0.5, 0.55 … 0.95 of the share of true boxes found",
    summary: "AR with at most 1, 10 or 100 detections per image and category; undefined without true boxes",
    options: &[
        OptionRow {
            name: "at_most",
            meaning: "detections per image and category; never more than 100",
            kind: OptionKind::Whole { default: Some(100), at_least: 1 },
        },
        AREA,
    ],
    judge: Judge::Detections(|boxes, options| {
        let at_most = options.whole("at_most").and_then(|most| usize::try_from(most).ok()).unwrap_or(MOST);
        Ok(Value::Number(boxes.mean_over_categories(&thresholds(), area_range(options), at_most, Ranking::recall)))
    }),
    ..MAP
};

const IOU: OptionRow = OptionRow {
    name: "iou",
    meaning: "the intersection over union from which a detection matches",
    kind: OptionKind::Number { default: 0.5, range: Interval::SHARE },
};

/// What the rows of detections from a score on have in common.
const COUNTED: Metric = Metric {
    source: "Lin et al. 2014: matched as pycocotools COCOeval does, counted over all images and categories",
    options: &[
        OptionRow {
            name: "score",
            meaning: "detections with at least this score count",
            kind: OptionKind::Number { default: 0.5, range: Interval::ANY },
        },
        IOU,
    ],
    ..MAP
};

pub(super) const BOX_PRECISION: Metric = Metric {
    name: "box_precision",
    formula: "tp / (tp + fp) of the detections from a score on, at an IoU",
    summary: "share of detections that match a true box; undefined where nothing is detected",
    judge: Judge::Detections(|boxes, options| {
        Ok(Value::Number(boxes.counts(options.number("score"), options.number("iou")).precision()))
    }),
    ..COUNTED
};

pub(super) const BOX_RECALL: Metric = Metric {
    name: "box_recall",
    formula: "tp / (tp + fn) of the detections from a score on, at an IoU",
    summary: "share of true boxes that are detected; undefined without true boxes",
    judge: Judge::Detections(|boxes, options| {
        Ok(Value::Number(boxes.counts(options.number("score"), options.number("iou")).recall()))
    }),
    ..COUNTED
};

pub(super) const BOX_F1: Metric = Metric {
    name: "box_f1",
    formula: "2 tp / (2 tp + fp + fn) of the detections from a score on, at an IoU",
    summary: "harmonic mean of the precision and the recall of boxes; undefined where nothing is there and nothing detected",
    judge: Judge::Detections(|boxes, options| {
        Ok(Value::Number(boxes.counts(options.number("score"), options.number("iou")).f1()))
    }),
    ..COUNTED
};

pub(super) const BOX_PR_CURVE: Metric = Metric {
    name: "box_pr_curve",
    formula: "(recall, precision) of every category at every score, at an IoU",
    summary: "precision-recall curves of boxes, by category; their area is the average precision",
    higher_is_better: None,
    drawn: Some(DrawnAs::PrecisionRecallCurve),
    options: &[IOU],
    judge: Judge::Detections(|boxes, options| {
        let iou = options.number("iou");
        let curve = |category: &i64| Some(boxes.ranking(*category, iou, ALL_AREAS, MOST)?.curve(*category));
        Ok(Value::Curves(boxes.categories().iter().filter_map(curve).collect()))
    }),
    ..MAP
};
