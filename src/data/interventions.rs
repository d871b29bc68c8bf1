//! What is done to the training part on purpose: fewer rows, a rarer class, wrong targets. Held-out rows stay as they are.

use super::DataSet;
use crate::{Error, Result, Rng, stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In this order: rows are chosen, a class is thinned, targets are spoiled, and, as a control, permuted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interventions {
    /// So many training rows are kept, drawn without replacement.
    pub train_rows: Option<usize>,
    pub imbalance: Option<Imbalance>,
    /// Share of the training targets that become wrong.
    pub label_noise: Option<f64>,
    pub permuted: bool,
}

/// One class becomes rare among the training rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imbalance {
    /// The class that becomes rare.
    pub class: u32,
    /// Rows of each other class, on average, to one of it.
    pub ratio: f64,
}

impl Interventions {
    /// Changes the training part; the draws are the seed's.
    ///
    /// # Errors
    /// When there are too few rows, the class or the ratio is none, the share does not lie in [0, 1], or a setting for classes
    /// meets something else: [`Error::Setting`].
    pub fn apply(&self, data: &mut DataSet, seed: u64) -> Result<()> {
        if let Some(rows) = self.train_rows {
            keep_rows(data, rows, &mut stream(seed, "train rows", 0))?;
        }
        if let Some(imbalance) = self.imbalance {
            imbalance.thin(data, &mut stream(seed, "imbalance", 0))?;
        }
        if let Some(share) = self.label_noise {
            spoil_targets(data, share, &mut stream(seed, "label noise", 0))?;
        }
        if let Some(labels) = data.train.targets.labels()
            && labels.iter().all(|label| *label == labels[0])
        {
            let key = if self.train_rows.is_some() { "train_rows" } else { "imbalance" };
            return Err(Error::setting(key, format!("`{key}` leaves training rows of one class only, {}", labels[0])));
        }
        if self.permuted {
            Arc::make_mut(&mut data.train).targets.shuffle(&mut stream(seed, "control", 0));
        }
        Ok(())
    }
}

fn keep_rows(data: &mut DataSet, rows: usize, rng: &mut Rng) -> Result<()> {
    let all = data.train.len();
    if !(1..=all).contains(&rows) {
        return Err(Error::setting(
            "train_rows",
            format!("`train_rows` must be 1 to {all}, the rows there are, not {rows}"),
        ));
    }
    let mut kept = rand::seq::index::sample(rng, all, rows).into_vec();
    kept.sort_unstable();
    data.train = Arc::new(data.train.kept(&kept));
    Ok(())
}

impl Imbalance {
    /// Drops rows of the class, or of all others alike where it is too rare already, drawn without replacement.
    fn thin(self, data: &mut DataSet, rng: &mut Rng) -> Result<()> {
        let (Some(classes), Some(labels)) = (data.target.classes(), data.train.targets.labels()) else {
            return data.target.refuse("imbalance", "one class per example");
        };
        if self.class as usize >= classes {
            let message = format!("`imbalance.class` is {}; the classes are 0 to {}", self.class, classes - 1);
            return Err(Error::setting("imbalance.class", message));
        }
        if !(self.ratio.is_finite() && self.ratio > 0.0) {
            return Err(Error::setting(
                "imbalance.ratio",
                format!("`imbalance.ratio` must be positive and finite, not {}", self.ratio),
            ));
        }
        let count = |class: u32| labels.iter().filter(|label| **label == class).count();
        let rare = count(self.class);
        let others = (labels.len() - rare) as f64 / (classes - 1) as f64;
        // Either the class is thinned to a ratio-th of the others, or the others to ratio times the class.
        let [of_class, of_others] = match rare as f64 * self.ratio / others {
            excess if excess >= 1.0 => [1.0 / excess, 1.0],
            lack => [1.0, lack],
        };
        let mut kept = Vec::new();
        for class in 0..classes as u32 {
            let mut rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == class).collect();
            let share = if class == self.class { of_class } else { of_others };
            let wanted = ((rows.len() as f64 * share).round() as usize).max(1).min(rows.len());
            rows.shuffle(rng);
            kept.extend_from_slice(&rows[..wanted]);
        }
        kept.sort_unstable();
        data.train = Arc::new(data.train.kept(&kept));
        Ok(())
    }
}

/// Gives this share of the training rows, rounded, a wrong target: of classes symmetric noise.
fn spoil_targets(data: &mut DataSet, share: f64, rng: &mut Rng) -> Result<()> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::setting("label_noise", format!("`label_noise` must lie in [0, 1], not {share}")));
    }
    let rows = data.train.len();
    let spoiled = rand::seq::index::sample(rng, rows, (rows as f64 * share).round() as usize);
    Arc::make_mut(&mut data.train).targets.spoil(spoiled.into_iter(), &data.target, rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn load(name: &str) -> DataSet {
        let row = super::super::find(name).unwrap();
        (row.load)(&Options::defaults(row.options)).unwrap()
    }

    fn labels(data: &DataSet) -> &[u32] {
        data.train.targets.labels().unwrap()
    }

    fn error(name: &str, interventions: Interventions) -> String {
        interventions.apply(&mut load(name), 0).unwrap_err().to_string()
    }

    #[test]
    fn noise_changes_so_many_targets_and_no_other() {
        let clean = load("digits");
        for (share, changed) in [(0.0, 0), (0.4, 575), (1.0, 1437)] {
            let mut noisy = clean.clone();
            Interventions { label_noise: Some(share), ..Default::default() }.apply(&mut noisy, 0).unwrap();
            let differing = labels(&noisy).iter().zip(labels(&clean)).filter(|(a, b)| a != b).count();
            assert_eq!((differing, &noisy.test), (changed, &clean.test), "{share}");
            assert!(labels(&noisy).iter().all(|label| *label < 10));
        }
        assert!(
            error("digits", Interventions { label_noise: Some(1.5), ..Default::default() }).contains("[0, 1], not 1.5")
        );
        let (clean, mut noisy) = (load("diabetes"), load("diabetes"));
        Interventions { label_noise: Some(0.2), ..Default::default() }.apply(&mut noisy, 0).unwrap();
        let differing =
            (0..clean.train.len()).filter(|&row| noisy.train.targets.number(row) != clean.train.targets.number(row));
        let changed = (clean.train.len() as f64 * 0.2).round() as usize;
        assert!((changed - 5..=changed).contains(&differing.count()), "others may have the same value");
    }

    #[test]
    fn rows_are_drawn_by_the_seed() {
        let of = |seed| {
            let mut data = load("digits");
            Interventions { train_rows: Some(200), ..Default::default() }.apply(&mut data, seed).unwrap();
            data
        };
        assert_eq!((of(0).train.len(), of(0).train.features()), (200, 64));
        assert_eq!(of(0), of(0));
        assert_ne!(of(0).train, of(1).train);
        assert!(error("digits", Interventions { train_rows: Some(1438), ..Default::default() }).contains("1 to 1437"));
        assert!(
            error("digits", Interventions { train_rows: Some(1), ..Default::default() }).contains("one class only")
        );
    }

    /// 170 malignant (0) and 286 benign (1) tumors among the training rows.
    #[test]
    fn a_class_becomes_as_rare_as_asked() {
        for (class, ratio, expected) in
            [(0, 1.0, [170, 170]), (0, 10.0, [29, 286]), (0, 100.0, [3, 286]), (1, 100.0, [170, 2])]
        {
            let mut data = load("breast_cancer");
            let imbalance = Some(Imbalance { class, ratio });
            Interventions { imbalance, ..Default::default() }.apply(&mut data, 0).unwrap();
            let count = |class: u32| labels(&data).iter().filter(|label| **label == class).count();
            assert_eq!([count(0), count(1)], expected, "{class} {ratio}");
        }
        let of = |class, ratio| Interventions { imbalance: Some(Imbalance { class, ratio }), ..Default::default() };
        assert!(error("iris", of(3, 2.0)).contains("the classes are 0 to 2"));
        assert!(error("iris", of(0, 0.0)).contains("positive"));
        assert!(error("diabetes", of(0, 2.0)).contains("real values"));
    }
}
