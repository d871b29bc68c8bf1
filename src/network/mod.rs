//! Networks whose parameters have an order, names and a file format.

mod initialization;
mod layers;
mod weights;

pub use initialization::Initialization;
pub use layers::LayerSettings;

use crate::kernel::{self, Activation};
use crate::{Result, Rng};
use candle_core::{DType, Device, Tensor, Var};
use layers::Layer;
use serde::{Deserialize, Serialize};

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
    /// After each hidden layer; the output is linear.
    pub activation: Activation,
    pub initialization: Initialization,
    /// Scale of the output layer's initial weights. 0.01 makes an initial policy nearly uniform.
    pub output_gain: f64,
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

    /// Whether a network of these settings fits inputs of this shape.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        layers::plan(self, shape, 1).map(|_| ())
    }
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

/// A network: layers with an activation between them.
pub struct Network {
    layers: Vec<Layer>,
    /// Weight and bias of each layer that has them, first layer first.
    parameters: Vec<Parameter>,
}

impl Network {
    /// Draws a network that maps `[batch, inputs]` to `[batch, outputs]`; biases are zero. `shape` is that of one input:
    /// `[features]`, or `[channels, height, width]` whose floats follow one another in this order.
    pub fn new(settings: &NetworkSettings, (shape, outputs): (&[usize], usize), rng: &mut Rng) -> Result<Self> {
        let layers = layers::plan(settings, shape, outputs)?;
        let last = layers.len() - 1;
        let mut parameters = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            let Some(shape) = layer.weight_shape() else { continue };
            let gain = if i == last { settings.output_gain } else { settings.initialization.gain(settings.activation) };
            let weight = settings.initialization.draw(shape[0], shape[1..].iter().product(), gain, rng);
            parameters.push(Parameter {
                name: format!("layers.{i}.weight"),
                var: Var::from_vec(weight, &shape[..], &Device::Cpu)?,
                role: Role::Weight,
            });
            parameters.push(Parameter {
                name: format!("layers.{i}.bias"),
                var: Var::zeros(shape[0], DType::F32, &Device::Cpu)?,
                role: Role::Bias,
            });
        }
        Ok(Network { layers, parameters })
    }

    /// The trained tensors, in a fixed order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Every layer with its weight and bias; a layer without parameters comes with none.
    fn layers(&self) -> impl Iterator<Item = (Layer, &[Parameter])> {
        let mut left = &self.parameters[..];
        self.layers.iter().map(move |layer| {
            let (own, rest) = left.split_at(if layer.weight_shape().is_some() { 2 } else { 0 });
            left = rest;
            (*layer, own)
        })
    }

    /// `[batch, inputs]` to `[batch, outputs]`, differentiable in the parameters.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        let mut x = inputs.clone();
        for layer in self.layers() {
            x = match layer {
                (Layer::Dense { activation, .. }, [w, b]) => kernel::dense(&x, &w.var, &b.var, activation)?,
                (Layer::Conv { sizes, activation }, [w, b]) => kernel::conv(&x, &w.var, &b.var, sizes, activation)?,
                (Layer::Pool(sizes), _) => kernel::pool(&x, sizes)?,
                _ => unreachable!("a layer with a weight has two parameters"),
            };
        }
        Ok(x)
    }

    /// The same function from slice to slice, without a graph: `inputs` is `[batch, inputs]`, the result `[batch, outputs]`.
    /// The buffers are reused from call to call.
    pub fn infer<'a>(&self, inputs: &[f32], batch: usize, activations: &'a mut Activations) -> Result<&'a [f32]> {
        let Activations { from, to } = activations;
        for (i, (layer, parameters)) in self.layers().enumerate() {
            let x = if i == 0 { inputs } else { &from[..] };
            to.resize(batch * layer.outputs(), 0.0);
            match (layer, parameters) {
                (Layer::Dense { activation, .. }, [w, b]) => kernel::dense_into(x, &w.var, &b.var, activation, to)?,
                (Layer::Conv { sizes, activation }, [w, b]) => {
                    kernel::conv_into(x, &w.var, &b.var, (sizes, activation), to)?;
                }
                (Layer::Pool(sizes), _) => kernel::pool_into(x, sizes, to),
                _ => unreachable!("a layer with a weight has two parameters"),
            }
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
            assert_eq!(network.infer(&inputs, 4, &mut Activations::default()).unwrap(), trained);
        }
    }

    #[test]
    fn weights_survive_a_file_and_the_first_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let [one, two] = [0, 1].map(|seed| network(IMAGES, &[2, 4, 4], seed));
        one.save(&path).unwrap();
        two.load(&path).unwrap();
        for (a, b) in one.parameters().iter().zip(two.parameters()) {
            let [a, b] = [a, b].map(|p| p.var.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            assert_eq!(a, b);
        }
        let names: Vec<&str> = one.parameters().iter().step_by(2).map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["layers.0.weight", "layers.2.weight", "layers.3.weight", "layers.4.weight"]);
        let message = network(IMAGES, &[1, 4, 4], 0).load(&path).unwrap_err().to_string();
        assert!(message.contains("layers.0.weight") && message.contains("[4, 2, 3, 3]"), "{message}");
        let bias = &two.parameters()[3];
        bias.var.set(&Tensor::new(&[0f32, f32::NAN], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(two.first_not_finite().unwrap().map(|(name, _)| name), Some("layers.2.bias"));
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
