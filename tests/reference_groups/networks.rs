//! Whole networks of the reference cases, with their parameters by the names that the cases give them.

use super::layers::planned;
use super::{Case, number, numbers};
use lossward::kernel::{Activation, BatchNorm, Concat, Graph, Layer, Node};
use lossward::network::Role;
use serde_json::Value;

/// A graph, and its parameters in the order in which they lie: the name that the case gives each, its role, and its numbers. Running
/// statistics have no name.
pub struct Net {
    nodes: Vec<Node>,
    pub parts: Vec<(String, Role, Vec<f64>)>,
}

/// The sizes of a nested list.
pub fn shape(value: &Value) -> Vec<usize> {
    let inner = value.as_array().map(|list| std::iter::once(list.len()).chain(shape(&list[0])).collect());
    inner.unwrap_or_default()
}

/// A place in a network: the node, and the shape of what it puts out.
type Place = (usize, Vec<usize>);

impl Net {
    fn new() -> Self {
        Net { nodes: Vec::new(), parts: Vec::new() }
    }

    pub fn graph(&self) -> Graph {
        Graph::new(self.nodes.clone(), vec![self.nodes.len()]).unwrap()
    }

    /// A layer as an experiment asks for it, with the parameters that begin with `name`.
    fn layer(&mut self, text: &str, activation: Activation, from: &Place, (name, params): (&str, &Value)) -> Place {
        let (layer, shape) = planned(text, &from.1, activation);
        self.push(layer, &[from.0], (name, params));
        (self.nodes.len(), shape)
    }

    fn push(&mut self, layer: Layer, from: &[usize], (name, params): (&str, &Value)) {
        let layer = match layer {
            Layer::BatchNorm(norm) => Layer::BatchNorm(BatchNorm { of_batch: true, ..norm }),
            layer => layer,
        };
        let mut part = |kind: &str, role, count: usize| {
            let name = format!("{name}.{kind}");
            let values = numbers(&params[&name]);
            assert_eq!(values.len(), count, "{name}");
            self.parts.push((name, role, values));
        };
        if layer.weights() > 0 {
            part("weight", if layer.scales() { Role::Scale } else { Role::Weight }, layer.weights());
        }
        if layer.biases() > 0 {
            part("bias", Role::Bias, layer.biases());
        }
        if layer.statistics() > 0 {
            self.parts.push((String::new(), Role::Statistic, vec![0.0; layer.statistics()]));
        }
        self.nodes.push(Node { layer, from: from.to_vec() });
    }
}

/// `block = relu(norm(conv3x3))`.
fn block(net: &mut Net, model: &Value, from: &Place, (name, params): (&str, &Value)) -> Place {
    let conv = format!("{name}.conv");
    let filters = shape(&params[format!("{conv}.weight")])[0];
    let norm = match model["norm"].as_str().unwrap() {
        "none" => None,
        "group" => Some(format!("group_norm = {}", number(&model["groups"]))),
        other => Some(format!("{other}_norm = true")),
    };
    let activation = if norm.is_some() { Activation::Identity } else { Activation::Relu };
    let text = format!("conv = {filters}, kernel = 3, padding = \"same\", bias = {}", norm.is_none());
    let place = net.layer(&text, activation, from, (&conv, params));
    match norm {
        None => place,
        Some(norm) => net.layer(&norm, Activation::Relu, &place, (&format!("{name}.norm"), params)),
    }
}

/// The U-Net of layers/unet, for images of this shape.
pub fn unet(model: &Value, params: &Value, image: &[usize]) -> Net {
    let (mut net, depth) = (Net::new(), number(&model["depth"]) as usize);
    assert_eq!(number(&model["eps"]), 1e-5);
    assert_eq!(model["widths"].as_array().unwrap().len(), depth + 1);
    let none = &Value::Null;
    let mut place = (0, image.to_vec());
    let mut skips = Vec::new();
    for level in 0..depth {
        let skip = block(&mut net, model, &place, (&format!("enc{level}"), params));
        place = net.layer("pool = 2", Activation::Identity, &skip, ("", none));
        skips.push(skip);
    }
    place = block(&mut net, model, &place, ("mid", params));
    for (level, skip) in skips.iter().enumerate().rev() {
        let up = net.layer("upsample = 2, mode = \"nearest\"", Activation::Identity, &place, ("", none));
        let sizes = [skip, &up].map(|place| place.1.iter().product());
        net.push(Layer::Concat(Concat { sizes }), &[skip.0, up.0], ("", none));
        let joined = [vec![skip.1[0] + up.1[0]], up.1[1..].to_vec()].concat();
        let joined = (net.nodes.len(), joined);
        place = block(&mut net, model, &joined, (&format!("dec{level}"), params));
    }
    let filters = shape(&params["head.weight"])[0];
    net.layer(&format!("conv = {filters}, kernel = 1"), Activation::Identity, &place, ("head", params));
    net
}

/// `conv1, relu, pool, conv2, relu, global average pool, fc`.
pub fn conv_net(params: &Value, image: &[usize]) -> Net {
    let mut net = Net::new();
    let conv = |name: &str| format!("conv = {}, kernel = 3, padding = 1", shape(&params[format!("{name}.weight")])[0]);
    let none = &Value::Null;
    let mut place = net.layer(&conv("conv1"), Activation::Relu, &(0, image.to_vec()), ("conv1", params));
    place = net.layer("pool = 2", Activation::Identity, &place, ("", none));
    place = net.layer(&conv("conv2"), Activation::Relu, &place, ("conv2", params));
    place = net.layer("global_pool = true", Activation::Identity, &place, ("", none));
    let classes = shape(&params["fc.weight"])[0];
    net.layer(&format!("dense = {classes}"), Activation::Identity, &place, ("fc", params));
    net
}

/// Dense layers `fc1 …`, with the activation between them.
pub fn mlp(model: &Value, params: &Value, features: usize) -> Net {
    let activation: Activation = serde_json::from_value(model["activation"].clone()).unwrap();
    let (mut net, mut place) = (Net::new(), (0, vec![features]));
    let layers = number(&model["layers"]) as usize;
    for layer in 1..=layers {
        let name = format!("fc{layer}");
        let units = shape(&params[format!("{name}.weight")])[0];
        let activation = if layer < layers { activation } else { Activation::Identity };
        place = net.layer(&format!("dense = {units}"), activation, &place, (&name, params));
    }
    net
}

/// One pass of the U-Net of a case.
pub fn unet_pass(case: &Case) {
    let x = shape(case.input("x"));
    let model: serde_json::Map<String, Value> = ["depth", "widths", "norm", "groups", "eps"]
        .map(|key| (key.into(), case.input(key).clone()))
        .into_iter()
        .collect();
    let net = unet(&model.into(), case.input("params"), &x[1..]);
    super::layers::check_network(case, &net);
}
