//! The layers of a network: a file each, with its settings, its sizes, both of its passes and its plain twin. Another one is its file and
//! its lines in [`layers!`] and, if it can be asked for in an experiment, in [`ROWS`].

mod adaptive_pool;
mod add;
mod append;
mod average_pool;
mod averaging;
mod batch_norm;
mod concat;
mod conv;
mod conv_transpose;
mod dense;
mod dropout;
mod filter_bias;
mod flatten;
mod normalization;
mod pool;
#[cfg(test)]
mod tests;
mod upsample;
mod windows;

pub use adaptive_pool::AdaptivePool;
pub use add::Add;
pub use append::Append;
pub use average_pool::AveragePool;
pub use batch_norm::BatchNorm;
pub use concat::Concat;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use dense::Dense;
pub use dropout::Dropout;
pub use normalization::GroupNorm;
pub use pool::Pool;
pub use upsample::{Interpolation, Upsample};

use super::activation::{Activation, Real};
use super::buffer::Buffer;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

/// What can stand in the `layers` of an experiment.
pub const ROWS: &[LayerRow] = &[
    conv::ROW,
    conv_transpose::ROW,
    pool::ROW,
    average_pool::ROW,
    adaptive_pool::ROW,
    adaptive_pool::GLOBAL_ROW,
    upsample::ROW,
    flatten::ROW,
    dense::ROW,
    batch_norm::ROW,
    normalization::GROUP_ROW,
    normalization::LAYER_ROW,
    normalization::INSTANCE_ROW,
    dropout::ROW,
    concat::ROW,
    add::ROW,
];

/// A layer as it is asked for: `{ conv = 16, kernel = 3 }`.
#[derive(Debug)]
pub struct LayerRow {
    /// The first one is its name, and says which layer it is.
    pub options: &'static [OptionRow],
    pub meaning: &'static str,
    /// Whether the first option names a second layer that it reads, beside the one before it.
    pub joins: bool,
    /// Whether it normalizes what comes in: the layer before it leaves its bias and its activation to this one.
    pub normalizes: bool,
    pub plan: fn(&Options, &Arriving) -> Result<Planned, String>,
}

impl LayerRow {
    /// A layer of which there is nothing special to say.
    const PLAIN: LayerRow = LayerRow {
        options: &[],
        meaning: "",
        joins: false,
        normalizes: false,
        plan: |_, _| Err("a layer that can't be planned".into()),
    };

    pub const fn name(&self) -> &'static str {
        self.options[0].name
    }
}

const BIAS: OptionRow = OptionRow {
    name: "bias",
    meaning: "whether it has one; where a normalization follows, it has none",
    kind: OptionKind::Flag { default: true },
};

/// What a layer is planned for.
pub struct Arriving<'a> {
    /// The shape of what comes in, `[features]` or `[channels, height, width]`, of each layer that it reads.
    pub shapes: Vec<&'a [usize]>,
    /// After layers that have one.
    pub activation: Activation,
    /// Whether the next layer normalizes what comes out.
    pub normalized: bool,
}

impl Arriving<'_> {
    /// Of a layer with the option [`BIAS`].
    fn has_bias(&self, options: &Options) -> bool {
        options.flag("bias") && !self.normalized
    }

    /// Floats per example that come in first.
    fn size(&self) -> usize {
        self.shapes[0].iter().product()
    }

    /// Channels, height and width of what comes in first; `layer` needs images.
    fn image(&self, layer: &str) -> Result<(usize, usize, usize), String> {
        match *self.shapes[0] {
            [channels, height, width] => Ok((channels, height, width)),
            ref shape => {
                Err(format!("`{layer}` needs images [channels, height, width]; what comes in has shape {shape:?}"))
            }
        }
    }
}

/// A layer with its sizes, or none where only the shape changes, and the shape of what comes out.
pub struct Planned {
    pub layer: Option<Layer>,
    pub shape: Vec<usize>,
}

/// Of a layer that is asked for by `name = true`.
fn switched_on(options: &Options, name: &str) -> Result<(), String> {
    match options.flag(name) {
        true => Ok(()),
        false => Err(format!("`{name} = false` does nothing; leave it out")),
    }
}

/// The height and the width that an option gives, as two numbers or as one for both.
fn sides(options: &Options, name: &str) -> Result<[usize; 2], String> {
    let numbers = options.numbers(name).unwrap_or_default();
    let sides = match numbers {
        [both] => [*both, *both],
        [height, width] => [*height, *width],
        _ => return Err(format!("`{name}` must be one number or [height, width], not {} numbers", numbers.len())),
    };
    match sides.iter().find(|side| side.fract() != 0.0 || **side < 1.0 || **side > 1e9) {
        Some(side) => Err(format!("`{name}` must be whole, at least 1 and at most 1e9, not {side}")),
        None => Ok(sides.map(|side| side as usize)),
    }
}

// For fields that descriptions of weights may leave out.

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn yes() -> bool {
    true
}

fn is_true(flag: &bool) -> bool {
    *flag
}

/// So many layers are read by one at most.
pub(super) const MOST_SOURCES: usize = 2;

/// What a layer's forward pass left for its backward pass.
pub(super) struct Passed<'a, T> {
    /// Of each layer that it read.
    pub xs: &'a [&'a [T]],
    /// With the statistics that stand behind it.
    pub biases: &'a [T],
    pub y: &'a [T],
    /// What the forward pass has kept.
    pub kept: &'a [T],
}

/// The gradients of what a layer read, each where there is room for it.
pub(super) type Dx<'a, T> = [Option<&'a mut [T]>];

/// What every layer can tell and do. Examples follow one another; sizes are floats per example.
pub(super) trait Operation {
    /// Of each layer that it reads.
    fn inputs(&self) -> [usize; MOST_SOURCES];

    fn outputs(&self) -> usize;

    /// The shape of the weight; nothing for a layer without one.
    fn weight_shape(&self) -> Option<Vec<usize>> {
        None
    }

    /// Floats of the weight.
    fn weights(&self) -> usize {
        0
    }

    /// Whether the weight multiplies what was normalized: it begins at 1, and is never penalized.
    fn scales(&self) -> bool {
        false
    }

    /// Floats of the bias, which stands behind the weight.
    fn biases(&self) -> usize {
        0
    }

    /// So many of the biases, the last ones, are means and, behind them, variances, which no gradient moves.
    fn statistics(&self) -> usize {
        0
    }

    /// Numbers that one output sums up, by which initial weights are drawn.
    fn fan_in(&self) -> f64 {
        self.weight_shape().map_or(1.0, |shape| shape[1..].iter().map(|side| *side as f64).product())
    }

    /// Multiplications of one example's matrix products.
    fn products(&self) -> usize {
        0
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    /// Floats that are kept of so many examples for the backward pass: the arguments of the activation, where its derivative needs them.
    fn kept(&self, batch: usize) -> usize {
        if self.activation().needs_argument() { batch * self.outputs() } else { 0 }
    }

    /// The weight in the order in which the forward pass reads it; nothing where that is its own.
    fn laid_out<T: Real>(&self, _w: &[T]) -> Buffer<T> {
        Buffer::none()
    }

    /// Of the weight, as [`Self::laid_out`] has it, and of the bias. Fills `kept` where there is room.
    fn forward<T: Real>(&self, xs: &[&[T]], parameters: (&[T], &[T]), y: &mut [T], kept: &mut [T]);

    /// Sets the gradients of weight and bias, and of `xs`. `dy` is used up.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        gradient: (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    );

    /// Of what was kept: the momentum of running statistics, and the means and variances of a batch that they are moved towards.
    fn observed<T: Real>(&self, _kept: &[T], _batch: usize) -> Option<(f64, Vec<f64>)> {
        None
    }

    /// The forward pass in candle's own vocabulary; `xs` are `[batch, …]`, of images flat ones.
    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor>;
}

macro_rules! layers {
    ($($layer:ident = $kind:literal),*) => {
        /// A layer with its sizes; written beside weights under the `kind` that stands in [`layers!`].
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Layer {
            $(#[serde(rename = $kind)] $layer($layer)),*
        }

        macro_rules! of {
            ($value:expr, $name:ident => $does:expr) => {
                match $value { $(Layer::$layer($name) => $does),* }
            };
        }
    };
}

layers!(
    Dense = "dense",
    Conv = "conv",
    ConvTranspose = "conv_transpose",
    Pool = "max_pool",
    AveragePool = "average_pool",
    AdaptivePool = "adaptive_pool",
    Upsample = "upsample",
    GroupNorm = "group_norm",
    Dropout = "dropout",
    Append = "log_std",
    BatchNorm = "batch_norm",
    Concat = "concat",
    Add = "add"
);

impl Layer {
    /// Floats per example that go in, of the first layer that it reads.
    pub fn inputs(&self) -> usize {
        self.inputs_of_each()[0]
    }

    /// Floats per example that go in, of each layer that it reads; 0 where it reads fewer.
    pub(super) fn inputs_of_each(&self) -> [usize; MOST_SOURCES] {
        of!(self, layer => layer.inputs())
    }

    /// Floats per example that come out.
    pub fn outputs(&self) -> usize {
        of!(self, layer => layer.outputs())
    }

    /// The shape of the weight; nothing for a layer without one.
    pub fn weight_shape(&self) -> Option<Vec<usize>> {
        of!(self, layer => layer.weight_shape())
    }

    /// Floats of the weight.
    pub fn weights(&self) -> usize {
        of!(self, layer => layer.weights())
    }

    /// Floats of the weight and of the bias.
    pub fn parameters(&self) -> usize {
        self.weights() + of!(self, layer => layer.biases())
    }

    /// Whether the weight is a scale: it begins at 1, and is neither penalized nor decayed.
    pub fn scales(&self) -> bool {
        of!(self, layer => layer.scales())
    }

    /// Numbers that one output sums up, by which initial weights are drawn.
    pub fn fan_in(&self) -> f64 {
        of!(self, layer => layer.fan_in())
    }

    /// Floats of the bias, without statistics.
    pub fn biases(&self) -> usize {
        of!(self, layer => layer.biases() - layer.statistics())
    }

    /// Floats of means and, behind them, of variances that stand behind the bias.
    pub fn statistics(&self) -> usize {
        of!(self, layer => layer.statistics())
    }

    /// Multiplications and additions of one example's forward pass, those of the matrix products alone.
    pub fn operations(&self) -> u64 {
        2 * of!(self, layer => layer.products()) as u64
    }

    pub(super) fn kept(&self, batch: usize) -> usize {
        of!(self, layer => layer.kept(batch))
    }

    /// The weight in the order in which the forward pass reads it, where that is another one. `parameters` holds the weight and, behind it,
    /// the bias.
    pub(super) fn laid_out<T: Real>(&self, parameters: &[T]) -> Buffer<T> {
        of!(self, layer => layer.laid_out(&parameters[..self.weights()]))
    }

    /// With the weight that [`Self::laid_out`] made of these parameters.
    pub(super) fn forward<T: Real>(
        &self,
        xs: &[&[T]],
        (parameters, laid_out): (&[T], &[T]),
        y: &mut [T],
        kept: &mut [T],
    ) {
        let (w, b) = parameters.split_at(self.weights());
        let w = if laid_out.is_empty() { w } else { laid_out };
        of!(self, layer => layer.forward(xs, (w, b), y, kept))
    }

    /// Sets the gradients of the parameters and of `xs`. `dy` is used up.
    pub(super) fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        parameters: &[T],
        dy: &mut [T],
        gradient: &mut [T],
        dxs: &mut Dx<T>,
    ) {
        let weights = self.weights();
        let (w, gradient) = (&parameters[..weights], gradient.split_at_mut(weights));
        of!(self, layer => layer.backward(passed, w, dy, gradient, dxs))
    }

    pub(super) fn observed<T: Real>(&self, kept: &[T], batch: usize) -> Option<(f64, Vec<f64>)> {
        of!(self, layer => layer.observed(kept, batch))
    }

    pub(super) fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        of!(self, layer => layer.plain(xs, w, b))
    }
}
