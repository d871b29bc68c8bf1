//! A metric of one decision as a reward.

mod counterfactual;

use super::{
    Boxes, Confusion, Detection, Judge, Judged, MaskPrediction, MaskShape, Metric, PredictedMasks, TrueBox, Value, all,
    find,
};
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
    /// A metric of the boxes of one image, higher is better or lower.
    Boxes(&'static Metric, bool),
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
        let (metric, higher, options) = rating(named, Metric::judges_masks, "mask")?;
        let reward = Reward { of: Earning::Mask(metric, higher), options };
        let empty = vec![0; shape.pixels];
        reward.rated(metric, shape, &empty, &empty)?;
        Ok(reward)
    }

    /// What a class map earns with the true one, `[height, width]` each; 0 where the metric is undefined.
    pub fn of_mask(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> f64 {
        let Earning::Mask(metric, higher) = self.of else { return f64::NAN };
        earned(self.rated(metric, shape, predicted, truth), higher)
    }

    /// What counted choices earn: the pixels of a mask; 0 where the metric is undefined.
    pub fn of_counts(&self, confusion: &Confusion) -> f64 {
        let Earning::Mask(metric, higher) = self.of else { return f64::NAN };
        let value = match metric.judge {
            Judge::Chosen(of) | Judge::Overlap(of) => of(confusion, &self.options),
            _ => return f64::NAN,
        };
        earned(value.and_then(|value| one_number(metric, value)), higher)
    }

    /// Whether it is the mean of what decisions earn by themselves.
    pub fn is_mean(&self) -> bool {
        match self.of {
            Earning::Decision(_) => true,
            Earning::Mask(metric, _) => metric.reward.is_some(),
            Earning::Boxes(..) => false,
        }
    }

    /// The metric `named` as the reward of the boxes of an image; the F1 of boxes when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, does not judge boxes by one number, is no better either way, or its options don't fit.
    pub fn of_boxes(named: Option<&Named>, classes: usize) -> Result<Reward> {
        let usual = Named::plain("box_f1");
        let (metric, higher, options) = rating(named.unwrap_or(&usual), Metric::judges_boxes, "boxes")?;
        let categories: Vec<i64> = (0..classes as i64).collect();
        one_number(metric, Judged::Boxes(Boxes::new(&[], &[], &categories)?).by(metric, &options)?)?;
        Ok(Reward { of: Earning::Boxes(metric, higher), options })
    }

    /// What boxes earn in an image with the true ones. Where the metric is undefined it is 1 if nothing is found, otherwise 0.
    pub fn of_found(&self, truths: &[TrueBox], found: &[Detection]) -> f64 {
        let Earning::Boxes(metric, higher) = self.of else { return f64::NAN };
        if truths.is_empty() && found.is_empty() {
            return 1.0;
        }
        let judged = Boxes::new(truths, found, &[]).and_then(|boxes| Judged::Boxes(boxes).by(metric, &self.options));
        match judged.and_then(|value| one_number(metric, value)) {
            Ok(value) if value.is_nan() => f64::from(u8::from(found.is_empty())),
            Ok(value) if higher => value,
            Ok(value) => -value,
            Err(_) => f64::NAN,
        }
    }

    fn rated(&self, metric: &Metric, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Result<f64> {
        let masks = PredictedMasks::new(shape, MaskPrediction::Classes(predicted.into()), truth)?;
        one_number(metric, Judged::Masks(masks).by(metric, &self.options)?)
    }

    fn new(named: &Named, fits: fn(&Metric) -> bool) -> Result<Reward> {
        let metric = find(&named.name)?;
        // What rewards pixels is for masks.
        let alone = |metric: &Metric| metric.reward.filter(|_| metric.judges_classifiers() || metric.judges_values());
        let of = alone(metric).ok_or_else(|| {
            let fitting = all().filter(|metric| alone(metric).is_some() && fits(metric)).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            Error::Argument(format!(
                "`{}` judges many decisions at once and can't reward a single one; use {fitting}",
                metric.name
            ))
        })?;
        Ok(Reward { of: Earning::Decision(of), options: Options::new(metric.name, metric.options, &named.options)? })
    }

    /// Of one decision, such as a pixel where the metric is a mean over them; classes are given as whole numbers.
    pub fn of(&self, prediction: f64, target: f64) -> f64 {
        match self.of {
            Earning::Decision(of) => of(prediction, target, &self.options),
            Earning::Mask(metric, _) => metric.reward.map_or(f64::NAN, |of| of(prediction, target, &self.options)),
            Earning::Boxes(..) => f64::NAN,
        }
    }
}

/// A metric that rates a whole prediction, whether higher is better, and its options.
fn rating(named: &Named, fits: fn(&Metric) -> bool, what: &str) -> Result<(&'static Metric, bool, Options)> {
    let metric = find(&named.name)?;
    let Some(higher) = metric.higher_is_better.filter(|_| fits(metric)) else {
        let fitting = all().filter(|metric| fits(metric) && metric.higher_is_better.is_some());
        let fitting = fitting.map(|metric| metric.name).collect::<Vec<_>>().join(", ");
        return Err(Error::Argument(format!("`{}` rates no {what}; use {fitting}", metric.name)));
    };
    Ok((metric, higher, Options::new(metric.name, metric.options, &named.options)?))
}

/// The sign such that higher is better; 0 for what is undefined.
fn earned(value: Result<f64>, higher_is_better: bool) -> f64 {
    match value {
        Ok(value) if value.is_nan() => 0.0,
        Ok(value) if higher_is_better => value,
        Ok(value) => -value,
        Err(_) => f64::NAN,
    }
}

fn one_number(metric: &Metric, value: Value) -> Result<f64> {
    match value {
        Value::Number(value) => Ok(value),
        _ => {
            let message = format!("`{}` gives several numbers with these options; a reward is one", metric.name);
            Err(Error::Argument(message))
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
