//! Penalties that are added to the loss after the sign of the objective is settled: on the weights, and on the network's
//! distribution over classes or actions.

use crate::kernel::{self, Power};
use crate::network::{Network, Parameters};
use crate::objective::ObjectiveValue;
use crate::{FilePath, Result, scalar};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The `[regularizer]` table of an experiment. Weights are penalized, biases never; decoupled weight decay is a setting of the
/// optimizer, not of the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegularizerSettings {
    /// λ of `λ Σ|w|`; the derivative at 0 is 0.
    pub l1: f64,
    /// λ of `λ Σw²`
    pub l2: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elastic_net: Option<ElasticNet>,
    /// c of the entropy bonus `−c · mean entropy` of the network's distribution, in nats (as a confidence penalty on labels:
    /// Pereyra et al. 2017, arXiv 1701.06548).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kl: Option<KlSettings>,
}

/// `λ (ρ Σ|w| + (1 − ρ)/2 · Σw²)` (Zou and Hastie 2005, in scikit-learn's form)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNet {
    /// λ
    pub strength: f64,
    /// ρ in `[0, 1]`: 1 is L1, 0 is half of L2.
    pub l1_ratio: f64,
}

/// `β · mean KL(π ‖ π_ref)` to the distribution of a frozen network: the final one of another arm with the same seed, one of a
/// weights file, or, when neither is named, this one as it was initialized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlSettings {
    /// β
    pub coefficient: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
}

/// The columns of all penalties.
pub const PENALTIES: [&str; 5] = [L1, L2, ELASTIC_NET, ENTROPY_BONUS, KL_PENALTY];

const L1: &str = "l1";
const L2: &str = "l2";
const ELASTIC_NET: &str = "elastic_net";
const ENTROPY_BONUS: &str = "entropy_bonus";
const KL_PENALTY: &str = "kl_penalty";

/// The penalties of one trial.
pub struct Regularizer {
    settings: RegularizerSettings,
    /// What the divergence is measured from.
    reference: Option<Network>,
}

/// A penalty: the scalar to add, and what it is the sum of, each with its column.
pub struct Penalty {
    pub total: Tensor,
    pub terms: Vec<(&'static str, f64)>,
}

impl Penalty {
    fn sum(terms: Vec<(&'static str, Tensor)>) -> Result<Option<Penalty>> {
        let values = terms.iter().map(|(column, term)| Ok((*column, scalar(term)?))).collect::<Result<_>>()?;
        let mut terms = terms.into_iter().map(|(_, term)| term);
        let Some(first) = terms.next() else { return Ok(None) };
        let total = terms.try_fold(first, |sum, term| sum + term)?;
        Ok(Some(Penalty { total, terms: values }))
    }
}

impl RegularizerSettings {
    /// Columns of the penalties that are on.
    pub fn columns(&self) -> Vec<&'static str> {
        let on = [
            (L1, self.l1 != 0.0),
            (L2, self.l2 != 0.0),
            (ELASTIC_NET, self.elastic_net.is_some()),
            (ENTROPY_BONUS, self.entropy.is_some()),
            (KL_PENALTY, self.kl.is_some()),
        ];
        on.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
    }

    /// The penalties of the weights alone; nothing where all are off.
    pub fn of_weights(&self, parameters: &Parameters) -> Result<Option<Penalty>> {
        Penalty::sum(self.weight_terms(parameters)?)
    }

    fn weight_terms(&self, parameters: &Parameters) -> Result<Vec<(&'static str, Tensor)>> {
        let sum = |power, coefficient: f64| -> Result<Tensor> {
            Ok((kernel::sum_of_powers(parameters.flat(), &parameters.weights(), power)? * coefficient)?)
        };
        let mut terms = Vec::new();
        if self.l1 != 0.0 {
            terms.push((L1, sum(Power::One, self.l1)?));
        }
        if self.l2 != 0.0 {
            terms.push((L2, sum(Power::Two, self.l2)?));
        }
        if let Some(ElasticNet { strength, l1_ratio }) = self.elastic_net {
            let halved = strength * (1.0 - l1_ratio) / 2.0;
            terms.push((ELASTIC_NET, (sum(Power::One, strength * l1_ratio)? + sum(Power::Two, halved)?)?));
        }
        Ok(terms)
    }
}

impl Regularizer {
    /// `reference` is the frozen network of [`RegularizerSettings::kl`].
    pub fn new(settings: &RegularizerSettings, reference: Option<Network>) -> Self {
        Regularizer { settings: settings.clone(), reference }
    }

    /// [`Network::operations`] of its own network.
    pub fn operations(&self) -> u64 {
        self.reference.as_ref().map_or(0, Network::operations)
    }

    /// The penalty of the network as it is, on the batch that `value` was read off; nothing where all are off.
    pub fn penalty(&self, network: &Network, value: &ObjectiveValue) -> Result<Option<Penalty>> {
        let mut terms = self.settings.weight_terms(network.parameters())?;
        if let Some(coefficient) = self.settings.entropy {
            let entropy = network.policy().entropy(&value.outputs, None)?.mean_all()?;
            terms.push((ENTROPY_BONUS, (entropy * -coefficient)?));
        }
        if let (Some(kl), Some(reference)) = (&self.settings.kl, &self.reference) {
            let frozen = frozen_outputs(reference, &value.inputs)?;
            let divergence = network.policy().kl_divergence(&value.outputs, &frozen)?;
            terms.push((KL_PENALTY, (divergence.mean_all()? * kl.coefficient)?));
        }
        Penalty::sum(terms)
    }
}

/// What a network says about a batch, without a graph.
fn frozen_outputs(network: &Network, inputs: &Tensor) -> Result<Tensor> {
    let batch = inputs.dim(0)?;
    let mut outputs = Vec::new();
    network.infer(&inputs.flatten_all()?.to_vec1()?, batch, &mut outputs)?;
    let width = outputs.len() / batch.max(1);
    Ok(Tensor::from_vec(outputs, (batch, width), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSettings;
    use crate::stream;

    fn network(seed: u64) -> Network {
        let text = "hidden = [5]\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";
        let settings: NetworkSettings = toml::from_str(text).unwrap();
        Network::new(&settings, (&[3], 4), &mut stream(seed, "init", 0)).unwrap()
    }

    /// One of every kind, each alone.
    fn every_kind() -> Vec<RegularizerSettings> {
        let off = RegularizerSettings::default();
        vec![
            RegularizerSettings { l1: 0.3, ..off.clone() },
            RegularizerSettings { l2: 0.2, ..off.clone() },
            RegularizerSettings { elastic_net: Some(ElasticNet { strength: 0.4, l1_ratio: 0.3 }), ..off.clone() },
            RegularizerSettings { entropy: Some(0.5), ..off.clone() },
            RegularizerSettings { kl: Some(KlSettings { coefficient: 0.7, arm: None, file: None }), ..off },
        ]
    }

    /// Central differences along every parameter, in the single precision of networks.
    #[test]
    fn gradients_equal_finite_differences() {
        let inputs = Tensor::new(&[[0.5f32, -1.0, 2.0], [1.5, 0.3, -0.2]], &Device::Cpu).unwrap();
        for settings in every_kind() {
            let (network, reference) = (network(0), network(1));
            let columns = settings.columns();
            let regularizer = Regularizer::new(&settings, Some(reference));
            let penalty = || {
                let outputs = network.forward(&inputs).unwrap();
                let value = ObjectiveValue {
                    outputs,
                    inputs: inputs.clone(),
                    scalar: inputs.sum_all().unwrap(),
                    terms: Vec::new(),
                };
                regularizer.penalty(&network, &value).unwrap().unwrap()
            };
            let parameters = network.parameters();
            // Away from 0, where L1 has a kink.
            let weight = |i: usize| (0.3 + 0.1 * (i as f32).sin()) * if i.is_multiple_of(3) { -1.0 } else { 1.0 };
            let at: Vec<f32> = (0..parameters.values().elem_count()).map(weight).collect();
            let set = |at: &[f32]| parameters.values().set(&Tensor::new(at, &Device::Cpu).unwrap()).unwrap();
            set(&at);
            let first = penalty();
            assert_eq!(first.terms.iter().map(|(column, _)| *column).collect::<Vec<_>>(), columns);
            let gradient: Vec<f32> = parameters.gradient(&first.total).unwrap().unwrap().to_vec1().unwrap();
            for i in 0..at.len() {
                let shifted = |by: f32| {
                    let mut moved = at.clone();
                    moved[i] += by;
                    set(&moved);
                    scalar(&penalty().total).unwrap()
                };
                let difference = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
                let error = (difference - f64::from(gradient[i])).abs();
                assert!(error < 2e-3, "{columns:?} by parameter {i}: {difference}, {}", gradient[i]);
            }
        }
    }

    /// The divergence from itself is 0, and a uniform network has the largest entropy.
    #[test]
    fn penalties_of_distributions_have_their_known_values() {
        let inputs = Tensor::new(&[[0.5f32, -1.0, 2.0]], &Device::Cpu).unwrap();
        let value = |network: &Network| {
            let outputs = network.forward(&inputs).unwrap();
            ObjectiveValue { outputs, inputs: inputs.clone(), scalar: inputs.sum_all().unwrap(), terms: Vec::new() }
        };
        let [.., entropy, kl] = &every_kind()[..] else { panic!("five kinds") };
        let one = network(0);
        let divergence = Regularizer::new(kl, Some(network(0))).penalty(&one, &value(&one)).unwrap().unwrap();
        assert!(divergence.terms[0].1.abs() < 1e-7);
        one.parameters().set(|p| Ok((one.parameters().tensor(p)? * 0.0)?)).unwrap();
        let bonus = Regularizer::new(entropy, None).penalty(&one, &value(&one)).unwrap().unwrap();
        assert!((bonus.terms[0].1 + 0.5 * 4f64.ln()).abs() < 1e-6);
    }
}
