use super::{Case, flat, number, numbers};
use candle_core::{Tensor, Var};
use lossward::detection::assignment::{Fcos, Predicted, TaskAligned, cell, center_cells, centerness};
use lossward::detection::format::{self, Letterbox};
use lossward::detection::{
    Assigned, Assignment, Corners, Found, GridPoint, Head, Level, Object, PointGrid, Suppression, Terms, corners_at,
    distances, expected_bin, farthest,
};
use lossward::loss;
use lossward::options::{Given, OptionValue, Options};
use serde_json::Value;

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn boxes(value: &Value) -> Vec<Corners> {
    list(value).iter().map(|corners| numbers(corners).try_into().unwrap()).collect()
}

fn object(corners: Corners) -> Object {
    Object { corners, class: 0, ignored: false }
}

fn level(value: &Value) -> Level {
    let whole = |key: &str| value[key].as_u64().unwrap() as usize;
    Level { height: whole("rows"), width: whole("cols"), stride: number(&value["stride"]) }
}

fn grid(case: &Case) -> PointGrid {
    PointGrid::new(&list(case.input("levels")).iter().map(level).collect::<Vec<_>>()).unwrap()
}

/// −1 where there is none.
fn owners(assigned: &Assigned) -> Vec<f64> {
    assigned.owners.iter().map(|owner| owner.map_or(-1.0, |owner| owner as f64)).collect()
}

/// Of assignments that ask for no predictions.
fn unasked() -> Predicted<'static> {
    Predicted { score: &|_, _| panic!("asked for a score"), corners: &|_| panic!("asked for a box") }
}

pub fn assign_center_cell(case: &Case) {
    let whole = |key: &str| case.number(key) as usize;
    let level = Level { height: whole("rows"), width: whole("cols"), stride: case.number("stride") };
    let grid = PointGrid::new(&[level]).unwrap();
    let objects: Vec<Object> = boxes(case.input("boxes")).into_iter().map(object).collect();
    let assigned = Assignment::Center.assigned(&grid, &objects, unasked());
    assert_eq!(assigned, center_cells(&grid, &objects));
    case.check("cell_owner", &owners(&assigned));
    let cells: Vec<[usize; 2]> = objects.iter().map(|object| cell(&level, &object.corners)).collect();
    case.check("cell_col_row", &cells.concat().iter().map(|index| *index as f64).collect::<Vec<_>>());
    let offset = |(object, cell): (&Object, &[usize; 2])| {
        let center = format::centered(&object.corners);
        [0, 1].map(|axis| center[axis] / level.stride - cell[axis] as f64)
    };
    case.check("offset_in_cell", &objects.iter().zip(&cells).flat_map(offset).collect::<Vec<_>>());
}

pub fn assign_fcos(case: &Case) {
    let grid = grid(case);
    let range = |level: &Value| [number(&level["size_min"]), number(&level["size_max"])];
    let ranges = Some(list(case.input("levels")).iter().map(range).collect());
    let radius = Some(case.input("radius")).filter(|radius| !radius.is_null()).map(number);
    let objects: Vec<Object> = boxes(case.input("boxes")).into_iter().map(object).collect();
    let assignment = Assignment::Fcos(Fcos { radius, ranges, centerness: true });
    assignment.check(&grid).unwrap();
    let assigned = assignment.assigned(&grid, &objects, unasked());
    case.check("point_owner", &owners(&assigned));
    let positive: Vec<usize> = (0..assigned.owners.len()).filter(|point| assigned.owners[*point].is_some()).collect();
    case.check("positive_points", &positive.iter().map(|point| *point as f64).collect::<Vec<_>>());
    let sides = |point: &usize| grid.points()[*point].sides(&objects[assigned.owners[*point].unwrap()].corners);
    let sides: Vec<[f64; 4]> = positive.iter().map(sides).collect();
    case.check("ltrb", &sides.concat());
    case.check("centerness", &sides.iter().copied().map(centerness).collect::<Vec<_>>());
    case.check("centerness", &positive.iter().map(|point| assigned.scores[*point]).collect::<Vec<_>>());
}

pub fn assign_task_aligned(case: &Case) {
    let point = |point: &Value| GridPoint { x: number(&point[0]), y: number(&point[1]), stride: 1.0 };
    let points: Vec<GridPoint> = list(case.input("points")).iter().map(point).collect();
    let scores: Vec<Vec<f64>> = list(case.input("scores")).iter().map(numbers).collect();
    let predicted = boxes(case.input("boxes"));
    let truths = boxes(case.input("gt_boxes")).into_iter().zip(case.indices("gt_labels"));
    let objects: Vec<Object> =
        truths.map(|(corners, class)| Object { corners, class: class as usize, ignored: false }).collect();
    let settings = serde_json::json!({ "task_aligned": {
        "top_k": case.input("topk"), "alpha": case.input("alpha"), "beta": case.input("beta"),
        "epsilon": case.input("eps"), "overlap": case.input("iou_kind"),
    }});
    let Assignment::TaskAligned(aligned) = serde_json::from_value(settings).unwrap() else { panic!() };
    let predicted = Predicted { score: &|point, class| scores[point][class], corners: &|point| predicted[point] };
    let assigned = aligned.assigned(&points, &objects, predicted);
    case.check("point_owner", &owners(&assigned));
    let mut targets: Vec<Vec<f64>> = scores.iter().map(|row| vec![0.0; row.len()]).collect();
    for (point, owner) in assigned.owners.iter().enumerate() {
        owner.iter().for_each(|owner| targets[point][objects[*owner].class] = assigned.scores[point]);
    }
    case.check("target_scores", &targets.concat());
    case.check("target_score_sum", &[assigned.scores.iter().sum()]);
    case.check("num_positive", &[assigned.owners.iter().flatten().count() as f64]);
    case.check("num_conflicts_resolved", &[conflicts(&aligned, &points, &objects, predicted)]);
}

/// The points that more than one box claims: by itself, a box owns what it claims.
fn conflicts(aligned: &TaskAligned, points: &[GridPoint], objects: &[Object], predicted: Predicted) -> f64 {
    let claimed = objects.iter().map(|object| aligned.assigned(points, &[*object], predicted).owners);
    let claimed: Vec<Vec<Option<usize>>> = claimed.collect();
    let claims = |point: &usize| claimed.iter().filter(|owners| owners[*point].is_some()).count();
    (0..points.len()).filter(|point| claims(point) > 1).count() as f64
}

pub fn boxes_and_images(case: &Case) {
    let corners = boxes(case.input("xyxy"));
    let size = (case.number("width"), case.number("height"));
    let each = |key: &str, of: &dyn Fn(&Corners) -> [f64; 4]| {
        case.check(key, &corners.iter().flat_map(of).collect::<Vec<_>>());
    };
    let back = |key: &str, of: &dyn Fn(&[f64; 4]) -> Corners| {
        let again: Vec<f64> = boxes(case.expected(key)).iter().flat_map(of).collect();
        case.compare(key, &again, case.input("xyxy"));
    };
    if case.has("target_width") {
        let letterbox = Letterbox::new(size, (case.number("target_width"), case.number("target_height")));
        case.check("scale", &[letterbox.scale]);
        case.check("pad_left", &[letterbox.left]);
        case.check("pad_top", &[letterbox.top]);
        each("letterboxed_xyxy", &|corners| letterbox.corners(corners));
        return back("letterboxed_xyxy", &|corners| letterbox.corners_before(corners));
    }
    each("coco_xywh", &format::xywh);
    each("cxcywh", &format::centered);
    each("yolo_cxcywh_normalized", &|corners| format::normalized(corners, size));
    back("coco_xywh", &format::from_xywh);
    back("cxcywh", &format::from_centered);
    back("yolo_cxcywh_normalized", &|shares| format::from_normalized(shares, size));
    each("clipped_xyxy", &|corners| format::clipped(corners, size));
    let area = |corners: &Corners| format::area(&format::clipped(corners, size));
    case.check("clipped_area", &corners.iter().map(area).collect::<Vec<_>>());
    let visible = |corners: &Corners| format::visible_share(corners, size);
    case.check("fraction_visible", &corners.iter().map(visible).collect::<Vec<_>>());
}

pub fn dfl_boxes(case: &Case) {
    let grid = grid(case);
    if case.has("logits") { decoded(case, &grid) } else { encoded(case, &grid) }
}

fn decoded(case: &Case, grid: &PointGrid) {
    let points: Vec<f64> = grid.points().iter().flat_map(|point| [point.x, point.y]).collect();
    case.check("points", &points);
    case.check("strides", &grid.points().iter().map(|point| point.stride).collect::<Vec<_>>());
    let logits = list(case.input("logits"));
    let slopes = boxes(case.input("dboxes"));
    let (mut distances, mut corners, mut gradient) = (vec![], vec![], vec![]);
    for ((point, logits), slopes) in grid.points().iter().zip(logits).zip(&slopes) {
        let mut of_point = [0.0; 4];
        for (side, logits) in list(logits).iter().map(numbers).enumerate() {
            let mut probabilities = vec![0.0; logits.len()];
            of_point[side] = expected_bin(&logits, &mut probabilities);
            let by_distance = if side < 2 { -point.stride } else { point.stride } * slopes[side];
            let by_logit = |(bin, p): (usize, &f64)| by_distance * p * (bin as f64 - of_point[side]);
            gradient.extend(probabilities.iter().enumerate().map(by_logit));
        }
        distances.extend(of_point);
        corners.extend(corners_at(point, of_point));
    }
    case.check("distances", &distances);
    case.check("boxes", &corners);
    case.compare("logits", &gradient, &case.expected("grad")["logits"]);
}

fn encoded(case: &Case, grid: &PointGrid) {
    let bins = case.number("bins") as usize;
    case.compare("clip_max", &[farthest(bins, 1.0)], case.input("clip_max"));
    let boxes = boxes(case.input("boxes"));
    let of = |(point, corners): (&GridPoint, &Corners)| distances(point, corners, bins);
    let sides: Vec<f64> = grid.points().iter().zip(&boxes).flat_map(of).collect();
    case.check("distances", &sides);
    // The two-bin target is minus the slope of the distribution focal loss, by the log-probabilities.
    let row = loss::find("distribution_focal").unwrap();
    let logits = Var::zeros((sides.len(), 1, bins), candle_core::DType::F64, &candle_core::Device::Cpu).unwrap();
    let targets = Tensor::from_vec(sides.clone(), (sides.len(), 1), &candle_core::Device::Cpu).unwrap();
    let losses = (row.per_example)(&loss::Inputs::pair(&logits, &targets), &Options::defaults(row.options)).unwrap();
    let gradient = losses.values.backward().unwrap();
    // At equal logits the slope is 1 / bins − target.
    let two_bins: Vec<f64> =
        flat(gradient.get(&logits).unwrap()).iter().map(|slope| 1.0 / bins as f64 - slope).collect();
    case.check("two_bin_target", &two_bins);
}

pub fn nms(case: &Case) {
    let optional = |key: &str| Some(case.input(key)).filter(|value| !value.is_null());
    let corners = boxes(case.input("boxes"));
    let labels: Vec<f64> = optional("labels").map_or(vec![0.0; corners.len()], numbers);
    let found = corners.into_iter().zip(labels).zip(case.numbers("scores"));
    let found: Vec<Found> =
        found.map(|((corners, class), score)| Found { corners, class: class as usize, score }).collect();
    let suppression = Suppression {
        iou: case.number("iou_threshold"),
        score: optional("score_threshold").map_or(f64::NEG_INFINITY, number),
        at_most: optional("max_detections").map_or(usize::MAX, |most| number(most) as usize),
    };
    case.check("keep", &suppression.kept(&found).iter().map(|i| *i as f64).collect::<Vec<_>>());
}

/// An image's points with their owners, as objects of their own.
fn given(owners: &Value, scores: &Value, targets: &Value) -> (Vec<Object>, Assigned) {
    let (scores, targets) = (list(scores), boxes(targets));
    let mut objects = Vec::new();
    let mut assigned = Assigned { owners: vec![], scores: vec![], ignored: vec![false; scores.len()] };
    for ((owner, scores), corners) in numbers(owners).iter().zip(scores.iter().map(numbers)).zip(targets) {
        let class = scores.iter().position(|score| *score > 0.0);
        assert!(scores.iter().filter(|score| **score > 0.0).count() <= 1, "a point with scores of several classes");
        assert_eq!(*owner >= 0.0, class.is_some());
        assigned.owners.push(class.map(|_| objects.len()));
        assigned.scores.push(class.map_or(0.0, |class| scores[class]));
        objects.extend(class.map(|class| Object { corners, class, ignored: false }));
    }
    (objects, assigned)
}

/// `[batch, points, …]` to `[batch, …, points]`.
fn channels(case: &Case, key: &str) -> Tensor {
    let tensor = case.tensor(key);
    let [batch, points] = [tensor.dims()[0], tensor.dims()[1]];
    tensor.reshape((batch, points, ())).unwrap().transpose(1, 2).unwrap().contiguous().unwrap()
}

pub fn composite_loss(case: &Case) {
    let logits = [channels(case, "cls_logits"), channels(case, "dfl_logits")];
    let [classes, sides] = [0, 1].map(|i| logits[i].dims()[1]);
    let head = Head::new(grid(case), classes, sides / 4).unwrap();
    let outputs = Var::from_tensor(&Tensor::cat(&logits, 1).unwrap()).unwrap();
    case.check("boxes", &head.boxes(&outputs).unwrap().concat().concat());
    let images = |key: &str| list(case.input(key)).iter();
    let each = images("point_owner").zip(images("target_scores")).zip(images("target_boxes"));
    let (objects, assigned): (Vec<_>, Vec<_>) =
        each.map(|((owners, scores), targets)| given(owners, scores, targets)).unzip();
    let objects: Vec<&[Object]> = objects.iter().map(Vec::as_slice).collect();
    let terms = Terms::given(&head, &outputs, &objects, assigned).unwrap();
    let [alpha, gamma] = ["vfl_alpha", "vfl_gamma"].map(|key| OptionValue::Number(case.number(key)));
    let (scores, options) = match case.text("cls_kind") {
        "bce" => ("bce_with_logits", Given::new()),
        "varifocal" => ("varifocal", Given::from([("alpha".to_string(), alpha), ("gamma".to_string(), gamma)])),
        other => panic!("unknown loss of scores {other}"),
    };
    let parts = [("cls", scores, options), ("box", "ciou", Given::new()), ("dfl", "distribution_focal", Given::new())];
    let mut total = Tensor::zeros((), candle_core::DType::F64, &candle_core::Device::Cpu).unwrap();
    for (part, name, given) in parts {
        let row = loss::find(name).unwrap();
        let term = terms.term(row, &Options::new(name, row.options, &given).unwrap()).unwrap().mean().unwrap();
        case.check(part, &flat(&term));
        total = (total + (term * number(&case.input("gains")[part])).unwrap()).unwrap();
    }
    case.check("total", &flat(&total));
    let gradients = total.backward().unwrap();
    let gradient = gradients.get(&outputs).unwrap();
    let expected = case.expected("grad").as_object().unwrap();
    assert_eq!(expected.len(), 2);
    for (name, start, channels) in [("cls_logits", 0, classes), ("dfl_logits", classes, sides)] {
        let got = gradient.narrow(1, start, channels).unwrap().transpose(1, 2).unwrap();
        case.compare(name, &flat(&got), &expected[name]);
    }
}
