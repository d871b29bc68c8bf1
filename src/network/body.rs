//! From settings to the layers of a body whose sizes fit.

use super::{LayerSettings, NetworkSettings};
use crate::kernel::{Activation, Arriving, BatchNorm, Dense, Dropout, Layer, Node, Planned};
use crate::{Error, Result};
use std::borrow::Cow;

/// Weights beyond which a network is taken for a typing error: 4 GB for themselves, and as much for each moment of Adam.
const MOST_PARAMETERS: f64 = 1e9;

/// Numbers per example between two layers, beyond which the same is meant.
const MOST_FLOATS: f64 = 1e9;

/// The layers that all heads read, dropout among them, and what comes out.
pub(super) struct Body {
    nodes: Vec<Node>,
    /// The node that heads read; 0 is the input.
    end: usize,
    shape: Vec<usize>,
}

/// What has been planned so far: the place of a layer among the nodes, and the shape of what comes out of it.
struct Plan {
    nodes: Vec<Node>,
    last: (usize, Vec<usize>),
    named: Vec<(String, (usize, Vec<usize>))>,
}

/// The body for inputs of `shape` (`[features]` or `[channels, height, width]`).
///
/// # Errors
/// When a layer doesn't fit what it reads; the message counts layers from 0, and the error stands at the key.
pub(super) fn plan(settings: &NetworkSettings, shape: &[usize]) -> Result<Body> {
    let input = (0, shape.to_vec());
    let mut plan = Plan { nodes: Vec::new(), last: input.clone(), named: vec![("input".into(), input)] };
    let (key, layers) = match &settings.body {
        Some(body) => ("body", Cow::Owned(body.layers(shape).map_err(|message| Error::setting("body", message))?)),
        None => ("layers", Cow::Borrowed(&settings.layers)),
    };
    for (i, layer) in layers.iter().enumerate() {
        let added = plan.add(layer, settings, layers.get(i + 1).is_some_and(LayerSettings::normalizes));
        added.map_err(|message| Error::setting(key, format!("`{key}`, entry {i}: {message}")))?;
    }
    for units in settings.hidden() {
        let inputs = plan.last.1.iter().product();
        plan.push(Layer::Dense(Dense { inputs, outputs: *units, activation: settings.activation }), vec![*units]);
        if let Some(rate) = settings.dropout {
            if !(0.0..1.0).contains(&rate) {
                return Err(Error::setting("dropout", format!("`dropout` must lie in [0, 1), not {rate}")));
            }
            plan.push(Layer::Dropout(Dropout { size: *units, rate, seed: 0 }), vec![*units]);
        }
    }
    let key = if layers.is_empty() || settings.hidden().contains(&0) { "hidden" } else { key };
    if plan.nodes.iter().any(|node| node.layer.outputs() == 0) {
        return Err(Error::setting(key, "a hidden layer needs at least 1 unit"));
    }
    let shapes = plan.nodes.iter().filter_map(|node| node.layer.weight_shape());
    let parameters: f64 = shapes.map(|shape| shape.iter().map(|side| *side as f64).product::<f64>()).sum();
    if parameters > MOST_PARAMETERS {
        let message = format!("a network of {parameters:e} weights; the most is {MOST_PARAMETERS:e}");
        return Err(Error::setting(key, message));
    }
    Ok(Body { end: plan.last.0, shape: plan.last.1, nodes: plan.nodes })
}

impl Plan {
    /// `normalized` tells whether the next layer normalizes.
    fn add(&mut self, settings: &LayerSettings, of: &NetworkSettings, normalized: bool) -> Result<(), String> {
        let name = settings.name()?;
        let second = match settings.second() {
            None => None,
            Some(second) => Some(self.find(second)?.clone()),
        };
        let mut shapes = vec![&self.last.1[..]];
        shapes.extend(second.iter().map(|(_, shape)| &shape[..]));
        if settings.reads_named_first() {
            shapes.reverse();
        }
        let activation = match settings.activation()? {
            _ if normalized => Activation::Identity,
            Some(own) => own,
            None => of.activation,
        };
        let Planned { layer, shape } = settings.plan(&Arriving { shapes, activation, normalized })?;
        let floats: f64 = shape.iter().map(|side| *side as f64).product();
        if floats > MOST_FLOATS {
            return Err(format!("{floats:e} numbers per example come out; the most is {MOST_FLOATS:e}"));
        }
        match layer {
            None => self.last.1 = shape,
            Some(layer) => {
                self.push(layer, shape);
                let from = &mut self.nodes[self.last.0 - 1].from;
                from.extend(second.map(|(node, _)| node));
                if settings.reads_named_first() {
                    from.reverse();
                }
            }
        }
        if let Some(name) = name {
            if self.find(name).is_ok() {
                return Err(format!("another layer is called `{name}` already"));
            }
            self.named.push((name.into(), self.last.clone()));
        }
        Ok(())
    }

    fn push(&mut self, layer: Layer, shape: Vec<usize>) {
        self.nodes.push(Node { layer, from: vec![self.last.0] });
        self.last = (self.nodes.len(), shape);
    }

    fn find(&self, name: &str) -> Result<&(usize, Vec<usize>), String> {
        let found = self.named.iter().find(|(other, _)| other == name).map(|(_, place)| place);
        let known = || self.named.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        found.ok_or_else(|| lossward_envs::names::unknown("layer before this one", name, &known()))
    }
}

fn is_dropout(node: &Node) -> bool {
    matches!(node.layer, Layer::Dropout(_))
}

impl Body {
    /// Of what comes out, `[features]` or `[channels, height, width]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The nodes without dropout: what reads a dropout layer reads what that reads.
    pub fn acting(&self) -> Vec<Node> {
        let kept = self.nodes.iter().filter(|node| !is_dropout(node));
        let places = self.places();
        let read = |node: &Node| Node { layer: node.layer, from: node.from.iter().map(|from| places[*from]).collect() };
        kept.map(read).collect()
    }

    /// Of each node, and the input, its place among those without dropout.
    fn places(&self) -> Vec<usize> {
        let (mut places, mut count) = (vec![0], 0);
        for node in &self.nodes {
            places.push(match is_dropout(node) {
                true => places[node.from[0]],
                false => {
                    count += 1;
                    count
                }
            });
        }
        places
    }

    /// All nodes, as they train: if some do so in another way than they act.
    pub fn training(&self) -> Option<Vec<Node>> {
        let differs = |node: &Node| is_dropout(node) || matches!(node.layer, Layer::BatchNorm(_));
        let of_batch = |node: &Node| match node.layer {
            Layer::BatchNorm(norm) => {
                Node { layer: Layer::BatchNorm(BatchNorm { of_batch: true, ..norm }), from: node.from.clone() }
            }
            _ => node.clone(),
        };
        self.nodes.iter().any(differs).then(|| self.nodes.iter().map(of_batch).collect())
    }

    /// What heads read, among the nodes without dropout.
    pub fn end(&self) -> usize {
        self.places()[self.end]
    }

    /// What heads read, among all nodes.
    pub fn training_end(&self) -> usize {
        self.end
    }
}

/// Adds a chain of layers that begins at `end`; the place of its last one.
pub(super) fn extend(nodes: &mut Vec<Node>, end: usize, layers: &[Layer]) -> usize {
    let mut end = end;
    for layer in layers {
        nodes.push(Node { layer: *layer, from: vec![end] });
        end = nodes.len();
    }
    end
}
