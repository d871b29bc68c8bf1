//! A class for every pixel of an image.

use super::{Comparison, Kind, foreign, leaked};
use crate::data::{Masks, Targets};
use crate::distribution::{Policy, PolicySettings, RawActions};
use crate::kernel::Grid;
use crate::loss::{Criterion, Inputs, Layout, Loss};
use crate::metric::{Judged, MaskPrediction, MaskShape, Metric, PredictedMasks, Reward};
use crate::network::Outputs;
use crate::options::{Named, Options};
use crate::task::predictions::{Overlaid, Overlay};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use lossward_envs::{Action, Space};

/// Outputs are planes: one logit per pixel of two classes, one per pixel and class of more, `[planes, height, width]`.
pub(super) struct Mask {
    pub names: Vec<String>,
    /// Pixels that are truly of it count nowhere.
    pub ignored: Option<u8>,
    /// `[height, width]`
    pub size: [usize; 2],
}

impl Mask {
    fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Logits of a pixel.
    fn planes(&self) -> usize {
        if self.names.len() == 2 { 1 } else { self.names.len() }
    }

    fn shape(&self) -> MaskShape {
        let [height, width] = self.size;
        MaskShape { ignored: self.ignored.map(u32::from), ..MaskShape::new(height, width, self.names.len()) }
    }

    fn grid(&self) -> Grid {
        Grid { choices: vec![self.planes() as u32], size: self.size, biases: Vec::new() }
    }

    fn check_options(&self, options: &Options) -> Result<()> {
        options.check_classes(self.planes())?;
        let wanted = self.ignored.map(i64::from);
        match wanted.is_none() || options.whole("ignore_index") == wanted {
            true => Ok(()),
            false => Err(Error::Argument(format!(
                "pixels of the value {} are ignored in this data set: say `ignore_index = {0}`",
                wanted.unwrap_or_default()
            ))),
        }
    }

    /// The most likely class of every pixel, `[images, height, width]`.
    fn chosen(&self, outputs: &[f32], images: usize) -> Vec<u32> {
        let mut chosen = RawActions::default();
        Policy::Grid(self.grid()).at(outputs).modes(images, &mut chosen);
        if let RawActions::Indices(chosen) = chosen { chosen } else { Vec::new() }
    }

    /// What a class map earns with the target of a row.
    fn earns(&self, reward: &Reward, predicted: &[u32], targets: &Targets, row: usize) -> f64 {
        let of = |predicted: &[u8], truth: &[u8]| vec![reward.of_mask(self.shape(), predicted, truth)];
        self.beside(predicted, targets, row, of).first().copied().unwrap_or(f64::NAN)
    }

    /// What is said of a class map and the target of a row.
    fn beside(
        &self,
        predicted: &[u32],
        targets: &Targets,
        row: usize,
        of: impl Fn(&[u8], &[u8]) -> Vec<f64>,
    ) -> Vec<f64> {
        let predicted: Vec<u8> = predicted.iter().map(|class| *class as u8).collect();
        targets.masks().map_or_else(Vec::new, |masks| of(&predicted, masks.of(row)))
    }
}

impl Kind for Mask {
    fn in_words(&self) -> &'static str {
        "masks"
    }

    fn classes(&self) -> Option<usize> {
        Some(self.names.len())
    }

    /// A class for each pixel, row by row.
    fn actions(&self) -> Space {
        Space::MultiDiscrete(leaked(vec![self.names.len() as u32; self.pixels()]))
    }

    fn policy(&self, settings: Option<&PolicySettings>) -> Result<Policy> {
        match settings {
            None => Ok(Policy::Grid(self.grid())),
            Some(_) => Err(Error::Argument("`policy` is for actions in a box; here they are classes of pixels".into())),
        }
    }

    fn outputs(&self) -> Outputs {
        let [height, width] = self.size;
        Outputs::Masks { names: self.names.clone(), height, width }
    }

    /// Of one logit per pixel: losses of yes-or-no targets. Of several: losses of classes. Of both: losses of masks.
    fn fits_loss(&self, loss: &Loss) -> bool {
        let ignores = loss.options.iter().any(|row| row.name == "ignore_index");
        let fits = match loss.layout {
            Layout::Masks => true,
            Layout::Classes => self.planes() > 1 && loss.trains_classifiers(),
            Layout::Same => self.planes() == 1 && loss.trains_logits(),
            _ => false,
        };
        fits && (self.ignored.is_none() || ignores)
    }

    fn check_loss(&self, criterion: &Criterion) -> Result<()> {
        criterion.options().try_for_each(|options| self.check_options(options))
    }

    fn compared(&self) -> &'static str {
        if self.planes() == 1 { "one score per pixel with masks" } else { "scores of pixels with masks" }
    }

    fn comparison<'a>(&'a self, outputs: &Tensor, targets: &Targets) -> Result<Comparison<'a>> {
        let masks = targets.masks().ok_or_else(foreign)?;
        let [height, width] = self.size;
        let classes: Vec<u32> = masks.iter().flatten().map(|class| u32::from(*class)).collect();
        let targets = Tensor::from_vec(classes, (masks.len(), height, width), &Device::Cpu)?;
        let outputs = outputs.clone();
        Ok(Box::new(move |loss, options| {
            let inputs = match loss.layout {
                // Every pixel is an example of one output.
                Layout::Same => Inputs::pair(
                    &outputs.reshape(((), 1))?,
                    &targets.flatten_all()?.to_dtype(DType::F32)?.to_dtype(outputs.dtype())?.reshape(((), 1))?,
                ),
                _ => Inputs::pair(&outputs.reshape(((), self.planes(), height, width))?, &targets),
            };
            (loss.per_example)(&inputs, options)
        }))
    }

    fn fits_metric(&self, metric: &Metric) -> bool {
        metric.judges_masks()
    }

    fn usual_metrics(&self) -> &'static [&'static str] {
        &["dice", "pixel_accuracy"]
    }

    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>> {
        let masks = targets.masks().ok_or_else(foreign)?;
        let truth: Vec<u8> = masks.iter().flatten().copied().collect();
        Ok(Judged::Masks(PredictedMasks::new(self.shape(), MaskPrediction::Logits(outputs), truth)?))
    }

    fn overlaid(&self, outputs: &[f32], targets: &Targets) -> Result<Option<Vec<Overlaid>>> {
        let masks = targets.masks().ok_or_else(foreign)?;
        let chosen = self.chosen(outputs, masks.len());
        let of = |(truth, chosen): (&[u8], &[u32])| Overlaid {
            truth: Overlay::Mask(truth.to_vec()),
            predicted: Overlay::Mask(chosen.iter().map(|class| *class as u8).collect()),
        };
        Ok(Some(masks.iter().zip(chosen.chunks_exact(self.pixels())).map(of).collect()))
    }

    fn rehearsed(&self) -> (Vec<f32>, Targets) {
        let truth = (0..self.pixels()).map(|pixel| (pixel % self.names.len()) as u8).collect();
        let masks = Masks::new(self.size[0], self.size[1], truth);
        (vec![0.0; self.planes() * self.pixels()], Targets::Masks(masks))
    }

    fn reward(&self, named: Option<&Named>) -> Result<Reward> {
        Reward::of_masks(named, self.shape())
    }

    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64 {
        self.earns(reward, action.indices(), targets, row)
    }

    fn gains(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> Vec<f64> {
        let of = |predicted: &[u8], truth: &[u8]| reward.gains_of_mask(self.shape(), predicted, truth);
        self.beside(action.indices(), targets, row, of)
    }

    fn parts(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> Vec<f64> {
        let of = |predicted: &[u8], truth: &[u8]| reward.parts_of_mask(self.shape(), predicted, truth);
        self.beside(action.indices(), targets, row, of)
    }

    /// Of the most likely class of every pixel.
    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64 {
        let chosen = self.chosen(outputs, targets.len());
        let earned = chosen.chunks_exact(self.pixels()).enumerate();
        earned.map(|(row, chosen)| self.earns(reward, chosen, targets, row)).sum::<f64>() / targets.len() as f64
    }
}
