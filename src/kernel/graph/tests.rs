//! The fused graph against its plain twin, and against definitions.

use super::*;
use crate::Rng;
use crate::kernel::testing::{assert_equal_with_gradients, random_var};
use crate::kernel::{Activation, Add, Append, Concat, Conv, Dense, Dropout, Pool, Slope};
use candle_core::{Device, Var};
use rand::Rng as _;

mod images;

/// A chain of these.
fn of(layers: impl IntoIterator<Item = Layer>) -> Arc<Graph> {
    Graph::chain(layers).unwrap().into()
}

/// The only head.
fn chain(
    x: &Tensor,
    parameters: &Tensor,
    layers: &Arc<Graph>,
    collector: Option<&Arc<Collector>>,
) -> candle_core::Result<Tensor> {
    Ok(graph(x, parameters, layers, collector)?.remove(0))
}

fn plain_chain(x: &Tensor, parameters: &Tensor, layers: &Graph) -> candle_core::Result<Tensor> {
    Ok(plain::graph(x, parameters, layers)?.remove(0))
}

const ACTIVATIONS: [Activation; 10] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu(Slope::new(0.1).unwrap()),
    Activation::Elu(Slope::new(0.7).unwrap()),
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
    Activation::Silu,
    Activation::Gelu,
    Activation::GeluTanh,
];

fn random_dense(inputs: usize, rng: &mut Rng) -> Layer {
    let activation = ACTIVATIONS[rng.random_range(0..ACTIVATIONS.len())];
    Layer::Dense(Dense { inputs, outputs: rng.random_range(1..40), activation })
}

/// Only square images: candle can't differentiate the others. The padding is smaller than the kernel: pixels that come of the
/// bias alone would be equal, and the plain pooling shares its gradient among equals.
fn random_conv(channels: usize, side: usize, rng: &mut Rng) -> Conv {
    let kernel = rng.random_range(1..4);
    Conv {
        channels,
        height: side,
        width: side,
        filters: rng.random_range(1..6),
        kernel,
        stride: rng.random_range(1..3),
        padding: rng.random_range(0..2.min(kernel)),
        bias: rng.random(),
        activation: ACTIVATIONS[rng.random_range(0..ACTIVATIONS.len())],
    }
}

fn assert_equals_its_twin(layers: &[Layer], dtype: DType, batch: usize, rng: &mut Rng) {
    let parameters: usize = layers.iter().map(Layer::parameters).sum();
    let arguments = [random_var(&[batch, layers[0].inputs()], dtype, rng), random_var(&[parameters], dtype, rng)];
    let layers = of(layers.iter().copied());
    assert_equal_with_gradients(
        |[x, parameters]| chain(x, parameters, &layers, None),
        |[x, parameters]| plain_chain(x, parameters, &layers),
        &arguments,
        &format!("batch {batch}, {layers:?}"),
    );
}

#[test]
fn dense_layers_equal_their_plain_twins() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    for dtype in [DType::F64, DType::F32] {
        for _ in 0..60 {
            let mut layers = vec![random_dense(rng.random_range(1..40), &mut rng)];
            for _ in 0..rng.random_range(0..3) {
                layers.push(random_dense(layers[layers.len() - 1].outputs(), &mut rng));
            }
            if rng.random() {
                let at = rng.random_range(0..=layers.len());
                let size = layers.get(at).map_or_else(|| layers[at - 1].outputs(), Layer::inputs);
                layers.insert(at, Layer::Dropout(Dropout { size, rate: 0.4, seed: rng.random() }));
            }
            if rng.random() {
                let inputs = layers[layers.len() - 1].outputs();
                layers.push(Layer::Append(Append { inputs, outputs: inputs + rng.random_range(1..5) }));
            }
            let batch = rng.random_range(0..40);
            assert_equals_its_twin(&layers, dtype, batch, &mut rng);
        }
    }
}

#[test]
fn convolutions_and_poolings_equal_their_plain_twins() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    for dtype in [DType::F64, DType::F32] {
        for _ in 0..60 {
            let (channels, side) = (rng.random_range(1..4), rng.random_range(3..24));
            let conv = random_conv(channels, side, &mut rng);
            let (height, width) = conv.output().unwrap();
            let size = rng.random_range(1..4.min(height + 1));
            let pool = Pool { channels: conv.filters, height, width, size, stride: None, padding: 0 };
            let all = [Layer::Conv(conv), Layer::Pool(pool), random_dense(Layer::Pool(pool).outputs(), &mut rng)];
            let (start, end) = [(0, 1), (1, 2), (0, 3)][rng.random_range(0..3usize)];
            let batch = rng.random_range(1..5);
            assert_equals_its_twin(&all[start..end], dtype, batch, &mut rng);
        }
    }
}

/// Some layers that each read one or two of those before, in any order, of which some are heads, also such as others read.
fn random_graph(rng: &mut Rng) -> Graph {
    let inputs = rng.random_range(1..8);
    let mut nodes = vec![Node { layer: random_dense(inputs, rng), from: vec![0] }];
    let outputs = |nodes: &[Node], from: usize| if from == 0 { inputs } else { nodes[from - 1].layer.outputs() };
    for _ in 0..rng.random_range(1..7) {
        let [first, second] = [0; 2].map(|_| rng.random_range(0..=nodes.len()));
        let sizes = [first, second].map(|from| outputs(&nodes, from));
        nodes.push(match rng.random_range(0..3) {
            0 => Node { layer: Layer::Concat(Concat { sizes }), from: vec![first, second] },
            1 if sizes[0] == sizes[1] => Node { layer: Layer::Add(Add { size: sizes[0] }), from: vec![first, second] },
            _ => Node { layer: random_dense(sizes[0], rng), from: vec![first] },
        });
    }
    let mut heads: Vec<usize> = (1..=nodes.len()).filter(|_| rng.random()).collect();
    if heads.is_empty() {
        heads.push(nodes.len());
    }
    Graph::new(nodes, heads).unwrap()
}

#[test]
fn graphs_of_any_shape_equal_their_plain_twins() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    let (mut joins, mut heads) = (0, 0);
    for dtype in [DType::F64, DType::F32] {
        for _ in 0..150 {
            let drawn = Arc::new(random_graph(&mut rng));
            joins += drawn.nodes().iter().filter(|node| node.from.len() == 2).count();
            heads += drawn.heads().len();
            let batch = rng.random_range(0..9);
            let arguments = [&[batch, drawn.inputs()][..], &[drawn.parameters()]];
            let arguments = arguments.map(|shape| random_var(shape, dtype, &mut rng));
            let side_by_side = |heads: candle_core::Result<Vec<Tensor>>| Tensor::cat(&heads?, 1);
            assert_equal_with_gradients(
                |[x, parameters]| side_by_side(graph(x, parameters, &drawn, None)),
                |[x, parameters]| side_by_side(plain::graph(x, parameters, &drawn)),
                &arguments,
                &format!("batch {batch}, {drawn:?}"),
            );
            if dtype == DType::F32 {
                let [x, parameters] = &arguments;
                let heads = graph(x, parameters, &drawn, None).unwrap();
                let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let expected: Vec<f32> = heads.iter().flat_map(flat).collect();
                let mut acted = vec![0.0; expected.len()];
                graph_into(&flat(x), (parameters, &LaidOut::of(parameters, &drawn).unwrap()), &drawn, &mut acted)
                    .unwrap();
                assert_eq!(acted, expected);
            }
        }
    }
    assert!(joins > 200 && heads > 400, "{joins} {heads}");
}

#[test]
fn graphs_that_do_not_fit_are_told() {
    let dense = |inputs, outputs| Layer::Dense(Dense { inputs, outputs, activation: Activation::Relu });
    let node = |layer, from: &[usize]| Node { layer, from: from.to_vec() };
    for (nodes, heads, said) in [
        (vec![], vec![1], "needs a node and a head"),
        (vec![node(dense(2, 3), &[0])], vec![], "needs a node and a head"),
        (vec![node(dense(2, 3), &[1])], vec![1], "node 1 reads [1]"),
        (vec![node(dense(2, 3), &[0, 0])], vec![1], "node 1 reads [0, 0]"),
        (
            vec![node(dense(2, 3), &[0]), node(dense(2, 3), &[1])],
            vec![2],
            "node 2 gets 3 floats per example and takes 2",
        ),
        (vec![node(dense(2, 3), &[0])], vec![2], "no node 2 for a head"),
        (vec![node(dense(2, 3), &[0])], vec![1, 1], "a head twice"),
    ] {
        let error = Graph::new(nodes, heads).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Two passes through one chain, with and without a collector, and a second backward pass after it was cleared.
#[test]
fn a_collector_gets_the_gradient_that_candle_would_keep() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    let layers = of([random_dense(4, &mut rng)]);
    let parameters = random_var(&[layers.parameters()], DType::F32, &mut rng);
    let x = [0; 2].map(|_| random_var(&[5, 4], DType::F32, &mut rng).as_detached_tensor());
    let collector = Arc::new(Collector::new(&parameters).unwrap());
    let gradients = |collector: Option<&Arc<Collector>>| {
        let [a, b] = x.each_ref().map(|x| chain(x, &parameters, &layers, collector).unwrap());
        (a * b).unwrap().sum_all().unwrap().backward().unwrap()
    };
    assert!(collector.collected().is_none());
    let kept = gradients(None).get(&parameters).unwrap().to_vec1::<f32>().unwrap();
    for _ in 0..2 {
        collector.clear();
        assert!(gradients(Some(&collector)).get(&parameters).is_none());
        let collected = collector.collected().unwrap().to_vec1::<f32>().unwrap();
        assert!(kept.iter().zip(&collected).all(|(a, b)| (a - b).abs() < 1e-6), "{kept:?} {collected:?}");
    }
}

#[test]
fn views_are_handled() {
    let layers = of([Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })]);
    let x = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap();
    let parameters = Tensor::arange(0f32, 10.0, &Device::Cpu).unwrap().narrow(0, 1, 8).unwrap();
    let rows = x.reshape((4, 3)).unwrap();
    let strided = x.reshape((3, 4)).unwrap().t().unwrap();
    for view in [rows.narrow(0, 1, 2).unwrap(), rows.narrow(0, 0, 0).unwrap(), strided] {
        let fused = chain(&view, &parameters, &layers, None).unwrap().to_vec2::<f32>().unwrap();
        let plain = plain_chain(&view, &parameters, &layers).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(fused.len(), view.dims()[0]);
        for (a, b) in fused.iter().flatten().zip(plain.iter().flatten()) {
            assert!((a - b).abs() < 1e-6);
        }
    }
}

#[test]
fn another_dtype_takes_the_plain_path() {
    let layers = of([Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })]);
    let mut rng = lossward_envs::stream(0, "test", 0);
    let [x, parameters] = [&[4, 3][..], &[8]].map(|shape| random_var(shape, DType::F32, &mut rng));
    let half = |t: &Tensor| t.to_dtype(DType::F16).unwrap();
    let rough = chain(&half(&x), &half(&parameters), &layers, None).unwrap();
    assert_eq!(rough.dtype(), DType::F16);
    let exact = chain(&x, &parameters, &layers, None).unwrap();
    let difference = (rough.to_dtype(DType::F32).unwrap() - exact).unwrap().flatten_all().unwrap();
    assert!(difference.to_vec1::<f32>().unwrap().iter().all(|d| d.abs() < 5e-3), "{difference}");
}

#[test]
fn sizes_that_do_not_fit_are_told() {
    let layers = of([Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })]);
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    for (x, parameters) in [(zeros(&[1, 4]), zeros(&[8])), (zeros(&[1, 3]), zeros(&[7]))] {
        assert!(chain(&x, &parameters, &layers, None).unwrap_err().to_string().contains("for 3 inputs and 8"));
    }
}

/// The definition, pixel by pixel, for an image that is not square; the gradient by central differences.
#[test]
fn an_oblong_image_is_convolved_as_defined() {
    let activation = Activation::Identity;
    let conv =
        Conv { channels: 2, height: 4, width: 7, filters: 3, kernel: 3, stride: 2, padding: 1, bias: true, activation };
    let layers = of([Layer::Conv(conv)]);
    let mut rng = lossward_envs::stream(0, "test", 0);
    let shapes: [&[usize]; 2] = [&[2, conv.image()], &[3 * 18 + 3]];
    let arguments = shapes.map(|shape| random_var(shape, DType::F64, &mut rng));
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let [x, p] = arguments.each_ref().map(|v| flat(v));
    let (out_height, out_width) = conv.output().unwrap();
    let pixel = |image: usize, c: usize, y: usize, x_at: usize| match (y.checked_sub(1), x_at.checked_sub(1)) {
        (Some(y), Some(x_at)) if y < 4 && x_at < 7 => x[((image * 2 + c) * 4 + y) * 7 + x_at],
        _ => 0.0,
    };
    let mut expected = Vec::new();
    for (image, filter) in (0..2).flat_map(|image| (0..3).map(move |filter| (image, filter))) {
        for (oy, ox) in (0..out_height).flat_map(|oy| (0..out_width).map(move |ox| (oy, ox))) {
            let terms = (0..18).map(|i| (i / 9, i / 3 % 3, i % 3));
            let sum: f64 = terms
                .map(|(c, ky, kx)| p[((filter * 2 + c) * 3 + ky) * 3 + kx] * pixel(image, c, 2 * oy + ky, 2 * ox + kx))
                .sum();
            expected.push(sum + p[54 + filter]);
        }
    }
    let value = |arguments: &[Var; 2]| chain(&arguments[0], &arguments[1], &layers, None).unwrap();
    for (got, want) in flat(&value(&arguments)).iter().zip(&expected) {
        assert!((got - want).abs() < 1e-12, "{got} for {want}");
    }
    let objective = |arguments: &[Var; 2]| value(arguments).sqr().unwrap().sum_all().unwrap();
    let gradients = objective(&arguments).backward().unwrap();
    for (part, shape) in shapes.iter().enumerate() {
        let (at, gradient) = (flat(&arguments[part]), flat(gradients.get(&arguments[part]).unwrap()));
        for i in 0..at.len() {
            let shifted = |by: f64| {
                let mut moved = at.clone();
                moved[i] += by;
                let moved = Tensor::from_vec(moved, *shape, &Device::Cpu).unwrap();
                let mut arguments = arguments.clone();
                arguments[part] = Var::from_tensor(&moved).unwrap();
                objective(&arguments).to_scalar::<f64>().unwrap()
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((difference - gradient[i]).abs() < 1e-6 * (1.0 + difference.abs()), "part {part} [{i}]");
        }
    }
}
