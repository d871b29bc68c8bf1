//! Who gets the credit for a reward: it learns, a control does not, what stays as it was does so to the byte, and what can't be had is told.

#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{Device, Tensor, Var};
use common::Sandbox;
use lossward::detection::{Head, Level, Object, PointGrid, Suppression};
use lossward::distribution::Policy;
use lossward::kernel::Grid;
use lossward::metric::{Detection, Reward};
use lossward::surrogate::{Surrogate, Taken, surrogate_objective};

/// Forty images of 12×12 with a bright square of 4×4 on noise, as an IDX array, and their masks.
fn write_squares(sandbox: &Sandbox) {
    const SIDE: u32 = 12;
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    for array in [&mut images, &mut masks] {
        array.extend([0, 0, 8, 3]);
        [40, SIDE, SIDE].iter().for_each(|side| array.extend(side.to_be_bytes()));
    }
    for image in 0..40 {
        let (top, left) = (image * 5 % 8, image * 3 % 8);
        for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
            let inside = (top..top + 4).contains(&y) && (left..left + 4).contains(&x);
            let noise = (image * 31 + y * 17 + x * 7).wrapping_mul(2_654_435_761) >> 27;
            images.push((noise + if inside { 70 } else { 0 }) as u8);
            masks.push(u8::from(inside));
        }
    }
    std::fs::write(sandbox.path("images.idx"), images).unwrap();
    std::fs::write(sandbox.path("masks.idx"), masks).unwrap();
}

const MASKS: &str = r#"seeds = 2
budget.examples = 1_600
[task]
dataset = { images = "images.idx", masks = "masks.idx" }
[network]
body = { unet = { widths = [4, 8], normalization = "group" } }
[optimizer]
learning_rate = 1e-2
[evaluation]
every = 1_600
metrics = [{ dice = { positive = 1 } }, "pixel_accuracy"]
"#;

/// A cloud of 30 rows beside one of 600.
const CLOUDS: &str = r#"seeds = 2
budget.examples = 40_000
[task]
dataset = "blobs"
options = { train = 630, test = 2_100, imbalance = 20, distance = 2.0 }
[network]
hidden = [16]
[optimizer]
learning_rate = 1e-2
[evaluation]
every = 40_000
metrics = [{ f1 = { positive = 1 } }, "accuracy"]
"#;

fn arm(name: &str, objective: &str, more: &str) -> String {
    format!("[[arm]]\nname = \"{name}\"\nobjective = {{ kind = \"policy_gradient\", {objective} }}\n{more}\n")
}

const PERMUTED: &str = "task.control = \"permuted_labels\"";

/// The rows of a trial, each with its columns' values as text.
fn rows(sandbox: &Sandbox, arm: &str, seed: usize) -> Vec<(String, Vec<String>)> {
    let path = format!("results/credit/trials/{arm}/seed-{seed}/rows.csv");
    let text = std::fs::read_to_string(sandbox.path(&path)).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<String>>());
    let names = lines.next().unwrap();
    let rows: Vec<Vec<String>> = lines.collect();
    let column = |(i, name): (usize, String)| (name, rows.iter().map(|row| row[i].clone()).collect());
    names.into_iter().enumerate().map(column).collect()
}

/// The last value of a column of both seeds.
fn last(sandbox: &Sandbox, arm: &str, column: &str) -> [f64; 2] {
    [0, 1].map(|seed| {
        let rows = rows(sandbox, arm, seed);
        rows.iter().find(|(name, _)| name == column).unwrap().1.last().unwrap().parse().unwrap()
    })
}

fn run(sandbox: &Sandbox, text: &str) {
    sandbox.write("credit.toml", text);
    sandbox.run(&["run", "credit.toml", "--quiet"]).succeeded();
}

#[test]
fn masks_are_learned_by_the_credit_of_their_pixels() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox);
    let dice = "preset = \"reinforce\", environments = 8, reward = { dice = { positive = 1, absent = \"one\" } }, credit = \"counterfactual\"";
    let accuracy =
        "preset = \"rloo\", environments = 32, group_size = 4, reward = \"pixel_accuracy\", credit = \"decision\"";
    let lesions = "preset = \"reinforce\", environments = 8, reward = \"lesion_f1\", credit = \"counterfactual\"";
    let text = [
        MASKS,
        &arm("dice", dice, ""),
        &arm("permuted", dice, PERMUTED),
        &arm("accuracy", accuracy, "optimizer.learning_rate = 3e-2"),
        &arm("lesions", lesions, "budget.examples = 16\nevaluation.every = 16"),
    ];
    run(&sandbox, &text.concat());
    let (learned, control) =
        (last(&sandbox, "dice", "dice(positive=1)"), last(&sandbox, "permuted", "dice(positive=1)"));
    assert!(learned.iter().all(|dice| *dice > 0.85), "{learned:?}");
    assert!(control.iter().all(|dice| *dice < 0.5), "{control:?}");
    // A ninth of the pixels are the square's.
    let accuracy = last(&sandbox, "accuracy", "pixel_accuracy");
    assert!(accuracy.iter().all(|accuracy| *accuracy > 0.93), "{accuracy:?}");
    assert!(last(&sandbox, "lesions", "training_return").iter().all(|reward| (0.0..=1.0).contains(reward)));
}

/// Two cells, one class and two bins: over all 1,024 actions, the credit of choices against that of whole actions.
#[test]
fn counterfactual_credit_of_boxes_is_unbiased() {
    const ACTIONS: usize = 1 << 10;
    let grid = PointGrid::new(&[Level { height: 1, width: 2, stride: 4.0 }]).unwrap();
    let (head, suppression) = (Head::new(grid, 1, 2).unwrap(), Suppression::default());
    let there = [Object { corners: [-1.0, -2.0, 6.0, 6.0], class: 0, ignored: false }.truth(0)];
    let reward = Reward::of_boxes(Some(&lossward::options::Named::plain("box_f1")), 1).unwrap();
    let earned = |found: &[lossward::detection::Found]| {
        reward.of_found(&there, &found.iter().map(|found| found.detection(0)).collect::<Vec<Detection>>())
    };
    let policy = Policy::Grid(Grid { choices: vec![1, 2, 2, 2, 2], size: [1, 2], biases: Vec::new() });
    let logits: Vec<f64> = (0..policy.outputs()).map(|i| (i as f64 * 1.7).sin()).collect();
    let outputs = Tensor::from_vec(logits.repeat(ACTIONS), (ACTIONS, policy.outputs()), &Device::Cpu).unwrap();
    let outputs = Var::from_tensor(&outputs).unwrap();
    let action = |number: usize| (0..10).map(|i| (number >> i & 1) as u32).collect::<Vec<u32>>();
    let actions: Vec<u32> = (0..ACTIONS).flat_map(action).collect();
    let actions_tensor = Tensor::from_slice(&actions, (ACTIONS, 10), &Device::Cpu).unwrap();
    let log_probs = policy.log_prob(&outputs, &actions_tensor).unwrap().detach();
    let shares: Vec<f64> =
        log_probs.to_vec1().unwrap().iter().map(|log_p: &f64| log_p.exp() * ACTIONS as f64).collect();
    let (mut advantages, mut gains) = (Vec::new(), Vec::new());
    for (action, share) in actions.chunks(10).zip(&shares) {
        let before = earned(&head.chosen(action, &suppression));
        let mut row = vec![0.0; head.options()];
        head.for_each_alternative(action, &suppression, |option, found| row[option] = share * (earned(found) - before));
        advantages.push(share * before);
        gains.extend(row);
    }
    assert!(advantages.iter().any(|earned| *earned > 0.0) && gains.iter().any(|gain| *gain != 0.0));
    let gains = Tensor::from_vec(gains, (ACTIONS, head.options()), &Device::Cpu).unwrap();
    let advantages = Tensor::from_vec(advantages, ACTIONS, &Device::Cpu).unwrap();
    let gradient = |surrogate: Surrogate| {
        let taken = Taken {
            policy: &policy,
            actions: &actions_tensor,
            advantages: &advantages,
            old_log_probs: &log_probs,
            surrogate,
            entropy_coefficient: 0.0,
        };
        let gradients = surrogate_objective(&outputs, &taken).unwrap().scalar.backward().unwrap();
        gradients.get(&outputs).unwrap().sum(0).unwrap().to_vec1::<f64>().unwrap()
    };
    let (credited, exact) = (gradient(Surrogate::Gains(&gains)), gradient(Surrogate::LogProb));
    for (got, want) in credited.iter().zip(&exact) {
        assert!((got - want).abs() < 1e-9, "{credited:?} {exact:?}");
    }
}

/// The same from the settings of an experiment on.
#[test]
fn a_detector_is_moved_by_the_credit_of_its_choices() {
    let sandbox = Sandbox::new();
    let head = "seeds = 2\nbudget.examples = 16\n[task]\ndataset = \"trees_neon\"\n[network]\n\
                body = { backbone = { widths = [4, 6, 8], stride = 4, normalization = \"group\" } }\n[evaluation]\nevery = 16\n";
    let credited =
        "preset = \"reinforce\", environments = 8, reward = { box_f1 = { iou = 0.2 } }, credit = \"counterfactual\"";
    let together = "preset = \"reinforce\", environments = 4, reward = { box_f1 = { iou = 0.2 } }, credit = \"counterfactual\", together = true";
    let whole =
        "preset = \"rloo\", environments = 8, group_size = 2, reward = { box_f1 = { iou = 0.2 } }, together = true";
    let text = [head, &arm("boxes", credited, ""), &arm("together", together, ""), &arm("whole", whole, "")];
    run(&sandbox, &text.concat());
    for arm in ["boxes", "together", "whole"] {
        assert!(last(&sandbox, arm, "training_return").iter().all(|f1| (0.0..=1.0).contains(f1)));
        assert!(arm == "whole" || last(&sandbox, arm, "gradient_norm").iter().all(|norm| *norm > 0.0));
    }
}

#[test]
fn batches_are_rewarded_together() {
    let sandbox = Sandbox::new();
    let f1 = "reward = { f1 = { positive = 1 } }";
    let counterfactual = format!("preset = \"reinforce\", environments = 200, {f1}, credit = \"counterfactual\"");
    let whole = format!("preset = \"rloo\", environments = 800, group_size = 8, {f1}");
    let auc = "preset = \"reinforce\", environments = 200, reward = \"roc_auc\", credit = \"counterfactual\"";
    let text = [
        CLOUDS,
        &arm("counterfactual", &counterfactual, ""),
        &arm("permuted", &counterfactual, PERMUTED),
        &arm("whole", &whole, "budget.examples = 400_000\nevaluation.every = 400_000"),
        &arm("auc", auc, ""),
    ];
    run(&sandbox, &text.concat());
    let f1 = |arm: &str| last(&sandbox, arm, "f1(positive=1)");
    assert!(f1("counterfactual").iter().all(|f1| *f1 > 0.45), "{:?}", f1("counterfactual"));
    assert!(f1("whole").iter().all(|f1| *f1 > 0.4), "{:?}", f1("whole"));
    assert!(f1("permuted").iter().all(|f1| *f1 < 0.3), "{:?}", f1("permuted"));
    // Sure classes that rank as well as their hits and false alarms.
    let accuracy = last(&sandbox, "auc", "accuracy");
    assert!(accuracy.iter().all(|accuracy| *accuracy > 0.8), "{accuracy:?}");
}

/// What is not credited choice by choice learns as if nothing were said, but for the clock.
#[test]
fn credit_of_the_whole_and_of_the_only_decision_change_nothing() {
    let sandbox = Sandbox::new();
    let reward = "preset = \"rloo\", environments = 64, group_size = 8, reward = \"accuracy\"";
    let text = [
        CLOUDS,
        &arm("silent", reward, ""),
        &arm("whole", &format!("{reward}, credit = \"whole\""), ""),
        &arm("decision", &format!("{reward}, credit = \"decision\""), ""),
    ];
    run(&sandbox, &text.concat().replace("40_000", "6_400"));
    let without_clock = |arm: &str| {
        let mut rows = rows(&sandbox, arm, 0);
        rows.retain(|(name, _)| name != "seconds");
        rows
    };
    assert_eq!(without_clock("silent"), without_clock("whole"));
    assert_eq!(without_clock("silent"), without_clock("decision"));
    let trial = |arm: &str| {
        let path = format!("results/credit/trials/{arm}/seed-0/trial.toml");
        std::fs::read_to_string(sandbox.path(&path)).unwrap().replace(&format!("name = \"{arm}\""), "")
    };
    assert!(!trial("whole").contains("credit") && trial("whole") == trial("silent"));
    assert!(trial("decision").contains("credit = \"decision\""));
}

#[test]
fn what_cannot_be_credited_is_told() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox);
    let refused = |head: &str, objective: &str, said: &[&str]| {
        sandbox.write("credit.toml", &format!("{head}{}", arm("a", objective, "")));
        sandbox.run(&["run", "credit.toml", "--quiet"]).failed_with(said);
    };
    let reinforce = |rest: &str| format!("preset = \"reinforce\", environments = 8, {rest}");
    let mean =
        ["`credit = \"decision\"` needs a reward that is a mean over decisions", "\"counterfactual\" or \"whole\""];
    refused(MASKS, &reinforce("credit = \"decision\""), &[mean[0], "`dice` is not", mean[1], "pixel_accuracy"]);
    refused(
        CLOUDS,
        &reinforce("credit = \"decision\", reward = \"matthews\""),
        &[mean[0], mean[1], "accuracy or cost"],
    );
    refused(MASKS, &reinforce("credit = \"pixel\""), &["`pixel`", "whole"]);
    let rloo = "preset = \"rloo\", environments = 32, group_size = 8, credit = \"counterfactual\"";
    refused(MASKS, rloo, &["credit.toml:14: ", "no use for a baseline", "`baseline = \"none\"`"]);
    refused(MASKS, &reinforce("credit = \"counterfactual\", normalize_advantages = true"), &["to normalize"]);
    let clipped = "credit = \"counterfactual\", surrogate = \"clipped\", clip = 0.2";
    refused(MASKS, &reinforce(clipped), &["needs `surrogate = \"log_prob\"`"]);
    let single = ["`f1` judges many decisions at once and can't reward a single one; use accuracy, cost"];
    let one = "preset = \"reinforce\", environments = 1, reward = \"f1\"";
    refused(CLOUDS, one, &[single[0], "`environments / group_size` = 1"]);
    let group = "preset = \"rloo\", environments = 8, group_size = 8, reward = \"f1\"";
    refused(CLOUDS, group, &[single[0], "`environments / group_size` = 1"]);
    refused(CLOUDS, &reinforce("reward = \"f1\", baseline = \"mean\""), &["`f1` is one reward for all decisions"]);
    refused(CLOUDS, "preset = \"dg\", reward = \"f1\"", &["`f1` is one reward for all decisions"]);
    refused(CLOUDS, &reinforce("reward = \"log_loss\""), &["`log_loss` judges many decisions at once"]);
    refused(CLOUDS, &reinforce("reward = { f1 = { average = \"none\" } }"), &["a reward is one"]);
    refused(CLOUDS, &reinforce("reward = { f1 = { positive = 2 } }"), &["`positive` is 2"]);
    refused(CLOUDS, &reinforce("together = true"), &["`together` is for boxes"]);
    refused(MASKS, &reinforce("together = true"), &["this data set has masks"]);
    let values = "seeds = 1\nbudget.examples = 100\ntask.dataset = \"diabetes\"\n";
    refused(values, &reinforce("reward = \"r2\""), &["`r2` judges many decisions at once", "use mse, mae"]);
    refused(values, &reinforce("credit = \"counterfactual\""), &["real values, which are not chosen from a few"]);
    let trees = "seeds = 1\nbudget.examples = 100\ntask.dataset = \"trees_neon\"\n[network]\nbody = { backbone = { widths = [4, 6, 8], stride = 4 } }\n";
    let one = "preset = \"reinforce\", environments = 1, reward = \"map\", together = true";
    refused(trees, one, &["`map` is to reward a batch together; let more contexts be judged"]);
    let played = "seeds = 1\nbudget.examples = 10_000\ntask.env = \"CartPole-v1\"\n";
    refused(played, &reinforce("credit = \"counterfactual\""), &["an environment pays its own"]);
}
