//! What runs once per step takes no memory from the allocator, but for what two libraries take for themselves.

#![allow(unsafe_code, clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use candle_core::{DType, Device, Tensor};
use counting::{CALLS, most_bytes};
use lossward::cli::json;
use lossward::data::Split;
use lossward::data::images::Images;
use lossward::data::source::ByteSource;
use lossward::distribution::RawActions;
use lossward::network::{Network, NetworkSettings};
use lossward::optimizer::{Optimizer, OptimizerSettings, RULES};
use lossward::rollout::{Length, Rollout};
use lossward::stream;
use lossward_envs::RandomActions;
use lossward_envs::wrapper::{self, Purpose, WrapperStatistics, Wrappers};

/// Calls of the allocator while `work` runs a second and a third time; the first one may set up.
fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let before = CALLS.get();
    work();
    work();
    CALLS.get() - before
}

fn network(layers: &str, shape: &[usize]) -> Network {
    let settings = format!("{layers}\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0");
    let settings: NetworkSettings = toml::from_str(&settings).unwrap();
    Network::new(&settings, (shape, 3), &mut stream(0, "init", 0)).unwrap()
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 100]))), 2);
}

#[test]
fn environments_step_without_allocation() {
    for spec in lossward_envs::ALL {
        let streams = |name| (0..16).map(|i| stream(0, name, i)).collect();
        let mut env = spec.make_default(streams("env"));
        let mut actions = RandomActions::new(spec.actions, streams("actions"));
        env.step(actions.draw(), &[]).unwrap();
        // Long enough for episodes to end.
        let steps = || (0..500).for_each(|_| env.step(actions.draw(), &[]).unwrap());
        assert_eq!(allocations(steps), 0, "{}", spec.id);
    }
}

#[test]
fn wrappers_step_without_allocation() {
    let every = "sticky_actions = 0.25\nstack_frames = 3\nnormalize_observations = true\nscale_rewards = 0.5\n\
        normalize_rewards = true\nclip_rewards = [-1.0, 1.0]";
    let boxed = "clip_actions = true\nrescale_actions = true";
    for (id, settings) in [
        ("CartPole-v1", every.to_string()),
        ("MinAtar/Breakout-v1", every.to_string()),
        ("MountainCarContinuous-v0", format!("{every}\n{boxed}")),
    ] {
        let wrappers: Wrappers = toml::from_str(&settings).unwrap();
        for purpose in [Purpose::Training { discount: 0.99 }, Purpose::Evaluation] {
            let streams = |name| (0..16).map(|i| stream(0, name, i)).collect();
            let env = lossward_envs::find(id).unwrap().make_default(streams("env"));
            let env = wrapper::limit_time(env, 100).unwrap();
            let mut env = wrappers.apply(env, purpose, &WrapperStatistics::default()).unwrap();
            let mut actions = RandomActions::new(env.actions(), streams("actions"));
            // Long enough for episodes to end.
            let steps = || (0..500).for_each(|_| env.step(actions.draw(), &[]).unwrap());
            assert_eq!(allocations(steps), 0, "{id}, {purpose:?}");
        }
    }
}

/// But for the packed operands of each matrix product, which the product's library allocates.
#[test]
fn acting_takes_memory_for_nothing_but_products() {
    for (layers, shape, products) in [
        ("hidden = [64, 64]", &[4][..], 3),
        ("layers = [{ conv = 4, kernel = 3, padding = 1 }, { pool = 2 }]", &[1, 8, 8], 5 + 1),
    ] {
        let network = network(layers, shape);
        let inputs = vec![0.5; 5 * shape.iter().product::<usize>()];
        let mut outputs = Vec::new();
        let mut rng = stream(0, "policy", 0);
        let act = || {
            network.infer(&inputs, 5, &mut outputs).unwrap();
            let probabilities = lossward::distribution::Probabilities::of(&outputs, 3);
            (0..5).for_each(|row| _ = std::hint::black_box(probabilities.sample(row, &mut rng)));
        };
        // Two runs, and at most two operands.
        assert!(allocations(act) <= 2 * 2 * products, "{layers}");
    }
}

#[test]
fn rollout_buffers_are_allocated_once() {
    let spec = lossward_envs::find("CartPole-v1").unwrap();
    let mut env = spec.make_default((0..4).map(|i| stream(0, "env", i)).collect());
    let settings = "activation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";
    let policy = Network::new(&toml::from_str(settings).unwrap(), (&[4], 2), &mut stream(0, "init", 0)).unwrap();
    let (mut rollout, mut rng) = (Rollout::default(), stream(0, "policy", 0));
    let mut collect = || {
        rollout.collect(env.as_mut(), &policy, Length::Steps(100), (&mut rng, None)).unwrap();
        let floats = [&rollout.observations, &rollout.rewards, &rollout.log_probs];
        let RawActions::Indices(actions) = &rollout.actions else { panic!("actions of CartPole") };
        (floats.map(|buffer| buffer.as_ptr()), actions.as_ptr(), rollout.taken.as_ptr(), rollout.ends.as_ptr())
    };
    assert_eq!(collect(), collect());
}

/// But for the list of dimensions that candle makes to check an in-place operation.
#[test]
fn optimizers_take_no_memory() {
    let network = network("hidden = [64, 64]", &[4]);
    let gradient = Tensor::ones(network.parameters().values().elem_count(), DType::F32, &Device::Cpu).unwrap();
    for rule in RULES.iter().map(|row| row.name) {
        let settings =
            format!("rule = \"{rule}\"\nlearning_rate = 1e-3\nclip_norm = 0.5\ngradient_noise = {{ scale = 0.3 }}");
        let settings: OptimizerSettings = toml::from_str(&settings).unwrap();
        let mut optimizer = Optimizer::new(&settings, stream(0, "gradient noise", 0)).unwrap();
        let step = || _ = optimizer.step(network.parameters(), &gradient, 0.5).unwrap();
        assert_eq!(allocations(step), 2, "{rule}");
    }
}

/// From a pair of IDX files, plain or compressed, to a data set: bytes stay bytes, and are not held twice.
#[test]
fn images_take_no_more_than_twice_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let rows = 6_000usize;
    let header = |shape: &[usize]| {
        let sizes = shape.iter().flat_map(|size| (*size as u32).to_be_bytes());
        [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).collect::<Vec<u8>>()
    };
    let pixels = (0..rows * 784).map(|i| (i % 251) as u8);
    let images: Vec<u8> = header(&[rows, 28, 28]).into_iter().chain(pixels).collect();
    let labels: Vec<u8> = header(&[rows]).into_iter().chain((0..rows).map(|row| (row / 3 % 10) as u8)).collect();
    let size = images.len() + labels.len();
    for (name, packed) in [("plain", false), ("packed", true)] {
        let write = |kind: &str, content: &[u8]| {
            let path = folder.path().join(format!("{name}-{kind}"));
            let content = if packed { compressed(content) } else { content.to_vec() };
            std::fs::write(&path, content).unwrap();
            path
        };
        let (images, labels) = (write("images", &images), write("labels", &labels));
        let (data, most) = most_bytes(|| {
            let train = Images::read(ByteSource::File(&images), ByteSource::File(&labels)).unwrap();
            let (train, test) = train.split(Split::Every(5));
            Images::data_set(train, test, &[]).unwrap()
        });
        let most = most as f64 / size as f64;
        assert!((1.0..=1.5).contains(&most), "{name}: {most} of the files' size");
        assert_eq!(data.train.len(), 4_800);
    }
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, content).unwrap();
    encoder.finish().unwrap()
}

/// What the reader of JSON says of itself: numbers in rows take at most 12 times their text, everything else at most 250 bytes an entry.
#[test]
fn json_takes_the_memory_that_is_stated() {
    const ENTRIES: usize = 200_000;
    let list = |entry: &str| format!("[{}{entry}]", format!("{entry},").repeat(ENTRIES - 1));
    for entry in ["0", "0.25", "[0]", "[[1,2],[3,4]]", "[]", "-1e-300"] {
        let text = list(entry);
        let (array, most) = most_bytes(|| json::Array::of(json::read(&text).unwrap()).unwrap());
        assert_eq!(array.shape[0], ENTRIES);
        assert!(most <= 12 * text.len() + 1024, "{entry}: {most} bytes for {}", text.len());
    }
    for entry in ["null", "[],0", "\"\"", "{}", "{\"a\":0}", "[0],[[0]]"] {
        let text = list(entry);
        let entries = ENTRIES * (1 + entry.matches([',', ':']).count());
        let (refused, most) = most_bytes(|| json::Array::of(json::read(&text).unwrap()).unwrap_err());
        assert!(most <= 250 * entries, "{entry}: {most} bytes for {entries} entries, {refused}");
    }
}
