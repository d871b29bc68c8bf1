//! Training steps of single networks.

use super::measure::in_turns;
use super::peak::{LARGE, Product, SMALL, shape_name};
use super::{Row, Unit, plain};
use crate::data;
use crate::loss::{Criterion, Inputs, LossSettings, WeightedLoss};
use crate::network::{Network, NetworkSettings};
use crate::optimizer::{Optimizer, OptimizerSettings};
use crate::options::{Named, Options};
use crate::task::kind;
use crate::{Error, Result, stream};
use candle_core::{Device, Tensor};
use std::time::Duration;

pub(super) fn control(name: &str) -> Result<Row> {
    steps(name, &Case { network: TANH, shape: &[4], classes: 2, batch: 128, peak: SMALL })
}

pub(super) fn digits_32(name: &str) -> Result<Row> {
    steps(name, &Case { network: TANH, shape: &[64], classes: 10, batch: 32, peak: SMALL })
}

pub(super) fn digits_128(name: &str) -> Result<Row> {
    steps(name, &Case { network: TANH, shape: &[64], classes: 10, batch: 128, peak: SMALL })
}

pub(super) fn images(name: &str) -> Result<Row> {
    let network = "hidden = [256, 128]\nactivation = \"relu\"";
    steps(name, &Case { network, shape: &[784], classes: 10, batch: 128, peak: LARGE })
}

pub(super) fn convolutions(name: &str) -> Result<Row> {
    let network = "layers = [{ conv = 16, kernel = 3 }, { pool = 2 }, { conv = 32, kernel = 3 }, { pool = 2 }]\n\
                   activation = \"relu\"";
    steps(name, &Case { network, shape: &[1, 28, 28], classes: 10, batch: 64, peak: SMALL })
}

pub(super) fn masks(name: &str) -> Result<Row> {
    const LOSSES: &[(&str, f64)] = &[("dice", 1.0), ("bce_with_logits", 1.0)];
    pictures(name, &Pictures { set: "mri_lesion_sim", body: "unet = { widths = [8, 16, 32] }", losses: LOSSES })
}

pub(super) fn boxes(name: &str) -> Result<Row> {
    const LOSSES: &[(&str, f64)] = &[("bce_with_logits", 1.0), ("ciou", 5.0), ("distribution_focal", 1.25)];
    pictures(
        name,
        &Pictures { set: "mnist_detect", body: "backbone = { widths = [16, 32, 64], stride = 4 }", losses: LOSSES },
    )
}

/// What is learned of a built-in data set, by which network.
struct Pictures {
    set: &'static str,
    body: &'static str,
    losses: &'static [(&'static str, f64)],
}

/// The loop's own step on images with masks or boxes: forward, all terms of the loss, backward, Adam.
fn pictures(name: &str, pictures: &Pictures) -> Result<Row> {
    const BATCH: usize = 8;
    let set = data::find(pictures.set)?;
    let data = (set.load)(&Options::defaults(set.options))?;
    let kind = kind::of(&data, None)?;
    let settings = settings(&format!("body = {{ {} }}\nactivation = \"relu\"", pictures.body))?;
    let network = Network::of_policy(&settings, (&data.shape, kind.policy(None)?), &mut stream(0, "init", 0))?;
    let mut optimizer = adam()?;
    let terms = pictures.losses.iter().map(|(name, weight)| WeightedLoss { loss: Named::plain(name), weight: *weight });
    let criterion = Criterion::new(&LossSettings::Composite(terms.collect()))?;
    let rows: Vec<usize> = (0..BATCH).collect();
    let inputs = data.train.inputs_of(rows.iter().copied());
    let mut product = Product::best(SMALL)?;
    let mut step = || {
        let inputs = Tensor::from_slice(&inputs, (BATCH, data.train.features()), &Device::Cpu)?;
        let targets = data.train.targets.kept(&rows);
        let outputs = network.forward_training(&inputs, 0)?.swap_remove(0);
        let loss = criterion.value(kind.comparison(&outputs, &targets)?)?.0;
        crate::scalar(&loss)?;
        optimizer.descend(network.parameters(), &loss, 0.0)?;
        network.parameters().track()?;
        Ok(BATCH as f64)
    };
    let mut peak = || Ok(product.multiply());
    let [steps, peak] = in_turns(Duration::from_millis(200), [&mut step, &mut peak])?;
    let operations = network.graph().training_operations() as f64;
    Ok(Row::new(name, Unit::Samples, &steps).with_peak(&steps, operations, &peak, &shape_name(SMALL)))
}

fn adam() -> Result<Optimizer> {
    let settings: OptimizerSettings = toml::from_str(&format!("rule = \"adam\"\nlearning_rate = {LEARNING_RATE}"))
        .map_err(|error: toml::de::Error| Error::Argument(error.to_string()))?;
    Optimizer::new(&settings, stream(0, "gradient noise", 0))
}

pub(super) const TANH: &str = "hidden = [64, 64]\nactivation = \"tanh\"";

/// A network and its batches.
struct Case {
    network: &'static str,
    shape: &'static [usize],
    classes: usize,
    batch: usize,
    /// The product that counts as the machine's peak.
    peak: [usize; 3],
}

/// So small that the batch is not learned by heart: gradients that vanish are no training, and arithmetic on numbers below the
/// normal ones is slower.
pub(super) const LEARNING_RATE: f64 = 1e-6;

pub(super) fn settings(network: &str) -> Result<NetworkSettings> {
    let text = format!("{network}\ninitialization = \"orthogonal\"\noutput_gain = 1.0");
    toml::from_str(&text).map_err(|error| Error::Argument(error.to_string()))
}

/// The loop's own step (forward, cross-entropy, backward, Adam) in turns with its twin in plain candle and with the peak.
fn steps(name: &str, case: &Case) -> Result<Row> {
    let Case { shape, classes, batch, .. } = *case;
    let network = Network::new(&settings(case.network)?, (shape, classes), &mut stream(0, "init", 0))?;
    let mut optimizer = adam()?;
    let cross_entropy = Criterion::new(&LossSettings::One(Named::plain("cross_entropy")))?;
    let features: usize = shape.iter().product();
    let inputs: Vec<f32> = (0..batch * features).map(|i| (i as f32).sin()).collect();
    let labels: Vec<u32> = (0..batch).map(|i| (i % classes) as u32).collect();
    let mut plain = plain::Training::new(&network, (inputs.clone(), labels.clone()))?;
    let mut product = Product::best(case.peak)?;
    // A batch is a fresh tensor in the loop, too.
    let mut fused_step = || {
        let inputs = Tensor::from_slice(&inputs, (batch, features), &Device::Cpu)?;
        let labels = Tensor::from_slice(&labels, batch, &Device::Cpu)?;
        let loss = cross_entropy
            .value(|loss, options| loss.of_classifier(&Inputs::pair(&network.forward(&inputs)?, &labels), options))?
            .0;
        crate::scalar(&loss)?;
        optimizer.descend(network.parameters(), &loss, 0.0)?;
        Ok(batch as f64)
    };
    let mut plain_step = || plain.step();
    let mut peak = || Ok(product.multiply());
    let [fused, plain, peak] = in_turns(Duration::from_millis(30), [&mut fused_step, &mut plain_step, &mut peak])?;
    Ok(Row::new(name, Unit::Samples, &fused)
        .with_peak(&fused, network.graph().training_operations() as f64, &peak, &shape_name(case.peak))
        .with_ratio(&fused, &plain, "plain candle"))
}
