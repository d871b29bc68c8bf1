//! A metric of one decision, or of many together, as a reward.

mod counterfactual;

use super::{Boxes, Confusion, Detection, Judge, Judged, MaskPrediction, MaskShape, Metric, PredictedMasks, Scores};
use super::{TrueBox, Value, all, find};
use crate::options::{Named, OptionValue, Options};
use crate::{Error, Result};

/// What a prediction earns for its target: a metric of every decision by itself, of all decisions in an image, or of those of a batch, its sign
/// such that higher is better.
#[derive(Clone, Debug)]
pub struct Reward {
    metric: &'static Metric,
    of: Earning,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
enum Earning {
    /// A class or a value.
    Decision(fn(f64, f64, &Options) -> f64),
    /// The classes of a batch of examples.
    Batch,
    /// The mask of one image.
    Mask,
    /// The boxes of one image.
    Boxes,
    /// The boxes of a batch of images.
    BoxesOfBatch,
}

impl Reward {
    /// The metric `named` as the reward of a chosen class out of `classes`; accuracy when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, judges many decisions at once, or its options don't fit.
    pub fn of_class(named: Option<&Named>, classes: usize) -> Result<Reward> {
        let reward = Reward::of_decision(named.unwrap_or(&Named::plain("accuracy")), |_| true)?;
        reward.options.check_classes(classes)?;
        Ok(reward)
    }

    /// As [`Self::of_class`], or the metric `named` as the reward of the classes that are chosen for a whole batch: one of chosen classes, or of
    /// scores, where a chosen class has the score 1 and the others 0.
    ///
    /// # Errors
    /// When the metric is unknown, judges no chosen classes by one number, is no better either way, or its options don't fit.
    pub fn of_classes(named: Option<&Named>, classes: usize) -> Result<Reward> {
        let Some(named) = named.filter(|named| find(&named.name).is_ok_and(judges_batches)) else {
            return Reward::of_class(named, classes);
        };
        let metric = find(&named.name)?;
        let reward =
            Reward { metric, of: Earning::Batch, options: Options::new(metric.name, metric.options, &named.options)? };
        reward.options.check_classes(classes)?;
        let each_once = (0..classes as u32).map(|class| (class, class));
        reward.counted(&Confusion::counted(classes, each_once))?;
        Ok(reward)
    }

    /// The metric `named` as the reward of a real value; mse when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, judges many decisions at once or classes, or its options don't fit.
    pub fn of_value(named: Option<&Named>) -> Result<Reward> {
        let usual = Named::plain("mse");
        let reward = Reward::of_decision(named.unwrap_or(&usual), Metric::judges_values)?;
        match reward.metric.judges_values() {
            true => Ok(reward),
            false => {
                let name = reward.name();
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
        let reward = Reward::rating(named.unwrap_or(&usual), Earning::Mask, Metric::judges_masks, "mask")?;
        let empty = vec![0; shape.pixels];
        reward.rated(shape, &empty, &empty)?;
        Ok(reward)
    }

    /// The metric `named` as the reward of the boxes of an image; the F1 of boxes when it isn't named.
    ///
    /// # Errors
    /// When the metric is unknown, does not judge boxes by one number, is no better either way, or its options don't fit.
    pub fn of_boxes(named: Option<&Named>, classes: usize) -> Result<Reward> {
        let usual = Named::plain("box_f1");
        let reward = Reward::rating(named.unwrap_or(&usual), Earning::Boxes, Metric::judges_boxes, "boxes")?;
        let categories: Vec<i64> = (0..classes as i64).collect();
        let nothing = Judged::Boxes(Boxes::new(&[], &[], &categories)?);
        one_number(reward.metric, nothing.by(reward.metric, &reward.options)?)?;
        Ok(reward)
    }

    /// The same metric as the reward of the boxes of a batch of images together.
    ///
    /// # Errors
    /// When it rewards something else.
    pub fn of_images_together(self) -> Result<Reward> {
        match self.of {
            Earning::Boxes | Earning::BoxesOfBatch => Ok(Reward { of: Earning::BoxesOfBatch, ..self }),
            _ => Err(Error::Argument(format!("`{}` rewards no boxes here", self.name()))),
        }
    }

    fn of_decision(named: &Named, fits: fn(&Metric) -> bool) -> Result<Reward> {
        let metric = find(&named.name)?;
        let of = alone(metric).ok_or_else(|| {
            let fitting = all().filter(|metric| alone(metric).is_some() && fits(metric)).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            Error::Argument(format!(
                "`{}` judges many decisions at once and can't reward a single one; use {fitting}",
                metric.name
            ))
        })?;
        let options = Options::new(metric.name, metric.options, &named.options)?;
        Ok(Reward { metric, of: Earning::Decision(of), options })
    }

    /// Of a whole prediction.
    fn rating(named: &Named, of: Earning, fits: fn(&Metric) -> bool, what: &str) -> Result<Reward> {
        let metric = find(&named.name)?;
        if !fits(metric) || metric.higher_is_better.is_none() {
            let fitting = all().filter(|metric| fits(metric) && metric.higher_is_better.is_some());
            let fitting = fitting.map(|metric| metric.name).collect::<Vec<_>>().join(", ");
            return Err(Error::Argument(format!("`{}` rates no {what}; use {fitting}", metric.name)));
        }
        Ok(Reward { metric, of, options: Options::new(metric.name, metric.options, &named.options)? })
    }

    /// Of its metric.
    pub fn name(&self) -> &'static str {
        self.metric.name
    }

    /// Whether the decisions of a batch of examples are rewarded together.
    pub fn is_of_batches(&self) -> bool {
        matches!(self.of, Earning::Batch | Earning::BoxesOfBatch)
    }

    /// Whether it is the mean of what decisions earn by themselves.
    pub fn is_mean(&self) -> bool {
        match self.of {
            Earning::Decision(_) => true,
            Earning::Mask => self.metric.reward.is_some(),
            Earning::Batch | Earning::Boxes | Earning::BoxesOfBatch => false,
        }
    }

    /// Of one decision, such as a pixel where the metric is a mean over them; classes are given as whole numbers.
    pub fn of(&self, prediction: f64, target: f64) -> f64 {
        let of = match self.of {
            Earning::Decision(of) => Some(of),
            Earning::Mask => self.metric.reward,
            Earning::Batch | Earning::Boxes | Earning::BoxesOfBatch => None,
        };
        of.map_or(f64::NAN, |of| of(prediction, target, &self.options))
    }

    /// What a class map earns with the true one, `[height, width]` each; 0 where the metric is undefined.
    pub fn of_mask(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> f64 {
        match self.of {
            Earning::Mask => self.earned(self.rated(shape, predicted, truth)),
            _ => f64::NAN,
        }
    }

    /// What counted choices earn, those of a batch or the pixels of a mask; 0 where the metric is undefined.
    pub fn of_counts(&self, confusion: &Confusion) -> f64 {
        self.earned(self.counted(confusion))
    }

    /// What boxes earn in an image with the true ones, or in the images of a batch. Where the metric is undefined it is 1 if nothing is found, otherwise 0.
    pub fn of_found(&self, truths: &[TrueBox], found: &[Detection]) -> f64 {
        if !matches!(self.of, Earning::Boxes | Earning::BoxesOfBatch) {
            return f64::NAN;
        }
        if truths.is_empty() && found.is_empty() {
            return 1.0;
        }
        let judged = Boxes::new(truths, found, &[]);
        let value = judged.and_then(|boxes| Judged::Boxes(boxes).by(self.metric, &self.options));
        match value.and_then(|value| one_number(self.metric, value)) {
            Ok(value) if value.is_nan() => f64::from(u8::from(found.is_empty())),
            value => self.earned(value),
        }
    }

    /// The sign such that higher is better; 0 for what is undefined.
    fn earned(&self, value: Result<f64>) -> f64 {
        match value {
            Ok(value) if value.is_nan() => 0.0,
            Ok(value) if self.metric.higher_is_better == Some(true) => value,
            Ok(value) => -value,
            Err(_) => f64::NAN,
        }
    }

    fn rated(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Result<f64> {
        let masks = PredictedMasks::new(shape, MaskPrediction::Classes(predicted.into()), truth)?;
        one_number(self.metric, Judged::Masks(masks).by(self.metric, &self.options)?)
    }

    fn counted(&self, confusion: &Confusion) -> Result<f64> {
        let value = match self.metric.judge {
            Judge::Chosen(of) | Judge::Overlap(of) => of(confusion, &self.options)?,
            Judge::Scores(of) => {
                let (values, labels) = confusion.indicators();
                of(&Scores::new(&values, confusion.classes(), &labels)?, &self.options)?
            }
            _ => return Err(Error::Argument(format!("`{}` is not read off counts", self.metric.name))),
        };
        one_number(self.metric, value)
    }
}

/// What a metric says of one class or one value; nothing where it says it of a pixel.
fn alone(metric: &Metric) -> Option<fn(f64, f64, &Options) -> f64> {
    metric.reward.filter(|_| metric.judges_classifiers() || metric.judges_values())
}

/// Whether it rates the classes that are chosen for many examples, and not each by itself.
fn judges_batches(metric: &Metric) -> bool {
    let fits = matches!(metric.judge, Judge::Chosen(_) | Judge::Scores(_));
    fits && metric.higher_is_better.is_some() && metric.reward.is_none()
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
