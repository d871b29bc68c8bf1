//! Returns, temporal differences, divergences and advantages of groups: the pure functions of [`lossward::rollout`].

use super::{Case, flat};
use candle_core::{Device, Tensor};
use lossward::distribution::log_probs;
use lossward::loss::{self, Inputs};
use lossward::options::{Given, Options};
use lossward::rollout::{self, Choice, Deviation, GroupScale, KlEstimator, Sequences, Traces, Trajectories};
use lossward_envs::Cause;

/// The rewards of one copy, with `γ` where its discounts are not 0 and a termination where they are.
struct OneCopy {
    rewards: Vec<f64>,
    values: Vec<f64>,
    next_values: Vec<f64>,
    discount: f64,
    ends: Vec<Option<Cause>>,
}

impl OneCopy {
    fn of(case: &Case) -> Self {
        let (discounts, next_values) = (case.numbers("discounts"), case.numbers("next_values"));
        let discount = discounts.iter().fold(0.0, |largest: f64, discount| largest.max(*discount));
        let either = |given: &f64| *given == 0.0 || *given == discount;
        assert!(discounts.iter().all(either), "one discount and terminations: {discounts:?}");
        let values = if case.has("values") {
            case.numbers("values")
        } else {
            // Of the first state no value is known, and none is needed.
            [0.0].iter().chain(&next_values[..next_values.len() - 1]).copied().collect()
        };
        let ends = discounts.iter().map(|given| (*given == 0.0).then_some(Cause::Terminated)).collect();
        OneCopy { rewards: case.numbers("rewards"), values, next_values, discount, ends }
    }

    fn path(&self) -> Trajectories<'_, f64> {
        Trajectories {
            copies: 1,
            rewards: &self.rewards,
            values: &self.values,
            next_values: &self.next_values,
            ends: &self.ends,
        }
    }
}

pub fn n_step(case: &Case) {
    let copy = OneCopy::of(case);
    let terminated = case.numbers("terminated").into_iter().map(|terminated| terminated != 0.0);
    let discount = case.number("gamma");
    let discounts: Vec<f64> = terminated.map(|terminated| if terminated { 0.0 } else { discount }).collect();
    case.compare("discounts", &discounts, case.input("discounts"));
    case.check("returns", &rollout::n_step_returns(&copy.path(), discount, case.number("n") as usize));
}

pub fn lambda_returns(case: &Case) {
    let copy = OneCopy::of(case);
    case.check("returns", &rollout::lambda_returns(&copy.path(), copy.discount, case.number("lambda")));
}

pub fn v_trace(case: &Case) {
    let copy = OneCopy::of(case);
    let traces = Traces {
        lambda: case.number("lambda"),
        error_clip: case.number("clip_rho"),
        // rlax leaves no choice here.
        trace_clip: 1.0,
        advantage_clip: case.number("clip_pg_rho"),
    };
    let got = rollout::v_trace(&copy.path(), &case.numbers("log_rhos"), copy.discount, &traces);
    case.check("errors", &got.errors);
    case.check("vs", &got.targets);
    case.check("q_estimate", &got.action_values);
    case.check("pg_advantages", &got.advantages);
}

pub fn temporal_differences(case: &Case) {
    let (q, actions) = (case.numbers("q"), case.input("q")[0].as_array().unwrap().len());
    let taken = case.indices("actions");
    let values = rollout::state_values(&q, actions, Choice::Taken(&taken));
    let (rewards, discount) = (case.numbers("rewards"), case.number("gamma"));
    let terminated = |terminated: f64| (terminated != 0.0).then_some(Cause::Terminated);
    let ends: Vec<_> = case.numbers("terminated").into_iter().map(terminated).collect();
    let target_q = case.numbers("next_q_target");
    // Every transition stands for itself: a batch is one row of as many copies.
    let with = |choice: Choice<f64>, of: &dyn Fn(&Trajectories<f64>) -> Vec<f64>| {
        let next_values = rollout::state_values(&target_q, actions, choice);
        let copies = rewards.len();
        of(&Trajectories { copies, rewards: &rewards, values: &values, next_values: &next_values, ends: &ends })
    };
    let errors = |path: &Trajectories<f64>| rollout::advantages(path, discount, 0.0);
    case.check("q_learning", &with(Choice::Greedy, &errors));
    case.check("double_q", &with(Choice::GreedyBy(&case.numbers("next_q_online")), &errors));
    case.check("sarsa", &with(Choice::Taken(&case.indices("next_actions")), &errors));
    case.check("expected_sarsa", &with(Choice::Expected(&case.numbers("next_policy")), &errors));
    let targets = with(Choice::Greedy, &|path| rollout::n_step_returns(path, discount, 1));
    case.check("dqn_target", &targets);
    let column = |values: Vec<f64>| Tensor::new(values, &Device::Cpu).unwrap();
    let inputs = Inputs { predictions: vec![column(values.clone())], targets: vec![column(targets)] };
    let smooth_l1 = loss::find("smooth_l1").unwrap();
    let options = Options::new(smooth_l1.name, smooth_l1.options, &Given::new()).unwrap();
    let per_example = (smooth_l1.per_example)(&inputs, &options).unwrap();
    case.check("dqn_smooth_l1_loss", &flat(&per_example.mean().unwrap()));
}

pub fn distributional(case: &Case) {
    if case.has("quantiles") {
        let [quantiles, levels, targets] = ["quantiles", "taus", "targets"].map(|key| case.numbers(key));
        let huber = case.number("huber_kappa");
        let (value, gradient) = rollout::quantile_huber_loss(&quantiles, &levels, &targets, huber);
        case.check("value", &[value]);
        case.check("grad", &gradient);
    } else {
        let (support, probabilities) = (case.numbers("support"), case.numbers("probs"));
        let (reward, discount) = (case.number("reward"), case.number("gamma"));
        case.check("projected", &rollout::categorical_projection(&support, &probabilities, reward, discount));
    }
}

pub fn kl_estimates(case: &Case) {
    let samples = case.has("log_p");
    let [log_p, log_q] = ["p", "q"].map(|of| match samples {
        true => case.numbers(&format!("log_{of}")),
        false => log_probs(&case.numbers(&format!("logits_{of}"))).collect(),
    });
    let sum = |values: &[f64], weights: &[f64]| values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>();
    let weights: Vec<f64> = match samples {
        true => vec![1.0 / log_p.len() as f64; log_p.len()],
        false => log_q.iter().map(|log_q| log_q.exp()).collect(),
    };
    for (name, estimator) in [("k1", KlEstimator::K1), ("k2", KlEstimator::K2), ("k3", KlEstimator::K3)] {
        let (estimates, slopes) = rollout::kl_estimates(estimator, &log_p, &log_q);
        let mean = sum(&estimates, &weights);
        if !samples {
            case.check(&format!("E_{name}"), &[mean]);
            if estimator != KlEstimator::K2 {
                case.check("exact_kl_qp", &[mean]);
            }
            continue;
        }
        case.check(name, &estimates);
        case.check(&format!("mean_{name}"), &[mean]);
        if estimator == KlEstimator::K3 {
            let gradient: Vec<f64> = slopes.iter().zip(&weights).map(|(slope, weight)| slope * weight).collect();
            case.check("grad_mean_k3_wrt_log_p", &gradient);
        }
    }
}

pub fn group_advantages(case: &Case) {
    let (rewards, size) = (case.numbers("rewards"), case.input("rewards")[0].as_array().unwrap().len());
    let scales = [
        ("trl_group", GroupScale::Group(Deviation::Sample)),
        ("trl_batch", GroupScale::Batch(Deviation::Sample)),
        ("trl_none_dr_grpo", GroupScale::One),
        ("population_std_eps1e-8", GroupScale::Group(Deviation::Population)),
    ];
    for (name, scale) in scales {
        case.check(name, &rollout::group_advantages(&rewards, size, scale));
    }
}

/// The recorded loss is minus the surrogate.
pub fn group_relative_loss(case: &Case) {
    let rows = case.input("log_probs").as_array().unwrap();
    let lengths: Vec<usize> = rows.iter().map(|row| row.as_array().unwrap().len()).collect();
    let [log_probs, old, reference] = ["log_probs", "old_log_probs", "ref_log_probs"].map(|key| case.numbers(key));
    let sequences = Sequences {
        lengths: &lengths,
        advantages: &case.numbers("advantages"),
        log_probs: &log_probs,
        old_log_probs: &old,
        reference_log_probs: &reference,
    };
    let got = rollout::sequence_surrogate(&sequences, case.number("clip"), case.number("beta"));
    let negated = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<f64>>();
    case.check("per_token", &negated(&got.per_token));
    case.check("value", &[-got.value]);
    case.check("grad", &negated(&got.gradient));
}
