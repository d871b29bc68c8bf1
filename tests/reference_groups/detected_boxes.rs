use super::{Case, number, numbers};
use lossward::metric::{self, AreaRange, Boxes, Detection, Ranking, TrueBox};
use serde_json::Value;

fn bbox(value: &Value) -> [f64; 4] {
    numbers(&value["bbox"]).try_into().unwrap()
}

fn id(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn truth(value: &Value) -> TrueBox {
    let bbox = bbox(value);
    let (image, category) = (id(&value["image_id"]), id(&value["category_id"]));
    TrueBox { image, category, bbox, area: bbox[2] * bbox[3], ignored: false }
}

fn detection(value: &Value) -> Detection {
    let (image, category) = (id(&value["image_id"]), id(&value["category_id"]));
    Detection { image, category, bbox: bbox(value), score: number(&value["score"]) }
}

/// pycocotools writes −1 for what is undefined.
fn or_minus_one(value: f64) -> f64 {
    if value.is_nan() { -1.0 } else { value }
}

pub fn detection_map(case: &Case) {
    assert_eq!(case.text("bbox_format"), "xywh");
    // Images without boxes and detections change nothing.
    case.input("image_ids");
    let list = |key: &str| case.input(key).as_array().unwrap();
    let truths: Vec<TrueBox> = list("ground_truth").iter().map(truth).collect();
    let detections: Vec<Detection> = list("detections").iter().map(detection).collect();
    let categories: Vec<i64> = list("category_ids").iter().map(id).collect();
    let boxes = Boxes::new(&truths, &detections, &categories).unwrap();
    assert_eq!(boxes.categories(), categories);
    check_stats(case, &boxes);
    let thresholds = metric::thresholds();
    let per_class = |field: &str, thresholds: &[f64]| {
        let expected = case.expected(field).as_object().unwrap();
        assert_eq!(expected.len(), categories.len());
        for category in &categories {
            let got = or_minus_one(boxes.average_precision(*category, thresholds));
            case.compare(&format!("{field} of {category}"), &[got], &expected[&category.to_string()]);
        }
    };
    per_class("AP_per_class", &thresholds);
    per_class("AP50_per_class", &[0.5]);
    let at =
        |threshold: &f64| boxes.mean_over_categories(&[*threshold], metric::ALL_AREAS, 100, Ranking::average_precision);
    case.check("AP_per_iou_threshold", &thresholds.iter().map(at).map(or_minus_one).collect::<Vec<_>>());
    for (category, expected) in case.expected("precision_101_iou50").as_object().unwrap() {
        let ranking = boxes.ranking(category.parse().unwrap(), 0.5, metric::ALL_AREAS, 100);
        let got = ranking.map_or([-1.0; 101], |ranking| ranking.interpolated_precision());
        case.compare(&format!("precision_101_iou50 of {category}"), &got, expected);
    }
}

fn check_stats(case: &Case, boxes: &Boxes) {
    let ten = metric::thresholds();
    let of = |thresholds: &[f64], area: AreaRange, at_most: usize, of: fn(&Ranking) -> f64| {
        or_minus_one(boxes.mean_over_categories(thresholds, area, at_most, of))
    };
    for (field, expected) in case.expected("stats").as_object().unwrap() {
        let got = match field.as_str() {
            "AP" => of(&ten, metric::ALL_AREAS, 100, Ranking::average_precision),
            "AP50" => of(&ten[..1], metric::ALL_AREAS, 100, Ranking::average_precision),
            "AP75" => of(&ten[5..6], metric::ALL_AREAS, 100, Ranking::average_precision),
            "AP_small" => of(&ten, metric::SMALL, 100, Ranking::average_precision),
            "AP_medium" => of(&ten, metric::MEDIUM, 100, Ranking::average_precision),
            "AP_large" => of(&ten, metric::LARGE, 100, Ranking::average_precision),
            "AR_max1" => of(&ten, metric::ALL_AREAS, 1, Ranking::recall),
            "AR_max10" => of(&ten, metric::ALL_AREAS, 10, Ranking::recall),
            "AR_max100" => of(&ten, metric::ALL_AREAS, 100, Ranking::recall),
            "AR_small" => of(&ten, metric::SMALL, 100, Ranking::recall),
            "AR_medium" => of(&ten, metric::MEDIUM, 100, Ranking::recall),
            "AR_large" => of(&ten, metric::LARGE, 100, Ranking::recall),
            other => panic!("unknown field {other}"),
        };
        case.compare(field, &[got], expected);
    }
}
