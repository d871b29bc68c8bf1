//! Networks whose parameters have an order, names and a file format.

mod body;
mod description;
mod initialization;
mod layer;
mod operations;
mod parameters;
mod shorthand;
#[cfg(test)]
mod tests;
mod weights;

pub use description::{
    EnvironmentDescription, FeatureDescription, LayerDescription, Outputs, Usage, WeightsDescription,
};
pub use initialization::Initialization;
pub use layer::LayerSettings;
use operations::Operations;
pub use parameters::{Parameter, Parameters, Role};
pub use shorthand::BodySettings;

use crate::distribution::{Policy, PolicySettings};
use crate::kernel::{self, Activation, Append, Conv, Dense, Dropout, Graph, LaidOut, Layer};
use crate::{Error, Result, Rng};
use candle_core::{Device, Tensor};
use lossward_envs::Steps;
use lossward_envs::wrapper::WrapperStatistics;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::sync::Arc;

/// The `[network]` table of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// A usual body by its name, in place of `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodySettings>,
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
    /// Added to the initial biases of the output layer: −4 lets a mask begin nearly empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bias: Option<f64>,
    /// How the network acts in a box; the defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySettings>,
}

impl NetworkSettings {
    /// Units of the dense layers after `layers`.
    pub fn hidden(&self) -> &[usize] {
        match &self.hidden {
            Some(hidden) => hidden,
            None if self.layers.is_empty() && self.body.is_none() => &[64, 64],
            None => &[],
        }
    }

    /// Whether training drops units.
    pub fn drops_units(&self) -> bool {
        self.dropout.is_some() || self.layers.iter().any(|layer| layer.is("dropout"))
    }

    /// Whether a layer keeps running statistics, of inputs of this shape.
    pub fn keeps_statistics(&self, shape: &[usize]) -> bool {
        let keeps = |body: body::Body| body.acting().iter().any(|node| node.layer.statistics() > 0);
        body::plan(self, shape).is_ok_and(keeps)
    }

    /// Whether a policy can read what its layers make of inputs of this shape.
    ///
    /// # Errors
    /// When the layers don't fit the inputs, or the policy the layers.
    pub fn check_policy(&self, shape: &[usize], policy: &Policy) -> Result<()> {
        HeadSettings::of_policy(policy, self.output_gain).layer(body::plan(self, shape)?.shape()).map(drop)
    }
}

/// What a network is asked for: linear units that read its body, and trained numbers behind them that no input moves.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadSettings {
    pub name: &'static str,
    /// As the units begin.
    pub biases: Vec<f32>,
    /// As the numbers behind them begin.
    pub appended: Vec<f32>,
    /// Scale of the initial weights.
    pub gain: f64,
    /// Height and width of a grid with these units at every place, which the body must put out; nothing where the units read all that the
    /// body puts out.
    pub grid: Option<[usize; 2]>,
}

impl HeadSettings {
    /// So many units whose biases begin at 0.
    pub fn linear(name: &'static str, units: usize, gain: f64) -> Self {
        HeadSettings { name, biases: vec![0.0; units], appended: Vec::new(), gain, grid: None }
    }

    /// So many units at every place of a grid, whose biases begin at 0.
    pub fn of_grid(name: &'static str, units: usize, grid: [usize; 2], gain: f64) -> Self {
        HeadSettings { grid: Some(grid), ..HeadSettings::linear(name, units, gain) }
    }

    /// What a policy reads.
    pub fn of_policy(policy: &Policy, gain: f64) -> Self {
        if let Policy::Grid(grid) = policy {
            let mut head = HeadSettings::of_grid("policy", grid.planes(), grid.size, gain);
            head.biases.iter_mut().zip(&grid.biases).for_each(|(bias, given)| *bias = *given);
            return head;
        }
        let mut biases = policy.biases();
        let appended = biases.split_off(policy.outputs() - policy.appended());
        HeadSettings { name: "policy", biases, appended, gain, grid: None }
    }

    /// The layer that reads what a body puts out, of this shape.
    fn layer(&self, shape: &[usize]) -> Result<Layer> {
        let (outputs, activation) = (self.biases.len(), Activation::Identity);
        let Some([height, width]) = self.grid else {
            return Ok(Layer::Dense(Dense { inputs: shape.iter().product(), outputs, activation }));
        };
        match *shape {
            [channels, ..] if *shape == [channels, height, width] => Ok(Layer::Conv(Conv {
                channels,
                height,
                width,
                filters: outputs,
                kernel: 1,
                stride: 1,
                padding: 0,
                bias: true,
                activation,
            })),
            _ => {
                let hint = match shape {
                    [_, _, there] if *there > width => {
                        format!("; of a backbone, a `stride` {} times as large", there / width)
                    }
                    [_, _, there] if *there < width => {
                        format!("; of a backbone, a `stride` {} times smaller", width / there)
                    }
                    _ => String::new(),
                };
                let needed = format!("this task needs [channels, {height}, {width}]{hint}");
                Err(Error::setting("layers", format!("the layers put out {shape:?}; {needed}")))
            }
        }
    }
}

/// A network: a graph of layers, with heads by name.
pub struct Network {
    graph: Arc<Graph>,
    /// The same layers as they train, where they do so in another way: with dropout between them, and normalized by the batch.
    training: Option<Graph>,
    heads: Vec<&'static str>,
    /// Weight and bias of each layer that has them, first layer first.
    parameters: Parameters,
    /// The weights as forward passes without gradients read them, with the version of the parameters that they are of.
    laid_out: RefCell<Option<(u64, LaidOut)>>,
    policy: Policy,
    /// By which its inputs are normalized, if they are: saved and loaded with the weights.
    statistics: Option<WrapperStatistics>,
    /// What its weights need to be used, written beside them.
    usage: Option<Usage>,
    operations: Operations,
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
        let mut head = HeadSettings::of_policy(&policy, settings.output_gain);
        head.biases.iter_mut().for_each(|bias| *bias += settings.output_bias.unwrap_or(0.0) as f32);
        Ok(Network { policy, ..Self::with_heads(settings, shape, &[head], rng)? })
    }

    /// A network with these heads, which all read the end of its body. The first one is read as logits.
    pub fn with_heads(
        settings: &NetworkSettings,
        shape: &[usize],
        heads: &[HeadSettings],
        rng: &mut Rng,
    ) -> Result<Self> {
        let body = body::plan(settings, shape)?;
        let mut nodes = body.acting();
        let mut training = body.training();
        let mut places = Vec::new();
        let mut parameters = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            let gain = settings.initialization.gain(settings.activation);
            add_layer(&mut parameters, (settings, i), &node.layer, (gain, None), rng)?;
        }
        for head in heads {
            let (i, units) = (nodes.len(), head.biases.len());
            let layer = head.layer(body.shape())?;
            add_layer(&mut parameters, (settings, i), &layer, (head.gain, Some(&head.biases)), rng)?;
            let mut layers = vec![layer];
            if !head.appended.is_empty() {
                let outputs = units + head.appended.len();
                layers.push(Layer::Append(Append { inputs: units, outputs }));
                let appended = Tensor::new(&head.appended[..], &Device::Cpu)?;
                parameters.push(("log_std".into(), Role::Bias, appended));
            }
            places.push(body::extend(&mut nodes, body.end(), &layers));
            training.iter_mut().for_each(|all| _ = body::extend(all, body.training_end(), &layers));
        }
        let shift = training.as_ref().map_or(0, |all| all.len() - nodes.len());
        let shifted = places.iter().map(|place| place + shift).collect();
        Ok(Network {
            graph: Graph::new(nodes, places)?.into(),
            training: training.map(|all| Graph::new(all, shifted)).transpose()?,
            heads: heads.iter().map(|head| head.name).collect(),
            parameters: Parameters::new(parameters)?,
            laid_out: RefCell::default(),
            policy: Policy::Categorical { actions: heads[0].biases.len() as u32 },
            statistics: None,
            usage: None,
            operations: Operations::default(),
        })
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

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The names of its heads.
    pub fn heads(&self) -> &[&'static str] {
        &self.heads
    }

    /// `[batch, inputs]` to the first head, `[batch, outputs]`, differentiable in the parameters.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        Ok(self.forward_heads(inputs)?.swap_remove(0))
    }

    /// To every head.
    pub fn forward_heads(&self, inputs: &Tensor) -> Result<Vec<Tensor>> {
        self.operations.add(inputs.dim(0)?, self.graph.training_operations());
        self.through(&self.graph, inputs)
    }

    /// [`Self::forward_heads`] as a network trains on labels: with units dropped as this seed says, and normalized by this batch.
    pub fn forward_training(&self, inputs: &Tensor, seed: u64) -> Result<Vec<Tensor>> {
        let Some(training) = &self.training else { return self.forward_heads(inputs) };
        let seeded = |i: usize, layer| match layer {
            Layer::Dropout(dropout) => Layer::Dropout(Dropout { seed: seed.wrapping_add(i as u64), ..dropout }),
            layer => layer,
        };
        self.operations.add(inputs.dim(0)?, training.training_operations());
        self.through(&training.map(seeded).into(), inputs)
    }

    /// Moves running statistics, where it has some, towards those of this batch, `[batch, inputs]`: what a policy does before it acts, so that
    /// it acts and learns by the same ones.
    pub fn observe(&self, inputs: &[f32], batch: usize) -> Result<()> {
        let Some(training) = self.training.as_ref().filter(|graph| graph.layers().any(|layer| layer.statistics() > 0))
        else {
            return Ok(());
        };
        let inputs = Tensor::from_slice(inputs, (batch, inputs.len() / batch.max(1)), &Device::Cpu)?;
        self.operations.add(batch, training.forward_operations());
        self.through(&training.clone().into(), &inputs)?;
        self.parameters.track()
    }

    /// [`Self::infer`], normalized by this batch where it normalizes by batches: as it learns.
    pub fn infer_by_batch(&self, inputs: &[f32], batch: usize, outputs: &mut Vec<f32>) -> Result<()> {
        let Some(training) = self.training.as_ref().filter(|graph| graph.layers().any(|layer| layer.statistics() > 0))
        else {
            return self.infer(inputs, batch, outputs);
        };
        self.operations.add(batch, training.forward_operations());
        let inputs = Tensor::from_slice(inputs, (batch, inputs.len() / batch.max(1)), &Device::Cpu)?;
        *outputs = self.through(&training.clone().into(), &inputs)?.swap_remove(0).flatten_all()?.to_vec1()?;
        Ok(())
    }

    fn through(&self, graph: &Arc<Graph>, inputs: &Tensor) -> Result<Vec<Tensor>> {
        Ok(kernel::graph(inputs, self.parameters.flat(), graph, Some(self.parameters.collector()))?)
    }

    /// The same function from slice to slice, without a graph: `inputs` is `[batch, inputs]`, `outputs` becomes those of the first head,
    /// `[batch, outputs]`; its memory is used again from call to call.
    pub fn infer(&self, inputs: &[f32], batch: usize, outputs: &mut Vec<f32>) -> Result<()> {
        self.operations.add(batch, self.graph.forward_operations());
        outputs.resize(batch * self.graph.outputs().sum::<usize>(), 0.0);
        let mut laid_out = self.laid_out.borrow_mut();
        let version = self.parameters.version();
        let laid_out = match &mut *laid_out {
            Some((of, laid_out)) if version == Some(*of) => laid_out,
            old => &mut old.insert((version.unwrap_or_default(), LaidOut::of(self.parameters.flat(), &self.graph)?)).1,
        };
        kernel::graph_into(inputs, (self.parameters.flat(), laid_out), &self.graph, outputs)?;
        // Head lies after head.
        outputs.truncate(batch * self.graph.outputs().next().unwrap_or(0));
        Ok(())
    }

    /// The heads that read nothing but zeros of these inputs, `[batch, inputs]`: they say the same of all of them, and nothing of their weights
    /// is learned from any.
    pub fn heads_fed_zeros(&self, inputs: &[f32], batch: usize) -> Result<Vec<&'static str>> {
        let mut fed_zeros = Vec::new();
        for (name, head) in self.heads.iter().zip(self.graph.heads()) {
            let sources = &self.graph.nodes()[head - 1].from;
            if sources.contains(&0) {
                continue;
            }
            let before = Graph::new(self.graph.nodes().to_vec(), sources.clone())?;
            let mut read = vec![0.0; batch * before.outputs().sum::<usize>()];
            let laid_out = LaidOut::of(self.parameters.flat(), &before)?;
            kernel::graph_into(inputs, (self.parameters.flat(), &laid_out), &before, &mut read)?;
            if read.iter().all(|value| *value == 0.0) {
                fed_zeros.push(*name);
            }
        }
        Ok(fed_zeros)
    }

    /// [`Self::infer`] of what every copy of an environment shows, with −∞ for the logits of actions that are not allowed.
    pub fn infer_steps(&self, steps: &Steps, outputs: &mut Vec<f32>) -> Result<()> {
        self.infer(&steps.observations, steps.copies, outputs)?;
        if steps.action_masks.is_empty() { Ok(()) } else { self.policy.mask(outputs, &steps.action_masks) }
    }
}

/// The initial parameters of a layer that has some; `i` counts layers without dropout.
fn add_layer(
    parameters: &mut Vec<(String, Role, Tensor)>,
    (settings, i): (&NetworkSettings, usize),
    layer: &Layer,
    (gain, biases): (f64, Option<&[f32]>),
    rng: &mut Rng,
) -> Result<()> {
    let Some(shape) = layer.weight_shape() else { return Ok(()) };
    let mut add = |name: &str, role, values: Vec<f32>, shape: &[usize]| {
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
        parameters.push((format!("layers.{i}.{name}"), role, tensor));
        Ok::<(), crate::Error>(())
    };
    match layer.scales() {
        true => add("weight", Role::Scale, vec![1.0; layer.weights()], &shape)?,
        false => {
            let matrix = (shape[0], shape[1..].iter().product());
            let weight = settings.initialization.draw(matrix, layer.fan_in(), gain, rng);
            add("weight", Role::Weight, weight, &shape)?;
        }
    }
    if layer.biases() > 0 {
        let bias = biases.map_or_else(|| vec![0.0; layer.biases()], <[f32]>::to_vec);
        add("bias", Role::Bias, bias, &[layer.biases()])?;
    }
    let statistics = layer.statistics() / 2;
    if statistics > 0 {
        add("running_mean", Role::Statistic, vec![0.0; statistics], &[statistics])?;
        add("running_var", Role::Statistic, vec![1.0; statistics], &[statistics])?;
    }
    Ok(())
}
