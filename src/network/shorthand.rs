//! Usual bodies by their names, written out as layers.

use super::LayerSettings;
use lossward_envs::options::OptionValue;
use serde::{Deserialize, Serialize};

/// `body = { unet = { widths = [8, 16, 32] } }`: a body of convolutions in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodySettings {
    /// Down by 2 and up again, with what was there on the way down beside what comes up (Ronneberger et al. 2015, arXiv 1505.04597): as
    /// large as the images. Upsampled by the nearest pixel; the skipped channels come first.
    Unet(Unet),
    /// Down to one `stride`-th of the images' size: each width is a level, at half the size of the one before it until the stride is
    /// reached.
    Backbone(Backbone),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unet {
    /// Channels of the levels, at full size first; the last one is the bottom.
    pub widths: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<NormalizedBy>,
    /// Of the images themselves, before the first convolution; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_normalization: Option<NormalizedBy>,
    /// Convolutions of a level; 2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<usize>,
    /// Whether what was there on the way down is read again on the way up; yes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skips: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backbone {
    /// Channels of the levels.
    pub widths: Vec<usize>,
    /// Pixels of the images from one place of the result to the next, a power of 2.
    pub stride: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<NormalizedBy>,
    /// Of the images themselves, before the first convolution; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_normalization: Option<NormalizedBy>,
    /// Convolutions of a level; 2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<usize>,
}

/// By whose means and variances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizedBy {
    Batch,
    /// In groups of 4 channels; in one group where that leaves a rest.
    Group,
    Instance,
    None,
}

impl NormalizedBy {
    /// Of so many channels.
    fn layer(self, channels: usize) -> Option<LayerSettings> {
        let yes = OptionValue::Flag(true);
        match self {
            NormalizedBy::Batch => Some(LayerSettings::new([("batch_norm", yes)])),
            NormalizedBy::Group => {
                Some(whole("group_norm", if channels.is_multiple_of(GROUP) { channels / GROUP } else { 1 }))
            }
            NormalizedBy::Instance => Some(LayerSettings::new([("instance_norm", yes)])),
            NormalizedBy::None => None,
        }
    }
}

/// Channels of a group.
const GROUP: usize = 4;

/// Levels and convolutions beyond which a typing error is more likely.
const MOST: usize = 64;

impl BodySettings {
    /// The layers that it stands for, for inputs of this shape.
    ///
    /// # Errors
    /// When its numbers make no body, or the images can't be halved so often.
    pub(super) fn layers(&self, shape: &[usize]) -> Result<Vec<LayerSettings>, String> {
        let (name, widths, convolutions, halved) = match self {
            BodySettings::Unet(unet) => ("unet", &unet.widths, unet.convolutions, unet.widths.len().saturating_sub(1)),
            BodySettings::Backbone(backbone) => {
                if !backbone.stride.is_power_of_two() {
                    return Err(format!("`stride` of backbone must be a power of 2, not {}", backbone.stride));
                }
                let halved = backbone.stride.ilog2() as usize;
                if backbone.widths.len() <= halved {
                    return Err(format!(
                        "`widths` of backbone must be at least {} for a stride of {}",
                        halved + 1,
                        backbone.stride
                    ));
                }
                ("backbone", &backbone.widths, backbone.convolutions, halved)
            }
        };
        if widths.is_empty() || widths.len() > MOST || widths.contains(&0) {
            return Err(format!("`widths` of {name} must be 1 to {MOST} numbers of channels, each at least 1"));
        }
        if !(1..=MOST).contains(&convolutions.unwrap_or(1)) {
            return Err(format!("`convolutions` of {name} must lie between 1 and {MOST}"));
        }
        let &[channels, height, width] = shape else {
            return Err(format!("{name} needs images [channels, height, width]; what comes in has shape {shape:?}"));
        };
        let times = 1usize.checked_shl(halved as u32).unwrap_or(0);
        if times == 0 || height % times != 0 || width % times != 0 {
            return Err(format!(
                "{name} halves the images {halved} times, and {height}×{width} can't be divided by {times}: fewer levels, or images \
                 whose sides are multiples of it"
            ));
        }
        let (input, layers) = match self {
            BodySettings::Unet(unet) => (unet.input_normalization, unet.layers()),
            BodySettings::Backbone(backbone) => (backbone.input_normalization, backbone.layers()),
        };
        let input = input.and_then(|by| by.layer(channels));
        Ok(input.into_iter().map(without_activation).chain(layers).collect())
    }
}

impl Unet {
    fn layers(&self) -> Vec<LayerSettings> {
        let Unet { widths, normalization, convolutions, skips, .. } = self;
        let (count, skips) = (convolutions.unwrap_or(2), skips.unwrap_or(true));
        let (bottom, levels) = (widths.len() - 1, &widths[..widths.len() - 1]);
        let mut layers = Vec::new();
        for (i, width) in levels.iter().enumerate() {
            block(&mut layers, (*width, count), *normalization, Some(format!("level {i}")));
            layers.push(whole("pool", 2));
        }
        block(&mut layers, (widths[bottom], count), *normalization, None);
        for (i, width) in levels.iter().enumerate().rev() {
            layers.push(whole("upsample", 2));
            if skips {
                let skipped = OptionValue::Text(format!("level {i}"));
                layers.push(LayerSettings::new([("concat", skipped), ("first", OptionValue::Flag(true))]));
            }
            block(&mut layers, (*width, count), *normalization, None);
        }
        without_last_activation(layers)
    }
}

impl Backbone {
    fn layers(&self) -> Vec<LayerSettings> {
        let mut layers = Vec::new();
        let halved = self.stride.ilog2() as usize;
        for (i, width) in self.widths.iter().enumerate() {
            block(&mut layers, (*width, self.convolutions.unwrap_or(2)), self.normalization, None);
            if i < halved {
                layers.push(whole("pool", 2));
            }
        }
        without_last_activation(layers)
    }
}

fn whole(name: &'static str, value: usize) -> LayerSettings {
    LayerSettings::new([(name, OptionValue::Whole(value as i64))])
}

/// So many 3×3 convolutions, each normalized; the last layer gets the name.
fn block(
    layers: &mut Vec<LayerSettings>,
    (channels, count): (usize, usize),
    normalization: Option<NormalizedBy>,
    name: Option<String>,
) {
    for _ in 0..count {
        let (filters, same) = (OptionValue::Whole(channels as i64), OptionValue::Text("same".into()));
        layers.push(LayerSettings::new([("conv", filters), ("kernel", OptionValue::Whole(3)), ("padding", same)]));
        layers.extend(normalization.unwrap_or(NormalizedBy::Batch).layer(channels));
    }
    if let (Some(last), Some(name)) = (layers.last_mut(), name) {
        last.set("name", OptionValue::Text(name));
    }
}

/// A head whose bias begins at 0 reads numbers of both signs: behind a relu that has died it would say the same of every image.
fn without_last_activation(mut layers: Vec<LayerSettings>) -> Vec<LayerSettings> {
    let last = layers.pop().map(without_activation);
    layers.extend(last);
    layers
}

fn without_activation(mut layer: LayerSettings) -> LayerSettings {
    layer.set("activation", OptionValue::Text("identity".into()));
    layer
}
