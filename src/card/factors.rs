//! The formulas of `β(p)`, derived in docs/policy_gradients.md.

use super::Company;

/// A soft label that gives the right class the share `q` and the others the rest in equal parts.
pub(super) fn soft_label(q: f64, company: Company) -> f64 {
    // (q − p) / (1 − p), without the difference of two numbers near 1.
    1.0 - (1.0 - q) / (1.0 - company.p)
}

/// `(1 − p)^γ (1 − γ p ln p / (1 − p))`
pub(super) fn focal(gamma: f64, p: f64) -> f64 {
    (1.0 - p).powf(gamma) * (1.0 - gamma * p * p.ln() / (1.0 - p))
}

/// The sum over the numbers of successes in `size` draws of `of` times their probability.
fn expected(size: usize, p: f64, of: impl Fn(f64) -> f64) -> f64 {
    let mut probability = (1.0 - p).powi(size as i32);
    let mut sum = 0.0;
    for right in 0..=size {
        sum += probability * of(right as f64);
        probability *= (size - right) as f64 / (right + 1) as f64 * p / (1.0 - p);
    }
    sum
}

/// `E[√(m (K − m))] / (K (1 − p))` with binomial `m`, the successes of a group of `K`.
pub(super) fn grpo_of_groups(size: f64, p: f64) -> f64 {
    expected(size as usize, p, |m| (m * (size - m)).sqrt()) / (size * (1.0 - p))
}

/// `p (w_y − w_b)`: a success moves the logits by `w_y (e_y − π)`, a failure by `w_b (e_b − π)`.
fn of_single_draws(company: Company, success: f64, failure: f64) -> f64 {
    company.p * (success - failure)
}

/// `Σ_a π(a)²`
fn confidence(company: Company) -> f64 {
    company.p * company.p + (1.0 - company.p) * company.other()
}

pub(super) fn delightful_with_confidence(temperature: f64, company: Company) -> f64 {
    let k = confidence(company);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let success = (1.0 - k) * sigmoid(-(1.0 - k) * company.p.ln() / temperature);
    let failure = -k * sigmoid(k * company.other().ln() / temperature);
    of_single_draws(company, success, failure)
}

/// `L` to the power of `sign`: what the odds of a drawn action are multiplied by.
fn odds(temperature: f64, classes: usize, sign: f64) -> f64 {
    let classes = classes as f64;
    (sign * classes / (temperature * (classes - 1.0).sqrt())).exp()
}

/// `p (L − 1) / (1 − p + L p)`
fn tilted(p: f64, odds: f64) -> f64 {
    p * (odds - 1.0) / (1.0 - p + odds * p)
}

pub(super) fn target_of_all(temperature: f64, company: Company) -> f64 {
    tilted(company.p, odds(temperature, company.classes, 1.0))
}

pub(super) fn target_of_one(temperature: f64, company: Company) -> f64 {
    let of = |p: f64, sign: f64| tilted(p, odds(temperature, company.classes, sign));
    of_single_draws(company, of(company.p, 1.0), of(company.other(), -1.0))
}

/// `E[Q − P] / (1 − p)`: the share of the `m` successes of a group among its candidates, in the target and in the policy.
pub(super) fn target_of_groups(size: f64, company: Company) -> f64 {
    let share = |m: f64, tilt: f64| {
        let (right, wrong) = (m * company.p * tilt, (size - m) * company.other());
        right / (right + wrong)
    };
    // Standardized returns are √((K − m)/m) and −√(m/(K − m)); where all are equal they are 0.
    let gain = |m: f64| match m > 0.0 && m < size {
        true => share(m, (size / (m * (size - m)).sqrt()).exp()) - share(m, 1.0),
        false => 0.0,
    };
    expected(size as usize, company.p, gain) / (1.0 - company.p)
}
