//! What is judged, in the one form that a metric takes or in several.

use super::{Boxes, ClassifierOutput, Confusion, Judge, Metric, PredictedMasks, RealValues, Scores, Value};
use crate::options::Options;
use crate::{Error, Result};

/// Predictions beside what is true.
pub enum Judged<'a> {
    /// Chosen classes against labels.
    Chosen(&'a Confusion),
    /// Numbers per class as they are given, against labels; see [`Scores::new`] and [`Scores::probabilities`].
    Scores(Scores<'a>),
    /// Logits against labels: of them a metric gets the classes, the probabilities or the logits themselves.
    Classifier(ClassifierOutput<'a>),
    /// Real values in their own unit.
    Values(RealValues<'a>),
    /// Class maps or scores of pixels; to the metrics of a classifier every pixel that counts is an example.
    Masks(PredictedMasks<'a>),
    /// Detected boxes against true ones.
    Boxes(Boxes),
}

impl Judged<'_> {
    /// What a metric says of it.
    ///
    /// # Errors
    /// When the metric judges something else, or its options don't fit.
    pub fn by(&self, metric: &Metric, options: &Options) -> Result<Value> {
        match (self, metric.judge) {
            (Judged::Chosen(confusion), Judge::Chosen(value)) => value(confusion, options),
            (Judged::Scores(scores), Judge::Rows(value) | Judge::Scores(value) | Judge::Probabilities(value)) => {
                value(scores, options)
            }
            (Judged::Classifier(output), Judge::Chosen(value)) => value(output.confusion()?, options),
            (Judged::Classifier(output), Judge::Rows(value)) => value(&output.logits(), options),
            (Judged::Classifier(output), Judge::Scores(value) | Judge::Probabilities(value)) => {
                value(&output.probabilities(), options)
            }
            (Judged::Values(values), Judge::Values(value)) => value(values, options),
            (Judged::Masks(masks), Judge::Masks(value)) => value(masks, options),
            (Judged::Masks(masks), Judge::Overlap(value)) => masks.overlap(value, options),
            (Judged::Masks(masks), Judge::Chosen(value)) => value(&Confusion::sum(masks.confusions()), options),
            (Judged::Masks(masks), Judge::Rows(value)) => value(&masks.logits()?, options),
            (Judged::Masks(masks), Judge::Scores(value) | Judge::Probabilities(value)) => {
                value(&masks.probabilities()?, options)
            }
            (Judged::Boxes(boxes), Judge::Detections(value)) => value(boxes, options),
            _ => Err(Error::Argument(format!("`{}` judges {}, not {}", metric.name, metric.judge, self.in_words()))),
        }
    }

    fn in_words(&self) -> &'static str {
        match self {
            Judged::Chosen(_) => "chosen classes",
            Judged::Scores(_) => "scores",
            Judged::Classifier(_) => "a classifier",
            Judged::Values(_) => "real values",
            Judged::Masks(_) => "masks",
            Judged::Boxes(_) => "boxes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MaskPrediction, MaskShape, all, find};
    use super::*;

    #[test]
    fn metrics_of_a_table_computed_by_hand() {
        // Rows: p = (1/4, 3/4) and p = (1/2, 1/2); labels 1 and 1; the tie goes to class 0.
        let (logits, labels) = ([0.0, 3f32.ln(), 0.0, 0.0], [1, 1]);
        let output = Judged::Classifier(ClassifierOutput::new(&logits, &labels, 2));
        let value = |name: &str| {
            let metric = find(name).unwrap();
            output.by(metric, &Options::defaults(metric.options)).unwrap().numbers()[0]
        };
        assert_eq!((value("accuracy"), value("top_k")), (0.5, 1.0));
        let expected = -(0.75f64.ln() + 0.5f64.ln()) / 2.0;
        assert!((value("cross_entropy") - expected).abs() < 1e-7);
        assert!((value("log_loss") - expected).abs() < 1e-7);
        assert!((value("brier") - (0.0625 + 0.25) / 2.0).abs() < 1e-7);
        let mse = find("mse").unwrap();
        let error = output.by(mse, &Options::defaults(mse.options)).unwrap_err().to_string();
        assert!(error.contains("`mse` judges real values against real values, not a classifier"), "{error}");
    }

    /// Two images of three pixels and three classes, the last pixel of each ignored, and the same four pixels row by row.
    #[test]
    fn every_pixel_that_counts_is_an_example() {
        let rows = [[0.5f32, -1.0, 2.0], [0.0, 1.0, 0.25], [3.0, 0.0, -2.0], [0.1, 0.2, 0.3]];
        let labels = [2, 1, 0, 1];
        let plane = |image: usize, class: usize| [rows[2 * image][class], rows[2 * image + 1][class], 9.0];
        let planes: Vec<f32> = (0..6).flat_map(|i| plane(i / 3, i % 3)).collect();
        let shape = MaskShape { ignored: Some(7), ..MaskShape::new(1, 3, 3) };
        let truth: [u8; 6] = [2, 1, 7, 0, 1, 7];
        let masks = Judged::Masks(PredictedMasks::new(shape, MaskPrediction::Logits(&planes), &truth[..]).unwrap());
        let output = Judged::Classifier(ClassifierOutput::new(rows.as_flattened(), &labels, 3));
        let metrics = all().filter(|metric| metric.judges_classifiers());
        assert!(metrics.clone().count() > 15);
        for metric in metrics {
            assert!(metric.judges_masks());
            let options = Options::defaults(metric.options);
            assert_eq!(masks.by(metric, &options).unwrap(), output.by(metric, &options).unwrap(), "{}", metric.name);
        }
    }
}
