//! Layers that make images larger, smaller or even.

use super::*;
use crate::kernel::{AdaptivePool, AveragePool, ConvTranspose, GroupNorm, Interpolation, Upsample};

/// One of each, on images that need not be square.
fn random_layers(rng: &mut Rng) -> Vec<Layer> {
    let [channels, height, width] = [4, 20, 20].map(|most| rng.random_range(1..most));
    let size = rng.random_range(1..=height.min(width).min(5));
    let padding = rng.random_range(0..=size / 2);
    let stride = rng.random_range(1..4);
    let activation = ACTIVATIONS[rng.random_range(0..ACTIVATIONS.len())];
    let groups = [1, channels][rng.random_range(0..2usize)];
    let kernel = rng.random_range(1..5);
    let mut layers = vec![
        Layer::Pool(Pool { channels, height, width, size, stride: Some(stride), padding }),
        Layer::Pool(Pool { channels, height, width, size, stride: None, padding: 0 }),
        Layer::AveragePool(AveragePool { channels, height, width, size, stride, padding, count_padding: rng.random() }),
        Layer::AveragePool(AveragePool {
            channels,
            height,
            width,
            size,
            stride: size,
            padding: 0,
            count_padding: true,
        }),
        Layer::AdaptivePool(AdaptivePool {
            channels,
            height,
            width,
            out_height: rng.random_range(1..7),
            out_width: rng.random_range(1..7),
        }),
        Layer::Upsample(Upsample {
            channels,
            height,
            width,
            factor: rng.random_range(1..4),
            mode: Interpolation::Nearest,
        }),
        Layer::Upsample(Upsample { channels, height, width, factor: 2, mode: Interpolation::Bilinear }),
        // With so many numbers in a group that they can't all be near one another.
        Layer::GroupNorm(GroupNorm { channels, pixels: 8 + height * width, groups, activation }),
        Layer::GroupNorm(GroupNorm { channels: 8 * channels, pixels: 1, groups, activation }),
    ];
    let sizes = [(kernel, stride, rng.random_range(0..=kernel / 2)), (2, 2, 0)];
    layers.extend(sizes.into_iter().map(|(kernel, stride, padding)| {
        let (filters, bias) = (rng.random_range(1..6), rng.random());
        let sizes = ConvTranspose { channels, height, width, filters, kernel, stride, padding, bias, activation };
        Layer::ConvTranspose(sizes)
    }));
    layers.retain(|layer| layer.outputs() > 0);
    layers
}

#[test]
fn layers_of_images_equal_their_plain_twins() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    for dtype in [DType::F64, DType::F32] {
        for _ in 0..40 {
            for layer in random_layers(&mut rng) {
                let batch = rng.random_range(1..4);
                assert_equals_its_twin(&[layer], dtype, batch, &mut rng);
                // Behind another layer, and with one behind it, so that gradients pass through.
                let activation = ACTIVATIONS[rng.random_range(0..ACTIVATIONS.len())];
                let before = Dense { inputs: rng.random_range(1..5), outputs: layer.inputs(), activation };
                let after = Dense { inputs: layer.outputs(), outputs: 3, activation };
                let chain = [Layer::Dense(before), layer, Layer::Dense(after)];
                // The plain pooling shares its gradient among equals, which an activation can make.
                let ties = matches!(layer, Layer::Pool(_)) && activation == Activation::Relu;
                if dtype == DType::F64 && !ties {
                    assert_equals_its_twin(&chain, dtype, batch, &mut rng);
                }
            }
        }
    }
}

/// More images than are worked on at once.
#[test]
fn convolutions_of_many_images_equal_their_plain_twins() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    for (stride, padding) in [(1, 0), (1, 1), (1, 2), (2, 1)] {
        let conv = Conv {
            channels: 4,
            height: 10,
            width: 10,
            filters: 9,
            kernel: 3,
            stride,
            padding,
            bias: true,
            activation: Activation::Relu,
        };
        let before = Dense { inputs: 3, outputs: conv.image(), activation: Activation::Tanh };
        assert_equals_its_twin(&[Layer::Conv(conv)], DType::F32, 150, &mut rng);
        assert_equals_its_twin(&[Layer::Dense(before), Layer::Conv(conv)], DType::F64, 53, &mut rng);
    }
}

#[test]
fn acting_through_layers_of_images_gives_the_same() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    let layers: Vec<Layer> = (0..20).flat_map(|_| random_layers(&mut rng)).collect();
    for layer in layers {
        let layers = of([layer]);
        let arguments = [&[3, layers.inputs()][..], &[layers.parameters()]];
        let [x, parameters] = arguments.map(|shape| random_var(shape, DType::F32, &mut rng));
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let trained = flat(&chain(&x, &parameters, &layers, None).unwrap());
        let mut acted = vec![0.0; trained.len()];
        graph_into(&flat(&x), (&parameters, &LaidOut::of(&parameters, &layers).unwrap()), &layers, &mut acted).unwrap();
        assert_eq!(acted, trained, "{layer:?}");
    }
}

/// By the definition, window by window, on few numbers, so that many are the largest at once.
#[test]
fn the_first_of_several_largest_pixels_gets_the_gradient() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    let mut ties = 0;
    for _ in 0..300 {
        let [channels, height, width] = [3, 24, 24].map(|most| rng.random_range(1..most));
        let size = rng.random_range(1..=height.min(width).min(5));
        let stride = [None, Some(rng.random_range(1..5))][rng.random_range(0..2usize)];
        let padding = if stride.is_none() { 0 } else { rng.random_range(0..=size / 2) };
        let pool = Pool { channels, height, width, size, stride, padding };
        let values: Vec<f32> = (0..2 * pool.image()).map(|_| rng.random_range(-2..2) as f32).collect();
        let (rows, columns) = pool.output();
        let (mut largest, mut gradient) = (Vec::new(), vec![0.0f32; values.len()]);
        for window in 0..2 * channels * rows * columns {
            let (plane, i, j) = (window / (rows * columns), window / columns % rows, window % columns);
            let pixels = (0..size * size).filter_map(|at| {
                let step = stride.unwrap_or(size);
                let y = (i * step + at / size).checked_sub(padding).filter(|y| *y < height)?;
                let x = (j * step + at % size).checked_sub(padding).filter(|x| *x < width)?;
                Some((plane * height + y) * width + x)
            });
            let pixels: Vec<usize> = pixels.collect();
            let most = pixels.iter().map(|at| values[*at]).fold(f32::NEG_INFINITY, f32::max);
            let found: Vec<usize> = pixels.into_iter().filter(|at| values[*at] == most).collect();
            ties += usize::from(found.len() > 1);
            gradient[found[0]] += (largest.len() % 7) as f32 - 3.0;
            largest.push(most);
        }
        let x = Var::from_vec(values, (2, pool.image()), &Device::Cpu).unwrap();
        let none = Tensor::zeros(0, DType::F32, &Device::Cpu).unwrap();
        let y = chain(&x, &none, &of([Layer::Pool(pool)]), None).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(&y), largest, "{pool:?}");
        let dy = Tensor::from_iter((0..largest.len()).map(|i| (i % 7) as f32 - 3.0), &Device::Cpu).unwrap();
        let sum = (y.flatten_all().unwrap() * dy).unwrap().sum_all().unwrap();
        assert_eq!(flat(sum.backward().unwrap().get(&x).unwrap()), gradient, "{pool:?}");
    }
    assert!(ties > 1000, "{ties}");
}

/// Numbers far from 0 lose no more digits than they have.
#[test]
fn a_large_mean_is_taken_off_before_squares_are_summed() {
    let norm = GroupNorm { channels: 2, pixels: 500, groups: 1, activation: Activation::Identity };
    let values: Vec<f64> = (0..1000).map(|i| 1000.0 + f64::from(i).sin()).collect();
    let of_dtype = |dtype: DType| {
        let to = |t: Tensor| t.to_dtype(DType::F32).unwrap().to_dtype(dtype).unwrap();
        let x = to(Tensor::from_slice(&values, (1, 1000), &Device::Cpu).unwrap());
        let parameters = to(Tensor::from_slice(&[1.0, 2.0, 0.0, 0.5], 4, &Device::Cpu).unwrap());
        let y = chain(&x, &parameters, &of([Layer::GroupNorm(norm)]), None).unwrap();
        y.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap()
    };
    for (single, double) in of_dtype(DType::F32).iter().zip(of_dtype(DType::F64)) {
        assert!((single - double).abs() < 2e-4, "{single} for {double}");
    }
}
