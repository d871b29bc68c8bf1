//! What holds for a detector, by brute force and by finite differences.

use super::assignment::{Alignment, Fcos, Predicted, TaskAligned};
use super::*;
use crate::loss::boxes::{Overlap, pairwise};
use crate::loss::{Criterion, Loss, LossSettings};
use crate::options::Options;
use crate::{Rng, stream};
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng as _;

fn head() -> Head {
    let levels = [Level { height: 3, width: 4, stride: 8.0 }, Level { height: 2, width: 2, stride: 16.0 }];
    Head::new(PointGrid::new(&levels).unwrap(), 3, 5).unwrap()
}

fn object(rng: &mut Rng) -> Object {
    let [x, y, w, h] = [0.0..20.0, 0.0..14.0, 4.0..20.0, 4.0..20.0].map(|range| rng.random_range(range));
    Object { corners: [x, y, x + w, y + h], class: rng.random_range(0..3), ignored: false }
}

fn outputs(head: &Head, batch: usize, rng: &mut Rng) -> Vec<f64> {
    let numbers = batch * head.channels() * head.grid.points().len();
    (0..numbers).map(|_| rng.random_range(-2.0..2.0)).collect()
}

fn tensor(head: &Head, values: &[f64]) -> Tensor {
    let shape = ((), head.channels(), head.grid.points().len());
    Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap().reshape(shape).unwrap()
}

/// Points that answer for objects, that are ignored, and that do neither.
fn assigned(head: &Head, objects: &[Object], rng: &mut Rng) -> Assigned {
    let mut assigned = Assigned::none(head.grid.points().len());
    for point in 0..assigned.owners.len() {
        match rng.random_range(0..4) {
            0 => assigned.ignored[point] = true,
            1 => {
                assigned.owners[point] = Some(rng.random_range(0..objects.len()));
                assigned.scores[point] = rng.random_range(0.1..1.0);
            }
            _ => {}
        }
    }
    assigned
}

fn term(head: &Head, outputs: &Tensor, batch: &[(Vec<Object>, Assigned)], loss: &Loss) -> Tensor {
    let objects: Vec<&[Object]> = batch.iter().map(|(objects, _)| objects.as_slice()).collect();
    let assigned = batch.iter().map(|(_, assigned)| assigned.clone()).collect();
    let terms = Terms::given(head, outputs, &objects, assigned).unwrap();
    terms.term(loss, &Options::defaults(loss.options)).unwrap().mean().unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Every loss of the table that fits, in both precisions.
#[test]
fn gradients_of_all_terms_equal_finite_differences() {
    let mut rng = stream(0, "terms", 0);
    let head = head();
    let batch: Vec<(Vec<Object>, Assigned)> = (0..2)
        .map(|_| {
            let objects: Vec<Object> = (0..3).map(|_| object(&mut rng)).collect();
            let assigned = assigned(&head, &objects, &mut rng);
            (objects, assigned)
        })
        .collect();
    let at = outputs(&head, 2, &mut rng);
    let mut names = Vec::new();
    for loss in crate::loss::all().filter(|loss| {
        check_losses(std::iter::once(*loss)).is_err_and(|error| {
            // Each trains one of the two.
            error.to_string().contains("no term trains")
        })
    }) {
        names.push(loss.name);
        let gradient = |dtype: DType| {
            let outputs = Var::from_tensor(&tensor(&head, &at).to_dtype(dtype).unwrap()).unwrap();
            let value = term(&head, &outputs, &batch, loss);
            let gradients = value.backward().unwrap();
            (crate::scalar(&value).unwrap(), flat(gradients.get(&outputs).unwrap()))
        };
        let (value, slopes) = gradient(DType::F64);
        let (single, single_slopes) = gradient(DType::F32);
        assert!(value != 0.0 && (value - single).abs() < 1e-5 * value.abs(), "{}: {value}, {single}", loss.name);
        let value_at = |i: usize, by: f64| {
            let mut moved = at.clone();
            moved[i] += by;
            crate::scalar(&term(&head, &tensor(&head, &moved), &batch, loss)).unwrap()
        };
        for (i, slope) in slopes.iter().enumerate() {
            let near = (slope - single_slopes[i]).abs() < 1e-5 * (1.0 + slope.abs());
            assert!(near, "{}[{i}]: {slope}, in single precision {}", loss.name, single_slopes[i]);
            // α of CIoU is held, so that its differences are not those of its gradient; the reference cases have it.
            if loss.name != "ciou" {
                let difference = (value_at(i, 1e-5) - value_at(i, -1e-5)) / 2e-5;
                assert!((difference - slope).abs() < 1e-7, "{} by {i}: {difference}, {slope}", loss.name);
            }
        }
    }
    for name in ["bce_with_logits", "focal", "varifocal", "iou", "giou", "diou", "ciou", "mae", "distribution_focal"] {
        assert!(names.contains(&name), "{name} is no term: {names:?}");
    }
}

/// The mean of the absolute errors of the distances, point by point.
#[test]
fn a_term_is_the_sum_over_its_points_weighted_by_their_scores() {
    let mut rng = stream(1, "terms", 0);
    let head = head();
    let objects: Vec<Object> = (0..3).map(|_| object(&mut rng)).collect();
    let assigned = assigned(&head, &objects, &mut rng);
    let outputs = tensor(&head, &outputs(&head, 1, &mut rng));
    let mut sum = 0.0;
    for (point, corners) in head.boxes(&outputs).unwrap()[0].iter().enumerate() {
        let Some(owner) = assigned.owners[point] else { continue };
        let at = &head.grid.points()[point];
        let wanted = distances(at, &objects[owner].corners, head.bins);
        let found = at.sides(corners).map(|side| side / at.stride);
        let error: f64 = (0..4).map(|side| (found[side] - wanted[side]).abs() / 4.0).sum();
        sum += assigned.scores[point] * error;
    }
    let total = assigned.scores.iter().sum::<f64>().max(1.0);
    let batch = [(objects, assigned)];
    let got = crate::scalar(&term(&head, &outputs, &batch, crate::loss::find("mae").unwrap())).unwrap();
    assert!((got - sum / total).abs() < 1e-12, "{got}, {}", sum / total);
}

#[test]
fn a_composite_is_the_weighted_sum_of_its_terms() {
    let mut rng = stream(2, "terms", 0);
    let head = head();
    let objects: Vec<Object> = (0..3).map(|_| object(&mut rng)).collect();
    let outputs = tensor(&head, &outputs(&head, 1, &mut rng));
    let terms = Terms::new(&head, &outputs, &[&objects], &Assignment::TaskAligned(TaskAligned::default())).unwrap();
    let text = "loss = { composite = [{ loss = \"varifocal\", weight = 0.5 }, { loss = \"giou\", weight = 2.5 }] }";
    let settings: std::collections::BTreeMap<String, LossSettings> = toml::from_str(text).unwrap();
    let criterion = Criterion::new(&settings["loss"]).unwrap();
    check_losses(criterion.losses()).unwrap();
    let (sum, named) = criterion.value(|loss, options| terms.term(loss, options)).unwrap();
    assert!(named.iter().all(|(_, value)| *value > 0.0), "{named:?}");
    assert!((crate::scalar(&sum).unwrap() - named.iter().map(|(_, value)| value).sum::<f64>()).abs() < 1e-12);
    let by = |name: &str| {
        let loss = crate::loss::find(name).unwrap();
        crate::scalar(&terms.term(loss, &Options::defaults(loss.options)).unwrap().mean().unwrap()).unwrap()
    };
    assert!((named[0].1 - 0.5 * by("varifocal")).abs() < 1e-12 && (named[1].1 - 2.5 * by("giou")).abs() < 1e-12);
    let message = |name: &str| check_losses([crate::loss::find(name).unwrap()].into_iter()).unwrap_err().to_string();
    assert!(message("giou").contains("no term trains the scores of a detector: bce_with_logits, focal, varifocal"));
    assert!(message("focal").contains("no term trains the boxes") && message("focal").contains("ciou"));
    assert!(message("dice").contains("`dice` is no term of a detector's loss"));
}

#[test]
fn an_ignored_object_teaches_nothing_where_nothing_else_is() {
    let head = head();
    let objects = [
        Object { corners: [0.0, 0.0, 16.0, 16.0], class: 1, ignored: true },
        Object { corners: [9.0, 9.0, 15.0, 15.0], class: 2, ignored: false },
    ];
    let outputs = Var::from_tensor(&tensor(&head, &outputs(&head, 1, &mut stream(3, "terms", 0)))).unwrap();
    let fcos = Assignment::Fcos(Fcos { ranges: Some(vec![[0.0, 100.0]; 2]), ..Fcos::default() });
    let terms = Terms::new(&head, &outputs, &[&objects], &fcos).unwrap();
    let assigned = &terms.assigned()[0];
    // Cells of 8 pixels: (4, 4), (12, 4), (4, 12) and (12, 12) lie within; the last is the small object's. Of those of 16 it is (8, 8).
    let at = |of: &[bool]| (0..of.len()).filter(|i| of[*i]).collect::<Vec<_>>();
    assert_eq!(at(&assigned.ignored), [0, 1, 4, 12]);
    assert_eq!(assigned.owners[5], Some(1));
    let focal = crate::loss::find("focal").unwrap();
    let term = terms.term(focal, &Options::defaults(focal.options)).unwrap().mean().unwrap();
    let gradients = term.backward().unwrap();
    let slopes = flat(gradients.get(&outputs).unwrap());
    let points = head.grid.points().len();
    for point in 0..points {
        let silent = (0..head.classes).all(|class| slopes[class * points + point] == 0.0);
        assert_eq!(silent, assigned.ignored[point], "point {point}");
    }
}

/// From matrices over all boxes and points, as the paper has it.
#[test]
fn task_alignment_agrees_with_whole_matrices() {
    let mut rng = stream(4, "aligned", 0);
    for round in 0..60 {
        let head = head();
        let points = head.grid.points();
        let objects: Vec<Object> = (0..rng.random_range(0..6)).map(|_| object(&mut rng)).collect();
        // Few distinct values, so that there are ties.
        let scores: Vec<f64> = (0..points.len() * 3).map(|_| f64::from(rng.random_range(1..5)) / 5.0).collect();
        let boxes: Vec<Corners> = (0..points.len())
            .map(|_| if round % 2 == 0 { object(&mut rng).corners } else { [0.0, 0.0, 20.0, 20.0] })
            .collect();
        let aligned = TaskAligned { top_k: rng.random_range(1..8), ..TaskAligned::default() };
        let predicted = Predicted { score: &|point, class| scores[point * 3 + class], corners: &|point| boxes[point] };
        let got = aligned.assigned(points, &objects, predicted);
        let truths: Vec<Corners> = objects.iter().map(|object| object.corners).collect();
        let overlaps = pairwise(Overlap::Iou, &truths, &boxes);
        let t = |object: usize, point: usize| {
            let inside = points[point].sides(&truths[object]).iter().all(|side| *side > 1e-9);
            let t = scores[point * 3 + objects[object].class] * overlaps[object][point].powi(6);
            if inside { t } else { 0.0 }
        };
        let claims = |object: usize, point: usize| {
            let ahead = |other: &usize| (t(object, *other), point) > (t(object, point), *other);
            t(object, point) > 0.0 && (0..points.len()).filter(ahead).count() < aligned.top_k
        };
        let owner = |point: usize| {
            let claiming = (0..objects.len()).filter(|object| claims(*object, point));
            claiming.max_by(|a, b| (overlaps[*a][point], *b).partial_cmp(&(overlaps[*b][point], *a)).unwrap())
        };
        let owners: Vec<Option<usize>> = (0..points.len()).map(owner).collect();
        assert_eq!(got.owners, owners);
        for (object, overlaps) in overlaps.iter().enumerate() {
            let own: Vec<usize> = (0..points.len()).filter(|point| owners[*point] == Some(object)).collect();
            let largest = |of: &dyn Fn(usize) -> f64| own.iter().map(|point| of(*point)).fold(0.0, f64::max);
            for point in &own {
                let score = t(object, *point) * largest(&|point| overlaps[point])
                    / (largest(&|point| t(object, point)) + aligned.epsilon);
                assert!((got.scores[*point] - score).abs() < 1e-9, "{} not {score}", got.scores[*point]);
            }
        }
    }
}

/// Takes the best of what is left, and takes away what overlaps it.
#[test]
fn suppression_agrees_with_taking_the_best_of_what_is_left() {
    let mut rng = stream(5, "suppression", 0);
    for _ in 0..100 {
        let found = |rng: &mut Rng| {
            let Object { corners, class, .. } = object(rng);
            Found { corners: corners.map(f64::round), class, score: f64::from(rng.random_range(0..12)) / 12.0 }
        };
        let found: Vec<Found> = (0..rng.random_range(0..60)).map(|_| found(&mut rng)).collect();
        let suppression = Suppression { iou: 0.3, score: 0.25, at_most: rng.random_range(1..20) };
        let mut left: Vec<usize> = (0..found.len()).filter(|i| found[*i].score > 0.25).collect();
        let mut kept = Vec::new();
        while let Some(best) = left.iter().copied().reduce(|a, b| if found[b].score > found[a].score { b } else { a }) {
            kept.push(best);
            let overlaps = |i: usize| pairwise(Overlap::Iou, &[found[best].corners], &[found[i].corners])[0][0] > 0.3;
            left.retain(|i| *i != best && (found[*i].class != found[best].class || !overlaps(*i)));
        }
        kept.truncate(suppression.at_most);
        assert_eq!(suppression.kept(&found), kept);
    }
}

#[test]
fn boxes_are_found_where_a_network_is_sure() {
    let head = head();
    let points = head.grid.points().len();
    let mut values = vec![0.0; head.channels() * points];
    values[..3 * points].fill(-10.0);
    // The point (12, 4) of class 2, with sides one stride to the left and right, and one and a half up and down.
    values[2 * points + 1] = 3.0;
    for (side, logits) in [[0.0, 50.0, 0.0], [0.0, 50.0, 50.0], [0.0, 50.0, 0.0], [0.0, 50.0, 50.0]].iter().enumerate()
    {
        for (bin, logit) in logits.iter().enumerate() {
            values[(3 + side * head.bins + bin) * points + 1] = *logit;
        }
    }
    for dtype in [DType::F32, DType::F64] {
        let outputs = tensor(&head, &values).to_dtype(dtype).unwrap();
        let found = &head.found(&outputs, &Suppression::default()).unwrap()[0];
        assert_eq!((found.len(), found[0].class), (1, 2));
        assert!((found[0].score - 1.0 / (1.0 + (-3f64).exp())).abs() < 1e-12);
        let near =
            found[0].corners.iter().zip([4.0, -8.0, 20.0, 16.0]).all(|(got, wanted)| (got - wanted).abs() < 1e-9);
        assert!(near, "{:?}", found[0].corners);
        assert_eq!(found[0].detection(7).bbox[..2], found[0].corners[..2]);
    }
    let error = head.found(&Tensor::zeros((1, 4, 4), DType::F32, &Device::Cpu).unwrap(), &Suppression::default());
    assert!(error.unwrap_err().to_string().contains("[1, 4, 4]; a detector's are [batch, 23, 16]"));
}

#[test]
fn so_many_bins_reach_as_far_as_is_needed() {
    for stride in [4.0, 8.0, 32.0] {
        for bins in 2..40 {
            let reached = farthest(bins, stride);
            assert_eq!((bins_needed(reached, stride), bins_needed(reached + 1e-3, stride)), (bins, bins + 1));
        }
        assert_eq!(bins_needed(3.0 * stride, stride), 5);
    }
    let grid = PointGrid::new(&[Level { height: 8, width: 8, stride: 8.0 }]).unwrap();
    // A box of 40 pixels: 20 from its center, which is at most half a cell away; 1.5 cells with FCOS; anywhere with task alignment.
    let strides = |assignment: &Assignment| assignment.farthest_in_strides(&grid, 40.0);
    let fcos = Assignment::Fcos(Fcos { radius: Some(1.5), ..Fcos::default() });
    let aligned = Assignment::TaskAligned(TaskAligned::default());
    assert_eq!([&Assignment::Center, &fcos, &aligned].map(strides), [3.0, 4.0, 5.0]);
}

#[test]
fn assignments_read_as_they_are_written() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct File {
        assignment: Assignment,
    }
    let read = |text: &str| toml::from_str::<File>(&format!("assignment = {text}"));
    let fcos = Fcos { radius: Some(1.5), ranges: Some(vec![[0.0, 16.0], [16.0, f64::INFINITY]]), centerness: false };
    let aligned = TaskAligned { top_k: 10, alpha: 0.5, overlap: Alignment::Ciou, ..TaskAligned::default() };
    for (text, wanted) in [
        ("\"center\"", Assignment::Center),
        ("\"fcos\"", Assignment::Fcos(Fcos::default())),
        ("{ fcos = { radius = 1.5, ranges = [[0, 16], [16, inf]] } }", Assignment::Fcos(fcos)),
        ("\"task_aligned\"", Assignment::TaskAligned(TaskAligned::default())),
        ("{ task_aligned = { top_k = 10, alpha = 0.5, overlap = \"ciou\" } }", Assignment::TaskAligned(aligned)),
    ] {
        let file = read(text).unwrap();
        assert_eq!(file.assignment, wanted);
        assert_eq!(toml::from_str::<File>(&toml::to_string(&file).unwrap()).unwrap(), file);
    }
    let message = |text: &str| read(text).unwrap_err().to_string();
    assert!(message("\"centre\"").contains("did you mean `center`"), "{}", message("\"centre\""));
    assert!(message("{ fcos = { radios = 1 } }").contains("radius"));
    assert!(message("{ center = {} }").contains("`center` has no settings"));
    assert!(message("7").contains("one of center, fcos, task_aligned"));
    let grid = head().grid;
    let refused = |text: &str| read(text).unwrap().assignment.check(&grid).unwrap_err().to_string();
    assert!(refused("\"center\"").contains("a grid of one level, and this one has 2"));
    assert!(refused("{ fcos = { ranges = [[0, 9]] } }").contains("`ranges` has 1 pairs for 2 levels"));
    assert!(refused("{ fcos = { ranges = [[0, 9], [9, 3]] } }").contains("[9, 3]; it must be 0 ≤ least < most"));
    assert!(refused("{ fcos = { radius = 0 } }").contains("above 0, not 0"));
    assert!(refused("{ task_aligned = { top_k = 0 } }").contains("at least 1"));
    assert!(PointGrid::new(&[Level { height: 1, width: 0, stride: 8.0 }]).is_err() && PointGrid::new(&[]).is_err());
}

/// All options of random actions, from hardly any box to many: against reading the whole changed action.
#[test]
fn what_another_option_would_find_is_what_the_changed_action_finds() {
    let (head, mut rng) = (head(), stream(0, "alternatives", 0));
    let points = head.grid.points().len();
    let sizes: Vec<usize> = [vec![2; 3 * points], vec![5; 4 * points]].concat();
    assert_eq!(sizes.iter().sum::<usize>(), head.options());
    for round in 0..30 {
        let share = [0.02, 0.2, 0.7][round % 3];
        let choose = |size: &usize| match size {
            2 => u32::from(rng.random_bool(share)),
            size => rng.random_range(0..*size as u32),
        };
        let action: Vec<u32> = sizes.iter().map(choose).collect();
        let suppression = Suppression { at_most: [100, 3][round % 2], ..Suppression::default() };
        let (before, mut others) = (head.chosen(&action, &suppression), std::collections::BTreeMap::new());
        head.for_each_alternative(&action, &suppression, |option, found| {
            assert!(others.insert(option, found.to_vec()).is_none());
        });
        let mut option = 0;
        for (number, size) in sizes.iter().enumerate() {
            for choice in 0..*size {
                let mut changed = action.clone();
                changed[number] = choice as u32;
                let found = head.chosen(&changed, &suppression);
                assert_eq!(others.get(&option).unwrap_or(&before), &found, "option {option}");
                option += 1;
            }
        }
    }
}
