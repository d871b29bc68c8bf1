//! What weights need to be used: it stands in the metadata of their file, as JSON under the key `lossward`, so that weights alone say what they are.

use crate::kernel::{Graph, Layer, Node};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The key of the metadata.
const KEY: &str = "lossward";

/// Of this layout; a later one has another number.
const LAYOUT: u32 = 1;

/// Everything about a network but its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsDescription {
    pub layout: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// In order.
    pub layers: Vec<LayerDescription>,
    pub usage: Usage,
}

/// A layer; its numbers are its sizes, see [`Layer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDescription {
    /// Begins the names of its tensors, `layers.0.weight`; `log_std` is a tensor itself, and stands behind what comes in.
    pub name: String,
    /// The layers that it reads, 0 is the input and 1 the first of these; left out where it reads the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<usize>>,
    #[serde(flatten)]
    pub layer: Layer,
}

/// From what is known in the world to inputs, and from outputs back to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Of one input: `[features]`, or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// Of a data set: an entry for each number of an input, or a single one for all pixels of an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureDescription>,
    /// What the outputs are.
    pub outputs: Option<Outputs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentDescription>,
}

/// `(x − mean) / deviation`, or 0 where the deviation is 0. Of a category (`value` is given): 1 where the column's text is `value`, otherwise 0.
/// A missing number is filled by the mean, a missing text is no category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureDescription {
    pub column: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub mean: f64,
    pub deviation: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outputs {
    /// Logits, one for each class.
    Classes { names: Vec<String> },
    /// The mean of the standardized value, and the logarithm of its standard deviation: the value is `mean + deviation · output`, of which e is
    /// raised to the power where the logarithm is predicted.
    Value { name: String, mean: f64, deviation: f64, logarithm: bool },
    /// Planes of logits, `[planes, height, width]`: of two classes those of the second one against the first, of more one plane for each.
    Masks { names: Vec<String>, height: usize, width: usize },
    /// Planes of logits at every cell of a grid, `[classes + 4 bins, height, width]`: one for each class, then those of the distances to the left, top,
    /// right and bottom side of a box in strides, of which bin i stands for i. The center of a cell is `((column + ½) stride, (row + ½) stride)` in pixels,
    /// a score is the logistic function of its logit, and a distance is the mean of its softmax.
    Boxes { names: Vec<String>, bins: usize, stride: usize, height: usize, width: usize },
    /// Logits of the choices, one choice after the other.
    Choices { sizes: Vec<u32> },
    /// Means, and behind them logarithms of standard deviations; then `squash` into the bounds: "clip", or "tanh" onto `low + (high − low)(tanh u + 1)/2`.
    Numbers { low: Vec<f32>, high: Vec<f32>, squash: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentDescription {
    pub id: String,
    /// As TOML, with the wrappers that stand between the environment and the network.
    pub settings: String,
    /// Where observations are normalized, by the tensors `observations.mean` and `observations.variance`: `clip((x − mean) / √(variance + 1e-8), ±10)`.
    pub normalizes_observations: bool,
}

impl WeightsDescription {
    pub(super) fn new(graph: &Graph, usage: Usage) -> Self {
        let layer = |(i, node): (usize, &Node)| LayerDescription {
            name: if matches!(node.layer, Layer::Append(_)) { "log_std".into() } else { format!("layers.{i}") },
            from: (node.from != [i]).then(|| node.from.clone()),
            layer: node.layer,
        };
        let layers = graph.nodes().iter().enumerate().map(layer).collect();
        WeightsDescription { layout: LAYOUT, version: env!("CARGO_PKG_VERSION").into(), layers, usage }
    }

    pub(super) fn metadata(&self) -> Result<HashMap<String, String>> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::Argument(format!("the description of weights: {error}")))?;
        Ok([(KEY.to_string(), text)].into())
    }

    /// That of a weights file; nothing where a file has none, as those of other programs.
    ///
    /// # Errors
    /// When it can't be read, is no safetensors file, or its description is broken or of a later layout.
    pub fn read(path: &Path) -> Result<Option<WeightsDescription>> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes)
            .map_err(|error| Error::content(path, format!("not a safetensors file: {error}")))?;
        let Some(text) = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)) else { return Ok(None) };
        let broken = |error: serde_json::Error| Error::content(path, format!("its description can't be read: {error}"));
        let layout = serde_json::from_str::<serde_json::Value>(text).map_err(broken)?["layout"].as_u64();
        if layout != Some(u64::from(LAYOUT)) {
            let message = format!("its description has the layout {layout:?}, and this program reads {LAYOUT}");
            return Err(Error::content(path, message));
        }
        serde_json::from_str(text).map(Some).map_err(broken)
    }
}
