use super::{Case, flat, numbers};
use candle_core::{D, Device, Tensor, Var};
use lossward::distribution::{Categorical, Gaussian, Policy, TanhGaussian};
use lossward::kernel::{self, ClippedLoss, ValueClipping};
use lossward::rollout::{self, Trajectories, advantages};
use lossward::surrogate::{Surrogate, Taken, surrogate_objective};
use lossward_envs::{Bound, Cause, Dims, Space};

fn ends(case: &Case) -> Vec<Option<Cause>> {
    let (terminated, truncated) = (case.numbers("terminated"), case.numbers("truncated"));
    let end = |(terminated, truncated): (&f64, &f64)| match (*terminated != 0.0, *truncated != 0.0) {
        (true, _) => Some(Cause::Terminated),
        (false, true) => Some(Cause::Truncated),
        (false, false) => None,
    };
    terminated.iter().zip(&truncated).map(end).collect()
}

pub fn gae(case: &Case) {
    let (rewards, values, next_values) = (case.numbers("rewards"), case.numbers("values"), case.numbers("next_values"));
    let copies = case.input("rewards")[0].as_array().unwrap().len();
    let path =
        Trajectories { copies, rewards: &rewards, values: &values, next_values: &next_values, ends: &ends(case) };
    let got = advantages(&path, case.number("gamma"), case.number("lambda"));
    let returns: Vec<f64> = got.iter().zip(&values).map(|(a, v)| a + v).collect();
    case.check("advantages", &got);
    case.check("returns", &returns);
}

/// Returns are the advantages with λ = 1 and no critic; what follows the last step is worth the bootstrap value.
pub fn discounted_returns(case: &Case) {
    let rewards = case.numbers("rewards");
    let zeros = vec![0.0; rewards.len()];
    let mut next_values = zeros.clone();
    *next_values.last_mut().unwrap() = case.number("bootstrap_value");
    let path =
        Trajectories { copies: 1, rewards: &rewards, values: &zeros, next_values: &next_values, ends: &ends(case) };
    case.check("returns", &advantages(&path, case.number("gamma"), 1.0));
}

pub fn distribution(case: &Case) {
    match case.text("kind") {
        "categorical" => categorical(case),
        "diag_gaussian" => diagonal_gaussian(case),
        other => panic!("unknown distribution {other}"),
    }
}

fn diagonal_gaussian(case: &Case) {
    let gaussian = |mean: &str, log_std: &str| Gaussian::new(&case.tensor(mean), &case.tensor(log_std)).unwrap();
    let (p, q) = (gaussian("mean_p", "log_std_p"), gaussian("mean_q", "log_std_q"));
    case.check("log_prob_p", &flat(&p.log_prob(&case.tensor("actions")).unwrap()));
    case.check("entropy_p", &flat(&p.entropy().unwrap()));
    case.check("kl_pq", &flat(&p.kl_divergence(&q).unwrap()));
}

/// With a `noise` the gradient goes through the action too.
pub fn tanh_gaussian(case: &Case) {
    let [mean, log_std] = ["mean", "log_std"].map(|name| Var::from_tensor(&case.tensor(name)).unwrap());
    let raw = match case.has("noise") {
        true => (mean.as_tensor() + (log_std.exp().unwrap() * case.tensor("noise")).unwrap()).unwrap(),
        false => case.tensor("pre_tanh"),
    };
    let action = raw.tanh().unwrap();
    case.check("action", &flat(&action));
    let gaussian = || Gaussian::new(&mean, &log_std).unwrap();
    let log_probs = TanhGaussian::new(gaussian(), 0.0).log_prob(&raw).unwrap();
    case.check("log_prob_exact", &flat(&log_probs));
    if case.expects("log_prob_sb3_eps1e-6") {
        // Stable-Baselines3 keeps the logarithm finite by adding to its argument.
        let slopes = ((action.sqr().unwrap().neg().unwrap() + 1.0).unwrap() + 1e-6).unwrap();
        let correction = slopes.log().unwrap().sum(D::Minus1).unwrap();
        case.check("log_prob_sb3_eps1e-6", &flat(&(gaussian().log_prob(&raw).unwrap() - correction).unwrap()));
    }
    let gradients = log_probs.sum_all().unwrap().backward().unwrap();
    case.check("grad_mean_of_sum_exact", &flat(gradients.get(&mean).unwrap()));
    case.check("grad_log_std_of_sum_exact", &flat(gradients.get(&log_std).unwrap()));
    if !case.has("noise") {
        check_fused_tanh_gaussian(case);
    }
}

/// The same through the policy of a box of (−1, 1): the surrogate with advantages of 1 is the mean log-probability.
fn check_fused_tanh_gaussian(case: &Case) {
    let (mean, log_std, raw) = (case.tensor("mean"), case.tensor("log_std"), case.tensor("pre_tanh"));
    let (batch, size) = mean.dims2().unwrap();
    let settings = toml::from_str("squash = \"tanh\"").unwrap();
    let policy = Policy::new(real_actions(size), Some(&settings)).unwrap();
    let outputs = Var::from_tensor(&Tensor::cat(&[mean, log_std], 1).unwrap()).unwrap();
    let ones = &Tensor::ones(batch, raw.dtype(), &Device::Cpu).unwrap();
    let taken = Taken {
        policy: &policy,
        actions: &raw,
        advantages: ones,
        old_log_probs: ones,
        surrogate: Surrogate::LogProb,
        entropy_coefficient: 0.0,
    };
    let sum = (surrogate_objective(&outputs, &taken).unwrap().scalar * batch as f64).unwrap();
    let expected: f64 = numbers(case.expected("log_prob_exact")).iter().sum();
    case.compare("the fused sum", &flat(&sum), &expected.into());
    let gradient = sum.backward().unwrap().remove(&outputs).unwrap();
    let half = |start: usize| flat(&gradient.narrow(1, start, size).unwrap());
    case.check("grad_mean_of_sum_exact", &half(0));
    case.check("grad_log_std_of_sum_exact", &half(size));
}

fn real_actions(size: usize) -> Space {
    Space::Box { shape: Dims::of(&[size]), low: Bound::All(-1.0), high: Bound::All(1.0) }
}

fn categorical(case: &Case) {
    let (logits, actions) = (case.tensor("logits_p"), Tensor::new(case.indices("actions"), &Device::Cpu).unwrap());
    let p = Categorical::new(&logits);
    let q = Categorical::new(&case.tensor("logits_q"));
    case.check("log_prob_p", &flat(&p.log_prob(&actions).unwrap()));
    case.check("entropy_p", &flat(&p.entropy().unwrap()));
    case.check("kl_pq", &flat(&p.kl_divergence(&q).unwrap()));
    let classes = logits.dim(1).unwrap();
    let probability = |class: u32| {
        let chosen = Tensor::full(class, logits.dim(0).unwrap(), &Device::Cpu).unwrap();
        p.log_prob(&chosen).unwrap().exp().unwrap()
    };
    let columns: Vec<Tensor> = (0..classes as u32).map(probability).collect();
    case.check("probs_p", &flat(&Tensor::stack(&columns, 1).unwrap()));
}

pub fn reinforce(case: &Case) {
    let logits = Var::from_tensor(&case.tensor("logits")).unwrap();
    let policy = Categorical::new(&logits);
    let loss = if case.has("actions") {
        let actions = Tensor::new(case.indices("actions"), &Device::Cpu).unwrap();
        (policy.log_prob(&actions).unwrap() * case.tensor("returns")).unwrap()
    } else {
        policy.entropy().unwrap()
    };
    let loss = loss.mean_all().unwrap().neg().unwrap();
    case.check("value", &flat(&loss));
    case.check("grad", &flat(loss.backward().unwrap().get(&logits).unwrap()));
}

pub fn explained_variance(case: &Case) {
    case.check("value", &[rollout::explained_variance(&case.numbers("y_pred"), &case.numbers("y_true"))]);
}

/// The advantages of a case, normalized where it says so.
fn case_advantages(case: &Case) -> Tensor {
    let mut values = case.numbers("advantages");
    if case.flag("normalize_advantage") {
        rollout::normalize(&mut values);
    }
    Tensor::new(values, &Device::Cpu).unwrap()
}

/// What a policy network said: the leaves that are differentiated, by name, and how a row of them is read.
struct Said {
    leaves: Vec<(&'static str, Var)>,
    outputs: Tensor,
    policy: Policy,
    actions: Tensor,
}

impl Said {
    fn of(case: &Case) -> Said {
        let leaf = |name| Var::from_tensor(&case.tensor(name)).unwrap();
        if case.has("logits") {
            let logits = leaf("logits");
            let policy = Policy::Categorical { actions: logits.dim(1).unwrap() as u32 };
            let actions = Tensor::new(case.indices("actions"), &Device::Cpu).unwrap();
            return Said { outputs: logits.as_tensor().clone(), leaves: vec![("logits", logits)], policy, actions };
        }
        let (mean, log_std) = (leaf("mean"), leaf("log_std"));
        let same = log_std.broadcast_as(mean.shape()).unwrap().contiguous().unwrap();
        let policy = Policy::new(real_actions(mean.dim(1).unwrap()), None).unwrap();
        Said {
            outputs: Tensor::cat(&[mean.as_tensor(), &same], 1).unwrap(),
            leaves: vec![("mean", mean), ("log_std", log_std)],
            policy,
            actions: case.tensor("actions"),
        }
    }
}

/// `−surrogate − c_e · entropy + c_v · value loss`, as the packages compose it, and the gradients of both networks' outputs.
fn check_actor_critic(case: &Case, surrogate: Surrogate, value_loss: impl FnOnce(&Tensor, &Tensor) -> Tensor) {
    let Said { mut leaves, outputs, policy, actions } = Said::of(case);
    let values = Var::from_tensor(&case.tensor("values")).unwrap();
    let (entropy_coefficient, advantages) = (case.number("ent_coef"), case_advantages(case));
    let is_clipped = matches!(surrogate, Surrogate::Clipped { .. });
    let old_log_probs = if is_clipped { case.tensor("old_log_prob") } else { advantages.zeros_like().unwrap() };
    let (policy, actions, advantages, old_log_probs) = (&policy, &actions, &advantages, &old_log_probs);
    let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
    let objective = surrogate_objective(&outputs, &taken).unwrap();
    let value_loss = value_loss(&values, &case.tensor("returns"));
    let total = ((&value_loss * case.number("vf_coef")).unwrap() - objective.scalar).unwrap();
    case.check("policy_loss", &[-objective.surrogate]);
    case.check("value_loss", &flat(&value_loss));
    case.check("mean_entropy", &[objective.entropy]);
    case.check("loss", &flat(&total));
    if is_clipped {
        case.check("approx_kl_k1", &[objective.kl_k1]);
        case.check("approx_kl_k3", &[objective.kl_k3]);
        case.check("clip_fraction", &[objective.clip_fraction]);
    }
    let gradients = total.backward().unwrap();
    let expected = case.expected("grad").as_object().unwrap();
    leaves.push(("values", values));
    assert_eq!(expected.len(), leaves.len(), "gradients of the policy's outputs and the values");
    for (name, leaf) in leaves {
        case.compare(&format!("grad.{name}"), &flat(gradients.get(&leaf).unwrap()), &expected[name]);
    }
}

pub fn a2c(case: &Case) {
    check_actor_critic(case, Surrogate::LogProb, |values, returns| kernel::value_loss(values, returns, None).unwrap());
}

pub fn ppo(case: &Case) {
    let clipped = Surrogate::Clipped { clip: case.number("clip_range") };
    let old = case.tensor("old_values");
    check_actor_critic(case, clipped, |values, returns| {
        let (loss, factor) = match case.text("value_loss_kind") {
            "sb3_mse" => (ClippedLoss::Clipped, 1.0),
            // CleanRL halves the loss.
            "cleanrl_max_half" => (ClippedLoss::Larger, 0.5),
            other => panic!("unknown value loss {other}"),
        };
        let is_clipped = !case.input("clip_range_vf").is_null();
        let clipping = is_clipped.then(|| ValueClipping { old: &old, clip: case.number("clip_range_vf"), loss });
        (kernel::value_loss(values, returns, clipping).unwrap() * factor).unwrap()
    });
    let Said { outputs, policy, actions, .. } = Said::of(case);
    case.check("log_prob", &flat(&policy.log_prob(&outputs, &actions).unwrap()));
    case.check("entropy_per_sample", &flat(&policy.entropy(&outputs, None).unwrap()));
}
