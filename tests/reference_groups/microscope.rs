//! What the microscope computes of estimates of a gradient.

use super::{Case, numbers};
use lossward::microscope::{GradientMoments, cosine, mean_pairwise_cosine};

/// Statistics of estimates of a gradient.
pub fn gradient_stats(case: &Case) {
    let rows: Vec<Vec<f64>> = case.input("samples").as_array().unwrap().iter().map(numbers).collect();
    let samples: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let reference = case.numbers("reference");
    let moments = GradientMoments::of(&samples);
    case.check("mean", &moments.mean);
    case.check("variance", &moments.variance());
    case.check("variance_population", &moments.variance_population);
    case.check("total_variance", &[moments.total_variance()]);
    case.check("cosine_mean_reference", &[cosine(&moments.mean, &reference)]);
    let each: Vec<f64> = samples.iter().map(|sample| cosine(sample, &reference)).collect();
    case.check("cosine_each_reference", &each);
    case.check("mean_pairwise_cosine", &[mean_pairwise_cosine(&samples)]);
    case.check("snr_norm", &[moments.signal_to_noise()]);
    case.check("snr_squared", &[moments.signal_to_noise().powi(2)]);
    case.check("snr_of_mean", &[moments.signal_to_noise_of_mean()]);
    case.check("snr_per_coordinate", &moments.signal_to_noise_per_coordinate());
    case.check("unbiased_squared_mean_norm", &[moments.squared_norm_of_expectation()]);
}
