//! What a policy would have earned in rounds that another policy has played.

/// A round of a bandit as it was logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedRound {
    /// The arm that the logging policy pulled.
    pub action: u32,
    pub reward: f64,
    /// The probability with which the logging policy pulled it, in (0, 1].
    pub propensity: f64,
}

/// A mean over rounds with its standard error, `√(variance / rounds)`, which is NaN for fewer than two rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OffPolicyEstimate {
    pub mean: f64,
    pub standard_error: f64,
    /// How many rounds it is the mean of.
    pub rounds: usize,
}

/// The inverse-propensity estimate of a policy's mean reward, `1/n Σ_i π(a_i | x_i) / p_i · r_i`.
///
/// `probability(i)` is `π(a_i | x_i)`, with which the policy would have pulled the logged arm of round `i`. Unbiased where
/// the logging policy has a positive probability for all that the policy may do; the variance grows with `π / p`. Nothing for
/// an empty log. Horvitz and Thompson (1952), Journal of the American Statistical Association 47.
pub fn inverse_propensity(log: &[LoggedRound], probability: impl Fn(usize) -> f64) -> Option<OffPolicyEstimate> {
    estimate(log.iter().enumerate().map(|(i, round)| probability(i) / round.propensity * round.reward))
}

/// The replay estimate of a policy's mean reward: the mean over the rounds in which `choose(i)` is the logged arm.
///
/// Unbiased where the logging policy pulled arms uniformly at random. Nothing if the arms never agree. Li, Chu, Langford and
/// Wang (2011), arXiv 1003.5956, algorithm 3.
pub fn replay(log: &[LoggedRound], mut choose: impl FnMut(usize) -> u32) -> Option<OffPolicyEstimate> {
    estimate(log.iter().enumerate().filter(|(i, round)| choose(*i) == round.action).map(|(_, round)| round.reward))
}

fn estimate(terms: impl Iterator<Item = f64>) -> Option<OffPolicyEstimate> {
    // Welford's update, which subtracts no large numbers from one another.
    let (mut rounds, mut mean, mut squares) = (0, 0.0, 0.0);
    for term in terms {
        rounds += 1;
        let difference = term - mean;
        mean += difference / f64::from(rounds);
        squares += difference * (term - mean);
    }
    let n = f64::from(rounds);
    let standard_error = if rounds < 2 { f64::NAN } else { (squares / (n - 1.0) / n).sqrt() };
    (rounds > 0).then_some(OffPolicyEstimate { mean, standard_error, rounds: rounds as usize })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two equally likely contexts, three arms: rewards, a logging policy and a policy to judge.
    const REWARDS: [[f64; 3]; 2] = [[1.0, -2.0, 0.5], [0.0, 4.0, 3.0]];
    const UNIFORM: [[f64; 3]; 2] = [[1.0 / 3.0; 3]; 2];
    const SKEWED: [[f64; 3]; 2] = [[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]];
    const POLICY: [[f64; 3]; 2] = [[0.1, 0.1, 0.8], [0.0, 1.0, 0.0]];

    /// `½ Σ_x Σ_a π(a|x) r(x, a)`
    fn value() -> f64 {
        (0..6).map(|i| 0.5 * POLICY[i / 3][i % 3] * REWARDS[i / 3][i % 3]).sum()
    }

    /// Calls `visit(probability, contexts, log)` with every log of this many rounds.
    fn every_log(logging: [[f64; 3]; 2], rounds: u32, mut visit: impl FnMut(f64, &[usize], &[LoggedRound])) {
        for code in 0..6_usize.pow(rounds) {
            let cells: Vec<usize> = (0..rounds).map(|i| code / 6_usize.pow(i) % 6).collect();
            let contexts: Vec<usize> = cells.iter().map(|cell| cell / 3).collect();
            let round = |cell: &usize| {
                let (x, a) = (cell / 3, cell % 3);
                LoggedRound { action: a as u32, reward: REWARDS[x][a], propensity: logging[x][a] }
            };
            let log: Vec<LoggedRound> = cells.iter().map(round).collect();
            visit(log.iter().map(|round| 0.5 * round.propensity).product(), &contexts, &log);
        }
    }

    #[test]
    fn inverse_propensity_is_unbiased_and_so_is_its_squared_error() {
        for logging in [UNIFORM, SKEWED] {
            let (mut mean, mut square, mut squared_error) = (0.0, 0.0, 0.0);
            every_log(logging, 3, |probability, x, log| {
                let estimate = inverse_propensity(log, |i| POLICY[x[i]][log[i].action as usize]).unwrap();
                mean += probability * estimate.mean;
                square += probability * estimate.mean.powi(2);
                squared_error += probability * estimate.standard_error.powi(2);
            });
            assert!((mean - value()).abs() < 1e-12, "{mean} {}", value());
            assert!((square - mean * mean - squared_error).abs() < 1e-12);
        }
    }

    /// Every deterministic policy, over every log of uniformly pulled arms in which it agrees at least once.
    #[test]
    fn replay_of_a_uniform_log_is_unbiased() {
        for policy in 0..9 {
            let arms = [policy % 3, policy / 3];
            let (mut mean, mut agreed) = (0.0, 0.0);
            every_log(UNIFORM, 4, |probability, x, log| {
                if let Some(estimate) = replay(log, |i| arms[x[i]]) {
                    mean += probability * estimate.mean;
                    agreed += probability;
                }
            });
            assert!((agreed - (1.0 - (2.0_f64 / 3.0).powi(4))).abs() < 1e-12);
            let value = 0.5 * (REWARDS[0][arms[0] as usize] + REWARDS[1][arms[1] as usize]);
            assert!((mean / agreed - value).abs() < 1e-12, "{mean} {agreed} {value}");
        }
    }

    #[test]
    fn an_empty_log_has_no_estimate() {
        assert_eq!(inverse_propensity(&[], |_| 1.0), None);
        assert_eq!(replay(&[LoggedRound { action: 0, reward: 1.0, propensity: 0.5 }], |_| 1), None);
    }
}
