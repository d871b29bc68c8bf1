//! The metrics of detected boxes, with their options.

use super::boxes::{ALL_AREAS, AreaRange, Boxes, LARGE, MEDIUM, MOST, Ranking, SMALL, thresholds};
use super::{ClassValue, Judge, Metric, Value};
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
