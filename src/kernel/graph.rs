//! A graph of layers as one operation of candle, so that its bookkeeping is paid once for a network and not for every layer.

use super::activation::Real;
use super::buffer::Buffer;
use super::collector::Observed;
use super::layer::{Layer, MOST_SOURCES, Passed};
use super::{Collector, plain, storage};
use crate::{Error, Result};
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor, bail};
use std::ops::Range;
use std::sync::{Arc, Mutex};

mod acting;
mod operations;
#[cfg(test)]
mod tests;

pub use acting::{LaidOut, graph_into};

/// A layer, and what it reads: 0 is the input, and `i` is the `i`-th node, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub layer: Layer,
    /// One, or two where the layer joins two; each lies before this node.
    pub from: Vec<usize>,
}

/// Layers that read the input or one another, and the nodes whose results are wanted: its heads.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    heads: Vec<usize>,
    /// Where in the result each node writes, per example, if it is a head.
    places: Vec<Option<Range<usize>>>,
    /// Whether another node reads it, too.
    is_read: Vec<bool>,
    /// Which nodes are read for the last time by each node.
    released: Vec<Vec<usize>>,
}

impl Graph {
    /// # Errors
    /// When there is no node or head, a node reads what does not lie before it, sizes don't fit, or a head stands there twice.
    pub fn new(nodes: Vec<Node>, heads: Vec<usize>) -> Result<Graph> {
        let fault = |message: String| Err(Error::Argument(format!("a graph of layers: {message}")));
        if nodes.is_empty() || heads.is_empty() {
            return fault("it needs a node and a head".into());
        }
        let inputs = nodes[0].layer.inputs();
        for (i, node) in nodes.iter().enumerate() {
            let wanted = node.layer.inputs_of_each().into_iter().filter(|size| *size > 0).collect::<Vec<_>>();
            if node.from.len() != wanted.len() || node.from.iter().any(|from| *from > i) {
                return fault(format!("node {} reads {:?}", i + 1, node.from));
            }
            let sizes = node.from.iter().map(|from| from.checked_sub(1).map_or(inputs, |at| nodes[at].layer.outputs()));
            if let Some((got, want)) = sizes.zip(wanted).find(|(got, want)| got != want) {
                return fault(format!("node {} gets {got} floats per example and takes {want}", i + 1));
            }
        }
        let mut places = vec![None; nodes.len()];
        let mut end = 0;
        for head in &heads {
            let Some(node) = head.checked_sub(1).and_then(|at| nodes.get(at)) else {
                return fault(format!("there is no node {head} for a head"));
            };
            let place = end..end + node.layer.outputs();
            end = place.end;
            if places[head - 1].replace(place).is_some() {
                return fault(format!("node {head} is a head twice"));
            }
        }
        let (mut is_read, mut released) = (vec![false; nodes.len()], vec![Vec::new(); nodes.len()]);
        for (of, is_read) in is_read.iter_mut().enumerate() {
            if let Some(last) = nodes.iter().rposition(|node| node.from.contains(&(of + 1))) {
                *is_read = true;
                released[last].push(of);
            }
        }
        Ok(Graph { nodes, heads, places, is_read, released })
    }

    /// Each layer reads the one before it, and the last one is the head.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub fn chain(layers: impl IntoIterator<Item = Layer>) -> Result<Graph> {
        let node = |(i, layer)| Node { layer, from: vec![i] };
        let nodes: Vec<Node> = layers.into_iter().enumerate().map(node).collect();
        let last = nodes.len();
        Graph::new(nodes, vec![last])
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.nodes.iter().map(|node| &node.layer)
    }

    /// The nodes whose results are wanted, counted from 1.
    pub fn heads(&self) -> &[usize] {
        &self.heads
    }

    /// Floats per example that go in.
    pub fn inputs(&self) -> usize {
        self.nodes[0].layer.inputs()
    }

    /// Floats per example that come out of each head.
    pub fn outputs(&self) -> impl Iterator<Item = usize> {
        self.heads.iter().map(|head| self.nodes[head - 1].layer.outputs())
    }

    fn parameters(&self) -> usize {
        self.layers().map(Layer::parameters).sum()
    }

    /// The same layers with other settings, of the same sizes.
    pub fn map(&self, mut other: impl FnMut(usize, Layer) -> Layer) -> Graph {
        let node = |(i, node): (usize, &Node)| Node { layer: other(i, node.layer), from: node.from.clone() };
        Graph { nodes: self.nodes.iter().enumerate().map(node).collect(), ..self.clone() }
    }

    /// Where a node writes its result, for so many examples, if nobody else reads it.
    fn direct(&self, node: usize, batch: usize) -> Option<Range<usize>> {
        if self.is_read[node] { None } else { self.place(node, batch) }
    }

    fn place(&self, node: usize, batch: usize) -> Option<Range<usize>> {
        self.places[node].as_ref().map(|place| batch * place.start..batch * place.end)
    }
}

/// `x` through all layers: the heads, `[batch, outputs]` each.
///
/// `x` is `[batch, inputs]`; `parameters` is flat: the weight (row-major) and the bias of each layer that has them, node by node.
///
/// With a collector the gradient of the parameters goes there, and candle's own store gets none.
///
/// # Errors
/// When the sizes don't fit.
pub fn graph(
    x: &Tensor,
    parameters: &Tensor,
    graph: &Arc<Graph>,
    collector: Option<&Arc<Collector>>,
) -> candle_core::Result<Vec<Tensor>> {
    let fused = [x, parameters].into_iter().all(|t| storage::is_plain_cpu(t) && t.dtype() == x.dtype());
    let all = match x.dtype() {
        DType::F32 if fused => x.apply_op2(parameters, Fused::<f32>::new(graph, collector))?,
        DType::F64 if fused => x.apply_op2(parameters, Fused::<f64>::new(graph, collector))?,
        _ => return plain::graph(x, parameters, graph),
    };
    if graph.heads.len() == 1 {
        return Ok(vec![all]);
    }
    let batch = x.dim(0)?;
    let head = |head: &usize| {
        let place = graph.place(head - 1, batch).unwrap_or_default();
        all.narrow(0, place.start, place.len())?.reshape((batch, place.len() / batch.max(1)))
    };
    graph.heads.iter().map(head).collect()
}

/// What one layer's forward pass keeps: its result (a head's that nobody reads is in the result itself), and what the layer itself does.
struct Kept<T: Real> {
    result: Buffer<T>,
    layers: Buffer<T>,
}

/// Fills `out`, and `kept` with what the backward pass needs of every node. With weights that are laid out already nothing is trained, and
/// results are given back as soon as nobody reads them any more.
fn forward<T: Real>(
    (x, parameters): (&[T], &[T]),
    graph: &Graph,
    out: &mut [T],
    kept: &mut Vec<Kept<T>>,
    laid_out: Option<&[Buffer<T>]>,
) {
    kept.clear();
    let training = laid_out.is_none();
    let batch = x.len() / graph.inputs();
    let mut start = 0;
    for (i, Node { layer, from }) in graph.nodes.iter().enumerate() {
        let range = start..start + layer.parameters();
        start = range.end;
        let size = batch * layer.outputs();
        let direct = graph.direct(i, batch);
        let mut layers = if training { Buffer::any(layer.kept(batch)) } else { Buffer::none() };
        let mut result = if direct.is_some() { Buffer::none() } else { Buffer::any(size) };
        let y = match &direct {
            Some(place) => &mut out[place.clone()],
            None => &mut result[..],
        };
        let of_layer = &parameters[range];
        let own = if training { layer.laid_out(of_layer) } else { Buffer::none() };
        let laid_out = laid_out.map_or(&own, |all| &all[i]);
        layer.forward(&sources(x, kept, from)[..from.len()], (of_layer, laid_out), y, &mut layers);
        if let (None, Some(place)) = (&direct, graph.place(i, batch)) {
            out[place].copy_from_slice(&result);
        }
        kept.push(Kept { result, layers });
        if !training {
            graph.released[i].iter().for_each(|done| kept[*done].result = Buffer::none());
        }
    }
}

/// What a node reads.
fn sources<'a, T: Real>(x: &'a [T], kept: &'a [Kept<T>], from: &[usize]) -> [&'a [T]; MOST_SOURCES] {
    let mut sources: [&[T]; MOST_SOURCES] = [&[]; MOST_SOURCES];
    for (source, from) in sources.iter_mut().zip(from) {
        *source = if *from == 0 { x } else { &kept[from - 1].result };
    }
    sources
}

/// The statistics that layers have seen of a batch, with their places among the parameters.
fn observed<T: Real>(graph: &Graph, kept: &[Kept<T>], batch: usize) -> Vec<Observed> {
    let mut end = 0;
    let of_layer = |(layer, kept): (&Layer, &Kept<T>)| {
        end += layer.parameters();
        let (momentum, values) = layer.observed(&kept.layers, batch)?;
        Some(Observed { range: end - layer.statistics()..end, momentum, values })
    };
    graph.layers().zip(kept).filter_map(of_layer).collect()
}

/// The operation with what its forward pass kept.
struct Fused<T: Real> {
    graph: Arc<Graph>,
    collector: Option<Arc<Collector>>,
    kept: Mutex<Vec<Kept<T>>>,
}

impl<T: Real> Fused<T> {
    fn new(graph: &Arc<Graph>, collector: Option<&Arc<Collector>>) -> Self {
        let kept = Mutex::new(Vec::with_capacity(graph.nodes.len()));
        Fused { graph: graph.clone(), collector: collector.cloned(), kept }
    }

    /// Sets the gradients of the parameters and, where there is room for it, of `x`.
    fn backward(&self, x: &[T], parameters: &[T], y: &[T], dy: &[T], gradient: &mut [T], dx: Option<&mut [T]>) {
        let graph = &*self.graph;
        let kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let batch = x.len() / graph.inputs();
        let mut dx = Sum { begun: false, sum: dx };
        // Of every node's result: what its readers have given so far.
        let mut dys: Vec<Option<Buffer<T>>> = (0..graph.nodes.len()).map(|_| None).collect();
        let mut end = parameters.len();
        for (i, Node { layer, from }) in graph.nodes.iter().enumerate().rev() {
            let range = end - layer.parameters()..end;
            end = range.start;
            if let Some(place) = graph.place(i, batch) {
                add(&mut dys[i], &dy[place]);
            }
            let Some(mut dy) = dys[i].take() else {
                gradient[range].fill(T::zero());
                continue;
            };
            let xs = sources(x, &kept, from);
            let direct = graph.direct(i, batch);
            let y = direct.map_or(&kept[i].result[..], |place| &y[place]);
            let biases = &parameters[range.start + layer.weights()..range.end];
            let passed = Passed { xs: &xs[..from.len()], biases, y, kept: &kept[i].layers };
            let sizes = layer.inputs_of_each();
            let room = |source: usize| match from.get(source) {
                Some(&from) if from > 0 || dx.sum.is_some() => Buffer::any(batch * sizes[source]),
                _ => Buffer::none(),
            };
            let mut inner: [Buffer<T>; MOST_SOURCES] = std::array::from_fn(room);
            {
                let mut dxs = inner.each_mut().map(|dx| if dx.is_empty() { None } else { Some(&mut dx[..]) });
                layer.backward(passed, &parameters[range.clone()], &mut dy, &mut gradient[range], &mut dxs);
            }
            for (from, inner) in from.iter().zip(inner) {
                match from.checked_sub(1) {
                    Some(before) if dys[before].is_none() => dys[before] = Some(inner),
                    Some(before) => add(&mut dys[before], &inner),
                    None => dx.add(&inner),
                }
            }
        }
    }
}

/// Adds to a gradient, or begins it.
fn add<T: Real>(sum: &mut Option<Buffer<T>>, more: &[T]) {
    match sum {
        Some(sum) => sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += *more),
        None => {
            let mut begun = Buffer::any(more.len());
            begun.copy_from_slice(more);
            *sum = Some(begun);
        }
    }
}

/// The gradient of the input, which several nodes may read.
struct Sum<'a, T> {
    begun: bool,
    sum: Option<&'a mut [T]>,
}

impl<T: Real> Sum<'_, T> {
    fn add(&mut self, more: &[T]) {
        let Some(sum) = &mut self.sum else { return };
        match self.begun {
            true => sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += *more),
            false => sum.copy_from_slice(more),
        }
        self.begun = true;
    }
}

impl<T: Real> CustomOp2 for Fused<T> {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xl: &Layout,
        ps: &CpuStorage,
        pl: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, features) = xl.shape().dims2()?;
        let (x, parameters) = (storage::slice::<T>(xs, xl)?, storage::slice::<T>(ps, pl)?);
        let (inputs, wanted) = (self.graph.inputs(), self.graph.parameters());
        if features != inputs || parameters.len() != wanted {
            bail!("layers: x {:?} and {} parameters for {inputs} inputs and {wanted}", xl.shape(), parameters.len());
        }
        let outputs: usize = self.graph.outputs().sum();
        let mut y = vec![T::zero(); batch * outputs];
        let mut kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        forward((x, parameters), &self.graph, &mut y, &mut kept, None);
        if let Some(collector) = &self.collector {
            collector.observe(observed(&self.graph, &kept, batch));
        }
        let shape: Shape = if self.graph.heads.len() == 1 { (batch, outputs).into() } else { (batch * outputs).into() };
        Ok((T::to_cpu_storage_owned(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let mut dx = x.track_op().then(|| vec![T::zero(); x.elem_count()]);
        let gradient = storage::with_slices([x, parameters, y, &dy], |[x, values, y, dy]: [&[T]; 4]| {
            let mut backward = |gradient: &mut [T]| self.backward(x, values, y, dy, gradient, dx.as_deref_mut());
            match &self.collector {
                Some(collector) => collector.add(backward).map(|()| None),
                None => {
                    let mut gradient = vec![T::zero(); values.len()];
                    backward(&mut gradient);
                    Tensor::from_vec(gradient, parameters.shape(), parameters.device()).map(Some)
                }
            }
        })??;
        let dx = dx.map(|dx| Tensor::from_vec(dx, x.shape(), x.device())).transpose()?;
        Ok((dx, gradient))
    }
}
