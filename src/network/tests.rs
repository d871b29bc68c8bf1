use super::*;
use crate::distribution::{DeviationSource, Squash};
use candle_core::DType;
use lossward_envs::{Bound, Dims, Space, stream};

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
        let mut acted = Vec::new();
        network.infer(&inputs, 4, &mut acted).unwrap();
        assert_eq!(acted, trained);
    }
}

/// However the weights are changed, what is laid out of them for acting is laid out anew.
#[test]
fn acting_follows_every_change_of_the_weights() {
    let (network, inputs) = (network("hidden = [16, 8]", &[4], 0), [0.3f32, -1.0, 0.5, 2.0]);
    let tensor = Tensor::from_slice(&inputs, (1, 4), &Device::Cpu).unwrap();
    let parameters = network.parameters();
    let mut before = Vec::new();
    let mut is_followed = |what: &str| {
        let (mut acted, trained) = (Vec::new(), network.forward(&tensor).unwrap());
        for _ in 0..2 {
            network.infer(&inputs, 1, &mut acted).unwrap();
            let trained: Vec<f32> = trained.flatten_all().unwrap().to_vec1().unwrap();
            assert!(acted.iter().zip(&trained).all(|(a, b)| (a - b).abs() < 1e-6), "{what}: {acted:?}, {trained:?}");
        }
        assert_ne!(acted, before, "{what} changes something");
        before = acted;
    };
    is_followed("the beginning");
    let twice = |p: &Parameter| Ok((parameters.tensor(p)? * 2.0)?);
    parameters.set(twice).unwrap();
    is_followed("setting");
    let ones = parameters.flat().ones_like().unwrap();
    parameters
        .update::<f32>(&ones, |weights, step| weights.iter_mut().zip(step).for_each(|(w, s)| *w += 0.1 * s))
        .unwrap();
    is_followed("an update");
    let values = parameters.values();
    values.set(&(values.as_tensor() * 0.5).unwrap()).unwrap();
    is_followed("the tensor itself");
    values.set(&(values.as_tensor() * 0.5).unwrap()).unwrap();
    is_followed("the tensor that was handed out");
}

#[test]
fn a_body_stands_for_its_layers() {
    let body = "body = { backbone = { widths = [4, 6], stride = 2, input_normalization = \"instance\" } }";
    let layers = "layers = [{ instance_norm = true, activation = \"identity\" }, \
        { conv = 4, kernel = 3, padding = \"same\" }, { batch_norm = true }, \
        { conv = 4, kernel = 3, padding = \"same\" }, { batch_norm = true }, { pool = 2 }, \
        { conv = 6, kernel = 3, padding = \"same\" }, { batch_norm = true }, \
        { conv = 6, kernel = 3, padding = \"same\" }, { batch_norm = true, activation = \"identity\" }]";
    let [short, long] = [body, layers].map(|text| network(text, &[3, 8, 8], 0));
    assert_eq!(short.graph().nodes(), long.graph().nodes());
}

#[test]
fn a_head_behind_units_that_have_died_is_named() {
    let network = Network::new(
        &NetworkSettings { activation: Activation::Relu, ..settings("hidden = [6, 4]") },
        (&[3], 3),
        &mut stream(0, "init", 0),
    )
    .unwrap();
    let inputs: Vec<f32> = (0..5 * 3).map(|i| (i as f32).sin()).collect();
    assert!(network.heads_fed_zeros(&inputs, 5).unwrap().is_empty());
    let parameters = network.parameters();
    let kill = |p: &Parameter| Ok((parameters.tensor(p)? - if p.name == "layers.1.bias" { 100.0 } else { 0.0 })?);
    parameters.set(kill).unwrap();
    assert_eq!(network.heads_fed_zeros(&inputs, 5).unwrap(), [network.heads()[0]]);
}

#[test]
fn weights_survive_a_file_and_the_first_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let [one, two] = [0, 1].map(|seed| network(IMAGES, &[2, 4, 4], seed));
    one.save(&path).unwrap();
    two.load(&path).unwrap();
    let flat = |network: &Network| network.parameters().values().to_vec1::<f32>().unwrap();
    assert_eq!(flat(&one), flat(&two));
    let names: Vec<&str> = one.parameters().iter().step_by(2).map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["layers.0.weight", "layers.2.weight", "layers.3.weight", "layers.4.weight"]);
    let message = network(IMAGES, &[1, 4, 4], 0).load(&path).unwrap_err().to_string();
    assert!(message.contains("layers.0.weight") && message.contains("[4, 2, 3, 3]"), "{message}");
    let parameters = two.parameters();
    let spoil = |p: &Parameter| Ok((parameters.tensor(p)? + if p.name == "layers.2.bias" { f64::NAN } else { 0.0 })?);
    parameters.set(spoil).unwrap();
    let first = parameters.first_not_finite(parameters.values()).unwrap();
    assert_eq!(first.map(|(parameter, _)| &parameter.name[..]), Some("layers.2.bias"));
}

/// Both scales: the means are drawn with the output gain around 0, the standard deviations begin as told, and only weights
/// are penalized.
#[test]
fn a_gaussian_policy_begins_as_told() {
    let space = Space::Box { shape: Dims::of(&[2]), low: Bound::All(-1.0), high: Bound::All(1.0) };
    for (scale, drawn) in [(DeviationSource::StateIndependent, 2), (DeviationSource::StateDependent, 4)] {
        let of_policy = PolicySettings { scale, squash: Squash::Clip, initial_log_std: -0.5 };
        let policy = Policy::new(space, Some(&of_policy)).unwrap();
        let settings = NetworkSettings { output_gain: 0.01, ..settings("hidden = [8]") };
        let network = Network::of_policy(&settings, (&[3], policy), &mut stream(0, "init", 0)).unwrap();
        let rows = |name: &str| {
            let parameter = network.parameters().iter().find(|p| p.name == name).unwrap();
            network.parameters().tensor(parameter).unwrap()
        };
        let head = rows("layers.1.weight");
        assert_eq!(head.dims(), [drawn, 8]);
        let product = head.matmul(&head.t().unwrap()).unwrap().to_vec2::<f32>().unwrap();
        for (i, row) in product.iter().enumerate() {
            assert!(row.iter().enumerate().all(|(j, dot)| (dot - if i == j { 1e-4 } else { 0.0 }).abs() < 1e-9));
        }
        let mut outputs = Vec::new();
        network.infer(&[0.3, -2.0, 1.0], 1, &mut outputs).unwrap();
        let expected = [0.0, 0.0, -0.5, -0.5];
        assert!(outputs.iter().zip(expected).all(|(got, want)| (got - want).abs() < 0.05), "{outputs:?}");
        let has_log_std = network.parameters().iter().any(|p| p.name == "log_std");
        assert_eq!(has_log_std, scale == DeviationSource::StateIndependent);
        if has_log_std {
            assert_eq!(rows("log_std").to_vec1::<f32>().unwrap(), [-0.5; 2]);
            assert_eq!(outputs[2..], [-0.5; 2]);
        }
        let penalized: usize = network.parameters().weights().iter().map(|range| range.len()).sum();
        assert_eq!(penalized, 8 * 3 + drawn * 8);
        let batch = Tensor::zeros((5, 3), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(network.forward(&batch).unwrap().dims(), [5, 4]);
        let settings = NetworkSettings { dropout: Some(0.5), ..settings };
        let policy = Policy::new(space, Some(&of_policy)).unwrap();
        let dropping = Network::of_policy(&settings, (&[3], policy), &mut stream(0, "init", 0)).unwrap();
        assert_eq!(dropping.forward_training(&batch, 1).unwrap()[0].dims(), [5, 4]);
    }
}

/// The text that tells trials apart does not depend on how a file writes the same.
#[test]
fn settings_are_written_in_one_way() {
    let written = |layers: &str| toml::to_string(&settings(layers)).unwrap();
    let one = "layers = [{ conv = 4, kernel = 3, stride = 2, padding = 1, name = \"a\" }, { dropout = 0.0 }]";
    let other = "layers = [{ name = \"a\", padding = 1, stride = 2.0, kernel = 3, conv = 4 }, { dropout = 0 }]";
    assert_eq!(written(one), written(other));
    assert!(
        written(one).contains("[[layers]]\nconv = 4\nkernel = 3\nstride = 2\npadding = 1\nname = \"a\""),
        "{}",
        written(one)
    );
}

/// `tanh(W x) + x` and `(tanh(W x), x)`, by hand.
#[test]
fn a_named_layer_is_read_again() {
    for (join, expected) in [("add", vec![1.5]), ("concat", vec![1.0, 0.5])] {
        let layers = format!("layers = [{{ dense = 1 }}, {{ {join} = \"input\" }}]");
        let network = Network::new(&settings(&layers), (&[1], 1), &mut stream(0, "init", 0)).unwrap();
        // A body that passes 1, and a head that adds up.
        let set = |p: &Parameter| {
            let values = match p.name.as_str() {
                "layers.0.bias" => vec![20.0],
                "layers.2.weight" => vec![1.0; p.range.len()],
                _ => vec![0.0f32; p.range.len()],
            };
            Ok(Tensor::from_vec(values, &p.shape[..], &Device::Cpu)?)
        };
        network.parameters().set(set).unwrap();
        let mut outputs = Vec::new();
        network.infer(&[0.5], 1, &mut outputs).unwrap();
        assert_eq!(outputs, [expected.iter().sum::<f32>()], "{join}");
    }
}

/// Two heads are what two networks of the same weights would say, and each passes its gradient on.
#[test]
fn heads_share_a_body() {
    let heads = [HeadSettings::linear("policy", 3, 1.0), HeadSettings::linear("value", 1, 1.0)];
    let settings = settings("hidden = [5]");
    let network = Network::with_heads(&settings, &[2], &heads, &mut stream(0, "init", 0)).unwrap();
    assert_eq!(network.heads(), ["policy", "value"]);
    let x = Tensor::from_slice(&[0.1f32, -0.4, 1.0, 0.3], (2, 2), &Device::Cpu).unwrap();
    let both = network.forward_heads(&x).unwrap();
    assert_eq!((both[0].dims(), both[1].dims()), (&[2, 3][..], &[2, 1][..]));
    let of = |name: &str| {
        let parameter = network.parameters().iter().find(|p| p.name == name).unwrap();
        network.parameters().tensor(parameter).unwrap()
    };
    let hidden = x.matmul(&of("layers.0.weight").t().unwrap()).unwrap();
    let hidden = hidden.broadcast_add(&of("layers.0.bias")).unwrap().tanh().unwrap();
    for (head, i) in both.iter().zip([1, 2]) {
        let product = hidden.matmul(&of(&format!("layers.{i}.weight")).t().unwrap()).unwrap();
        let expected = product.broadcast_add(&of(&format!("layers.{i}.bias"))).unwrap();
        let difference =
            kernel::plain::abs(&(head - expected).unwrap()).unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-6, "{difference}");
    }
    let loss = (both[0].sum_all().unwrap() + both[1].sum_all().unwrap()).unwrap();
    let gradient = network.parameters().gradient(&loss).unwrap().unwrap().to_vec1::<f32>().unwrap();
    for parameter in network.parameters().iter() {
        assert!(gradient[parameter.range.clone()].iter().any(|g| *g != 0.0), "{}", parameter.name);
    }
    let mut acted = Vec::new();
    network.infer(&[0.1, -0.4, 1.0, 0.3], 2, &mut acted).unwrap();
    assert_eq!(acted, both[0].flatten_all().unwrap().to_vec1::<f32>().unwrap());
}

#[test]
fn layers_that_do_not_fit_are_told() {
    let message = |layers: &str, shape: &[usize]| {
        settings(layers).check_policy(shape, &Policy::Categorical { actions: 1 }).unwrap_err().to_string()
    };
    assert!(message("layers = [{ conv = 4, kernel = 3 }]", &[4]).contains("has shape [4]"));
    assert!(message("layers = [{ conv = 4, kernel = 9 }]", &[1, 8, 8]).contains("entry 0: a kernel of 9"));
    assert!(message("layers = [{ pool = 2 }, { pool = 5 }]", &[1, 8, 8]).contains("entry 1: windows of 5×5"));
    assert!(
        message("layers = [{ conv = 4 }]", &[1, 8, 8])
            .contains("`kernel` of conv must be given: a whole number, at least 1")
    );
    assert!(message("layers = [{ pool = 2, dense = 3 }]", &[1, 8, 8]).contains("`pool` and `dense` are two layers"));
    assert!(
        message("layers = [{ pool = 2, kernel = 3 }]", &[1, 8, 8])
            .contains("`kernel` belongs to `conv`, not to `pool`")
    );
    assert!(message("layers = [{ conv = 2, kernl = 3 }]", &[1, 8, 8]).contains("did you mean `kernel`"));
    assert!(message("layers = [{ kernel = 3 }]", &[1, 8, 8]).contains("a layer is one of `conv`, `conv_transpose`"));
    assert!(message("layers = [{ dense = 0 }]", &[4]).contains("`dense` of dense must be a whole number, at least 1"));
    assert!(
        message("layers = [{ dense = 3, name = \"fine\" }, { concat = \"fin\" }]", &[4])
            .contains("did you mean `fine`")
    );
    assert!(message("layers = [{ dense = 3 }, { add = \"input\" }]", &[4]).contains("`add` of the shapes [3] and [4]"));
    let wide = "layers = [{ conv = 1000000000, kernel = 1, padding = 1000000000 }]";
    assert!(message(wide, &[1, 8, 8]).contains("numbers per example come out"));
    assert!(message("layers = [{ dense = 3, name = \"input\" }]", &[4]).contains("take another"));
    assert!(message("hidden = [0]", &[4]).contains("at least 1 unit"));
}
