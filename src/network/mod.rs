//! Networks whose parameters have an order, names and a file format.

mod description;
mod initialization;
mod layers;
mod parameters;
mod weights;

pub use description::{Description, EnvironmentDescription, FeatureDescription, LayerDescription, Outputs, Usage};
pub use initialization::Initialization;
pub use layers::LayerSettings;
pub use parameters::{Parameter, Parameters, Role};

use crate::distribution::{Policy, PolicySettings};
use crate::kernel::{self, Activation, Append, Dropout, Layer};
use crate::{Result, Rng};
use candle_core::{Device, Tensor};
use lossward_envs::Steps;
use lossward_envs::wrapper::WrapperStatistics;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `[network]` table of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Layers for images, and dense ones, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSettings>,
    /// Units of the dense layers that follow; when absent, 64 and 64 where there are no `layers`, and none where there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Vec<usize>>,
    /// Share of the units that is dropped after each of the layers of `hidden` while training on labels; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// After each hidden layer; the output is linear.
    pub activation: Activation,
    pub initialization: Initialization,
    /// Scale of the output layer's initial weights. 0.01 makes an initial policy nearly uniform.
    pub output_gain: f64,
    /// How the network acts in a box; the defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySettings>,
}

impl NetworkSettings {
    /// Units of the dense layers after `layers`.
    pub fn hidden(&self) -> &[usize] {
        match &self.hidden {
            Some(hidden) => hidden,
            None if self.layers.is_empty() => &[64, 64],
            None => &[],
        }
    }

    /// Whether training drops units.
    pub fn drops_units(&self) -> bool {
        self.dropout.is_some() || self.layers.iter().any(|layer| layer.dropout.is_some())
    }

    /// Whether a network of these settings fits inputs of this shape.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        layers::plan(self, shape, 1).map(|_| ())
    }
}

/// A network: layers with an activation between them.
pub struct Network {
    layers: Arc<[Layer]>,
    /// The same layers with dropout between them; none where nothing is dropped.
    dropping: Vec<Layer>,
    /// Weight and bias of each layer that has them, first layer first.
    parameters: Parameters,
    policy: Policy,
    /// By which its inputs are normalized, if they are: saved and loaded with the weights.
    statistics: Option<WrapperStatistics>,
    /// What its weights need to be used, written beside them.
    usage: Option<Usage>,
}

impl Network {
    /// Draws a network that maps `[batch, inputs]` to `[batch, outputs]`; biases are zero. `shape` is that of one input:
    /// `[features]`, or `[channels, height, width]` whose floats follow one another in this order.
    pub fn new(settings: &NetworkSettings, (shape, outputs): (&[usize], usize), rng: &mut Rng) -> Result<Self> {
        Self::of_policy(settings, (shape, Policy::Categorical { actions: outputs as u32 }), rng)
    }

    /// [`Self::new`] with the outputs that this policy reads. Standard deviations that don't depend on the state are its last
    /// parameter, `log_std`.
    pub fn of_policy(settings: &NetworkSettings, (shape, policy): (&[usize], Policy), rng: &mut Rng) -> Result<Self> {
        let (linear, biases) = (policy.outputs() - policy.appended(), policy.biases());
        let planned = layers::plan(settings, shape, linear)?;
        let is_dropout = |layer: &Layer| matches!(layer, Layer::Dropout(_));
        let mut layers: Vec<Layer> = planned.iter().copied().filter(|layer| !is_dropout(layer)).collect();
        let mut dropping = if planned.iter().any(is_dropout) { planned } else { Vec::new() };
        let last = layers.len() - 1;
        let mut parameters = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            let Some(shape) = layer.weight_shape() else { continue };
            let gain = if i == last { settings.output_gain } else { settings.initialization.gain(settings.activation) };
            let weight = settings.initialization.draw(shape[0], shape[1..].iter().product(), gain, rng);
            let weight = Tensor::from_vec(weight, &shape[..], &Device::Cpu)?;
            let bias = if i == last { biases[..linear].to_vec() } else { vec![0.0; shape[0]] };
            parameters.push((format!("layers.{i}.weight"), Role::Weight, weight));
            parameters.push((format!("layers.{i}.bias"), Role::Bias, Tensor::new(bias, &Device::Cpu)?));
        }
        if policy.appended() > 0 {
            let append = Layer::Append(Append { inputs: linear, outputs: policy.outputs() });
            layers.push(append);
            if !dropping.is_empty() {
                dropping.push(append);
            }
            parameters.push(("log_std".into(), Role::Bias, Tensor::new(&biases[linear..], &Device::Cpu)?));
        }
        let parameters = Parameters::new(parameters)?;
        Ok(Network { layers: layers.into(), dropping, parameters, policy, statistics: None, usage: None })
    }

    /// The network of inputs that are normalized by these statistics.
    pub fn with_statistics(self, statistics: Option<&WrapperStatistics>) -> Self {
        Network { statistics: statistics.cloned(), ..self }
    }

    /// The network whose weights are to be used so.
    pub fn with_usage(self, usage: Usage) -> Self {
        Network { usage: Some(usage), ..self }
    }

    /// How its outputs are read: as logits unless it was made otherwise.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// `[batch, inputs]` to `[batch, outputs]`, differentiable in the parameters.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        self.through(&self.layers, inputs)
    }

    /// [`Self::forward`] with units dropped as this seed says, where the network has dropout.
    pub fn forward_dropping(&self, inputs: &Tensor, seed: u64) -> Result<Tensor> {
        if self.dropping.is_empty() {
            return self.forward(inputs);
        }
        let seeded = |(i, layer): (usize, &Layer)| match *layer {
            Layer::Dropout(dropout) => Layer::Dropout(Dropout { seed: seed.wrapping_add(i as u64), ..dropout }),
            layer => layer,
        };
        self.through(&self.dropping.iter().enumerate().map(seeded).collect(), inputs)
    }

    fn through(&self, layers: &Arc<[Layer]>, inputs: &Tensor) -> Result<Tensor> {
        Ok(kernel::chain(inputs, self.parameters.values(), layers, Some(self.parameters.collector()))?)
    }

    /// The same function from slice to slice, without a graph: `inputs` is `[batch, inputs]`, `outputs` becomes
    /// `[batch, outputs]`; its memory is used again from call to call.
    pub fn infer(&self, inputs: &[f32], batch: usize, outputs: &mut Vec<f32>) -> Result<()> {
        outputs.resize(batch * self.layers[self.layers.len() - 1].outputs(), 0.0);
        Ok(kernel::chain_into(inputs, self.parameters.values(), &self.layers, outputs)?)
    }

    /// [`Self::infer`] of what every copy of an environment shows, with −∞ for the logits of actions that are not allowed.
    pub fn infer_steps(&self, steps: &Steps, outputs: &mut Vec<f32>) -> Result<()> {
        self.infer(&steps.observations, steps.copies, outputs)?;
        if steps.action_masks.is_empty() { Ok(()) } else { self.policy.mask(outputs, &steps.action_masks) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::{DeviationSource, Squash};
    use candle_core::DType;
    use lossward_envs::{Bound, Dims, Space, stream};

    fn settings(layers: &str) -> NetworkSettings {
        let text = format!("{layers}\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0");
        toml::from_str(&text).unwrap()
    }

    fn network(layers: &str, shape: &[usize], seed: u64) -> Network {
        Network::new(&settings(layers), (shape, 3), &mut stream(seed, "init", 0)).unwrap()
    }

    const IMAGES: &str = "layers = [{ conv = 4, kernel = 3, padding = 1 }, { pool = 2 }, { conv = 2, kernel = 2 }, { flatten = true }]\n\
         hidden = [5]";

    #[test]
    fn acting_computes_what_training_differentiates() {
        for (layers, shape) in [("hidden = [16, 8]", &[32][..]), (IMAGES, &[2, 4, 4])] {
            let network = network(layers, shape, 0);
            let inputs: Vec<f32> = (0..4 * 32).map(|i| (i as f32).sin()).collect();
            let tensor = Tensor::from_slice(&inputs, (4, 32), &Device::Cpu).unwrap();
            let trained: Vec<f32> = network.forward(&tensor).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let mut acted = Vec::new();
            network.infer(&inputs, 4, &mut acted).unwrap();
            assert_eq!(acted, trained);
        }
    }

    #[test]
    fn weights_survive_a_file_and_the_first_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let [one, two] = [0, 1].map(|seed| network(IMAGES, &[2, 4, 4], seed));
        one.save(&path).unwrap();
        two.load(&path).unwrap();
        let flat = |network: &Network| network.parameters().values().to_vec1::<f32>().unwrap();
        assert_eq!(flat(&one), flat(&two));
        let names: Vec<&str> = one.parameters().iter().step_by(2).map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["layers.0.weight", "layers.2.weight", "layers.3.weight", "layers.4.weight"]);
        let message = network(IMAGES, &[1, 4, 4], 0).load(&path).unwrap_err().to_string();
        assert!(message.contains("layers.0.weight") && message.contains("[4, 2, 3, 3]"), "{message}");
        let parameters = two.parameters();
        let spoil =
            |p: &Parameter| Ok((parameters.tensor(p)? + if p.name == "layers.2.bias" { f64::NAN } else { 0.0 })?);
        parameters.set(spoil).unwrap();
        let first = parameters.first_not_finite(parameters.values()).unwrap();
        assert_eq!(first.map(|(parameter, _)| &parameter.name[..]), Some("layers.2.bias"));
    }

    /// Both scales: the means are drawn with the output gain around 0, the standard deviations begin as told, and only weights
    /// are penalized.
    #[test]
    fn a_gaussian_policy_begins_as_told() {
        let space = Space::Box { shape: Dims::of(&[2]), low: Bound::All(-1.0), high: Bound::All(1.0) };
        for (scale, drawn) in [(DeviationSource::StateIndependent, 2), (DeviationSource::StateDependent, 4)] {
            let of_policy = PolicySettings { scale, squash: Squash::Clip, initial_log_std: -0.5 };
            let policy = Policy::new(space, Some(&of_policy)).unwrap();
            let settings = NetworkSettings { output_gain: 0.01, ..settings("hidden = [8]") };
            let network = Network::of_policy(&settings, (&[3], policy), &mut stream(0, "init", 0)).unwrap();
            let rows = |name: &str| {
                let parameter = network.parameters().iter().find(|p| p.name == name).unwrap();
                network.parameters().tensor(parameter).unwrap()
            };
            let head = rows("layers.1.weight");
            assert_eq!(head.dims(), [drawn, 8]);
            let product = head.matmul(&head.t().unwrap()).unwrap().to_vec2::<f32>().unwrap();
            for (i, row) in product.iter().enumerate() {
                assert!(row.iter().enumerate().all(|(j, dot)| (dot - if i == j { 1e-4 } else { 0.0 }).abs() < 1e-9));
            }
            let mut outputs = Vec::new();
            network.infer(&[0.3, -2.0, 1.0], 1, &mut outputs).unwrap();
            let expected = [0.0, 0.0, -0.5, -0.5];
            assert!(outputs.iter().zip(expected).all(|(got, want)| (got - want).abs() < 0.05), "{outputs:?}");
            let has_log_std = network.parameters().iter().any(|p| p.name == "log_std");
            assert_eq!(has_log_std, scale == DeviationSource::StateIndependent);
            if has_log_std {
                assert_eq!(rows("log_std").to_vec1::<f32>().unwrap(), [-0.5; 2]);
                assert_eq!(outputs[2..], [-0.5; 2]);
            }
            let penalized: usize = network.parameters().weights().iter().map(|range| range.len()).sum();
            assert_eq!(penalized, 8 * 3 + drawn * 8);
            let batch = Tensor::zeros((5, 3), DType::F32, &Device::Cpu).unwrap();
            assert_eq!(network.forward(&batch).unwrap().dims(), [5, 4]);
            let settings = NetworkSettings { dropout: Some(0.5), ..settings };
            let policy = Policy::new(space, Some(&of_policy)).unwrap();
            let dropping = Network::of_policy(&settings, (&[3], policy), &mut stream(0, "init", 0)).unwrap();
            assert_eq!(dropping.forward_dropping(&batch, 1).unwrap().dims(), [5, 4]);
        }
    }

    #[test]
    fn layers_that_do_not_fit_are_told() {
        let message = |layers: &str, shape: &[usize]| settings(layers).check(shape).unwrap_err().to_string();
        assert!(message("layers = [{ conv = 4, kernel = 3 }]", &[4]).contains("has shape [4]"));
        assert!(message("layers = [{ conv = 4, kernel = 9 }]", &[1, 8, 8]).contains("entry 0: a kernel of 9"));
        assert!(message("layers = [{ pool = 2 }, { pool = 5 }]", &[1, 8, 8]).contains("entry 1: windows of 5×5"));
        assert!(message("layers = [{ conv = 4 }]", &[1, 8, 8]).contains("needs a `kernel`"));
        assert!(message("layers = [{ pool = 2, dense = 3 }]", &[1, 8, 8]).contains("one of"));
        assert!(message("hidden = [0]", &[4]).contains("at least 1 unit"));
    }
}
