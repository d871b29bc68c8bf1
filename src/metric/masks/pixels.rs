//! Pixels that count as the examples of a classifier, so that its metrics judge masks, too.

use super::{MaskPrediction, PredictedMasks};
use crate::metric::Scores;
use crate::{Error, Result, distribution};

impl PredictedMasks<'_> {
    /// The probability of class 1 of every pixel, those that don't count included, `[images, height, width]`.
    ///
    /// # Errors
    /// When there are no scores, or another number of classes than two.
    pub fn foreground_probabilities(&self) -> Result<&[f64]> {
        if self.classes() != 2 {
            return Err(Error::Argument(format!(
                "a threshold is for two classes, and these masks have {}",
                self.classes()
            )));
        }
        match &self.prediction {
            MaskPrediction::Classes(_) => Err(without_scores()),
            MaskPrediction::Probabilities(probabilities) => Ok(probabilities),
            MaskPrediction::Logits(logits) if self.has_planes() => Ok(self.foreground.get_or_init(|| {
                let of_image = |planes: &[f32]| {
                    let (background, foreground) = planes.split_at(self.shape.pixels);
                    let pairs = background.iter().zip(foreground);
                    pairs.map(|(b, f)| probability(f64::from(*f) - f64::from(*b))).collect::<Vec<f64>>()
                };
                logits.chunks_exact(2 * self.shape.pixels).flat_map(of_image).collect()
            })),
            MaskPrediction::Logits(logits) => {
                Ok(self.foreground.get_or_init(|| logits.iter().map(|logit| probability(f64::from(*logit))).collect()))
            }
        }
    }

    /// The true classes of the pixels that count.
    fn labels(&self) -> &[u32] {
        self.labels.get_or_init(|| self.counted().map(|pixel| self.truth().of(pixel)).collect())
    }

    fn counted(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.truth().len()).filter(|pixel| self.counts(*pixel))
    }

    /// A row of logits per pixel that counts; of two classes one number may stand for both.
    ///
    /// # Errors
    /// When there are no scores, or no pixel counts.
    pub(in crate::metric) fn logits(&self) -> Result<Scores<'_>> {
        let values = match &self.prediction {
            MaskPrediction::Classes(_) => return Err(without_scores()),
            // They are the logits of themselves.
            MaskPrediction::Probabilities(p) => self
                .logits
                .get_or_init(|| self.counted().flat_map(|pixel| [(1.0 - p[pixel]).ln(), p[pixel].ln()]).collect()),
            MaskPrediction::Logits(z) if self.has_planes() => self.logits.get_or_init(|| self.rows(z)),
            MaskPrediction::Logits(z) => {
                self.logits.get_or_init(|| self.counted().flat_map(|pixel| [0.0, f64::from(z[pixel])]).collect())
            }
        };
        self.scores(values, self.classes())
    }

    /// A row of probabilities per pixel that counts; of two classes that of class 1 alone.
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub(in crate::metric) fn probabilities(&self) -> Result<Scores<'_>> {
        if self.classes() == 2 {
            let all = self.foreground_probabilities()?;
            let values = self.probabilities.get_or_init(|| self.counted().map(|pixel| all[pixel]).collect());
            return self.scores(values, 1);
        }
        let logits = self.logits()?;
        let values =
            self.probabilities.get_or_init(|| logits.rows().flat_map(distribution::log_probs).map(f64::exp).collect());
        self.scores(values, self.classes())
    }

    /// Planes as rows.
    fn rows(&self, planes: &[f32]) -> Vec<f64> {
        let (pixels, classes) = (self.shape.pixels, self.classes());
        let row = |pixel: usize| {
            let first = pixel / pixels * classes * pixels + pixel % pixels;
            (0..classes).map(move |class| f64::from(planes[first + class * pixels]))
        };
        self.counted().flat_map(row).collect()
    }

    fn scores<'s>(&'s self, values: &'s [f64], columns: usize) -> Result<Scores<'s>> {
        match self.labels() {
            [] => Err(Error::Argument("every pixel is ignored".into())),
            labels => Ok(Scores { values, columns, labels }),
        }
    }
}

fn without_scores() -> Error {
    Error::Argument("scores of pixels are needed, and these are class maps".into())
}

/// Of class 1, from its logit.
fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
