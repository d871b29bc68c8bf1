//! The forward pass alone.

use super::{Graph, forward};
use crate::kernel::buffer::Buffer;
use crate::kernel::layer::Layer;
use crate::kernel::storage;
use candle_core::Tensor;

/// The weights of a graph's layers in the order in which a forward pass reads them: laid out once for all passes with them.
pub struct LaidOut(Vec<Buffer<f32>>);

impl LaidOut {
    /// Of these parameters as they are now.
    pub fn of(parameters: &Tensor, graph: &Graph) -> candle_core::Result<LaidOut> {
        storage::with_slice(parameters, |parameters: &[f32]| {
            let mut rest = parameters;
            let of_layer = |layer: &Layer| {
                let (own, behind) = rest.split_at(layer.parameters());
                rest = behind;
                layer.laid_out(own)
            };
            LaidOut(graph.layers().map(of_layer).collect())
        })
    }
}

/// The forward pass alone, from slice to slice: acting needs no graph. `x` is `[batch, inputs]`; `out` is head after head, each
/// `[batch, outputs]`. The weights are those that were laid out.
///
/// # Panics
/// When the sizes don't fit.
pub fn graph_into(
    x: &[f32],
    (parameters, laid_out): (&Tensor, &LaidOut),
    graph: &Graph,
    out: &mut [f32],
) -> candle_core::Result<()> {
    let (inputs, outputs) = (graph.inputs(), graph.outputs().sum::<usize>());
    let batch = out.len() / outputs;
    assert_eq!(x.len() / inputs, batch, "examples that go in and come out");
    // In blocks, so that the results between the layers stay in the processor's nearest cache, yet so large that reading the weights
    // counts for little.
    let largest = graph.layers().map(Layer::outputs).max().unwrap_or(1).max(1);
    let block =
        if graph.heads.len() == 1 { (BLOCK / largest).max(graph.parameters() / 1024).max(64) } else { batch.max(1) };
    let mut kept = Vec::with_capacity(graph.nodes.len());
    storage::with_slice(parameters, |parameters| {
        for (x, out) in x.chunks(block * inputs).zip(out.chunks_mut(block * outputs)) {
            forward((x, parameters), graph, out, &mut kept, Some(&laid_out.0));
        }
    })
}

/// Floats of one layer's results that are computed before the next layer goes on.
const BLOCK: usize = 1 << 13;
