//! The pieces of a training step, fused beside their plain-candle twins: `cargo bench`.

#![allow(clippy::unwrap_used)]

use candle_core::{Device, Tensor, Var};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lossward::benchmark::Product;
use lossward::distribution::{Policy, Probabilities};
use lossward::kernel::{
    self, Activation, AdaptivePool, AveragePool, Conv, ConvTranspose, Dense, Graph, GroupNorm, Interpolation, Layer,
    Pool, Upsample, plain,
};
use lossward::network::{Network, NetworkSettings, Parameters};
use lossward::optimizer::{Optimizer, OptimizerSettings, RULES};
use lossward::stream;
use lossward::surrogate::{self, Surrogate, Taken};
use lossward_envs::RandomActions;
use std::sync::Arc;

fn main() {
    kernel::use_one_thread();
    divan::main();
}

fn values(shape: &[usize]) -> Tensor {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count).map(|i| (i as f32).sin()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The products of small networks, by all that multiply them.
#[divan::bench(args = ["512×64×64", "128×784×256", "128×64×10", "128×4×64", "32×144×121"], consts = [0, 1, 2])]
fn product<const LIBRARY: usize>(bencher: Bencher, shape: &str) {
    let sizes: Vec<usize> = shape.split('×').map(|size| size.parse().unwrap()).collect();
    let mut product = Product::new([sizes[0], sizes[1], sizes[2]], LIBRARY);
    let operations = 2 * sizes.iter().product::<usize>();
    bencher.counter(ItemsCount::new(operations)).bench_local(|| product.multiply());
}

const LAYERS: &[&str] = &[
    "dense identity",
    "dense relu",
    "dense tanh",
    "dense sigmoid",
    "dense gelu",
    "conv",
    "conv transpose",
    "pool",
    "pool 3 by 2",
    "average pool",
    "global pool",
    "upsample nearest",
    "upsample bilinear",
    "group norm",
    "layer norm",
];

/// One layer, and its batch; of images of 16 channels of 26 × 26.
fn layer(name: &str) -> (Layer, usize) {
    let (channels, height, width) = (16, 26, 26);
    let pool = Pool { channels, height, width, size: 2, stride: None, padding: 0 };
    let upsample = |mode| (Layer::Upsample(Upsample { channels, height, width, factor: 2, mode }), 16);
    let norm = GroupNorm { channels, pixels: height * width, groups: 4, activation: Activation::Identity };
    let dense = |activation| (Layer::Dense(Dense { inputs: 64, outputs: 64, activation }), 128);
    match name {
        "dense identity" => dense(Activation::Identity),
        "dense relu" => dense(Activation::Relu),
        "dense tanh" => dense(Activation::Tanh),
        "dense sigmoid" => dense(Activation::Sigmoid),
        "dense gelu" => dense(Activation::Gelu),
        "conv" => {
            let (channels, height, width, filters, kernel) = (16, 13, 13, 32, 3);
            let activation = Activation::Relu;
            (
                Layer::Conv(Conv {
                    channels,
                    height,
                    width,
                    filters,
                    kernel,
                    stride: 1,
                    padding: 0,
                    bias: true,
                    activation,
                }),
                16,
            )
        }
        "conv transpose" => {
            let (filters, kernel, stride, padding, bias) = (16, 2, 2, 0, true);
            let activation = Activation::Relu;
            let sizes = ConvTranspose { channels, height, width, filters, kernel, stride, padding, bias, activation };
            (Layer::ConvTranspose(sizes), 16)
        }
        "pool" => (Layer::Pool(pool), 16),
        "pool 3 by 2" => (Layer::Pool(Pool { size: 3, stride: Some(2), padding: 1, ..pool }), 16),
        "average pool" => {
            let (size, stride, padding, count_padding) = (2, 2, 0, true);
            (Layer::AveragePool(AveragePool { channels, height, width, size, stride, padding, count_padding }), 16)
        }
        "global pool" => {
            (Layer::AdaptivePool(AdaptivePool { channels, height, width, out_height: 1, out_width: 1 }), 16)
        }
        "upsample nearest" => upsample(Interpolation::Nearest),
        "upsample bilinear" => upsample(Interpolation::Bilinear),
        "group norm" => (Layer::GroupNorm(norm), 16),
        "layer norm" => (Layer::GroupNorm(GroupNorm { channels: 256, pixels: 1, groups: 1, ..norm }), 128),
        other => panic!("no layer is called {other}"),
    }
}

/// Forward and backward through one layer.
fn through(bencher: Bencher, name: &str, f: fn(&Tensor, &Tensor, &Arc<Graph>) -> candle_core::Result<Vec<Tensor>>) {
    let (layer, batch) = layer(name);
    let x = Var::from_tensor(&values(&[batch, layer.inputs()])).unwrap();
    let parameters = Var::from_tensor(&values(&[layer.parameters()])).unwrap();
    let layers = Graph::chain([layer]).unwrap().into();
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| f(&x, &parameters, &layers).unwrap()[0].sum_all().unwrap().backward().unwrap());
}

#[divan::bench(args = LAYERS)]
fn layer_fused(bencher: Bencher, name: &str) {
    through(bencher, name, |x, parameters, layers| kernel::graph(x, parameters, layers, None));
}

#[divan::bench(args = LAYERS)]
fn layer_plain(bencher: Bencher, name: &str) {
    through(bencher, name, |x, parameters, layers| plain::graph(x, parameters, layers));
}

/// Value and gradient of 128 rows.
fn head(bencher: Bencher, columns: usize, f: impl Fn(&Tensor, &Tensor) -> candle_core::Result<Tensor>) {
    let logits = Var::from_tensor(&values(&[128, columns])).unwrap();
    let classes = Tensor::from_iter((0..128).map(|i| i % columns as u32), &Device::Cpu).unwrap();
    bencher.counter(ItemsCount::new(128usize)).bench_local(|| f(&logits, &classes).unwrap().backward().unwrap());
}

#[divan::bench(args = [2, 10])]
fn cross_entropy_fused(bencher: Bencher, columns: usize) {
    head(bencher, columns, |logits, classes| kernel::log_prob(logits, classes)?.mean_all());
}

#[divan::bench(args = [2, 10])]
fn cross_entropy_plain(bencher: Bencher, columns: usize) {
    head(bencher, columns, |logits, classes| plain::log_prob(logits, classes)?.mean_all());
}

fn surrogate(bencher: Bencher, f: fn(&Tensor, &Taken) -> candle_core::Result<surrogate::SurrogateObjective>) {
    let (advantages, old_log_probs) = (values(&[128]), values(&[128]));
    head(bencher, 2, |logits, actions| {
        let (policy, surrogate) = (&Policy::Categorical { actions: 2 }, Surrogate::Clipped { clip: 0.2 });
        let (advantages, old_log_probs) = (&advantages, &old_log_probs);
        let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient: 0.01 };
        Ok(f(logits, &taken)?.scalar)
    });
}

#[divan::bench]
fn surrogate_fused(bencher: Bencher) {
    surrogate(bencher, surrogate::surrogate_objective);
}

#[divan::bench]
fn surrogate_plain(bencher: Bencher) {
    surrogate(bencher, surrogate::plain::surrogate_objective);
}

/// One update of 784-256-128-10.
#[divan::bench(args = RULES.iter().map(|rule| rule.name))]
fn optimizer(bencher: Bencher, rule: &str) {
    let parameters = values(&[235_146]);
    let parameters = Parameters::new(vec![("all".into(), lossward::network::Role::Weight, parameters)]).unwrap();
    let gradient = values(&[235_146]);
    let settings = format!("rule = \"{rule}\"\nlearning_rate = 1e-3\nclip_norm = 0.5");
    let settings: OptimizerSettings = toml::from_str(&settings).unwrap();
    let mut optimizer = Optimizer::new(&settings, stream(0, "gradient noise", 0)).unwrap();
    bencher.counter(ItemsCount::new(235_146usize)).bench_local(|| optimizer.step(&parameters, &gradient, 0.0).unwrap());
}

/// Probabilities and a draw for every row of two logits.
#[divan::bench(args = [4, 64, 1024])]
fn sample(bencher: Bencher, rows: usize) {
    let logits: Vec<f32> = (0..2 * rows).map(|i| (i as f32).sin()).collect();
    let mut rng = stream(0, "policy", 0);
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        let probabilities = Probabilities::of(black_box(&logits), 2);
        (0..rows).for_each(|row| _ = black_box(probabilities.sample(row, &mut rng)));
    });
}

/// The forward pass of 4-64-64-2 tanh without a graph.
#[divan::bench(args = [4, 64, 1024])]
fn infer(bencher: Bencher, rows: usize) {
    let settings = "activation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";
    let settings: NetworkSettings = toml::from_str(settings).unwrap();
    let network = Network::new(&settings, (&[4], 2), &mut stream(0, "init", 0)).unwrap();
    let (inputs, mut outputs) = (vec![0.1; 4 * rows], Vec::new());
    bencher.counter(ItemsCount::new(rows)).bench_local(|| network.infer(&inputs, rows, &mut outputs).unwrap());
}

/// Random-action steps of every built-in environment.
#[divan::bench(args = lossward_envs::ALL.iter().map(|spec| spec.id))]
fn step_64_copies(bencher: Bencher, id: &str) {
    let spec = lossward_envs::find(id).unwrap();
    let streams = |name| (0..64).map(|i| stream(0, name, i)).collect();
    let mut env = spec.make_default(streams("env"));
    let mut actions = RandomActions::new(spec.actions, streams("actions"));
    bencher.counter(ItemsCount::new(64usize)).bench_local(|| env.step(actions.draw(), &[]).unwrap());
}
