use super::metrics::{class_maps, masks};
use super::{Case, numbers};
use lossward::metric::{
    ClassCounts, Connectivity, Covered, Directions, LesionCounts, PredictedMasks, Ratio, Region, SurfaceDistances,
};
use serde_json::{Value, json};

/// The fields of a list of expected numbers, each with the metric that gives it.
const RATIOS: [(&str, &str); 5] = [
    ("dice", "dice"),
    ("iou", "mean_iou"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("precision", "positive_predictive_value"),
];

fn binary(case: &Case) -> PredictedMasks<'static> {
    class_maps(case.input("pred"), case.input("target"), 2)
}

/// Each image by itself.
fn images(case: &Case) -> Vec<PredictedMasks<'static>> {
    let list = |key: &str| case.input(key).as_array().unwrap();
    list("pred").iter().zip(list("target")).map(|(pred, target)| class_maps(pred, target, 2)).collect()
}

pub fn overlap(case: &Case) {
    let (all, images) = (binary(case), images(case));
    let counts = all.confusions().iter().flat_map(|image| {
        let ClassCounts { hits, of_class, chosen_as, total } = image.of_class(1);
        [hits, chosen_as - hits, of_class - hits, total + hits - of_class - chosen_as].map(|count| count as f64)
    });
    case.check("counts_tp_fp_fn_tn", &counts.collect::<Vec<_>>());
    let of_all = |masks_of: &dyn Fn(&str, &Value) -> Vec<f64>, field: &str, per_image: bool| {
        let expected = case.expected(field).as_object().unwrap();
        assert_eq!(expected.len(), 3);
        for (convention, expected) in expected {
            let absent = if convention == "skip" { "undefined" } else { convention };
            let options = json!({"positive": 1, "absent": absent, "per_image": per_image});
            assert_eq!(expected.as_object().unwrap().len(), RATIOS.len());
            for (ratio, name) in RATIOS {
                case.compare(&format!("{field} {convention} {ratio}"), &masks_of(name, &options), &expected[ratio]);
            }
        }
    };
    let of_each = |name: &str, options: &Value| images.iter().flat_map(|image| masks(image, name, options)).collect();
    of_all(&of_each, "per_image", false);
    of_all(&|name, options| masks(&all, name, options), "mean", true);
    of_all(&|name, options| masks(&all, name, options), "pooled", false);
    case.check("monai_dice_ignore_empty", &of_each("dice", &json!({"positive": 1, "absent": "ignore_empty"})));
    case.check("dice_smoothed", &of_each("dice", &json!({"positive": 1, "smooth": case.number("smooth")})));
    rewards(case);
}

/// Of maps of bytes, as a reward calls it: both masks empty is 1, one empty is 0.
fn rewards(case: &Case) {
    let bytes = |value: &Value| numbers(value).into_iter().map(|class| class as u8).collect::<Vec<u8>>();
    let list = |key: &str| case.input(key).as_array().unwrap().iter().map(bytes);
    for (ratio, field) in [(Ratio::FBeta(1.0), "dice"), (Ratio::IntersectionOverUnion, "iou")] {
        let of = |(pred, target): (Vec<u8>, Vec<u8>)| ratio.of(ClassCounts::of_maps(&pred, &target, 1), 1.0);
        let got: Vec<f64> = list("pred").zip(list("target")).map(of).collect();
        case.compare(field, &got, &case.expected("per_image")["one"][field]);
    }
}

fn as_numbers(counts: &[usize]) -> Vec<f64> {
    counts.iter().map(|count| *count as f64).collect()
}

pub fn lesions(case: &Case) {
    let image = binary(case);
    let regions = image.regions(0, 1).unwrap();
    for (key, connectivity) in [("4", Connectivity::Four), ("8", Connectivity::Eight)] {
        let expected = case.expected(key);
        let [truth, predicted] = [&regions.truth, &regions.predicted].map(|region| region.components(connectivity));
        let counts = LesionCounts::of(&regions, connectivity, Covered::Any);
        let of = |name: &str, covered: &str| {
            let options = match name {
                "lesion_recall" | "lesion_f1" => {
                    json!({"connectivity": key.parse::<i64>().unwrap(), "covered": covered})
                }
                _ => json!({"connectivity": key.parse::<i64>().unwrap()}),
            };
            masks(&image, name, &options)
        };
        for (field, expected) in expected.as_object().unwrap() {
            let got = match field.as_str() {
                "target_labels" => truth.labels.iter().map(|label| f64::from(*label)).collect(),
                "pred_labels" => predicted.labels.iter().map(|label| f64::from(*label)).collect(),
                "num_target" => vec![counts.lesions as f64],
                "num_pred" => vec![predicted.count as f64],
                "target_sizes" => as_numbers(&truth.sizes()),
                "target_pixels_hit" => as_numbers(&truth.covered_by(&regions.predicted)),
                "detected_any_overlap" => vec![counts.found as f64],
                "recall_any_overlap" => of("lesion_recall", "any"),
                "recall_half_covered" => of("lesion_recall", "half"),
                "false_positive_components" => of("false_positives_per_image", ""),
                "precision_any_overlap" => of("lesion_precision", ""),
                "f1" => of("lesion_f1", "any"),
                other => panic!("unknown field {other}"),
            };
            case.compare(&format!("{field} by {key}"), &got, expected);
        }
    }
}

pub fn surface_distance(case: &Case) {
    let image = binary(case);
    let regions = image.regions(0, 1).unwrap();
    let spacing: [f64; 2] = case.numbers("spacing").try_into().unwrap();
    let between = SurfaceDistances::between(&regions, spacing).unwrap();
    let surface =
        |region: &Region| region.surface().inside().iter().map(|inside| f64::from(u8::from(*inside))).collect();
    let of = |name: &str, directions: &str| masks(&image, name, &json!({"spacing": spacing, "directions": directions}));
    let directed = SurfaceDistances { to_prediction: between.to_truth.clone(), ..between.clone() };
    let back = SurfaceDistances { to_truth: between.to_prediction.clone(), ..between.clone() };
    for field in case.expected_with("") {
        let got = match field.as_str() {
            "surface_pred" => surface(&regions.predicted),
            "surface_target" => surface(&regions.truth),
            "hausdorff" => masks(&image, "hausdorff", &json!({"spacing": spacing})),
            "hd95_max_of_directed" => of("hausdorff_95", "maximum"),
            "hd95_pooled" => of("hausdorff_95", "pooled"),
            "hd95_pred_to_target" => vec![directed.percentile(95.0, Directions::Maximum)],
            "hd95_target_to_pred" => vec![back.percentile(95.0, Directions::Maximum)],
            "asd_pred_to_target" => vec![directed.mean(Directions::Mean)],
            "asd_target_to_pred" => vec![back.mean(Directions::Mean)],
            "assd_pooled" => of("surface_distance", "pooled"),
            "assd_mean_of_directed" => of("surface_distance", "mean"),
            other => panic!("unknown field {other}"),
        };
        case.check(&field, &got);
    }
}
