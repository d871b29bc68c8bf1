//! A metric of one decision as a reward.

use super::{ALL, Judge, Metric, find};
use crate::options::{Named, Options};
use crate::{Error, Result};

/// What a prediction earns for its target: a metric that is read off every decision by itself, its sign such that higher is
/// better.
#[derive(Clone, Debug)]
pub struct Reward {
    of: fn(f64, f64, &Options) -> f64,
    options: Options,
}

impl Reward {
    /// The metric `named` as the reward of a chosen class out of `classes`, or without classes of a real value; when it isn't named,
    /// accuracy or mse.
    ///
    /// # Errors
    /// When the metric is unknown, judges many decisions at once or only classes, or its options don't fit.
    pub fn of_target(named: Option<&Named>, classes: Option<usize>) -> Result<Reward> {
        let usual = Named::plain(if classes.is_some() { "accuracy" } else { "mse" });
        let named = named.unwrap_or(&usual);
        let metric = find(&named.name)?;
        let of = metric.reward.ok_or_else(|| {
            let fits = |metric: &&Metric| classes.is_some() || matches!(metric.judge, Judge::Values(_));
            let fitting = ALL.iter().filter(|metric| metric.reward.is_some()).filter(fits).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            Error::Argument(format!(
                "`{}` judges many decisions at once and can't reward a single one; use {fitting}",
                metric.name
            ))
        })?;
        if classes.is_none() && !matches!(metric.judge, Judge::Values(_)) {
            let name = metric.name;
            return Err(Error::Argument(format!(
                "`{name}` rewards classes, and this task has real values; use mse or mae"
            )));
        }
        let options = Options::new(metric.name, metric.options, &named.options)?;
        classes.map_or(Ok(()), |classes| options.check_classes(classes))?;
        Ok(Reward { of, options })
    }

    /// Of one decision; classes are given as whole numbers.
    pub fn of(&self, prediction: f64, target: f64) -> f64 {
        (self.of)(prediction, target, &self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reward(toml: &str) -> Result<Reward> {
        let table: std::collections::BTreeMap<String, Named> = toml::from_str(toml).unwrap();
        Reward::of_target(Some(&table["reward"]), Some(2))
    }

    /// The definitions, by hand.
    #[test]
    fn a_decision_earns_what_its_metric_says() {
        let of = |toml: &str| [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)].map(|(a, y)| reward(toml).unwrap().of(a, y));
        assert_eq!(of("reward = \"accuracy\""), [1.0, 0.0, 0.0]);
        assert_eq!(of("reward = \"cost\""), [0.0, -1.0, -1.0]);
        assert_eq!(of("reward = { cost = { costs = [[0, 1], [5, 0]] } }"), [0.0, -5.0, -1.0]);
        assert_eq!(reward("reward = \"mse\"").unwrap().of(2.5, 1.0), -2.25);
        assert_eq!(reward("reward = \"mae\"").unwrap().of(2.5, 1.0), -1.5);
        let message = |toml: &str| reward(toml).unwrap_err().to_string();
        assert!(message("reward = \"f1\"").contains("use accuracy, cost, mse, mae"));
        assert!(message("reward = { cost = { costs = [[1]] } }").contains("`costs` has 1 rows for 2 classes"));
    }
}
