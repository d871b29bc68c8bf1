//! What `[task]` and `[evaluation]` say about a data set or an environment.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::experiment::Experiment;
use lossward::laboratory;
use lossward::report::{Report, Summary};
use std::sync::{Arc, atomic::AtomicBool, mpsc};

/// Runs the arms in a folder of their own and returns the records.
fn run(sandbox: &Sandbox, text: &str) -> Report {
    let file = sandbox.write("experiment.toml", text);
    let experiment = Experiment::load(&file, &[]).unwrap();
    let results = sandbox.path("results");
    let plan = laboratory::plan(&experiment, &results, false).unwrap();
    let (sender, _events) = mpsc::channel();
    laboratory::run(&plan, &results, 2, &Arc::new(AtomicBool::new(false)), &sender);
    Report::of(experiment, &results).unwrap()
}

/// The last value of a column, for each arm.
fn last<const ARMS: usize>(report: &Report, column: &str) -> [f64; ARMS] {
    let of_arm = |arm: &lossward::report::ArmRecords| {
        assert!(arm.failed.is_empty(), "{:?}", arm.failed);
        *arm.trials[0].rows.column(column).unwrap().last().unwrap()
    };
    report.arms.iter().map(of_arm).collect::<Vec<_>>().try_into().unwrap()
}

/// As they stand beneath the table.
fn best_returns(report: &Report) -> Vec<String> {
    let text = Summary::of(report).unwrap().text(None);
    text.lines().filter(|line| line.contains("the best expected return")).map(String::from).collect()
}

const PPO: &str = "objective = { kind = \"policy_gradient\", preset = \"ppo\" }\n";

/// A network that has learned nothing walks until the limit; on ice that holds, the sampling policy falls into a hole within a
/// few steps, and a lake of one row without holes ends at the goal or at the limit.
#[test]
fn an_environment_has_the_options_and_the_limit_of_the_task() {
    let arm = |name: &str, task: &str| format!("[[arm]]\nname = \"{name}\"\ntask = {{ {task} }}\n{PPO}");
    let text = format!(
        "seeds = 1\nbudget.examples = 1024\n{}{}{}",
        arm("short", "env = \"CliffWalking-v1\", max_steps = 7"),
        arm("long", "env = \"CartPole-v1\", max_steps = 3"),
        arm("map", "env = \"FrozenLake-v1\", options = { map = \"SFFG\", is_slippery = false }, max_steps = 2"),
    );
    let sandbox = Sandbox::new();
    let report = run(&sandbox, &text);
    assert_eq!(last(&report, "length"), [7.0, 3.0, 2.0]);
    assert_eq!(last::<3>(&report, "return")[2], 0.0, "the goal is three steps away");
    assert_eq!(
        best_returns(&report),
        [
            "CliffWalking-v1(max_steps=7): the best expected return is -7, by dynamic programming",
            "FrozenLake-v1(is_slippery=false map=SFFG max_steps=2): the best expected return is 0, by dynamic programming",
        ]
    );
}

/// The shortest way to the goal is 7 steps; where left and right are exchanged, who has learned it never arrives.
#[test]
fn an_evaluation_can_be_under_another_rule() {
    let arm = |shift: &str| {
        format!(
            "[[arm]]\nname = \"{shift}\"\ntask.env = \"Lossward/ShiftedGrid-v0\"\nevaluation.options = {{ shift = \"{shift}\" }}\n{PPO}"
        )
    };
    let text = format!("seeds = 1\nbudget.examples = 20_480\n{}{}", arm("none"), arm("mirror"));
    let sandbox = Sandbox::new();
    let report = run(&sandbox, &text);
    assert_eq!(last(&report, "deterministic_return"), [-7.0, -100.0]);
    let of = |shift| {
        format!("Lossward/ShiftedGrid-v0(shift={shift}): the best expected return is -7, by dynamic programming")
    };
    assert_eq!(best_returns(&report), ["none", "mirror"].map(of));
}

/// One line per environment; none where actions stick, where nothing is known and of data sets.
#[test]
fn the_answer_names_what_could_be_reached() {
    let arm = |name: &str, task: &str| format!("[[arm]]\nname = \"{name}\"\ntask = {{ {task} }}\n{PPO}");
    let text = [
        arm("sticky", "env = \"FrozenLake-v1\", wrappers = { sticky_actions = 0.25 }"),
        arm("lake", "env = \"FrozenLake-v1\""),
        arm("control", "env = \"FrozenLake-v1\", control = \"random_reward\""),
        arm("pole", "env = \"CartPole-v1\""),
        arm("digits", "dataset = \"digits\""),
    ];
    let sandbox = Sandbox::new();
    let file = sandbox.write("experiment.toml", &format!("seeds = 1\nbudget.examples = 1024\n{}", text.concat()));
    let report = Report::of(Experiment::load(&file, &[]).unwrap(), &sandbox.path("results")).unwrap();
    assert_eq!(best_returns(&report), ["FrozenLake-v1: the best expected return is 0.7442, by dynamic programming"]);
    let summary: serde_json::Value = serde_json::from_slice(&Summary::of(&report).unwrap().json().unwrap()).unwrap();
    let [best] = &summary["best_returns"].as_array().unwrap()[..] else { panic!("there is one") };
    assert_eq!((&best["environment"], &best["max_steps"]), (&"FrozenLake-v1".into(), &100.into()));
    // tests/reference/envs/frozen_lake_tables.json
    assert!((best["expected"].as_f64().unwrap() - 0.7441902878292697).abs() < 1e-12);
}

#[test]
fn statistics_are_learned_with_the_weights_and_kept_with_them() {
    let text = "seeds = 1\nbudget.examples = 4096\n[task]\nenv = \"MountainCar-v0\"\n\
                wrappers = { normalize_observations = true, normalize_rewards = true }\n\
                [[arm]]\nname = \"teacher\"\nobjective = { kind = \"policy_gradient\", preset = \"ppo\" }\n\
                [[arm]]\nname = \"pupil\"\n\
                objective = { kind = \"supervised\", loss = \"cross_entropy\", expert = { arm = \"teacher\", episodes = 2 } }\n";
    let sandbox = Sandbox::new();
    let report = run(&sandbox, text);
    // The reward of a step is -1, whatever normalization makes of it in training.
    assert_eq!(last::<2>(&report, "return"), last::<2>(&report, "length").map(|length| -length));
    let tensors = |arm: &str| {
        let path = sandbox.path(&format!("results/trials/{arm}/seed-0/final.safetensors"));
        candle_core::safetensors::load(path, &candle_core::Device::Cpu).unwrap()
    };
    let (teacher, pupil) = (tensors("teacher"), tensors("pupil"));
    let of = |name: &str| teacher[name].to_vec1::<f64>().unwrap();
    // The car starts in [-0.6, -0.4], moves between -1.2 and 0.6, and is no faster than 0.07.
    let (mean, variance) = (of("observations.mean"), of("observations.variance"));
    assert!((-0.7..-0.3).contains(&mean[0]) && mean[1].abs() < 0.01, "{mean:?}");
    assert!(variance[0] < 0.1 && variance[1] < 0.005, "{variance:?}");
    // One row per step and copy, and the first observations of the 8 copies.
    let count = teacher["observations.count"].to_scalar::<f64>().unwrap();
    assert!((count - (4096.0 + 8.0 + 1e-4)).abs() < 1e-9, "{count}");
    assert!(of("returns.variance")[0] > 1.0);
    assert_eq!(pupil["observations.mean"].to_vec1::<f64>().unwrap(), mean, "the pupil sees what its teacher saw");
}

#[test]
fn weights_of_normalized_observations_do_not_fit_where_nothing_is_normalized() {
    let arm = |name: &str, task: &str, objective: &str| {
        format!("[[arm]]\nname = \"{name}\"\ntask = {{ env = \"CartPole-v1\"{task} }}\nobjective = {objective}\n")
    };
    let teacher = arm(
        "teacher",
        ", wrappers = { normalize_observations = true }",
        "{ kind = \"policy_gradient\", preset = \"ppo\" }",
    );
    let pupil = arm(
        "pupil",
        "",
        "{ kind = \"supervised\", loss = \"cross_entropy\", expert = { arm = \"teacher\", episodes = 2 } }",
    );
    let sandbox = Sandbox::new();
    let report = run(&sandbox, &format!("seeds = 1\nbudget.examples = 1024\n{teacher}{pupil}"));
    let failed = format!("{:?}", report.arms[1].failed);
    assert!(failed.contains("such as `observations.count`"), "{failed}");
}

#[test]
fn training_examples_are_judged_where_it_is_asked_for() {
    let text = "seeds = 1\nbudget.examples = 20_000\ntask.dataset = \"digits\"\n\
                evaluation = { metrics = [\"accuracy\"], train_metrics = [\"accuracy\", \"cost\"] }\n\
                [[arm]]\nname = \"label\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n";
    let sandbox = Sandbox::new();
    let report = run(&sandbox, text);
    let ([train], [cost], [held_out]) =
        (last(&report, "train_accuracy"), last(&report, "train_cost"), last(&report, "accuracy"));
    assert!(train > held_out, "{train} {held_out}");
    assert!((train + cost - 1.0).abs() < 1e-12, "without a matrix a wrong class costs 1");
}

/// All labels are wrong, and a reward that is paid by the right ones teaches all the same.
#[test]
fn rewards_can_be_paid_by_the_labels_before_the_noise() {
    let arm = |name: &str, clean: &str| {
        format!(
            "[[arm]]\nname = \"{name}\"\ntask = {{ dataset = \"digits\", label_noise = 1.0{clean} }}\n\
             objective = {{ kind = \"policy_gradient\", preset = \"reinforce\", environments = 64 }}\n"
        )
    };
    let arms = arm("clean", ", clean_rewards = true") + &arm("noisy", "");
    let text = format!("seeds = 1\nbudget.examples = 20_000\noptimizer.learning_rate = 3e-3\n{arms}");
    let sandbox = Sandbox::new();
    let [clean, noisy] = last(&run(&sandbox, &text), "accuracy");
    assert!(clean > 0.6 && noisy < 0.2, "{clean} {noisy}");
    let without = text.replace("label_noise = 1.0, clean", "clean");
    let refused = Experiment::load(&sandbox.write("without.toml", &without), &[]).unwrap_err().to_string();
    assert!(refused.contains("`clean_rewards` needs a `label_noise`"), "{refused}");
}
