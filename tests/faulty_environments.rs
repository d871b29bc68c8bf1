//! An environment that breaks its promises while a policy learns in it fails its own trial and no other.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::envs::{Action, Bound, Copies, Dims, Env, Made, Outcome, Rng, Space, Spec};
use lossward::experiment::Experiment;
use lossward::laboratory;
use lossward::report::Report;
use std::sync::{Arc, atomic::AtomicBool, mpsc};

/// What goes wrong in the seventh step of an episode.
#[derive(Clone, Copy)]
enum Fault {
    None,
    Panics,
    NanReward,
    InfiniteObservation,
    WritesTooLittle,
    WritesTooMuch,
}

#[derive(Clone)]
struct Faulty {
    fault: Fault,
    count: u32,
}

impl Env for Faulty {
    fn reset(&mut self, _: &mut Rng) {
        self.count = 0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        self.count += 1;
        let reward = match (self.fault, self.count) {
            (Fault::Panics, 7) => panic!("the track ends here"),
            (Fault::NanReward, 7) => f64::NAN,
            _ => f64::from(action.index()),
        };
        Outcome { reward, terminated: false }
    }

    fn observe(&self, out: &mut [f32]) {
        out[0] = match (self.fault, self.count) {
            (Fault::InfiniteObservation, 7) => f32::INFINITY,
            (_, count) => count as f32 / 10.0,
        };
        match self.fault {
            Fault::WritesTooLittle => {}
            Fault::WritesTooMuch => out[1..4].fill(0.0),
            _ => out[1] = 1.0,
        }
    }
}

const fn spec(id: &'static str, make: fn(&lossward::options::Options, Vec<Rng>) -> Made) -> Spec {
    Spec {
        id,
        summary: "",
        source: "",
        observations: Space::Box { shape: Dims::of(&[2]), low: Bound::All(0.0), high: Bound::All(2.0) },
        actions: Space::Discrete(2),
        max_steps: Some(10),
        reward_threshold: None,
        best_return: None,
        options: &[],
        make,
    }
}

fn copies(spec: &Spec, fault: Fault, rngs: Vec<Rng>) -> Made {
    Ok(Copies::of(spec, vec![Faulty { fault, count: 0 }; rngs.len()], rngs))
}

const SPECS: &[Spec] = &[
    spec("None", |_, rngs| copies(&SPECS[0], Fault::None, rngs)),
    spec("Panics", |_, rngs| copies(&SPECS[1], Fault::Panics, rngs)),
    spec("NanReward", |_, rngs| copies(&SPECS[2], Fault::NanReward, rngs)),
    spec("InfiniteObservation", |_, rngs| copies(&SPECS[3], Fault::InfiniteObservation, rngs)),
    spec("WritesTooLittle", |_, rngs| copies(&SPECS[4], Fault::WritesTooLittle, rngs)),
    spec("WritesTooMuch", |_, rngs| copies(&SPECS[5], Fault::WritesTooMuch, rngs)),
];

#[test]
fn a_fault_fails_its_own_trial_with_the_environment_and_the_step() {
    lossward::envs::register(SPECS).unwrap();
    let expected = [
        ("None", ""),
        ("Panics", "Panics, copy 0, step 7: the environment panicked: the track ends here"),
        ("NanReward", "NanReward, copy 0, step 7: the environment returned a reward of NaN"),
        ("InfiniteObservation", "InfiniteObservation, copy 0, step 7: element 0 of the observation is inf"),
        ("WritesTooLittle", "WritesTooLittle, copy 0, step 0: the observation was not written whole: element 1 of 2"),
        ("WritesTooMuch", "WritesTooMuch, copy 0, step 0: the environment panicked: range end index 4 out of range"),
    ];
    let arm = |(id, _): &(&str, &str)| {
        format!(
            "[[arm]]\nname = \"{id}\"\ntask.env = \"{id}\"\nobjective = {{ kind = \"policy_gradient\", preset = \"ppo\" }}\n"
        )
    };
    let arms = expected.iter().map(arm).collect::<String>();
    let sandbox = Sandbox::new();
    let file = sandbox.write("faulty.toml", &format!("seeds = 1\nbudget.examples = 2048\n{arms}"));
    let experiment = Experiment::load(&file, &[]).unwrap();
    let results = sandbox.path("results");
    let plan = laboratory::plan(&experiment, &results, false).unwrap();
    let (sender, _events) = mpsc::channel();
    laboratory::run(&plan, &results, 2, &Arc::new(AtomicBool::new(false)), &sender);
    let report = Report::of(experiment, &results).unwrap();
    for (arm, (id, message)) in report.arms.iter().zip(expected) {
        match message {
            "" => assert!(arm.failed.is_empty() && arm.trials.len() == 1, "{:?}", arm.failed),
            message => {
                let failed = format!("{:?}", arm.failed);
                assert!(failed.contains(message), "{id}: {failed}");
            }
        }
    }
}
