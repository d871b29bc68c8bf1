use super::{Case, numbers};
use lossward_envs::wrapper::{Moments, Normalization, Statistics, normalize_observations, normalize_rewards};
use lossward_envs::{Action, Actions, Bound, Copies, Dims, Env, Outcome, Rng, Space, Vectorized, stream};
use serde_json::Value;

/// Rows of nested lists.
fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

pub fn running_mean_std(case: &Case) {
    let batches: Vec<Vec<Vec<f64>>> = case.input("batches").as_array().unwrap().iter().map(rows).collect();
    for (key, count) in [("epsilon0.0001", Moments::INITIAL_COUNT), ("epsilon0", 0.0)] {
        let mut moments = Moments::new(batches[0][0].len(), count);
        let expected = case.expected(key).as_array().unwrap();
        assert_eq!(expected.len(), batches.len(), "one state after each batch");
        for (batch, expected) in batches.iter().zip(expected) {
            moments.update(batch.iter().map(Vec::as_slice));
            case.compare(key, &moments.mean, &expected["mean"]);
            case.compare(key, &moments.variance, &expected["var"]);
            case.compare(key, &[moments.count], &expected["count"]);
        }
        if count == 0.0 {
            case.check("pooled_mean", &moments.mean);
            case.check("pooled_var_ddof0", &moments.variance);
        }
    }
}

/// Shows one observation and pays one reward for ever.
struct Still {
    observation: Vec<f32>,
    reward: f64,
}

impl Env for Still {
    fn reset(&mut self, _: &mut Rng) {}
    fn step(&mut self, _: Action<'_>, _: &mut Rng) -> Outcome {
        Outcome { reward: self.reward, terminated: false }
    }
    fn observe(&self, out: &mut [f32]) {
        out.copy_from_slice(&self.observation);
    }
}

/// One copy per environment.
fn copies(features: usize, envs: Vec<Still>) -> Box<dyn Vectorized> {
    let (low, high) = (Bound::All(f32::NEG_INFINITY), Bound::All(f32::INFINITY));
    let spaces = (Space::Box { shape: Dims::of(&[features]), low, high }, Space::Discrete(2));
    let rngs = (0..envs.len() as u64).map(|i| stream(0, "env", i)).collect();
    Box::new(Copies::new("still", spaces, None, envs, rngs))
}

pub fn vec_normalize(case: &Case) {
    let normalization = |mean: Vec<f64>, variance: Vec<f64>| {
        let statistics = Statistics::default();
        statistics.set(Moments { mean, variance, count: 1.0 }).unwrap();
        let (clip, epsilon) = (case.number("clip"), case.number("epsilon"));
        Normalization { clip, epsilon, ..Normalization::frozen(&statistics) }
    };
    let double = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect::<Vec<f64>>();

    let observation = |row: &Vec<f64>| row.iter().map(|x| *x as f32).collect();
    let envs = rows(case.input("obs")).iter().map(|row| Still { observation: observation(row), reward: 0.0 }).collect();
    let (mean, variance) = (case.numbers("mean"), case.numbers("var"));
    let env = normalize_observations(copies(mean.len(), envs), normalization(mean, variance)).unwrap();
    case.check("obs_normalized", &double(&env.steps().observations));

    let envs = case.numbers("rewards").iter().map(|&reward| Still { observation: vec![0.0], reward }).collect();
    // The rewards are not centered, whatever the mean.
    let normalization = normalization(vec![3.0], vec![case.number("return_var")]);
    let mut env = normalize_rewards(copies(1, envs), normalization, 0.99).unwrap();
    env.step(Actions::Indices(&vec![0; env.steps().copies]), &[]).unwrap();
    case.check("rewards_normalized", &double(&env.steps().rewards));
}
