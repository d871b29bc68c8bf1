//! A metric of one decision as a reward.

use super::{Judged, MaskPrediction, MaskShape, Masks, Metric, Value, all, find};
use crate::options::{Named, OptionValue, Options};
use crate::{Error, Result};

/// What a prediction earns for its target: a metric that is read off every decision by itself, its sign such that higher is
/// better.
#[derive(Clone, Debug)]
pub struct Reward {
    of: Earning,
    options: Options,
}

#[derive(Clone, Debug)]
enum Earning {
    Decision(fn(f64, f64, &Options) -> f64),
    /// A metric of the masks of one image, higher is better or lower.
    Mask(&'static Metric, bool),
}

impl Reward {
    /// The metric `named` as the reward of a chosen class out of `classes`; accuracy when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, judges many decisions at once, or its options don't fit.
    pub fn of_class(named: Option<&Named>, classes: usize) -> Result<Reward> {
        let reward = Reward::new(named.unwrap_or(&Named::plain("accuracy")), |_| true)?;
        reward.options.check_classes(classes)?;
        Ok(reward)
    }

    /// The metric `named` as the reward of a real value; mse when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, judges many decisions at once or classes, or its options don't fit.
    pub fn of_value(named: Option<&Named>) -> Result<Reward> {
        let usual = Named::plain("mse");
        let named = named.unwrap_or(&usual);
        let reward = Reward::new(named, Metric::judges_values)?;
        match find(&named.name)?.judges_values() {
            true => Ok(reward),
            false => {
                let name = &named.name;
                Err(Error::Argument(format!("`{name}` rewards classes, and this task has real values; use mse or mae")))
            }
        }
    }

    /// The metric `named` as the reward of the mask of an image; the Dice coefficient of the foreground when it isn't named, 1 where no pixel is
    /// the foreground's, neither truly nor as predicted.
    ///
    /// # Errors
    /// When the metric is unknown, does not judge masks by one number, is no better either way, or its options don't fit.
    pub fn of_masks(named: Option<&Named>, shape: MaskShape) -> Result<Reward> {
        let usual = Named {
            name: "dice".into(),
            options: [("positive".into(), OptionValue::Whole(1)), ("absent".into(), OptionValue::Text("one".into()))]
                .into(),
        };
        let named = named.unwrap_or(&usual);
        let metric = find(&named.name)?;
        let Some(higher) = metric.higher_is_better.filter(|_| metric.judges_masks()) else {
            let fitting = all().filter(|metric| metric.judges_masks() && metric.higher_is_better.is_some());
            let fitting = fitting.map(|metric| metric.name).collect::<Vec<_>>().join(", ");
            return Err(Error::Argument(format!("`{}` rates no mask; use {fitting}", metric.name)));
        };
        let options = Options::new(metric.name, metric.options, &named.options)?;
        let reward = Reward { of: Earning::Mask(metric, higher), options };
        let empty = vec![0; shape.pixels];
        reward.rated(metric, shape, &empty, &empty)?;
        Ok(reward)
    }

    /// What a class map earns with the true one, `[height, width]` each; 0 where the metric is undefined.
    pub fn of_mask(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> f64 {
        let Earning::Mask(metric, higher) = self.of else { return f64::NAN };
        match self.rated(metric, shape, predicted, truth) {
            Ok(value) if value.is_nan() => 0.0,
            Ok(value) => {
                if higher {
                    value
                } else {
                    -value
                }
            }
            Err(_) => f64::NAN,
        }
    }

    fn rated(&self, metric: &Metric, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Result<f64> {
        let masks = Masks::new(shape, MaskPrediction::Classes(predicted.into()), truth)?;
        match Judged::Masks(masks).by(metric, &self.options)? {
            Value::Number(value) => Ok(value),
            _ => Err(Error::Argument(format!(
                "`{}` gives several numbers with these options; a reward is one",
                metric.name
            ))),
        }
    }

    fn new(named: &Named, fits: fn(&Metric) -> bool) -> Result<Reward> {
        let metric = find(&named.name)?;
        let of = metric.reward.ok_or_else(|| {
            let fitting = all().filter(|metric| metric.reward.is_some() && fits(metric)).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            Error::Argument(format!(
                "`{}` judges many decisions at once and can't reward a single one; use {fitting}",
                metric.name
            ))
        })?;
        Ok(Reward { of: Earning::Decision(of), options: Options::new(metric.name, metric.options, &named.options)? })
    }

    /// Of one decision; classes are given as whole numbers.
    pub fn of(&self, prediction: f64, target: f64) -> f64 {
        match self.of {
            Earning::Decision(of) => of(prediction, target, &self.options),
            Earning::Mask(..) => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reward(toml: &str) -> Result<Reward> {
        let table: std::collections::BTreeMap<String, Named> = toml::from_str(toml).unwrap();
        Reward::of_class(Some(&table["reward"]), 2)
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
