//! A multilayer perceptron whose parameters have an order, names and a file format.

mod initialization;
mod weights;

pub use initialization::Initialization;

use crate::kernel::{self, Activation};
use crate::{Result, Rng};
use candle_core::{DType, Device, Tensor, Var};
use serde::{Deserialize, Serialize};

/// The `[network]` table of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// After each hidden layer; the output is linear.
    pub activation: Activation,
    pub initialization: Initialization,
    /// Scale of the output layer's initial weights. 0.01 makes an initial policy nearly uniform.
    pub output_gain: f64,
}

/// Whether a parameter multiplies (and is penalized) or shifts (and never is).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Weight,
    Bias,
}

/// One trained tensor.
pub struct Parameter {
    /// As in the weights file: `layers.0.weight`.
    pub name: String,
    pub var: Var,
    pub role: Role,
}

/// A network: dense layers with an activation between them.
pub struct Network {
    settings: NetworkSettings,
    /// Weight `[out, in]` and bias `[out]` of each layer, first layer first.
    parameters: Vec<Parameter>,
}

impl Network {
    /// Draws a network that maps `[batch, inputs]` to `[batch, outputs]`; biases are zero.
    pub fn new(settings: &NetworkSettings, (inputs, outputs): (usize, usize), rng: &mut Rng) -> Result<Self> {
        let sizes: Vec<usize> =
            std::iter::once(inputs).chain(settings.hidden.iter().copied()).chain([outputs]).collect();
        let last = sizes.len() - 2;
        let mut parameters = Vec::new();
        for (i, size) in sizes.windows(2).enumerate() {
            let gain = if i == last { settings.output_gain } else { settings.initialization.gain(settings.activation) };
            let weight = settings.initialization.draw(size[1], size[0], gain, rng);
            parameters.push(Parameter {
                name: format!("layers.{i}.weight"),
                var: Var::from_vec(weight, (size[1], size[0]), &Device::Cpu)?,
                role: Role::Weight,
            });
            parameters.push(Parameter {
                name: format!("layers.{i}.bias"),
                var: Var::zeros(size[1], DType::F32, &Device::Cpu)?,
                role: Role::Bias,
            });
        }
        Ok(Network { settings: settings.clone(), parameters })
    }

    /// The trained tensors, in a fixed order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// `(weight, bias, activation)` of each layer.
    fn layers(&self) -> impl Iterator<Item = (&Var, &Var, Activation)> {
        let count = self.parameters.len() / 2;
        self.parameters.chunks_exact(2).enumerate().map(move |(i, layer)| {
            let activation = if i + 1 == count { Activation::Identity } else { self.settings.activation };
            (&layer[0].var, &layer[1].var, activation)
        })
    }

    /// `[batch, inputs]` to `[batch, outputs]`, differentiable in the parameters.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        let mut x = inputs.clone();
        for (weight, bias, activation) in self.layers() {
            x = kernel::dense(&x, weight, bias, activation)?;
        }
        Ok(x)
    }

    /// The same function from slice to slice, without a graph: `inputs` is `[batch, inputs]`, the result `[batch, outputs]`.
    /// Nothing is allocated once `activations` has seen the batch size.
    pub fn infer<'a>(&self, inputs: &[f32], activations: &'a mut Activations) -> Result<&'a [f32]> {
        let Activations { from, to } = activations;
        for (i, (weight, bias, activation)) in self.layers().enumerate() {
            let (outputs, size) = weight.dims2()?;
            let x = if i == 0 { inputs } else { &from[..] };
            to.resize(x.len() / size * outputs, 0.0);
            kernel::dense_into(x, weight, bias, activation, to)?;
            std::mem::swap(from, to);
        }
        Ok(from)
    }

    /// The first parameter that holds a value that is not finite, and that value.
    pub fn first_not_finite(&self) -> Result<Option<(&str, f64)>> {
        for parameter in &self.parameters {
            if let Some(value) = kernel::first_not_finite(&parameter.var)? {
                return Ok(Some((&parameter.name, value)));
            }
        }
        Ok(None)
    }
}

/// Buffers of [`Network::infer`].
#[derive(Default)]
pub struct Activations {
    from: Vec<f32>,
    to: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use lossward_envs::stream;

    pub fn settings(activation: Activation) -> NetworkSettings {
        NetworkSettings {
            hidden: vec![16, 8],
            activation,
            initialization: Initialization::Orthogonal,
            output_gain: 1.0,
        }
    }

    #[test]
    fn acting_computes_what_training_differentiates() {
        let network = Network::new(&settings(Activation::Tanh), (5, 3), &mut stream(0, "init", 0)).unwrap();
        let inputs: Vec<f32> = (0..20).map(|i| (i as f32).sin()).collect();
        let tensor = Tensor::from_slice(&inputs, (4, 5), &Device::Cpu).unwrap();
        let trained: Vec<f32> = network.forward(&tensor).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(network.infer(&inputs, &mut Activations::default()).unwrap(), trained);
    }

    #[test]
    fn weights_survive_a_file_and_the_first_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let one = Network::new(&settings(Activation::Relu), (5, 3), &mut stream(0, "init", 0)).unwrap();
        let two = Network::new(&settings(Activation::Relu), (5, 3), &mut stream(1, "init", 0)).unwrap();
        one.save(&path).unwrap();
        two.load(&path).unwrap();
        for (a, b) in one.parameters().iter().zip(two.parameters()) {
            let [a, b] = [a, b].map(|p| p.var.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            assert_eq!(a, b);
        }
        let other = Network::new(&settings(Activation::Relu), (6, 3), &mut stream(0, "init", 0)).unwrap();
        let message = other.load(&path).unwrap_err().to_string();
        assert!(message.contains("layers.0.weight") && message.contains("[16, 5]"), "{message}");
        let bias = &two.parameters()[3];
        bias.var.set(&Tensor::new(&[0f32, 0., 0., 0., f32::NAN, 0., 0., 0.], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(two.first_not_finite().unwrap().map(|(name, _)| name), Some("layers.1.bias"));
    }
}
