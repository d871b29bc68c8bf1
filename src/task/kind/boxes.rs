//! Objects in an image, each with a box around it.

use super::detector::DetectorSettings;
use super::{Answer, Comparison, Kind, foreign, leaked};
use crate::data::{Augmentation, DataSet, ObjectBox, Targets};
use crate::detection::{Found, Head, Object, Terms, check_losses, is_term};
use crate::distribution::{Policy, PolicySettings};
use crate::kernel::Grid;
use crate::loss::{Criterion, Loss};
use crate::metric::{self, Detection, Judged, Metric, Reward, TrueBox};
use crate::network::Outputs;
use crate::options::Named;
use crate::task::predictions::{Overlaid, OverlaidBox, Overlay, Verdict, rounded};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use lossward_envs::{Action, Space};
use std::sync::Arc;

/// Outputs are planes of a detector's logits, `[classes + 4 bins, height, width]`, as [`Head`] has them.
pub(super) struct Boxes {
    names: Vec<String>,
    settings: DetectorSettings,
    head: Head,
}

/// `−ln((1 − π)/π)` with π = 0.01: every score begins there, so that the many cells without an object don't drown the others (Lin et al. 2017,
/// arXiv 1708.02002).
const RARE: f32 = -4.595_12;

impl Boxes {
    /// # Errors
    /// When the settings don't fit the data set; at their key.
    pub fn new(names: Vec<String>, data: &DataSet, settings: DetectorSettings) -> Result<Boxes> {
        let head = settings.head(names.len(), data)?;
        Ok(Boxes { names, settings, head })
    }

    fn points(&self) -> usize {
        self.head.grid.points().len()
    }

    /// `[height, width]` in cells.
    fn size(&self) -> [usize; 2] {
        let level = self.head.grid.levels()[0];
        [level.height, level.width]
    }

    /// What is found in each image.
    fn found(&self, outputs: &[f32]) -> Result<Vec<Vec<Found>>> {
        let (channels, points) = (self.head.channels(), self.points());
        let shape = (outputs.len() / (channels * points), channels, points);
        self.head.found(&Tensor::from_slice(outputs, shape, &Device::Cpu)?, &self.settings.suppression)
    }

    fn batch(&self, answers: &[Answer]) -> Batch {
        let there = |(image, (_, targets)): (usize, &Answer)| {
            let objects = targets.boxes().and_then(|images| images.first());
            objects.map(|objects| truths(objects, image)).unwrap_or_default()
        };
        let chosen = |(image, (action, _)): (usize, &Answer)| {
            detections(&self.head.chosen(action, &self.settings.suppression), image)
        };
        Batch {
            truths: answers.iter().enumerate().flat_map(there).collect(),
            found: answers.iter().enumerate().map(chosen).collect(),
        }
    }

    /// What boxes earn with the target of a row.
    fn earns(&self, reward: &Reward, found: &[Found], targets: &Targets, row: usize) -> f64 {
        let Some(images) = targets.boxes() else { return f64::NAN };
        reward.of_found(&truths(&images[row], 0), &detections(found, 0))
    }
}

/// What is there in some images, and what is found in each.
struct Batch {
    truths: Vec<TrueBox>,
    found: Vec<Vec<Detection>>,
}

/// As the mathematics of a detector has it.
fn object(given: &ObjectBox) -> Object {
    Object { corners: given.corners.map(f64::from), class: given.class as usize, ignored: given.ignored }
}

fn truths(objects: &[ObjectBox], image: usize) -> Vec<TrueBox> {
    objects.iter().map(|given| object(given).truth(image as i64)).collect()
}

fn detections(found: &[Found], image: usize) -> Vec<Detection> {
    found.iter().map(|found| found.detection(image as i64)).collect()
}

/// From this score on a detection is shown, and at this overlap it matches an object.
const SHOWN: f64 = 0.5;
const MATCHES: f64 = 0.5;

/// The objects of one image, and the detections with what they miss.
fn overlaid(objects: &[ObjectBox], found: &[Found]) -> Overlaid {
    let matched = metric::matched(&truths(objects, 0), &detections(found, 0), MATCHES);
    let of_object = |given: &ObjectBox, verdict: Verdict| {
        let Object { corners, class, .. } = object(given);
        OverlaidBox { corners, class, score: None, verdict }
    };
    let there = |given: &ObjectBox| of_object(given, if given.ignored { Verdict::Ignored } else { Verdict::There });
    let became = |(found, is_right): (&Found, &Option<bool>)| OverlaidBox {
        corners: found.corners,
        class: found.class,
        score: Some(rounded(found.score)),
        verdict: match is_right {
            Some(true) => Verdict::Right,
            Some(false) => Verdict::Wrong,
            None => Verdict::Ignored,
        },
    };
    let missed = objects.iter().zip(&matched.truths).filter(|(_, is_found)| **is_found == Some(false));
    let missed = missed.map(|(given, _)| of_object(given, Verdict::Missed));
    Overlaid {
        truth: Overlay::Boxes(objects.iter().map(there).collect()),
        predicted: Overlay::Boxes(found.iter().zip(&matched.detections).map(became).chain(missed).collect()),
    }
}

impl Kind for Boxes {
    fn in_words(&self) -> &'static str {
        "boxes"
    }

    fn classes(&self) -> Option<usize> {
        Some(self.names.len())
    }

    fn check_augmentation(&self, augmentation: &Augmentation, data: &DataSet) -> Result<()> {
        let checked = self.settings.check_bins(&self.head.grid, data, Some(augmentation));
        checked.map_err(|error| error.under("detector"))
    }

    /// Plane by plane: whether there is an object of each class, and a bin of the distance to each side.
    fn actions(&self) -> Space {
        let scores = vec![2; self.names.len() * self.points()];
        let sides = vec![self.settings.bins as u32; 4 * self.points()];
        Space::MultiDiscrete(leaked([scores, sides].concat()))
    }

    fn policy(&self, settings: Option<&PolicySettings>) -> Result<Policy> {
        if settings.is_some() {
            return Err(Error::Argument(
                "`policy` is for actions in a box; here they are choices of a detector".into(),
            ));
        }
        let choices = [vec![1; self.names.len()], vec![self.settings.bins as u32; 4]].concat();
        let mut biases = vec![0.0; self.head.channels()];
        biases[..self.names.len()].fill(RARE);
        Ok(Policy::Grid(Grid { choices, size: self.size(), biases }))
    }

    fn outputs(&self) -> Outputs {
        let ([height, width], DetectorSettings { stride, bins, .. }) = (self.size(), &self.settings);
        let (stride, bins) = (*stride, *bins);
        Outputs::Boxes { names: self.names.clone(), bins, stride, height, width }
    }

    fn fits_loss(&self, loss: &Loss) -> bool {
        is_term(loss)
    }

    fn check_loss(&self, criterion: &Criterion) -> Result<()> {
        check_losses(criterion.losses())?;
        criterion.options().try_for_each(|options| Ok(options.check_classes(self.names.len())?))
    }

    fn compared(&self) -> &'static str {
        "a detector's scores, boxes or distances to their sides with objects"
    }

    fn comparison<'a>(&'a self, outputs: &Tensor, targets: &Targets) -> Result<Comparison<'a>> {
        let images = targets.boxes().ok_or_else(foreign)?;
        let objects: Vec<Vec<Object>> = images.iter().map(|image| image.iter().map(object).collect()).collect();
        let objects: Vec<&[Object]> = objects.iter().map(Vec::as_slice).collect();
        let outputs = outputs.reshape(((), self.head.channels(), self.points()))?;
        let terms = Terms::new(&self.head, &outputs, &objects, &self.settings.assignment)?;
        Ok(Box::new(move |loss, options| terms.term(loss, options)))
    }

    fn fits_metric(&self, metric: &Metric) -> bool {
        metric.judges_boxes()
    }

    fn usual_metrics(&self) -> &'static [&'static str] {
        &["map_50", "map"]
    }

    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>> {
        let images = targets.boxes().ok_or_else(foreign)?;
        let truths: Vec<TrueBox> = images.iter().enumerate().flat_map(|(i, image)| truths(image, i)).collect();
        let found = self.found(outputs)?;
        let found: Vec<Detection> = found.iter().enumerate().flat_map(|(i, found)| detections(found, i)).collect();
        let categories: Vec<i64> = (0..self.names.len() as i64).collect();
        Ok(Judged::Boxes(metric::Boxes::new(&truths, &found, &categories)?))
    }

    /// Detections with a score of at least [`SHOWN`], as `box_f1` counts them where nothing else is said; then what they miss.
    fn overlaid(&self, outputs: &[f32], targets: &Targets) -> Result<Option<Vec<Overlaid>>> {
        let images = targets.boxes().ok_or_else(foreign)?;
        let of = |(objects, mut found): (&Arc<[ObjectBox]>, Vec<Found>)| {
            found.retain(|found| found.score >= SHOWN);
            overlaid(objects, &found)
        };
        Ok(Some(images.iter().zip(self.found(outputs)?).map(of).collect()))
    }

    /// Nothing is there and nothing is found.
    fn rehearsed(&self) -> (Vec<f32>, Targets) {
        let no_objects: Arc<[ObjectBox]> = Arc::new([]);
        (vec![f32::NEG_INFINITY; self.head.channels() * self.points()], Targets::Boxes(vec![no_objects]))
    }

    fn reward(&self, named: Option<&Named>) -> Result<Reward> {
        Reward::of_boxes(named, self.names.len())
    }

    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64 {
        self.earns(reward, &self.head.chosen(action.indices(), &self.settings.suppression), targets, row)
    }

    fn training_reward(&self, named: Option<&Named>, together: bool) -> Result<Reward> {
        let reward = self.reward(named)?;
        if together { reward.of_images_together() } else { Ok(reward) }
    }

    fn earned_together(&self, reward: &Reward, answers: &[Answer]) -> f64 {
        let Batch { truths, found } = self.batch(answers);
        reward.of_found(&truths, &found.concat())
    }

    /// With every option of an image, the others as they are.
    fn gains_together(&self, reward: &Reward, answers: &[Answer]) -> Vec<f64> {
        let (options, before) = (self.head.options(), self.earned_together(reward, answers));
        let Batch { truths, mut found } = self.batch(answers);
        let mut gains = vec![0.0; answers.len() * options];
        for (image, (action, _)) in answers.iter().enumerate() {
            let own = found[image].clone();
            self.head.for_each_alternative(action, &self.settings.suppression, |option, other| {
                found[image] = detections(other, image);
                gains[image * options + option] = reward.of_found(&truths, &found.concat()) - before;
            });
            found[image] = own;
        }
        gains
    }

    /// By looking at what is found with every option that matters; see [`Head::for_each_alternative`].
    fn gains(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> Vec<f64> {
        let mut gains = vec![0.0; self.head.options()];
        let (action, suppression) = (action.indices(), &self.settings.suppression);
        let before = self.earns(reward, &self.head.chosen(action, suppression), targets, row);
        self.head.for_each_alternative(action, suppression, |option, found| {
            gains[option] = self.earns(reward, found, targets, row) - before;
        });
        gains
    }

    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64 {
        let Ok(found) = self.found(outputs) else { return f64::NAN };
        let earned = found.iter().enumerate().map(|(row, found)| self.earns(reward, found, targets, row));
        earned.sum::<f64>() / targets.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::{Level, PointGrid};
    use rand::Rng as _;

    /// Random answers to three images: against what the changed answers earn together.
    #[test]
    fn gains_of_images_together_are_differences_between_whole_batches() {
        let grid = PointGrid::new(&[Level { height: 2, width: 2, stride: 4.0 }]).unwrap();
        let settings = DetectorSettings { bins: 3, ..DetectorSettings::default() };
        let names = vec!["a".to_string(), "b".to_string()];
        let boxes = Boxes { names, settings, head: Head::new(grid, 2, 3).unwrap() };
        let sizes = [vec![2u32; 8], vec![3; 16]].concat();
        let mut rng = crate::stream(0, "boxes", 0);
        let mut differs = 0;
        for name in ["map_50", "box_f1"] {
            let named = Named::plain(name);
            let reward = boxes.training_reward(Some(&named), true).unwrap();
            for _ in 0..5 {
                let mut answer = || -> Answer {
                    let (x, y) = (rng.random_range(-4.0..2.0f32), rng.random_range(-4.0..2.0f32));
                    let object = |class| ObjectBox { corners: [x, y, x + 8.0, y + 8.0], class, ignored: false };
                    let objects: Arc<[ObjectBox]> = Arc::new([object(rng.random_range(0..2))]);
                    (sizes.iter().map(|size| rng.random_range(0..*size)).collect(), Targets::Boxes(vec![objects]))
                };
                let answers: Vec<Answer> = (0..3).map(|_| answer()).collect();
                let (before, gains) =
                    (boxes.earned_together(&reward, &answers), boxes.gains_together(&reward, &answers));
                let mut gains = gains.iter();
                for (image, number) in (0..3).flat_map(|image| (0..sizes.len()).map(move |number| (image, number))) {
                    for option in 0..sizes[number] {
                        let mut changed = answers.clone();
                        changed[image].0[number] = option;
                        let (gain, want) = (gains.next().unwrap(), boxes.earned_together(&reward, &changed) - before);
                        assert!((gain - want).abs() < 1e-12, "{name}: {gain}, not {want}");
                        differs += usize::from(want != 0.0);
                    }
                }
                assert!(gains.next().is_none());
            }
        }
        assert!(differs > 5, "{differs}");
    }
}
