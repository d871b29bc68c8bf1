//! Acting, stepping, and the whole loop of PPO.

use super::measure::in_turns;
use super::peak::{Product, SMALL, shape_name};
use super::scratch::Scratch;
use super::{Row, Unit, training};
use crate::distribution::Probabilities;
use crate::experiment::Experiment;
use crate::network::Network;
use crate::objective::ObjectiveSettings;
use crate::record::TrialOutcome;
use crate::task::find_environment;
use crate::{Error, Result, laboratory, stream};
use lossward_envs::{Actions, RandomActions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// The experiment of the whole loop.
const PPO: &str = include_str!("ppo.toml");

/// Writes the experiment into the folder; returns its path.
pub(super) fn write_experiment(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("ppo.toml");
    std::fs::write(&path, PPO).map_err(Error::file("write", &path))?;
    Ok(path)
}

/// The experiment with this many seeds and steps per seed, and with other settings of its objective.
fn experiment(folder: &Path, (seeds, steps): (u64, u64), settings: &[&str]) -> Result<Experiment> {
    let mut overrides = vec![format!("seeds={seeds}"), format!("budget.examples={steps}")];
    overrides.extend(settings.iter().map(|setting| format!("objective.{setting}")));
    Experiment::load(&write_experiment(folder)?, &overrides)
}

/// Runs all trials anew; returns their steps.
fn run(experiment: &Experiment, folder: &Path, jobs: usize) -> Result<f64> {
    let plan = laboratory::plan(experiment, folder, true)?;
    let (sender, events) = mpsc::channel();
    laboratory::run(&plan, folder, jobs, &Arc::default(), &sender);
    drop(sender);
    for event in events {
        if let laboratory::Event::Ended { outcome, .. } = event
            && let TrialOutcome::Failed { reason } = outcome?
        {
            return Err(Error::Argument(reason));
        }
    }
    Ok((plan.missing.len() as u64 * experiment.arms[0].budget.examples) as f64)
}

/// Operations per step of the environment: acting and the critic's value once, then every epoch.
fn operations(experiment: &Experiment) -> Result<f64> {
    let arm = &experiment.arms[0];
    let ObjectiveSettings::PolicyGradient(settings) = &arm.objective else {
        return Err(Error::Argument("the benchmark's arm is not a policy gradient".into()));
    };
    let mut operations = 0.0;
    for outputs in [2, 1] {
        let network = Network::new(&arm.network, (&[4], outputs), &mut stream(0, "init", 0))?;
        let graph = network.graph();
        operations += graph.forward_operations() as f64 + settings.epochs as f64 * graph.training_operations() as f64;
    }
    Ok(operations)
}

/// Of the experiment as it is, but for these settings of its objective.
pub(super) fn whole_loop(name: &str, settings: &[&str]) -> Result<Row> {
    let folder = Scratch::new("loop")?;
    let experiment = experiment(&folder.0, (1, 102_400), settings)?;
    let mut product = Product::best(SMALL)?;
    let mut work = || run(&experiment, &folder.0, 1);
    let mut peak = || Ok(product.multiply());
    let [steps, peak] = in_turns(Duration::from_millis(100), [&mut work, &mut peak])?;
    Ok(Row::new(name, Unit::Steps, &steps).with_peak(&steps, operations(&experiment)?, &peak, &shape_name(SMALL)))
}

pub(super) fn two_jobs(name: &str) -> Result<Row> {
    let folder = Scratch::new("jobs")?;
    let experiment = experiment(&folder.0, (8, 25_600), &[])?;
    let (mut one, mut two) = (|| run(&experiment, &folder.0, 1), || run(&experiment, &folder.0, 2));
    let [one, two] = in_turns(Duration::ZERO, [&mut one, &mut two])?;
    Ok(Row::new(name, Unit::Steps, &two).with_ratio(&two, &one, "one job"))
}

/// Random actions, drawn beforehand.
pub(super) fn step(name: &str, id: &str, copies: u64) -> Result<Row> {
    let spec = find_environment(id)?;
    let streams = |name: &str| (0..copies).map(|i| stream(0, name, i)).collect::<Vec<_>>();
    let mut env = spec.make_default(streams("env"));
    let mut actions = RandomActions::new(env.actions(), streams("actions"));
    let (mut indices, mut values) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES {
        match actions.draw() {
            Actions::Indices(drawn) => indices.push(drawn.to_vec()),
            Actions::Values(drawn) => values.push(drawn.to_vec()),
        }
    }
    let batches =
        || indices.iter().map(|drawn| Actions::Indices(drawn)).chain(values.iter().map(|drawn| Actions::Values(drawn)));
    let mut work = || {
        for actions in batches() {
            env.step(actions, &[])?;
        }
        Ok((BATCHES * copies) as f64)
    };
    let [steps] = in_turns(Duration::from_millis(50), [&mut work])?;
    Ok(Row::new(name, Unit::Steps, &steps))
}

/// Batches of actions that are played over and over.
const BATCHES: u64 = 64;

/// The forward pass and a sampled action with its log-probability for every copy.
pub(super) fn act(name: &str, copies: usize) -> Result<Row> {
    let network = Network::new(&training::settings(training::TANH)?, (&[4], 2), &mut stream(0, "init", 0))?;
    let observations: Vec<f32> = (0..4 * copies).map(|i| 0.05 * (i as f32).sin()).collect();
    let mut rng = stream(0, "policy", 0);
    let mut logits = Vec::new();
    let mut work = || {
        for _ in 0..16 {
            network.infer(&observations, copies, &mut logits)?;
            let probabilities = Probabilities::of(&logits, 2);
            for copy in 0..copies {
                std::hint::black_box(probabilities.sample(copy, &mut rng));
            }
        }
        Ok(16.0 * copies as f64)
    };
    let mut product = Product::best(SMALL)?;
    let mut peak = || Ok(product.multiply());
    let [steps, peak] = in_turns(Duration::from_millis(20), [&mut work, &mut peak])?;
    let operations = network.graph().forward_operations() as f64;
    Ok(Row::new(name, Unit::Steps, &steps).with_peak(&steps, operations, &peak, &shape_name(SMALL)))
}
