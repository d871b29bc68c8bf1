//! Records of an experiment as a run would leave them, without training.

use super::Sandbox;
use lossward::disk::create_folder;
use lossward::experiment::Experiment;
use lossward::record::TrialOutcome;
use lossward::trial::Trial;
use std::fmt::Write;
use std::path::PathBuf;

/// An experiment on the digits with these arms.
pub fn experiment_of(arms: &[String], seeds: u64) -> String {
    let mut text = format!(
        "# Question: which arm is which?\ntitle = \"Made up\"\nseeds = {seeds}\n\
         threshold = {{ metric = \"accuracy\", value = 0.5 }}\n[task]\ndataset = \"digits\"\n[network]\nhidden = [16]\n\
         [budget]\nexamples = 50_000\n[[plot]]\ny = [\"loss\", \"accuracy\", \"reward\"]\nlog = [\"loss\"]\n"
    );
    for arm in arms {
        let name = toml::Value::from(arm.as_str());
        let objective = "{ kind = \"supervised\", loss = \"cross_entropy\" }";
        write!(text, "[[arm]]\nname = {name}\nobjective = {objective}\n").unwrap();
    }
    text
}

/// Writes `results` in the sandbox: every trial as `outcome` says (nothing is a trial that did not end), with this many rows.
pub fn write_results(
    sandbox: &Sandbox,
    experiment: &str,
    rows: usize,
    outcome: impl Fn(usize, u64) -> Option<TrialOutcome>,
) -> PathBuf {
    let file = sandbox.write("made_up.toml", experiment);
    let experiment = Experiment::load(&file, &[]).unwrap();
    let results = sandbox.path("results");
    create_folder(&results).unwrap();
    std::fs::write(results.join("experiment.toml"), toml::to_string(&experiment).unwrap()).unwrap();
    for (i, arm) in experiment.arms.iter().enumerate() {
        for seed in experiment.seeds.range() {
            let trial = Trial::new(&experiment, arm, seed, &results);
            trial.folder.begin(&trial.identity().unwrap()).unwrap();
            std::fs::write(trial.folder.rows(), made_up_rows(i, seed, rows)).unwrap();
            if let Some(outcome) = outcome(i, seed) {
                outcome.write(&trial.folder, None).unwrap();
            }
        }
    }
    results
}

/// As many columns as a policy gradient has, each a curve that differs a little by arm and seed.
fn made_up_rows(arm: usize, seed: u64, rows: usize) -> String {
    let terms = ["training_return", "training_length", "training_entropy", "kl_k1", "kl_k3", "advantage_deviation"];
    let evaluated = ["accuracy", "cross_entropy", "reward", "entropy"];
    let mut text = format!(
        "updates,examples,epochs,seconds,loss,{},gradient_norm,learning_rate,{}\n",
        terms.join(","),
        evaluated.join(",")
    );
    for row in 0..rows {
        let time = row as f64 / rows as f64;
        let noise = |k: usize| ((row * 37 + k * 101 + seed as usize * 997 + arm * 31) as f64).sin() * 0.02;
        let updates = row * 8;
        write!(text, "{updates},{},{},{}", row * 100, row as f64 * 0.07, time * (3.0 + seed as f64 * 0.1)).unwrap();
        for k in 0..8 + evaluated.len() + 1 {
            let value = (1.0 - (-time * (2.0 + arm as f64 * 0.3)).exp()) * 0.9 + noise(k) + 0.05;
            if row == 0 && k < 9 {
                text.push(',');
            } else {
                write!(text, ",{value}").unwrap();
            }
        }
        text.push('\n');
    }
    text
}
