//! Experiment files: what ships loads, what is wrong is answered with file, line, key and the nearest valid name.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Sandbox, TINY};
use lossward::experiment::Experiment;
use std::path::Path;

#[test]
fn every_shipped_experiment_loads_and_states_its_question() {
    let mut count = 0;
    for entry in std::fs::read_dir("experiments").unwrap() {
        let path = entry.unwrap().path();
        Experiment::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("# Question: "), "{}", path.display());
        count += 1;
    }
    assert!(count > 0);
}

/// The resolved experiment says the same as the file that it came from.
#[test]
fn a_resolved_experiment_resolves_to_itself() {
    let sandbox = Sandbox::new();
    let noisy = "optimizer.gradient_noise={ scale = 0.3, decay = 0.5 }";
    let curve = "optimizer.learning_rate={ schedule = \"one_cycle\", from = 0.1, peak = 1, to = 0, until = 0.5 }";
    let with_metrics = sandbox.write("metrics.toml", &tiny_with_metrics());
    for (path, overrides) in [
        (with_metrics.to_str().unwrap(), vec![]),
        ("experiments/digits.toml", vec![]),
        ("experiments/cart_pole.toml", vec![]),
        ("experiments/cart_pole.toml", vec![noisy.to_string(), curve.to_string()]),
    ] {
        let experiment = Experiment::load(Path::new(path), &overrides).unwrap();
        let resolved = sandbox.write("resolved.toml", &toml::to_string(&experiment).unwrap());
        assert_eq!(Experiment::load(&resolved, &[]).unwrap(), experiment);
    }
}

#[test]
fn overrides_hold_for_all_arms_or_for_one() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("tiny.toml", TINY);
    let given = ["optimizer.learning_rate=0.5", "arm.label.optimizer.rule=sgd", "seeds=7"].map(String::from);
    let experiment = Experiment::load(&path, &given).unwrap();
    assert_eq!(experiment.seeds.range(), 0..7);
    let rates = experiment.arms.iter().map(|arm| arm.optimizer.learning_rate.at(0.0)).collect::<Vec<f64>>();
    assert_eq!(rates, [0.5, 0.5]);
    assert_ne!(experiment.arms[0].optimizer.rule, experiment.arms[1].optimizer.rule);
}

#[test]
fn a_table_of_another_name_takes_the_place_of_the_one_below() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("tiny.toml", TINY);
    let given = ["network.activation={ leaky_relu = 0.2 }", "arm.label.network.activation={ elu = 0.5 }"];
    let experiment = Experiment::load(&path, &given.map(String::from)).unwrap();
    let activations = experiment.arms.iter().map(|arm| serde_json::to_string(&arm.network.activation).unwrap());
    assert_eq!(activations.collect::<Vec<_>>(), ["{\"elu\":0.5}", "{\"leaky_relu\":0.2}"]);
}

/// A metric with options, one per class, and one that is drawn.
const METRICS: &str = "metrics = [\"accuracy\", { f1 = { average = \"none\" } }, \"confusion_matrix\"]";

fn tiny_with_metrics() -> String {
    TINY.replace("[[arm]]\nname = \"label\"", &format!("[evaluation]\n{METRICS}\n[[arm]]\nname = \"label\""))
}

/// `(what to replace, with what, what the error must say)`; the line is that of the replacement.
const BAD: &[(&str, &str, &[&str])] = &[
    ("seeds = 2", "seeds = ", &[":3: "]),
    ("seeds = 2", "sedes = 2", &[":3: ", "unknown key `sedes`", "did you mean `seeds`"]),
    ("seeds = 2", "seeds = \"two\"", &[":3: ", "\"two\"", "a whole number"]),
    ("seeds = 2", "seeds = 0", &[":3: ", "at least 1"]),
    ("[network]", "[netwrok]", &[":7: ", "did you mean `network`"]),
    ("hidden = [16]", "hiden = [16]", &[":8: ", "did you mean `hidden`"]),
    ("hidden = [16]", "hidden = [16, 0]", &[":8: ", "at least 1 unit"]),
    ("hidden = [16]", "activation = \"rellu\"", &[":8: ", "unknown name `rellu`", "did you mean `relu`"]),
    ("hidden = [16]", "activation = 3", &[":8: ", "`activation` must be one of \"identity\"", "not number `3`"]),
    ("hidden = [16]", "activation = { relu = 1 }", &[":8: ", "`activation` must be \"relu\" alone"]),
    ("learning_rate = 3e-3", "learning_rat = 3e-3", &[":10: ", "did you mean `learning_rate`"]),
    ("learning_rate = 3e-3", "learning_rate = -1", &[":10: ", "not negative"]),
    ("learning_rate = 3e-3", "learning_rate = { schedule = \"linaer\", from = 1, to = 0 }", &[":10: ", "`linear`"]),
    ("learning_rate = 3e-3", "momentum = 0.9", &["momentum", "not an option of adam"]),
    ("learning_rate = 3e-3", "rule = \"lion\"\nl2 = 0.1", &[":11: ", "known: `beta1`, `beta2`, `weight_decay`"]),
    ("learning_rate = 3e-3", "rule = \"lyon\"", &[":10: ", "did you mean `lion`"]),
    ("learning_rate = 3e-3", "rule = \"sgd\"\nnesterov = true", &[":11: ", "a positive `momentum`"]),
    (
        "learning_rate = 3e-3",
        "rule = \"sgd\"\nmomentum = 1.5",
        &[":11: ", "`momentum` of sgd must be a number in [0, 1), not 1.5"],
    ),
    ("learning_rate = 3e-3", "amsgrad = 1", &[":10: ", "`amsgrad` must be true or false"]),
    ("learning_rate = 3e-3", "clip_norm_type = \"max\"", &[":10: ", "needs a `clip_norm`"]),
    ("learning_rate = 3e-3", "clip_value = 0", &[":10: ", "`clip_value` of adam must be a number in (0, ∞), not 0"]),
    ("learning_rate = 3e-3", "gradient_noise = { scale = -1 }", &[":10: ", "`gradient_noise.scale`", "(0, ∞)"]),
    ("learning_rate = 3e-3", "gradient_noise = { scal = 1 }", &[":10: ", "did you mean `scale`"]),
    ("learning_rate = 3e-3", "learning_rate = { from = 1 }", &[":10: ", "needs `schedule`", "cosine_restarts"]),
    ("learning_rate = 3e-3", "learning_rate = { schedule = \"step\", from = 1, factor = 1, evry = 1 }", &["`every`"]),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"linear\", from = 1 }",
        &[":10: ", "`to` of the schedule linear must be given"],
    ),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"linear\", from = 1, to = \"x\" }",
        &[":10: ", "`to` of the schedule linear must be a number in [0, ∞), not \"x\""],
    ),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"linear\", from = -1, to = 1 }",
        &[":10: ", "`from`", "[0, ∞), not -1"],
    ),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"linear\", from = 1, to = { value = 0 } }",
        &[":10: ", "an option is a number"],
    ),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"multistep\", from = 1, factor = 0.1, at = [0.5, 0.5] }",
        &[":10: ", "increasing"],
    ),
    (
        "learning_rate = 3e-3",
        "learning_rate = { schedule = \"warmup_cosine\", peak = 1, warmup = 0.5, until = 0.5 }",
        &[":10: ", "`warmup` must end before `until`"],
    ),
    (
        "reward = \"accuracy\"",
        "surrogate = \"clipped\", clip = { schedule = \"plateau\", from = 0.2 }",
        &[":18: ", "for learning rates"],
    ),
    (
        "reward = \"accuracy\"",
        "surrogate = \"clipped\", clip = { schedule = \"linear\", from = 0.2, to = 2.0 }",
        &[":18: ", "[0, 1)"],
    ),
    ("dataset = \"digits\"", "dataset = \"digit\"", &[":6: ", "unknown data set `digit`", "did you mean `digits`"]),
    ("dataset = \"digits\"", "env = \"Cartpole-v1\"", &[":6: ", "unknown environment", "did you mean `CartPole-v1`"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\ncontrol = \"random_reward\"", &["needs an environment"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\noptions = { train = 10 }", &[":7: ", "digits, which has none"]),
    ("dataset = \"digits\"", "dataset = \"blobs\"\noptions = { imbalance = 0 }", &[":7: ", "[1, ∞)"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\nlabel_noise = 1.5", &["`label_noise` must lie in [0, 1]"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\nlabel_noise = 0.1", &["`label_noise` is for data sets"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\ntrain_rows = 9", &["`train_rows` is for data sets"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\ntrain_rows = 9999", &[":7: ", "`train_rows` must be 1 to 1437"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\nimbalance = { class = 10, ratio = 2 }", &[":7: ", "0 to 9"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\nimbalance = { clas = 1, ratio = 2 }", &[":7: ", "`class`"]),
    (
        "dataset = \"digits\"",
        "dataset = \"house_ames\"\nimbalance = { class = 0, ratio = 2 }",
        &[":7: ", "real values"],
    ),
    (
        "dataset = \"digits\"",
        "dataset = \"diabetes\"",
        &["`cross_entropy` does not compare", "real values", "mse", "huber"],
    ),
    ("dataset = \"digits\"", "dataset = 7", &[":6: ", "the name of a data set, { csv = "]),
    ("loss = \"cross_entropy\"", "loss = \"huber\"", &["class labels", "mse, mae, cross_entropy"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\nmax_steps = 5", &[":7: ", "`max_steps` is for environments"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\nmax_steps = 0", &[":7: ", "`max_steps`", "at least 1"]),
    ("dataset = \"digits\"", "env = \"FrozenLake-v1\"\noptions = { slip = 1 }", &[":7: ", "`slip` is not an option"]),
    ("dataset = \"digits\"", "env = \"FrozenLake-v1\"\noptions = { map = \"SFX\" }", &[":7: ", "`map`"]),
    ("dataset = \"digits\"", "dataset = \"digits\"\nwrappers = { stack_frames = 2 }", &[":7: ", "for environments"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\nwrappers = { stack_frame = 2 }", &[":7: ", "`stack_frames`"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\nwrappers = { stack_frames = 0 }", &[":7: ", "`count` is 0"]),
    ("dataset = \"digits\"", "env = \"CartPole-v1\"\nwrappers = { clip_actions = true }", &[":7: ", "Discrete(2)"]),
    ("name = \"reward\"", "name = \"reward\"\nevaluation.options = { shift = 1 }", &[":18: ", "are for environments"]),
    (
        "name = \"reward\"",
        "name = \"reward\"\nevaluation.train_metrics = [\"confusion_matrix\"]",
        &[":18: ", "name it under `metrics`"],
    ),
    ("name = \"reward\"", "name = \"reward\"\nevaluation.train_metrics = [\"f2\"]", &[":18: ", "`f2`"]),
    ("name = \"reward\"", "name = \"reward\"\nevaluation.reward = \"f1\"", &[":18: ", "use accuracy, cost"]),
    ("reward = \"accuracy\"", "reward = { cost = { costs = [[0, 1], [1, 0]] } }", &["2 rows for 10 classes"]),
    ("examples = 4_000", "examples = 0", &[":12: ", "at least 1"]),
    ("examples = 4_000", "exampels = 10", &[":12: ", "did you mean `examples`"]),
    (METRICS, "metrics = [\"acuracy\"]", &[":14: ", "unknown metric `acuracy`", "did you mean `accuracy`"]),
    (METRICS, "metrics = [{ top_k = { kk = 3 } }]", &[":14: ", "`kk` is not an option of top_k", "did you mean `k`"]),
    (METRICS, "metrics = [{ top_k = { k = 0 } }]", &[":14: ", "a whole number, at least 1, not 0"]),
    (METRICS, "metrics = [{ f1 = { positive = 10 } }]", &[":14: ", "`positive` is 10", "0 to 9"]),
    (
        METRICS,
        "metrics = [\"rmse\"]",
        &[":14: ", "`rmse` judges real values", "metrics that fit: accuracy, cost, top_k"],
    ),
    (METRICS, "metrics = [\"map\"]", &[":14: ", "`map` judges detected boxes"]),
    (METRICS, "metrics = 3", &[":14: ", "`metrics` must be a name"]),
    ("loss = \"cross_entropy\"", "loss = \"crossentropy\"", &[":15: ", "unknown loss", "did you mean `cross_entropy`"]),
    ("loss = \"cross_entropy\"", "loss = \"pinball\"", &[":15: ", "class labels", "losses that fit: mse, mae, cross"]),
    ("loss = \"cross_entropy\"", "loss = { huber = { dleta = 1.0 } }", &[":15: ", "did you mean `delta`"]),
    ("loss = \"cross_entropy\"", "loss = { huber = { delta = -1.0 } }", &[":15: ", "`delta` of huber", "(0, ∞)"]),
    (
        "loss = \"cross_entropy\"",
        "loss = { cross_entropy = { label_smoothing = -0.1 } }",
        &[":15: ", "`label_smoothing`", "[0, 1], not -0.1"],
    ),
    (
        "loss = \"cross_entropy\"",
        "loss = { cross_entropy = { weights = [1.0, 2.0] } }",
        &[":15: ", "2 numbers for 10 classes"],
    ),
    ("loss = \"cross_entropy\"", "loss = { cross_entropy = {}, mse = {} }", &[":15: ", "one loss only"]),
    ("loss = \"cross_entropy\"", "loss = { composite = [] }", &[":15: ", "at least one"]),
    (
        "loss = \"cross_entropy\"",
        "loss = { composite = [{ loss = \"multi_margin\" }, { loss = \"multi_margin\" }] }",
        &[":15: ", "multi_margin twice"],
    ),
    (
        "loss = \"cross_entropy\"",
        "loss = { composite = [{ loss = \"nll\", wieght = 1 }] }",
        &[":15: ", "did you mean `weight`"],
    ),
    (
        "loss = \"cross_entropy\"",
        "loss = { composite = [{ loss = \"multi_margin\", weight = -1 }] }",
        &[":15: ", "`weight` of multi_margin"],
    ),
    ("loss = \"cross_entropy\"", "loss = 3", &[":15: ", "the name of a loss"]),
    ("hidden = [16]", "dropout = 1.0\nhidden = [16]", &[":8: ", "[0, 1)"]),
    ("hidden = [16]", "dropout = 0.1\nhidden = [16]", &[":8: ", "supervised arms"]),
    (
        "name = \"reward\"",
        "name = \"reward\"\nregularizer.elastic_net = { strength = 1.0, l1_ratio = 2.0 }",
        &[":18: ", "[0, 1]"],
    ),
    ("name = \"reward\"", "name = \"reward\"\nregularizer.elastic_net = { strength = 1.0 }", &[":18: ", "l1_ratio"]),
    (
        "name = \"reward\"",
        "name = \"reward\"\nregularizer.kl = { coefficient = 1.0, arm = \"labe\" }",
        &[":18: ", "did you mean `label`"],
    ),
    (
        "name = \"reward\"",
        "name = \"reward\"\nregularizer.kl = { coefficient = 1.0, file = \"no\" }",
        &[":18: ", "no weights file"],
    ),
    ("name = \"reward\"", "name = \"reward\"\nregularizer.entropy = -1.0", &[":18: ", "not negative"]),
    (
        "name = \"reward\"",
        "name = \"reward\"\nevaluation.early_stopping = { patience = 1, threshold = -1.0 }",
        &[":18: ", "not negative"],
    ),
    (
        "name = \"reward\"",
        "name = \"reward\"\nevaluation.early_stopping = { patienc = 1 }",
        &[":18: ", "did you mean `patience`"],
    ),
    (
        "name = \"reward\"",
        "name = \"reward\"\nevaluation = { metrics = [{ f1 = { average = \"none\" } }], early_stopping = { patience = 1 } }",
        &[":18: ", "must be a single number"],
    ),
    (
        "name = \"reward\"",
        "name = \"reward\"\nevaluation.metrics = [\"f1\", \"f1\"]",
        &[":18: ", "`f1` stands there twice"],
    ),
    ("[[plot]]", "[[plot]]\nname = \"cross entropy\"", &[":20: ", "a metric has this `name`"]),
    ("[[plot]]", "[[plot]]\nname = \"Predictions\"", &[":20: ", "predictions on held-out images"]),
    ("loss = \"cross_entropy\"", "los = \"cross_entropy\"", &[":15: ", "did you mean `loss`"]),
    ("kind = \"supervised\"", "kind = \"supervized\"", &[":15: ", "did you mean `supervised`"]),
    ("preset = \"reinforce\"", "preset = \"reinforced\"", &[":18: ", "did you mean `reinforce`"]),
    ("reward = \"accuracy\"", "reward = \"acuracy\"", &[":18: ", "did you mean `accuracy`"]),
    ("reward = \"accuracy\"", "reward = \"cross_entropy\"", &[":18: ", "can't reward a single one"]),
    ("reward = \"accuracy\"", "group_size = 1", &[":18: ", "at least 2 members, not 1"]),
    ("reward = \"accuracy\"", "group_size = 6", &[":18: ", "64 environments are not whole groups of 6"]),
    ("reward = \"accuracy\"", "group_size = 8, baseline = \"mean\"", &[":18: ", "groups are compared by"]),
    ("reward = \"accuracy\"", "baseline = \"leave_one_out\"", &[":18: ", "needs a `group_size`"]),
    ("reward = \"accuracy\"", "baseline = \"greedy\", rollout = { steps = 4 }", &[":18: ", "whole episodes"]),
    ("reward = \"accuracy\"", "rollout = { steps = 0 }", &[":18: ", "`steps` must be at least 1"]),
    ("reward = \"accuracy\"", "n_step = 0", &[":18: ", "`n_step` must be at least 1"]),
    ("reward = \"accuracy\"", "n_step = 3", &[":18: ", "`n_step` needs `baseline = \"value\"`"]),
    ("reward = \"accuracy\"", "v_trace = { error_clip = 0 }, baseline = \"value\"", &[":18: ", "must be positive"]),
    (
        "reward = \"accuracy\"",
        "v_trace = {}, baseline = \"value\", surrogate = \"clipped\", clip = 0.2",
        &[":18: ", "needs `surrogate = \"log_prob\"`"],
    ),
    (
        "reward = \"accuracy\"",
        "group_size = 8, surrogate = \"target\", baseline = \"value\"",
        &[":18: ", "without a critic"],
    ),
    ("reward = \"accuracy\"", "decay = 0.5", &[":18: ", "moving_average"]),
    ("reward = \"accuracy\"", "group_deviation = \"sample\"", &[":18: ", "belongs to `baseline = \"group\"`"]),
    ("reward = \"accuracy\"", "temperature = 0.5", &[":18: ", "delightful"]),
    ("reward = \"accuracy\"", "surrogate = \"target\", temperature = 0", &[":18: ", "positive"]),
    ("reward = \"accuracy\"", "surrogate = \"target\", epochs = 2", &[":18: ", "one epoch"]),
    ("reward = \"accuracy\"", "surrogate = \"target\", batch_size = 8", &[":18: ", "leave `batch_size` out"]),
    ("reward = \"accuracy\"", "surrogate = \"delightfull\"", &[":18: ", "did you mean `delightful`"]),
    ("reward = \"accuracy\"", "target_kl = 0", &[":18: ", "`target_kl` must be positive"]),
    ("reward = \"accuracy\"", "entropy_coefficient = -0.1", &[":18: ", "not negative"]),
    ("reward = \"accuracy\"", "tuned = true", &[":18: ", "nothing is tuned for `reinforce`", "ppo in Pendulum-v1"]),
    ("reward = \"accuracy\"", "tuned = 1", &[":18: ", "true or false"]),
    ("reward = \"accuracy\"", "discount = 1.5", &[":18: ", "[0, 1]"]),
    ("reward = \"accuracy\"", "clip = 0.2", &[":18: ", "`clip` belongs to"]),
    ("reward = \"accuracy\"", "value_clip = 0.2", &[":18: ", "`value_clip` needs `baseline = \"value\"`"]),
    ("reward = \"accuracy\"", "clipped_value_loss = \"clipped\"", &[":18: ", "needs a `value_clip`"]),
    ("hidden = [16]", "policy.squash = \"tanh\"", &[":8: ", "`policy` is for actions in a box"]),
    ("dataset = \"digits\"", "env = \"Pendulum-v1\"", &[":15: ", "class labels, which actions in Box(1) are not"]),
    ("reward = \"accuracy\"", "gae_lambda = 0.9", &[":18: ", "baseline"]),
    ("reward = \"accuracy\"", "expert = 1", &[":18: ", "unknown key `expert`"]),
    ("environments = 64", "environments = 0", &[":18: ", "at least 1"]),
    ("name = \"reward\"", "name = \"Label\"", &[":17: ", "differ"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"acc\"]", &[":20: ", "did you mean `accuracy`"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"loss\"]\nlog = [\"los\"]", &[":21: ", "did you mean `loss`"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"loss\"]\nrange = { los = [0, 1] }", &[":21: ", "did you mean `loss`"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"loss\"]\nrange = { loss = [1, 0] }", &[":21: ", "low below high"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"loss\"]\narms = [\"lable\"]", &[":21: ", "did you mean `label`"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"loss\"]\narms = []", &[":21: ", "leave it out"]),
    ("y = [\"loss\", \"accuracy\"]", "y = [\"gap_accuracy\"]", &[":20: ", "unknown column"]),
    ("y = [\"loss\", \"accuracy\"]", "yy = [\"loss\"]", &[":20: ", "unknown key `yy`"]),
    ("learning_rate = 3e-3", "rule = \"sgd\"\nbeta1 = 0.9\nlearning_rate = 1", &[":11: ", "not an option of sgd"]),
    ("threshold = { metric = \"accuracy\", value = 0.5 }", "threshold = 0.5", &[":4: ", "`threshold` must be a table"]),
    ("hidden = [16]", "hidden = \"16\"", &[":8: ", "`hidden` must be a whole number"]),
    ("hidden = [16]", "hidden = [100000, 100000]", &[":8: ", "weights"]),
    ("environments = 64", "environments = 8_000", &[":18: ", "beyond the budget"]),
    ("environments = 64", "rollout = \"steps\"", &[":18: ", "{ steps = 128 }"]),
    ("value = 0.5", "value = nan", &[":4: ", "finite"]),
    ("metric = \"accuracy\"", "metric = \"acuracy\"", &[":4: ", "did you mean `accuracy`"]),
];

#[test]
fn mistakes_are_answered_with_their_place() {
    let sandbox = Sandbox::new();
    let mut wrong = Vec::new();
    for (from, to, parts) in BAD {
        let tiny = if *from == METRICS { tiny_with_metrics() } else { TINY.to_string() };
        assert!(tiny.contains(from), "{from}");
        let path = sandbox.write("bad.toml", &tiny.replacen(from, to, 1));
        match Experiment::load(&path, &[]) {
            Ok(_) => wrong.push(format!("`{to}` was accepted")),
            Err(error) => {
                let message = error.to_string();
                let place = path.display().to_string();
                let missing = parts.iter().copied().chain([place.as_str()]).find(|part| !message.contains(part));
                wrong.extend(missing.map(|part| format!("`{to}`: no `{part}` in: {message}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn mistakes_in_overrides_and_files_end_the_program() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let run = |arguments: &[&str]| sandbox.run(&[&["run"], arguments].concat());
    run(&["nowhere.toml"]).failed_with(&["unknown experiment `nowhere.toml`"]);
    run(&["tiny.toml", "--seeds", "0"]).failed_with(&["override `seeds=0`", "at least 1"]);
    run(&["tiny.toml", "optimizer.learning_rat=1"])
        .failed_with(&["override `optimizer.learning_rat=1`", "`learning_rate`"]);
    run(&["tiny.toml", "arm.lable.seeds=1"]).failed_with(&["unknown arm `lable`", "did you mean `label`"]);
    run(&["tiny.toml", "arm.label=3"]).failed_with(&["override `arm.label=3`", "which key of the arm"]);
    run(&["tiny.toml", "rubbish"]).failed_with(&["`rubbish` is not of the form key=value"]);
    sandbox.run(&["plot", "."]).failed_with(&["no experiment.toml"]);
    assert!(!sandbox.path("results").exists(), "nothing may be written for a bad experiment");
}

/// The rate of every row is what the evaluations of the rows before it come to.
#[test]
fn a_plateau_follows_the_evaluations_of_the_record() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let rate = "optimizer.learning_rate={ schedule = \"plateau\", from = 0.02, factor = 0.5, patience = 1, to = 1e-3 }";
    sandbox.run(&["run", "tiny.toml", "--quiet", rate, "evaluation.every=100"]).succeeded();
    for arm in ["label", "reward"] {
        let path = sandbox.path(&format!("results/tiny/trials/{arm}/seed-0/rows.csv"));
        let mut rows = csv::Reader::from_path(path).unwrap();
        let header = rows.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        let (rate_column, judged_column) = (column("learning_rate"), column("accuracy"));
        let (mut best, mut waited, mut rate, mut rates) = (f64::NEG_INFINITY, 0, 0.02, Vec::new());
        for (i, row) in rows.records().map(Result::unwrap).enumerate() {
            let number = |column: usize| row[column].parse::<f64>().unwrap();
            assert!(i == 0 || number(rate_column) == rate, "{} in row {i} of {arm}, not {rate}", &row[rate_column]);
            rates.push(rate);
            let judged = number(judged_column);
            waited = if judged > best * (1.0 + 1e-4) { 0 } else { waited + 1 };
            best = if waited == 0 { judged } else { best };
            if waited > 1 {
                (rate, waited) = (f64::max(0.5 * rate, 1e-3), 0);
            }
        }
        assert!(rates.last().unwrap() < &0.01, "{rates:?}");
    }
}
