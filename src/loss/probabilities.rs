//! Losses of real values as losses of class labels: of the softmax of a classifier's scores against the one-hot label.

use super::classification::labels;
use super::inputs::{Inputs, PerExample};
use super::masks::{softmaxes, through_softmax};
use crate::Result;
use crate::kernel::{self, Pointwise};

/// `1/classes · Σ_c loss(p_c, [c = y])` with `p = softmax(z)`, of scores `[batch, classes]` and labels `[batch]`.
///
/// With `g_c` the slope of the loss by `p_c`, the gradient by `z_k` is `p_k (g_k − Σ_c p_c g_c) / classes`.
pub(super) fn against_labels(inputs: &Inputs, loss: impl Pointwise<1, 1>) -> Result<PerExample> {
    let labels = labels(&inputs.targets[0])?;
    let values = kernel::rowwise([&inputs.predictions[0]], |row, [scores], [gradient]| {
        let classes = scores.len();
        let probabilities = softmaxes(scores, classes);
        let mut total = 0.0;
        for (class, (slope, p)) in gradient.iter_mut().zip(&probabilities).enumerate() {
            let (value, [by_p]) = loss.at([*p], [f64::from(u8::from(class as i64 == labels[row]))]);
            total += value / classes as f64;
            *slope = by_p / classes as f64;
        }
        through_softmax(gradient, &probabilities, classes);
        total
    })?;
    Ok(values.into())
}

#[cfg(test)]
mod tests {
    use crate::loss::{Inputs, Loss, find};
    use crate::options::{Given, OptionValue, Options};
    use crate::stream;
    use candle_core::{DType, Device, Tensor, Var};
    use rand::Rng as _;

    /// `mse_loss` and `l1_loss` of PyTorch 2.15 between `softmax(z)` and one-hot labels, mean over classes and examples; the slopes
    /// that it gives for the mean over two examples.
    #[test]
    fn squared_and_absolute_errors_of_labels_equal_pytorchs() {
        let scores = Tensor::new(&[[0.1, 0.2, -0.5], [2.0, -1.0, 0.3f64]], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[1u32, 0], &Device::Cpu).unwrap();
        let squared = [0.05464403379877056, -0.07291503678147841, 0.01827100298270786, -0.016005993849642096];
        let squared = [&squared[..], &[0.0022869205784402727, 0.013719073271201827]].concat();
        let absolute = [0.05230124968611242, -0.08100478409610998, 0.028703534409997542, -0.05101450025591787];
        let absolute = [&absolute[..], &[0.010925521312384048, 0.040088978943533825]].concat();
        for (name, value, slopes) in [("mse", 0.0974134, squared), ("mae", 0.257401, absolute)] {
            let loss = find(name).unwrap();
            let variable = Var::from_tensor(&scores).unwrap();
            let options = Options::defaults(loss.options);
            let mean = loss.of_classifier(&Inputs::pair(&variable, &labels), &options).unwrap().mean().unwrap();
            assert!((crate::scalar(&mean).unwrap() - value).abs() < 1e-6, "{name}: {mean}");
            let gradients = mean.backward().unwrap();
            let gradient: Vec<f64> = gradients.get(&variable).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            for (slope, expected) in gradient.iter().zip(&slopes) {
                assert!((slope - expected).abs() < 1e-15, "{name}: {gradient:?}");
            }
        }
    }

    /// Against finite differences, in both precisions, at scores of any size; and what they are equal to: the Brier score over the
    /// number of classes, and `2/classes` times the generalized cross-entropy at q = 1.
    #[test]
    fn errors_of_labels_have_their_gradient_and_their_identities() {
        let mut rng = stream(7, "test", 0);
        let generalized = find("generalized_cross_entropy").unwrap();
        let given = Given::from([("q".to_string(), OptionValue::Whole(1))]);
        let expected_reward = Options::new(generalized.name, generalized.options, &given).unwrap();
        for classes in [2, 3, 7] {
            let scores: Vec<f64> = (0..4 * classes).map(|_| rng.random_range(-3.0..3.0)).collect();
            let labels: Vec<u32> = (0..4).map(|_| rng.random_range(0..classes as u32)).collect();
            let targets = Tensor::new(labels.as_slice(), &Device::Cpu).unwrap();
            let of = |loss: &Loss, options: &Options, scores: &[f64], dtype: DType| {
                let scores = Tensor::from_slice(scores, (4, classes), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
                let variable = Var::from_tensor(&scores).unwrap();
                let mean = loss.of_classifier(&Inputs::pair(&variable, &targets), options).unwrap().mean().unwrap();
                let gradients = mean.backward().unwrap();
                let gradient = gradients.get(&variable).unwrap().to_dtype(DType::F64).unwrap();
                (crate::scalar(&mean).unwrap(), gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap())
            };
            let same = |a: &(f64, Vec<f64>), b: &(f64, Vec<f64>), factor: f64, within: f64| {
                let numbers = |x: &(f64, Vec<f64>)| std::iter::once(x.0).chain(x.1.clone()).collect::<Vec<f64>>();
                let all = numbers(a).into_iter().zip(numbers(b));
                for (a, b) in all {
                    assert!((a - factor * b).abs() < within, "{classes} classes: {a}, {b}");
                }
            };
            for name in ["mse", "mae"] {
                let loss = find(name).unwrap();
                let options = Options::defaults(loss.options);
                let here = of(loss, &options, &scores, DType::F64);
                same(&of(loss, &options, &scores, DType::F32), &here, 1.0, 1e-6);
                let slope = |i: usize| {
                    let shifted = |by: f64| {
                        let mut moved = scores.clone();
                        moved[i] += by;
                        of(loss, &options, &moved, DType::F64).0
                    };
                    (shifted(1e-6) - shifted(-1e-6)) / 2e-6
                };
                same(&(here.0, (0..scores.len()).map(slope).collect()), &here, 1.0, 1e-8);
                if name == "mae" {
                    let reward = of(generalized, &expected_reward, &scores, DType::F64);
                    same(&here, &reward, 2.0 / classes as f64, 1e-12);
                } else {
                    let probabilities: Vec<f64> =
                        scores.chunks(classes).flat_map(crate::distribution::log_probs).map(f64::exp).collect();
                    let judged = crate::metric::Scores::probabilities(&probabilities, classes, &labels).unwrap();
                    let factor = if classes == 2 { 1.0 } else { 1.0 / classes as f64 };
                    assert!((here.0 - factor * crate::metric::brier(&judged)).abs() < 1e-12);
                }
                for large in [1e4, 1e30] {
                    let scores: Vec<f64> = scores.iter().map(|z| z.signum() * large).collect();
                    let (value, gradient) = of(loss, &options, &scores, DType::F32);
                    assert!(
                        (0.0..=2.0).contains(&value) && gradient.iter().all(|g| g.abs() <= 1.0),
                        "{value}, {gradient:?}"
                    );
                }
            }
        }
    }
}
