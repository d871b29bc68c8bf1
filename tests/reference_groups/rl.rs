use super::{Case, flat};
use candle_core::{Device, Tensor, Var};
use lossward::distribution::Categorical;
use lossward::kernel::{self, Clipping, Taken};
use lossward::rollout::{self, Trajectories, advantages};
use lossward_envs::Cause;

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

pub fn categorical(case: &Case) {
    assert_eq!(case.text("kind"), "categorical");
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

/// `−surrogate − c_e · entropy + c_v · value loss`, as the packages compose it, and the gradients of both networks' outputs.
fn check_actor_critic(case: &Case, clipping: Option<Clipping>, value_loss: impl FnOnce(&Tensor, &Tensor) -> Tensor) {
    let logits = Var::from_tensor(&case.tensor("logits")).unwrap();
    let values = Var::from_tensor(&case.tensor("values")).unwrap();
    let actions = Tensor::new(case.indices("actions"), &Device::Cpu).unwrap();
    let entropy_coefficient = case.number("ent_coef");
    let taken = Taken { actions: &actions, advantages: &case_advantages(case), clipping, entropy_coefficient };
    let objective = kernel::surrogate_objective(&logits, &taken).unwrap();
    let value_loss = value_loss(&values, &case.tensor("returns"));
    let total = ((&value_loss * case.number("vf_coef")).unwrap() - objective.scalar).unwrap();
    case.check("policy_loss", &[-objective.surrogate]);
    case.check("value_loss", &flat(&value_loss));
    case.check("mean_entropy", &[objective.entropy]);
    case.check("loss", &flat(&total));
    if clipping.is_some() {
        case.check("approx_kl_k3", &[objective.approximate_kl]);
        case.check("clip_fraction", &[objective.clip_fraction]);
    }
    let gradients = total.backward().unwrap();
    let expected = case.expected("grad").as_object().unwrap();
    assert_eq!(expected.len(), 2, "gradients of the logits and the values");
    case.compare("grad.logits", &flat(gradients.get(&logits).unwrap()), &expected["logits"]);
    case.compare("grad.values", &flat(gradients.get(&values).unwrap()), &expected["values"]);
}

pub fn a2c(case: &Case) {
    check_actor_critic(case, None, |values, returns| kernel::value_loss(values, returns, None).unwrap());
}

pub fn ppo(case: &Case) {
    let old_log_probs = case.tensor("old_log_prob");
    let clipping = Clipping { old_log_probs: &old_log_probs, clip: case.number("clip_range") };
    let old_values = case.tensor("old_values");
    check_actor_critic(case, Some(clipping), |values, returns| match case.text("value_loss_kind") {
        "sb3_mse" if case.input("clip_range_vf").is_null() => kernel::value_loss(values, returns, None).unwrap(),
        // CleanRL halves the loss.
        "cleanrl_max_half" => {
            let clip = Some((&old_values, case.number("clip_range_vf")));
            (kernel::value_loss(values, returns, clip).unwrap() * 0.5).unwrap()
        }
        other => panic!("unknown value loss {other}"),
    });
    let policy = Categorical::new(&case.tensor("logits"));
    let log_probs = policy.log_prob(&Tensor::new(case.indices("actions"), &Device::Cpu).unwrap()).unwrap();
    case.check("log_prob", &flat(&log_probs));
    case.check("approx_kl_k1", &flat(&(old_log_probs - log_probs).unwrap().mean_all().unwrap()));
    case.check("entropy_per_sample", &flat(&policy.entropy().unwrap()));
}
