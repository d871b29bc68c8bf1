//! Data sets of boxes are tasks like any other.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::detection::{Corners, Head, Level, Object, PointGrid, Suppression};
use lossward::experiment::Experiment;
use lossward::laboratory;
use lossward::metric::{Detection, Reward};
use lossward::network::{Outputs, WeightsDescription};
use lossward::options::Named;
use lossward::report::{ArmRecords, Report, Summary};
use std::sync::{Arc, atomic::AtomicBool, mpsc};

const LOSS: &str =
    r#"{ composite = [{ loss = "bce_with_logits" }, { loss = "ciou" }, { loss = "distribution_focal" }] }"#;

/// A small detector of a data set, with these arms.
fn text(dataset: &str, arms: &str) -> String {
    format!(
        "seeds = 1\n[task]\ndataset = \"{dataset}\"\n[network]\nbody = {{ backbone = {{ widths = [4, 6, 8], stride = 4 }} }}\n\
         [budget]\nexamples = 16\n[evaluation]\nevery = 16\n{arms}"
    )
}

fn arm(name: &str, task: &str, loss: &str) -> String {
    format!(
        "[[arm]]\nname = \"{name}\"\ntask = {{ {task} }}\nobjective = {{ kind = \"supervised\", batch_size = 8, loss = {loss} }}\n"
    )
}

/// The message of a file that is refused.
fn refused(text: &str) -> String {
    let sandbox = Sandbox::new();
    Experiment::load(&sandbox.write("experiment.toml", text), &[]).map(drop).unwrap_err().to_string()
}

fn last(arm: &ArmRecords, column: &str) -> f64 {
    assert!(arm.failed.is_empty(), "{:?}", arm.failed);
    *arm.trials[0].rows.column(column).unwrap().last().unwrap()
}

/// With every assignment, with boxes of other images, with moved images, and for a reward.
#[test]
fn boxes_are_learned_judged_and_described() {
    let rewarded = "[[arm]]\nname = \"reward\"\nobjective = { kind = \"policy_gradient\", preset = \"reinforce\", environments = 8, \
                    reward = { box_f1 = { iou = 0.5 } } }\n";
    let arms = [
        arm("aligned", "detector = { suppression = { at_most = 20 } }", LOSS),
        arm("center", "detector = { assignment = \"center\" }, augmentation = { shift = 3 }", LOSS),
        arm("fcos", "detector = { assignment = { fcos = { radius = 1.5 } } }, control = \"permuted_labels\"", LOSS),
        rewarded.into(),
    ];
    let sandbox = Sandbox::new();
    let file = sandbox.write("experiment.toml", &text("trees_neon", &arms.concat()));
    let experiment = Experiment::load(&file, &["task.detector.bins=20".into()]).unwrap();
    let results = sandbox.path("results");
    let plan = laboratory::plan(&experiment, &results, false).unwrap();
    let (sender, _events) = mpsc::channel();
    laboratory::run(&plan, &results, 2, &Arc::new(AtomicBool::new(false)), &sender);
    let report = Report::of(experiment, &results).unwrap();
    for arm in &report.arms {
        let columns = ["map_50", "map", "reward", "out_of_domain_map_50", "out_of_domain_map"];
        let values = columns.map(|column| last(arm, column));
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{}: {values:?}", arm.name);
        assert!(last(arm, "entropy").is_finite() && last(arm, "loss").is_finite());
    }
    assert!(last(&report.arms[0], "bce_with_logits_loss") > 0.0 && last(&report.arms[0], "ciou_loss") > 0.0);
    let summary = Summary::of(&report).unwrap().text(None);
    assert!(summary.contains("mAP at IoU 0.5, out of domain"), "{summary}");
    let weights = sandbox.path("results/trials/aligned/seed-0/final.safetensors");
    let about = WeightsDescription::read(&weights).unwrap().unwrap();
    let outputs = Outputs::Boxes { names: vec!["tree".into()], bins: 20, stride: 4, height: 16, width: 16 };
    assert_eq!(about.usage.outputs, Some(outputs));
}

#[test]
fn losses_that_do_not_train_a_detector_are_told() {
    let message = |loss: &str| refused(&text("mnist_detect", &arm("a", "", loss)));
    let class = message("\"cross_entropy\"");
    assert!(class.contains("`cross_entropy` does not compare a detector's scores"), "{class}");
    assert!(
        class.contains("this task has boxes; losses that fit: ") && class.contains("distribution_focal"),
        "{class}"
    );
    assert!(message("\"bce_with_logits\"").contains("no term trains the boxes of a detector: "));
    assert!(message("\"ciou\"").contains("no term trains the scores of a detector: "));
}

#[test]
fn detectors_that_do_not_fit_are_told_at_their_key() {
    let message = |dataset: &str, detector: &str| {
        refused(&text(dataset, &arm("a", &format!("detector = {{ {detector} }}"), LOSS)))
    };
    let digits = |detector: &str| message("mnist_detect", detector);
    assert!(
        digits("stride = 5")
            .contains("`stride` is 5, which does not divide the sides of the images, 64×64 pixels; 1, 2, 4, 8, 16")
    );
    let bins = digits("bins = 3");
    assert!(bins.contains("`bins` is 3, too few for the largest box") && bins.contains(" will do"), "{bins}");
    let enlarged =
        refused(&text("mnist_detect", &arm("a", "detector = { bins = 7 }, augmentation = { scale = 0.5 }", LOSS)));
    assert!(enlarged.contains("turned and scaled as `augmentation` does, with a side of 33 pixels"), "{enlarged}");
    assert!(digits("bins = 1").contains("`bins` must be at least 2, not 1"));
    assert!(digits("stride = 8").contains(
        "the layers put out [8, 16, 16]; this task needs [channels, 8, 8]; of a backbone, a `stride` 2 times as large"
    ));
    assert!(digits("suppression = { iou = 1.5 }").contains("`iou` must be in [0, 1], not 1.5"));
    assert!(digits("assignment = \"centre\"").contains("did you mean `center`?"));
    assert!(digits("strides = 4").contains("did you mean `stride`?") || digits("strides = 4").contains("`stride`"));
    assert!(message("digits", "stride = 4").contains("`detector` finds boxes, and this data set has class labels"));
    let environment = "seeds = 1\nbudget.examples = 512\n[[arm]]\nname = \"a\"\ntask = { env = \"CartPole-v1\", detector = { stride = 4 } }\n\
                       objective = { kind = \"policy_gradient\", preset = \"ppo\" }\n";
    assert!(refused(environment).contains("`detector` is for data sets, and this task is an environment"));
}

/// Two points claim one object and a third is wrong: of the claims that overlap one is kept, and F1 is 2 · 1 / (2 · 1 + 1 + 1).
#[test]
fn an_action_earns_what_its_boxes_are_worth() {
    let grid = PointGrid::new(&[Level { height: 1, width: 4, stride: 4.0 }]).unwrap();
    let head = Head::new(grid, 2, 3).unwrap();
    let scores = [[0, 0, 0, 1], [1, 1, 0, 0]].concat();
    let sides = [[1, 2, 0, 0], [1, 1, 0, 0], [2, 1, 0, 1], [1, 1, 0, 1]].concat();
    let found = head.chosen(&[scores, sides].concat(), &Suppression::default());
    let boxes: Vec<(usize, Corners)> = found.iter().map(|found| (found.class, found.corners)).collect();
    assert_eq!(boxes, [(1, [-2.0, -2.0, 10.0, 6.0]), (0, [14.0, 2.0, 18.0, 6.0])]);
    let object = |corners, class| Object { corners, class, ignored: false }.truth(0);
    let there = [object([-1.0, -2.0, 10.0, 6.0], 1), object([0.0, 0.0, 3.0, 3.0], 0)];
    let detections: Vec<Detection> = found.iter().map(|found| found.detection(0)).collect();
    let reward = |name: &str| Reward::of_boxes(Some(&Named::plain(name)), 2);
    let f1 = reward("box_f1").unwrap();
    assert_eq!(f1.of_found(&there, &detections), 0.5);
    assert_eq!((f1.of_found(&[], &[]), f1.of_found(&there, &[]), f1.of_found(&[], &detections)), (1.0, 0.0, 0.0));
    assert!(reward("ap_per_class").unwrap_err().to_string().contains("gives several numbers"));
    assert!(reward("accuracy").unwrap_err().to_string().contains("`accuracy` rates no boxes; use map, map_50"));
}
