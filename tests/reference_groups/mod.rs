//! What a case is, and which function runs each group.

mod bridge;
mod classic_control;
mod detected_boxes;
mod detection;
mod envs;
mod factors;
mod layers;
mod losses;
mod metrics;
mod microscope;
mod minatar;
mod mixture;
mod networks;
mod normalization;
mod optimizers;
mod payoff;
mod penalties;
mod returns;
mod rl;
mod segmentation;
mod sha256;
mod stats;
mod toy_text;
mod training;

use candle_core::{Device, Tensor};
use lossward_envs::classic_control::{
    acrobot::Acrobot, cart_pole::CartPole, mountain_car::MountainCar, mountain_car_continuous::MountainCarContinuous,
    pendulum::Pendulum,
};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A folder and file, and the function that runs one of its cases.
type Group = (&'static str, fn(&Case));

pub const GROUPS: &[Group] = &[
    ("bridge/beta_weights", factors::beta_weights),
    ("bridge/gradient_stats", microscope::gradient_stats),
    ("bridge/mask_reward", bridge::mask_reward),
    ("bridge/mixture", mixture::mixture),
    ("bridge/raml", payoff::raml),
    ("detection/assign_center_cell", detection::assign_center_cell),
    ("detection/assign_fcos", detection::assign_fcos),
    ("detection/assign_task_aligned", detection::assign_task_aligned),
    ("detection/boxes", detection::boxes_and_images),
    ("detection/composite_loss", detection::composite_loss),
    ("detection/dfl_boxes", detection::dfl_boxes),
    ("detection/nms", detection::nms),
    ("envs/acrobot", classic_control::episode::<Acrobot>),
    ("envs/blackjack", toy_text::blackjack),
    ("envs/cartpole", classic_control::episode::<CartPole>),
    ("envs/cliff_walking", toy_text::cliff_walking),
    ("envs/frozen_lake_rollouts", toy_text::frozen_lake_rollout),
    ("envs/frozen_lake_tables", toy_text::frozen_lake_table),
    ("envs/minatar_asterix", minatar::asterix),
    ("envs/minatar_breakout", minatar::breakout),
    ("envs/minatar_freeway", minatar::freeway),
    ("envs/minatar_seaquest", minatar::seaquest),
    ("envs/minatar_space_invaders", minatar::space_invaders),
    ("envs/mountain_car", classic_control::episode::<MountainCar>),
    ("envs/mountain_car_continuous", classic_control::episode::<MountainCarContinuous>),
    ("envs/pendulum", classic_control::episode::<Pendulum>),
    ("envs/specs", envs::specs),
    ("envs/taxi", toy_text::taxi),
    ("layers/activations", layers::activation),
    ("layers/adaptive_avg_pool2d", layers::adaptive_pool),
    ("layers/avg_pool2d", layers::average_pool),
    ("layers/batch_norm2d", layers::batch_norm),
    ("layers/concat", layers::concat),
    ("layers/conv2d", layers::conv),
    ("layers/conv_transpose2d", layers::conv_transpose),
    ("layers/group_norm", layers::group_norm),
    ("layers/instance_norm", layers::instance_norm),
    ("layers/layer_norm", layers::layer_norm),
    ("layers/linear", layers::linear),
    ("layers/max_pool2d", layers::max_pool),
    ("layers/residual_add", layers::residual),
    ("layers/unet", networks::unet_pass),
    ("layers/upsample2x", layers::upsample),
    ("losses/bce_probs", losses::bce),
    ("losses/bce_with_logits", losses::bce_with_logits),
    ("losses/cross_entropy", losses::cross_entropy),
    ("losses/dfl", losses::distribution_focal),
    ("losses/dice", losses::dice),
    ("losses/embedding", losses::embedding),
    ("losses/focal", losses::focal),
    ("losses/gaussian_nll", losses::gaussian_nll),
    ("losses/hinge", losses::hinge),
    ("losses/huber", losses::regression),
    ("losses/iou_family", losses::boxes),
    ("losses/iou_family_ultralytics", losses::boxes),
    ("losses/kl_div", losses::kl_div),
    ("losses/linear_models", penalties::linear_model),
    ("losses/log_cosh", losses::regression),
    ("losses/mae", losses::regression),
    ("losses/mse", losses::regression),
    ("losses/multi_margin", losses::multi_margin),
    ("losses/nll", losses::nll),
    ("losses/penalties", penalties::penalty),
    ("losses/pinball", losses::regression),
    ("losses/poisson_nll", losses::poisson_nll),
    ("losses/smooth_l1", losses::regression),
    ("losses/tversky", losses::tversky),
    ("losses/generalized_dice", losses::generalized_dice),
    ("losses/varifocal", losses::varifocal),
    ("metrics/binary_masks", metrics::binary_masks),
    ("metrics/binary_prf", metrics::binary),
    ("metrics/calibration", metrics::calibration),
    ("metrics/classification", metrics::classification),
    ("metrics/detection_map", detected_boxes::detection_map),
    ("metrics/probabilistic", metrics::probabilistic),
    ("metrics/ranking", metrics::ranking),
    ("metrics/regression", metrics::regression),
    ("metrics/segmentation", metrics::segmentation),
    ("metrics/top_k", metrics::top_k),
    ("optimizers/grad_clip", optimizers::grad_clip),
    ("optimizers/lr_schedules", optimizers::lr_schedules),
    ("optimizers/mlp", optimizers::mlp),
    ("optimizers/quadratic", optimizers::quadratic),
    ("rl/a2c", rl::a2c),
    ("rl/discounted_returns", rl::discounted_returns),
    ("rl/distributional", returns::distributional),
    ("rl/distributions", rl::distribution),
    ("rl/explained_variance", rl::explained_variance),
    ("rl/gae", rl::gae),
    ("rl/grpo", returns::group_advantages),
    ("rl/grpo_loss", returns::group_relative_loss),
    ("rl/kl_approx", returns::kl_estimates),
    ("rl/lambda_returns", returns::lambda_returns),
    ("rl/n_step", returns::n_step),
    ("rl/ppo_categorical", rl::ppo),
    ("rl/ppo_gaussian", rl::ppo),
    ("rl/reinforce", rl::reinforce),
    ("rl/running_mean_std", normalization::running_mean_std),
    ("rl/tanh_gaussian", rl::tanh_gaussian),
    ("rl/td_errors", returns::temporal_differences),
    ("rl/vec_normalize", normalization::vec_normalize),
    ("rl/vtrace", returns::v_trace),
    ("segmentation/lesions", segmentation::lesions),
    ("segmentation/overlap", segmentation::overlap),
    ("segmentation/surface_distance", segmentation::surface_distance),
    ("stats/aggregates", stats::aggregates),
    ("stats/bootstrap_ci", stats::bootstrap),
    ("stats/ema", stats::smoothing),
    ("stats/performance_profiles", stats::profiles),
    ("stats/probability_of_improvement", stats::improvement),
    ("stats/tests", stats::tests),
    ("training/conv_net", training::trace),
    ("training/mlp_classifier", training::trace),
    ("training/mlp_regressor", training::trace),
    ("training/unet", training::trace),
];

/// One case; it notes which of its fields were read.
pub struct Case {
    pub name: String,
    /// The file's name without its ending: `cross_entropy`.
    pub group: String,
    inputs: Map<String, Value>,
    expected: Map<String, Value>,
    rtol: f64,
    atol: f64,
    used: RefCell<BTreeSet<String>>,
}

impl Case {
    pub fn new(group: &str, value: &Value) -> Self {
        let object = |key: &str| value[key].as_object().unwrap_or_else(|| panic!("`{key}` is not an object")).clone();
        Case {
            name: value["name"].as_str().unwrap().to_string(),
            group: group.to_string(),
            inputs: object("inputs"),
            expected: object("expected"),
            rtol: value["rtol"].as_f64().unwrap(),
            atol: value["atol"].as_f64().unwrap(),
            used: RefCell::default(),
        }
    }

    /// A field that was not read was not tested.
    pub fn assert_all_fields_used(&self) {
        let used = self.used.borrow();
        let all = self.inputs.keys().map(|key| format!("inputs.{key}"));
        let all = all.chain(self.expected.keys().map(|key| format!("expected.{key}")));
        let unread: Vec<String> = all.filter(|field| !used.contains(field)).collect();
        assert!(unread.is_empty(), "fields that this test does not know: {unread:?}");
    }

    /// An input; `null` where it is absent.
    pub fn input(&self, key: &str) -> &Value {
        self.used.borrow_mut().insert(format!("inputs.{key}"));
        self.inputs.get(key).unwrap_or(&Value::Null)
    }

    pub fn number(&self, key: &str) -> f64 {
        number(self.input(key))
    }

    pub fn has(&self, key: &str) -> bool {
        self.inputs.contains_key(key)
    }

    pub fn text(&self, key: &str) -> &str {
        self.input(key).as_str().unwrap_or_else(|| panic!("`{key}` is not a string"))
    }

    pub fn flag(&self, key: &str) -> bool {
        self.input(key).as_bool().unwrap_or_else(|| panic!("`{key}` is not a boolean"))
    }

    /// Every number of a nested list, in order.
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(self.input(key))
    }

    pub fn indices(&self, key: &str) -> Vec<u32> {
        self.numbers(key).into_iter().map(|index| index as u32).collect()
    }

    pub fn tensor(&self, key: &str) -> Tensor {
        tensor(self.input(key))
    }

    /// The names of what is expected that begin with `prefix`, without it.
    pub fn expected_with(&self, prefix: &str) -> Vec<String> {
        self.expected.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_string).collect()
    }

    pub fn expects(&self, key: &str) -> bool {
        self.expected.contains_key(key)
    }

    pub fn expected(&self, key: &str) -> &Value {
        self.used.borrow_mut().insert(format!("expected.{key}"));
        self.expected.get(key).unwrap_or_else(|| panic!("`{key}` is not expected"))
    }

    /// Compares with an expected field, number by number, by the tolerance of the case.
    pub fn check(&self, key: &str, got: &[f64]) {
        self.compare(key, got, self.expected(key));
    }

    pub fn compare(&self, what: &str, got: &[f64], want: &Value) {
        self.compare_within(what, got, want, (self.rtol, self.atol));
    }

    pub fn compare_within(&self, what: &str, got: &[f64], want: &Value, (rtol, atol): (f64, f64)) {
        let want = numbers(want);
        assert_eq!(got.len(), want.len(), "{what}: {} numbers, expected {}", got.len(), want.len());
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            let same = got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= atol + rtol * want.abs();
            assert!(same, "{what}[{i}]: got {got}, expected {want}");
        }
    }
}

pub fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(text) => text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number")),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        other => panic!("{other} is not a number"),
    }
}

pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => vec![number(other)],
    }
}

pub fn tensor(value: &Value) -> Tensor {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(list) = inner {
        shape.push(list.len());
        inner = &list[0];
    }
    Tensor::from_vec(numbers(value), shape, &Device::Cpu).unwrap()
}

pub fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
