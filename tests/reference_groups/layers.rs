//! Layers, planned as an experiment asks for them and run as a network runs them: in double precision to the tolerance of the case, and in
//! single precision to 1e-4.

use super::networks::{Net, shape};
use super::{Case, numbers};
use candle_core::{DType, Device, Tensor, Var};
use lossward::kernel::{
    self, Activation, Arriving, BatchNorm, Collector, Concat, Dense, Graph, GroupNorm, LAYERS, Layer, Node,
};
use lossward::options::{Given, Options};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `{ pool = 2 }` for what comes in with this shape, and the shape of what comes out.
pub fn planned(layer: &str, shape: &[usize], activation: Activation) -> (Layer, Vec<usize>) {
    let mut file: BTreeMap<String, Given> = toml::from_str(&format!("layer = {{ {layer} }}")).unwrap();
    let given = file.remove("layer").unwrap();
    let row = LAYERS.iter().find(|row| given.contains_key(row.name())).unwrap();
    let options = Options::new(row.name(), row.options, &given).unwrap();
    let planned = (row.plan)(&options, &Arriving { shapes: vec![shape], activation, normalized: false }).unwrap();
    (planned.layer.unwrap(), planned.shape)
}

fn dense(inputs: usize, outputs: usize) -> Layer {
    Layer::Dense(Dense { inputs, outputs, activation: Activation::Identity })
}

/// A graph with what it reads and its parameters, each part by the name of its gradient; a part without a name stands in for one that the case
/// does not have.
struct Run<'a> {
    case: &'a Case,
    nodes: Vec<Node>,
    batch: usize,
    /// Rows of these are put behind one another.
    inputs: Vec<(&'a str, Vec<f64>)>,
    parameters: Vec<(&'a str, Vec<f64>)>,
}

impl<'a> Run<'a> {
    /// A single layer that reads `x`, with the `weight` and the `bias` of the case, or these.
    fn of(case: &'a Case, layer: Layer, (weight, bias): (f64, f64)) -> Self {
        let x = case.numbers("x");
        let batch = x.len() / layer.inputs();
        let weights = layer.weight_shape().map_or(0, |shape| shape.iter().product());
        let given = |name: &'a str, otherwise: f64, count: usize| match case.input(name).is_null() {
            false => (name, case.numbers(name)),
            true => ("", vec![otherwise; count]),
        };
        let parameters = vec![given("weight", weight, weights), given("bias", bias, layer.parameters() - weights)];
        Run { case, nodes: vec![Node { layer, from: vec![0] }], batch, inputs: vec![("x", x)], parameters }
    }

    /// Another layer.
    fn then(mut self, layer: Layer, from: &[usize]) -> Self {
        self.nodes.push(Node { layer, from: from.to_vec() });
        self
    }

    /// Compares the last node and all gradients.
    fn check(&self) {
        let dy = self.case.numbers("dy");
        let expected = self.case.expected("grad").as_object().unwrap();
        for (dtype, tolerance) in [(DType::F64, None), (DType::F32, Some((1e-4, 1e-5)))] {
            let (y, gradients) = self.through(dtype, &dy);
            let compare = |what: &str, got: &[f64], want: &Value| match tolerance {
                None => self.case.compare(what, got, want),
                Some(tolerance) => {
                    self.case.compare_within(&format!("{what} in single precision"), got, want, tolerance)
                }
            };
            compare("y", &y, self.case.expected("y"));
            let mut found = 0;
            for (name, gradient) in gradients.iter().filter(|(name, _)| !name.is_empty()) {
                compare(&format!("gradient of {name}"), gradient, &expected[*name]);
                found += 1;
            }
            assert_eq!(found, expected.len(), "gradients that were compared");
        }
    }

    /// The result, and the gradient of `Σ y dy` in every part.
    fn through(&self, dtype: DType, dy: &[f64]) -> (Vec<f64>, Vec<(&'a str, Vec<f64>)>) {
        let widths: Vec<usize> = self.inputs.iter().map(|(_, values)| values.len() / self.batch).collect();
        let row = |i: usize| {
            let parts = self.inputs.iter().zip(&widths);
            parts.flat_map(move |((_, values), width)| &values[i * width..(i + 1) * width]).copied()
        };
        let x: Vec<f64> = (0..self.batch).flat_map(row).collect();
        let parameters: Vec<f64> = self.parameters.iter().flat_map(|(_, values)| values).copied().collect();
        let var = |values: Vec<f64>, shape: &[usize]| {
            Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap()
        };
        let (x, flat) = (var(x, &[self.batch, widths.iter().sum()]), var(parameters.clone(), &[parameters.len()]));
        let graph = Graph::new(self.nodes.clone(), vec![self.nodes.len()]).unwrap().into();
        let y = kernel::graph(&x, &flat, &graph, None).unwrap().remove(0);
        let dy = var(dy.to_vec(), y.dims());
        let gradients = (&y * dy.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
        let list = |t: &Tensor| super::flat(&t.to_dtype(DType::F64).unwrap());
        let of = |var: &Var| gradients.get(var).map_or(vec![0.0; var.elem_count()], list);
        let (mut parts, mut start) = (Vec::new(), 0);
        let of_x = gradients.get(&x).unwrap();
        for ((name, _), width) in self.inputs.iter().zip(&widths) {
            parts.push((*name, list(&of_x.narrow(1, start, *width).unwrap())));
            start += width;
        }
        let (of_parameters, mut start) = (of(&flat), 0);
        for (name, values) in &self.parameters {
            parts.push((*name, of_parameters[start..start + values.len()].to_vec()));
            start += values.len();
        }
        (list(&y), parts)
    }
}

/// One layer, which the table plans for images of the shape of `x`.
fn layer(case: &Case, text: &str) {
    Run::of(case, planned(text, &shape(case.input("x"))[1..], Activation::Identity).0, (1.0, 0.0)).check();
}

fn whole(case: &Case, key: &str) -> usize {
    case.number(key) as usize
}

pub fn conv_transpose(case: &Case) {
    let weight = shape(case.input("weight"));
    assert_eq!(weight[2], weight[3], "a square kernel");
    let [stride, padding] = ["stride", "padding"].map(|key| whole(case, key));
    let (filters, kernel, bias) = (weight[1], weight[2], !case.input("bias").is_null());
    layer(
        case,
        &format!(
            "conv_transpose = {filters}, kernel = {kernel}, stride = {stride}, padding = {padding}, bias = {bias}"
        ),
    );
}

pub fn conv(case: &Case) {
    let weight = shape(case.input("weight"));
    assert_eq!(weight[2], weight[3], "a square kernel");
    let [stride, padding] = ["stride", "padding"].map(|key| whole(case, key));
    let (filters, kernel, bias) = (weight[0], weight[2], !case.input("bias").is_null());
    layer(case, &format!("conv = {filters}, kernel = {kernel}, stride = {stride}, padding = {padding}, bias = {bias}"));
}

/// One pass of a network.
pub fn check_network(case: &Case, net: &Net) {
    let x = case.numbers("x");
    let batch = shape(case.input("x"))[0];
    let parameters = net.parts.iter().map(|(name, _, values)| (name.as_str(), values.clone())).collect();
    Run { case, nodes: net.graph().nodes().to_vec(), batch, inputs: vec![("x", x)], parameters }.check();
}

/// Three batches in training, with the running statistics that they leave, and one at evaluation.
pub fn batch_norm(case: &Case) {
    check_epsilon(case);
    let x = shape(case.input("x"));
    let channels = x[2];
    let text = format!("batch_norm = true, momentum = {}", case.number("momentum"));
    let Layer::BatchNorm(layer) = planned(&text, &x[2..], Activation::Identity).0 else { panic!("another layer") };
    let given = |key: &str, otherwise: f64| {
        if case.input(key).is_null() { vec![otherwise; channels] } else { case.numbers(key) }
    };
    let parameters =
        [given("weight", 1.0), given("bias", 0.0), case.numbers("running_mean_0"), case.numbers("running_var_0")];
    for (dtype, tolerance) in [(DType::F64, None), (DType::F32, Some((1e-4, 1e-5)))] {
        let compare = |what: &str, got: &[f64], want: &Value| match tolerance {
            None => case.compare(what, got, want),
            Some(tolerance) => case.compare_within(&format!("{what} in single precision"), got, want, tolerance),
        };
        let var = |values: &[f64], shape: &[usize]| {
            Var::from_tensor(&Tensor::from_vec(values.to_vec(), shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap())
                .unwrap()
        };
        let flat = var(&parameters.concat(), &[4 * channels]);
        let collector = Arc::new(Collector::new(&flat).unwrap());
        let pass = |layer: BatchNorm, x: &Value, dy: &Value, expected: &dyn Fn(&str) -> Option<Value>| {
            let rows = [x.as_array().unwrap().len(), layer.channels * layer.pixels];
            let x = var(&numbers(x), &rows);
            let graph = Graph::chain([Layer::BatchNorm(layer)]).unwrap().into();
            collector.clear();
            let y = kernel::graph(&x, &flat, &graph, Some(&collector)).unwrap().remove(0);
            let gradients = (&y * var(&numbers(dy), &rows).as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let list = |t: &Tensor| super::flat(&t.to_dtype(DType::F64).unwrap());
            let of_parameters = list(&collector.collected().unwrap());
            compare("y", &list(&y), &expected("y").unwrap());
            compare("grad_x", &list(gradients.get(&x).unwrap()), &expected("grad_x").unwrap());
            for (i, key) in ["grad_weight", "grad_bias"].into_iter().enumerate() {
                if let Some(expected) = expected(key) {
                    compare(key, &of_parameters[i * channels..][..channels], &expected);
                }
            }
            assert!(of_parameters[2 * channels..].iter().all(|g| *g == 0.0));
            collector.track(&flat).unwrap();
            list(&flat)
        };
        for batch in 0..x[0] {
            let expected = |key: &str| case.expects(key).then(|| case.expected(key)[batch].clone());
            let after = pass(
                BatchNorm { of_batch: true, ..layer },
                &case.input("x")[batch],
                &case.input("dy")[batch],
                &expected,
            );
            compare("running_mean", &after[2 * channels..][..channels], &case.expected("running_mean")[batch]);
            compare("running_var", &after[3 * channels..], &case.expected("running_var")[batch]);
        }
        let expected = |key: &str| case.expected("eval").get(key).cloned();
        pass(layer, case.input("x_eval"), case.input("dy_eval"), &expected);
    }
}

pub fn max_pool(case: &Case) {
    case.flag("has_ties");
    let [kernel, stride, padding] = ["kernel", "stride", "padding"].map(|key| whole(case, key));
    layer(case, &format!("pool = {kernel}, stride = {stride}, padding = {padding}"));
}

pub fn average_pool(case: &Case) {
    let [kernel, stride, padding] = ["kernel", "stride", "padding"].map(|key| whole(case, key));
    let count = case.flag("count_include_pad");
    layer(case, &format!("average_pool = {kernel}, stride = {stride}, padding = {padding}, count_padding = {count}"));
}

pub fn adaptive_pool(case: &Case) {
    let output = numbers(case.input("output"));
    layer(case, &format!("adaptive_pool = {output:?}"));
    if output == [1.0, 1.0] {
        layer(case, "global_pool = true");
    }
}

pub fn upsample(case: &Case) {
    if case.has("align_corners") {
        assert!(!case.flag("align_corners"));
    }
    layer(case, &format!("upsample = {}, mode = {:?}", whole(case, "scale"), case.text("mode")));
}

/// The epsilon is a constant of ours.
fn check_epsilon(case: &Case) {
    assert_eq!(case.number("eps"), 1e-5);
}

pub fn group_norm(case: &Case) {
    check_epsilon(case);
    layer(case, &format!("group_norm = {}", whole(case, "groups")));
}

pub fn instance_norm(case: &Case) {
    check_epsilon(case);
    layer(case, "instance_norm = true");
}

/// Over the last axis: whatever stands before it is the batch.
pub fn layer_norm(case: &Case) {
    check_epsilon(case);
    let size = *shape(case.input("x")).last().unwrap();
    let layer = planned("layer_norm = true", &[size], Activation::Identity).0;
    assert_eq!(
        layer,
        Layer::GroupNorm(GroupNorm { channels: size, pixels: 1, groups: 1, activation: Activation::Identity })
    );
    Run::of(case, layer, (1.0, 0.0)).check();
}

pub fn linear(case: &Case) {
    let weight = shape(case.input("weight"));
    Run::of(case, planned(&format!("dense = {}", weight[0]), &[weight[1]], Activation::Identity).0, (1.0, 0.0)).check();
}

/// What the activation does to `1 · x + 0`.
pub fn activation(case: &Case) {
    let written = match case.text("activation") {
        "gelu_exact" => "\"gelu\"".to_string(),
        "leaky_relu" => format!("{{ leaky_relu = {} }}", case.number("slope")),
        "elu" | "elu_alpha" => format!("{{ elu = {} }}", case.number("alpha")),
        name => format!("{name:?}"),
    };
    let read: BTreeMap<String, Activation> = toml::from_str(&format!("activation = {written}")).unwrap();
    Run::of(case, planned("dense = 1", &[1], read["activation"]).0, (1.0, 0.0)).check();
}

/// A dense layer that picks some of its inputs, with its parameters.
fn pick(from: usize, inputs: usize, outputs: usize) -> (Layer, Vec<f64>) {
    let weight = (0..outputs * inputs).map(|i| f64::from(u8::from(i % inputs == from + i / inputs)));
    (dense(inputs, outputs), weight.chain(vec![0.0; outputs]).collect())
}

/// A graph that reads several inputs: its first nodes pick them out of all.
fn picking<'a>(case: &'a Case, names: &[&'a str]) -> Run<'a> {
    let batch = shape(case.input(names[0]))[0];
    let inputs: Vec<(&str, Vec<f64>)> = names.iter().map(|name| (*name, case.numbers(name))).collect();
    let all = inputs.iter().map(|(_, values)| values.len() / batch).sum();
    let mut run = Run { case, nodes: Vec::new(), batch, inputs, parameters: Vec::new() };
    let mut from = 0;
    for i in 0..names.len() {
        let width = run.inputs[i].1.len() / batch;
        let (layer, parameters) = pick(from, all, width);
        run.parameters.push(("", parameters));
        run = run.then(layer, &[0]);
        from += width;
    }
    run
}

/// Two at a time.
pub fn concat(case: &Case) {
    assert_eq!(case.number("axis"), 1.0);
    let names: Vec<&str> = ["x0", "x1", "x2", "x3"].into_iter().filter(|name| case.has(name)).collect();
    let mut run = picking(case, &names);
    let (mut last, mut width) = (1, run.nodes[0].layer.outputs());
    for second in 2..=names.len() {
        let sizes = [width, run.nodes[second - 1].layer.outputs()];
        run = run.then(Layer::Concat(Concat { sizes }), &[last, second]);
        (last, width) = (run.nodes.len(), sizes[0] + sizes[1]);
    }
    run.check();
}

pub fn residual(case: &Case) {
    let x = shape(case.input("x"));
    let add = |size: usize| Layer::Add(kernel::Add { size });
    match case.text("form") {
        "x + relu(conv3x3(x; weight, bias, padding 1))" => {
            let text = format!("conv = {}, kernel = 3, padding = 1", x[1]);
            let conv = planned(&text, &x[1..], Activation::Relu).0;
            Run::of(case, conv, (1.0, 0.0)).then(add(conv.outputs()), &[0, 1]).check();
        }
        "x + (x W^T + b), W [out, in]" => {
            let layer = dense(x[1], x[1]);
            Run::of(case, layer, (1.0, 0.0)).then(add(x[1]), &[0, 1]).check();
        }
        "(x + z) + x" => {
            let size = x[1..].iter().product();
            picking(case, &["x", "z"]).then(add(size), &[1, 2]).then(add(size), &[3, 1]).check();
        }
        form => panic!("no test knows {form}"),
    }
}
