//! A chain of layers as one operation of candle, so that its bookkeeping is paid once for a network and not for every layer.

use super::activation::{Activation, Real};
use super::buffer::Buffer;
use super::{Append, Collector, Conv, Dense, Dropout, Pool, plain, storage};
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use std::sync::{Arc, Mutex};

/// A layer with its sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    Dense(Dense),
    Conv(Conv),
    Pool(Pool),
    Dropout(Dropout),
    Append(Append),
}

impl Layer {
    /// Floats per example that go in.
    pub fn inputs(&self) -> usize {
        match self {
            Layer::Dense(dense) => dense.inputs,
            Layer::Conv(conv) => conv.image(),
            Layer::Pool(pool) => pool.image(),
            Layer::Dropout(dropout) => dropout.size,
            Layer::Append(append) => append.inputs,
        }
    }

    /// Floats per example that come out.
    pub fn outputs(&self) -> usize {
        match self {
            Layer::Dense(dense) => dense.outputs,
            Layer::Conv(conv) => conv.filters * conv.pixels(),
            Layer::Pool(pool) => pool.channels * pool.output().0 * pool.output().1,
            Layer::Dropout(dropout) => dropout.size,
            Layer::Append(append) => append.outputs,
        }
    }

    /// The shape of the weight; nothing for a layer without one. The bias has the first of these sizes.
    pub fn weight_shape(&self) -> Option<Vec<usize>> {
        match self {
            Layer::Dense(dense) => Some(vec![dense.outputs, dense.inputs]),
            Layer::Conv(conv) => Some(vec![conv.filters, conv.channels, conv.kernel, conv.kernel]),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Append(_) => None,
        }
    }

    /// Floats of the weight.
    pub fn weights(&self) -> usize {
        match self {
            Layer::Dense(dense) => dense.outputs * dense.inputs,
            Layer::Conv(conv) => conv.filters * conv.filter(),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Append(_) => 0,
        }
    }

    /// Floats of the weight and of the bias.
    pub fn parameters(&self) -> usize {
        let biases = match self {
            Layer::Dense(dense) => dense.outputs,
            Layer::Conv(conv) => conv.filters,
            Layer::Pool(_) | Layer::Dropout(_) => 0,
            Layer::Append(append) => append.outputs - append.inputs,
        };
        self.weights() + biases
    }

    /// Multiplications and additions of one example's forward pass, those of the matrix products alone.
    pub fn operations(&self) -> u64 {
        let products = match self {
            Layer::Dense(dense) => dense.inputs * dense.outputs,
            Layer::Conv(conv) => conv.filters * conv.filter() * conv.pixels(),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Append(_) => 0,
        };
        2 * products as u64
    }

    fn activation(&self) -> Activation {
        match self {
            Layer::Dense(dense) => dense.activation,
            Layer::Conv(conv) => conv.activation,
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Append(_) => Activation::Identity,
        }
    }

    /// `parameters` holds the weight and, behind it, the bias. The arguments of the activation are kept where there is room.
    fn forward<T: Real>(&self, x: &[T], parameters: &[T], y: &mut [T], arguments: &mut [T]) {
        let parameters = parameters.split_at(self.weights());
        match self {
            Layer::Dense(dense) => dense.forward(x, parameters, y, arguments),
            Layer::Conv(conv) => conv.forward(x, parameters, y, arguments),
            Layer::Pool(pool) => pool.forward(x, y),
            Layer::Dropout(dropout) => dropout.scale(x, y),
            Layer::Append(append) => append.forward(x, parameters.1, y),
        }
    }

    /// Writes the gradients of the parameters and, where there is room for it, of `x`. `dy` is used up.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        parameters: &[T],
        dy: &mut [T],
        gradient: &mut [T],
        dx: Option<&mut [T]>,
    ) {
        let weights = self.weights();
        let (w, gradient) = (&parameters[..weights], gradient.split_at_mut(weights));
        match self {
            Layer::Dense(dense) => dense.backward(passed, w, dy, gradient, dx),
            Layer::Conv(conv) => conv.backward(passed, w, dy, gradient, dx),
            Layer::Pool(pool) => dx.into_iter().for_each(|dx| pool.backward(passed.x, passed.y, dy, dx)),
            Layer::Dropout(dropout) => dx.into_iter().for_each(|dx| dropout.scale(dy, dx)),
            Layer::Append(append) => append.backward(dy, gradient.1, dx),
        }
    }
}

/// What a layer's forward pass left for its backward pass.
pub(super) struct Passed<'a, T> {
    pub x: &'a [T],
    pub y: &'a [T],
    /// Of the activation, where its derivative needs them.
    pub arguments: &'a [T],
}

/// `x` through all layers.
///
/// `x` is `[batch, inputs]`; `parameters` is flat: the weight (row-major) and the bias of each layer that has them, layer by
/// layer. The result is `[batch, outputs]`.
///
/// With a collector the gradient of the parameters goes there, and candle's own store gets none.
///
/// # Errors
/// When the sizes don't fit.
///
/// # Panics
/// When there is no layer.
pub fn chain(
    x: &Tensor,
    parameters: &Tensor,
    layers: &Arc<[Layer]>,
    collector: Option<&Arc<Collector>>,
) -> Result<Tensor> {
    assert!(!layers.is_empty(), "a chain of no layers");
    let fused = [x, parameters].into_iter().all(|t| storage::is_plain_cpu(t) && t.dtype() == x.dtype());
    match x.dtype() {
        DType::F32 if fused => x.apply_op2(parameters, Chain::<f32>::new(layers, collector)),
        DType::F64 if fused => x.apply_op2(parameters, Chain::<f64>::new(layers, collector)),
        _ => plain::chain(x, parameters, layers),
    }
}

/// The forward pass alone, from slice to slice: acting needs no graph. `x` is `[batch, inputs]`, `out` is `[batch, outputs]`.
///
/// # Panics
/// When the sizes don't fit.
pub fn chain_into(x: &[f32], parameters: &Tensor, layers: &[Layer], out: &mut [f32]) -> Result<()> {
    let (inputs, outputs) = (layers[0].inputs(), layers[layers.len() - 1].outputs());
    assert_eq!(x.len() / inputs, out.len() / outputs, "examples that go in and come out");
    // In blocks, so that the results between the layers of many images stay in the processor's caches.
    let largest = layers.iter().map(Layer::outputs).max().unwrap_or(1).max(1);
    let block = (BLOCK / largest).max(64);
    storage::with_slice(parameters, |parameters| {
        for (x, out) in x.chunks(block * inputs).zip(out.chunks_mut(block * outputs)) {
            forward(x, parameters, layers, out, None);
        }
    })
}

/// Floats of one layer's results that are computed before the next layer goes on.
const BLOCK: usize = 1 << 16;

/// What one layer's forward pass keeps: its result (the last layer's is the tensor itself) and its arguments.
struct Kept<T: Real> {
    result: Buffer<T>,
    arguments: Buffer<T>,
}

/// Fills `out`, and pushes what the backward pass needs of every layer to `kept`.
fn forward<T: Real>(x: &[T], parameters: &[T], layers: &[Layer], out: &mut [T], mut kept: Option<&mut Vec<Kept<T>>>) {
    let last = layers.len() - 1;
    let batch = out.len() / layers[last].outputs();
    let mut previous: Option<Buffer<T>> = None;
    let mut start = 0;
    for (i, layer) in layers.iter().enumerate() {
        let range = start..start + layer.parameters();
        start = range.end;
        let size = batch * layer.outputs();
        let keeps_arguments = kept.is_some() && layer.activation().needs_argument();
        let mut arguments = Buffer::any(if keeps_arguments { size } else { 0 });
        let mut result = Buffer::any(if i == last { 0 } else { size });
        let input = match (&kept, &previous) {
            _ if i == 0 => x,
            (Some(kept), _) => &kept[i - 1].result,
            (None, Some(previous)) => previous,
            (None, None) => unreachable!("every layer but the last leaves a result"),
        };
        let y = if i == last { &mut *out } else { &mut result };
        layer.forward(input, &parameters[range], y, &mut arguments);
        match &mut kept {
            Some(kept) => kept.push(Kept { result, arguments }),
            None => previous = Some(result),
        }
    }
}

/// The operation with what its forward pass kept.
struct Chain<T: Real> {
    layers: Arc<[Layer]>,
    collector: Option<Arc<Collector>>,
    kept: Mutex<Vec<Kept<T>>>,
}

impl<T: Real> Chain<T> {
    fn new(layers: &Arc<[Layer]>, collector: Option<&Arc<Collector>>) -> Self {
        let kept = Mutex::new(Vec::with_capacity(layers.len()));
        Chain { layers: layers.clone(), collector: collector.cloned(), kept }
    }

    /// Sets the gradients of the parameters and, where there is room for it, of `x`.
    fn backward(&self, x: &[T], parameters: &[T], y: &[T], dy: &[T], gradient: &mut [T], dx: Option<&mut [T]>) {
        let kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let batch = y.len() / self.layers[self.layers.len() - 1].outputs();
        let mut dy_of_layer = Buffer::any(dy.len());
        dy_of_layer.copy_from_slice(dy);
        let mut dx = dx;
        let mut end = parameters.len();
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let range = end - layer.parameters()..end;
            end = range.start;
            let passed = Passed {
                x: if i == 0 { x } else { &kept[i - 1].result },
                y: if i + 1 == kept.len() { y } else { &kept[i].result },
                arguments: &kept[i].arguments,
            };
            let mut inner = Buffer::any(if i == 0 { 0 } else { batch * layer.inputs() });
            let dx = if i == 0 { dx.take() } else { Some(&mut inner[..]) };
            layer.backward(passed, &parameters[range.clone()], &mut dy_of_layer, &mut gradient[range], dx);
            dy_of_layer = inner;
        }
    }
}

impl<T: Real> CustomOp2 for Chain<T> {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, xl: &Layout, ps: &CpuStorage, pl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, features) = xl.shape().dims2()?;
        let (x, parameters) = (storage::slice::<T>(xs, xl)?, storage::slice::<T>(ps, pl)?);
        let wanted: usize = self.layers.iter().map(Layer::parameters).sum();
        if features != self.layers[0].inputs() || parameters.len() != wanted {
            let inputs = self.layers[0].inputs();
            bail!("chain: x {:?} and {} parameters for {inputs} inputs and {wanted}", xl.shape(), parameters.len());
        }
        let outputs = self.layers[self.layers.len() - 1].outputs();
        let mut y = vec![T::zero(); batch * outputs];
        let mut kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.clear();
        forward(x, parameters, &self.layers, &mut y, Some(&mut kept));
        Ok((T::to_cpu_storage_owned(y), (batch, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::{Device, Var};
    use rand::Rng as _;

    const ACTIVATIONS: [Activation; 5] =
        [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Sigmoid, Activation::Gelu];

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
            activation: ACTIVATIONS[rng.random_range(0..ACTIVATIONS.len())],
        }
    }

    fn assert_equals_its_twin(layers: &[Layer], dtype: DType, batch: usize, rng: &mut Rng) {
        let parameters: usize = layers.iter().map(Layer::parameters).sum();
        let arguments = [random_var(&[batch, layers[0].inputs()], dtype, rng), random_var(&[parameters], dtype, rng)];
        let layers: Arc<[Layer]> = layers.into();
        assert_equal_with_gradients(
            |[x, parameters]| chain(x, parameters, &layers, None),
            |[x, parameters]| plain::chain(x, parameters, &layers),
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
                let pool = Pool { channels: conv.filters, height, width, size };
                let all = [Layer::Conv(conv), Layer::Pool(pool), random_dense(Layer::Pool(pool).outputs(), &mut rng)];
                let (start, end) = [(0, 1), (1, 2), (0, 3)][rng.random_range(0..3usize)];
                let batch = rng.random_range(1..5);
                assert_equals_its_twin(&all[start..end], dtype, batch, &mut rng);
            }
        }
    }

    /// Two passes through one chain, with and without a collector, and a second backward pass after it was cleared.
    #[test]
    fn a_collector_gets_the_gradient_that_candle_would_keep() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let layers: Arc<[Layer]> = [random_dense(4, &mut rng)].into();
        let parameters = random_var(&[layers[0].parameters()], DType::F32, &mut rng);
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
        let layers: Arc<[Layer]> = [Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })].into();
        let x = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap();
        let parameters = Tensor::arange(0f32, 10.0, &Device::Cpu).unwrap().narrow(0, 1, 8).unwrap();
        let rows = x.reshape((4, 3)).unwrap();
        let strided = x.reshape((3, 4)).unwrap().t().unwrap();
        for view in [rows.narrow(0, 1, 2).unwrap(), rows.narrow(0, 0, 0).unwrap(), strided] {
            let fused = chain(&view, &parameters, &layers, None).unwrap().to_vec2::<f32>().unwrap();
            let plain = plain::chain(&view, &parameters, &layers).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(fused.len(), view.dims()[0]);
            for (a, b) in fused.iter().flatten().zip(plain.iter().flatten()) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn another_dtype_takes_the_plain_path() {
        let layers: Arc<[Layer]> = [Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })].into();
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
        let layers: Arc<[Layer]> = [Layer::Dense(Dense { inputs: 3, outputs: 2, activation: Activation::Tanh })].into();
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        for (x, parameters) in [(zeros(&[1, 4]), zeros(&[8])), (zeros(&[1, 3]), zeros(&[7]))] {
            assert!(chain(&x, &parameters, &layers, None).unwrap_err().to_string().contains("for 3 inputs and 8"));
        }
    }

    /// The definition, pixel by pixel, for an image that is not square; the gradient by central differences.
    #[test]
    fn an_oblong_image_is_convolved_as_defined() {
        let activation = Activation::Identity;
        let conv = Conv { channels: 2, height: 4, width: 7, filters: 3, kernel: 3, stride: 2, padding: 1, activation };
        let layers: Arc<[Layer]> = [Layer::Conv(conv)].into();
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
                    .map(|(c, ky, kx)| {
                        p[((filter * 2 + c) * 3 + ky) * 3 + kx] * pixel(image, c, 2 * oy + ky, 2 * ox + kx)
                    })
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
}
