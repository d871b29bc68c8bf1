//! From settings to a chain of layers whose sizes fit.

use super::NetworkSettings;
use crate::kernel::{Activation, Conv, Dense, Dropout, Layer, Pool};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// One entry of `layers`: `{ conv = 16, kernel = 3 }`, `{ pool = 2 }`, `{ flatten = true }`, `{ dense = 64 }` or
/// `{ dropout = 0.5 }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSettings {
    /// Filters of a convolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conv: Option<usize>,
    /// Height and width of its filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<usize>,
    /// 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Zeros around the image; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<usize>,
    /// Side of the windows of a max pooling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<usize>,
    /// Says that images become vectors here; dense layers do so by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flatten: Option<bool>,
    /// Units of a dense layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dense: Option<usize>,
    /// Share of what comes in that is dropped while training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
}

/// Weights beyond which a network is taken for a typing error: 4 GB for themselves, and as much for each moment of Adam.
const MOST_PARAMETERS: f64 = 1e9;

/// The chain of layers from inputs of `shape` (`[features]` or `[channels, height, width]`) to `outputs` linear units.
///
/// # Errors
/// When a layer doesn't fit what comes before it; the message counts layers from 0.
pub(super) fn plan(settings: &NetworkSettings, shape: &[usize], outputs: usize) -> Result<Vec<Layer>> {
    let activation = settings.activation;
    let mut shape = shape.to_vec();
    let mut layers = Vec::new();
    for (i, layer) in settings.layers.iter().enumerate() {
        let planned = plan_layer(layer, &mut shape, activation);
        layers.extend(planned.map_err(|message| Error::setting("layers", format!("`layers`, entry {i}: {message}")))?);
    }
    let mut inputs = shape.iter().product();
    for units in settings.hidden() {
        layers.push(Layer::Dense(Dense { inputs, outputs: *units, activation }));
        inputs = *units;
        if let Some(rate) = settings.dropout {
            layers.push(plan_dropout(inputs, rate).map_err(|message| Error::setting("dropout", message))?);
        }
    }
    layers.push(Layer::Dense(Dense { inputs, outputs, activation: Activation::Identity }));
    let hidden = if settings.layers.is_empty() || settings.hidden().contains(&0) { "hidden" } else { "layers" };
    if layers.iter().any(|layer| layer.outputs() == 0) {
        return Err(Error::setting(hidden, "a hidden layer needs at least 1 unit"));
    }
    let parameters = layers
        .iter()
        .filter_map(Layer::weight_shape)
        .map(|shape| shape.iter().map(|side| *side as f64).product::<f64>());
    let parameters: f64 = parameters.sum();
    if parameters > MOST_PARAMETERS {
        return Err(Error::setting(
            hidden,
            format!("a network of {parameters:e} weights; the most is {MOST_PARAMETERS:e}"),
        ));
    }
    Ok(layers)
}

/// One entry; `shape` is what comes in, and what goes out afterwards.
fn plan_layer(
    settings: &LayerSettings,
    shape: &mut Vec<usize>,
    activation: Activation,
) -> Result<Option<Layer>, String> {
    let LayerSettings { conv, kernel, stride, padding, pool, flatten, dense, dropout } = *settings;
    if conv.is_none() && (kernel.is_some() || stride.is_some() || padding.is_some()) {
        return Err("`kernel`, `stride` and `padding` belong to a `conv`".into());
    }
    let image = |what: &str| match shape[..] {
        [channels, height, width] => Ok((channels, height, width)),
        _ => Err(format!("`{what}` needs images [channels, height, width]; what comes in has shape {shape:?}")),
    };
    match (conv, pool, flatten, dense, dropout) {
        (Some(filters), None, None, None, None) => {
            let (channels, height, width) = image("conv")?;
            let kernel = kernel.ok_or("a `conv` needs a `kernel`, such as 3")?;
            let (stride, padding) = (stride.unwrap_or(1), padding.unwrap_or(0));
            if filters == 0 || kernel == 0 || stride == 0 {
                return Err("`conv`, `kernel` and `stride` must be at least 1".into());
            }
            let sizes = Conv { channels, height, width, filters, kernel, stride, padding, activation };
            let (height, width) =
                sizes.output().ok_or(format!("a kernel of {kernel} on an image of {height}×{width}"))?;
            *shape = vec![filters, height, width];
            Ok(Some(Layer::Conv(sizes)))
        }
        (None, Some(size), None, None, None) => {
            let (channels, height, width) = image("pool")?;
            if size == 0 || size > height || size > width {
                return Err(format!("windows of {size}×{size} on an image of {height}×{width}"));
            }
            let sizes = Pool { channels, height, width, size };
            *shape = vec![channels, sizes.output().0, sizes.output().1];
            Ok(Some(Layer::Pool(sizes)))
        }
        (None, None, Some(true), None, None) => {
            *shape = vec![shape.iter().product()];
            Ok(None)
        }
        (None, None, None, Some(outputs), None) => {
            let inputs = shape.iter().product();
            *shape = vec![outputs];
            Ok(Some(Layer::Dense(Dense { inputs, outputs, activation })))
        }
        (None, None, None, None, Some(rate)) => plan_dropout(shape.iter().product(), rate).map(Some),
        _ => Err("a layer is one of `conv`, `pool`, `dense`, `dropout` and `flatten = true`".into()),
    }
}

/// Its seed is set for every batch.
fn plan_dropout(size: usize, rate: f64) -> Result<Layer, String> {
    match (0.0..1.0).contains(&rate) {
        true => Ok(Layer::Dropout(Dropout { size, rate, seed: 0 })),
        false => Err(format!("`dropout` must lie in [0, 1), not {rate}")),
    }
}
