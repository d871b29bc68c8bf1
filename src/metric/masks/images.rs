//! Predicted and true class maps of some images.

use super::{HALF, Region, Regions};
use crate::metric::{Confusion, check_counts};
use crate::{Error, Result};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

/// The class of every pixel, image after image and row after row; a byte each where 256 classes are enough.
#[derive(Clone, Debug)]
pub enum ClassMaps<'a> {
    Bytes(Cow<'a, [u8]>),
    Words(Cow<'a, [u32]>),
}

/// What the maps of all images have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskShape {
    /// Of one image.
    pub pixels: usize,
    /// Pixels of a row; nothing where maps are flat lists, which have no regions and no distances.
    pub width: Option<usize>,
    pub classes: usize,
    /// Pixels that are truly of this class count nowhere, neither as such nor in what is predicted there. It may lie beyond the classes.
    pub ignored: Option<u32>,
}

/// What is predicted of every pixel.
#[derive(Clone, Debug)]
pub enum MaskPrediction<'a> {
    /// `[images, height, width]`
    Classes(ClassMaps<'a>),
    /// Logits: of class 1 against class 0, `[images, height, width]`, or of every class, as planes `[images, classes, height, width]`.
    Logits(&'a [f32]),
    /// Probabilities of class 1 out of two, `[images, height, width]`.
    Probabilities(&'a [f64]),
}

/// Predictions beside true class maps, `[images, height, width]`, and the forms that metrics judge them in, each made when a metric
/// first asks for it.
pub struct PredictedMasks<'a> {
    pub(super) shape: MaskShape,
    pub(super) prediction: MaskPrediction<'a>,
    truth: ClassMaps<'a>,
    chosen: OnceLock<ClassMaps<'static>>,
    confusions: OnceLock<Vec<Confusion>>,
    pub(super) foreground: OnceLock<Vec<f64>>,
    pub(super) labels: OnceLock<Vec<u32>>,
    pub(super) logits: OnceLock<Vec<f64>>,
    pub(super) probabilities: OnceLock<Vec<f64>>,
}

impl<'a> From<&'a [u8]> for ClassMaps<'a> {
    fn from(maps: &'a [u8]) -> Self {
        ClassMaps::Bytes(maps.into())
    }
}

impl<'a> From<&'a [u32]> for ClassMaps<'a> {
    fn from(maps: &'a [u32]) -> Self {
        ClassMaps::Words(maps.into())
    }
}

impl From<Vec<u8>> for ClassMaps<'_> {
    fn from(maps: Vec<u8>) -> Self {
        ClassMaps::Bytes(maps.into())
    }
}

impl From<Vec<u32>> for ClassMaps<'_> {
    fn from(maps: Vec<u32>) -> Self {
        ClassMaps::Words(maps.into())
    }
}

impl ClassMaps<'_> {
    pub fn len(&self) -> usize {
        match self {
            ClassMaps::Bytes(maps) => maps.len(),
            ClassMaps::Words(maps) => maps.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of one pixel, counted over all images.
    pub fn of(&self, pixel: usize) -> u32 {
        match self {
            ClassMaps::Bytes(maps) => u32::from(maps[pixel]),
            ClassMaps::Words(maps) => maps[pixel],
        }
    }

    fn borrowed(&self) -> ClassMaps<'_> {
        match self {
            ClassMaps::Bytes(maps) => ClassMaps::Bytes(Cow::Borrowed(maps)),
            ClassMaps::Words(maps) => ClassMaps::Words(Cow::Borrowed(maps)),
        }
    }
}

impl MaskShape {
    /// Maps of `height` rows of `width` pixels, all of which count.
    pub fn new(height: usize, width: usize, classes: usize) -> MaskShape {
        MaskShape { pixels: height * width, width: Some(width), classes, ignored: None }
    }

    /// Where a pixel stands.
    fn place(&self, pixel: usize) -> String {
        let (image, pixel) = (pixel / self.pixels, pixel % self.pixels);
        match self.width {
            Some(width) => format!("image {image}, row {}, column {}", pixel / width, pixel % width),
            None => format!("image {image}, pixel {pixel}"),
        }
    }

    /// That maps of so many pixels are whole images.
    fn check(&self, pixels: usize) -> Result<()> {
        let message = match self.width {
            _ if self.classes == 0 => "there is no class".into(),
            _ if self.pixels == 0 || !pixels.is_multiple_of(self.pixels) => {
                format!("{pixels} pixels are no whole number of images of {}", self.pixels)
            }
            Some(width) if width == 0 || !self.pixels.is_multiple_of(width) => {
                format!("{} pixels of an image are no whole number of rows of {width}", self.pixels)
            }
            _ => return Ok(()),
        };
        Err(Error::Argument(message))
    }

    fn check_classes(&self, what: &str, maps: &ClassMaps, ignored: Option<u32>) -> Result<()> {
        let fits = |class: u32| (class as usize) < self.classes || Some(class) == ignored;
        match (0..maps.len()).find(|pixel| !fits(maps.of(*pixel))) {
            Some(pixel) => {
                let (place, class, last) = (self.place(pixel), maps.of(pixel), self.classes - 1);
                Err(Error::Argument(format!("{place}: the {what} class is {class}; the classes are 0 to {last}")))
            }
            None => Ok(()),
        }
    }

    /// Logits are not checked: one that is not finite shows in the value.
    fn check_prediction(&self, prediction: &MaskPrediction, pixels: usize) -> Result<()> {
        let classes = self.classes;
        match prediction {
            MaskPrediction::Classes(maps) => {
                check_counts(maps.len(), pixels)?;
                self.check_classes("predicted", maps, None)
            }
            MaskPrediction::Logits(logits) => {
                let fits = logits.len() == classes * pixels || (classes == 2 && logits.len() == pixels);
                let message = || {
                    let len = logits.len();
                    format!(
                        "{len} logits for {pixels} pixels of {classes} classes; of two classes there may be one each, else one per class"
                    )
                };
                if fits { Ok(()) } else { Err(Error::Argument(message())) }
            }
            MaskPrediction::Probabilities(_) if classes != 2 => {
                Err(Error::Argument(format!("a probability per pixel is for two classes, not {classes}")))
            }
            MaskPrediction::Probabilities(probabilities) => {
                check_counts(probabilities.len(), pixels)?;
                match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
                    Some(pixel) => {
                        let (place, p) = (self.place(pixel), probabilities[pixel]);
                        Err(Error::Argument(format!(
                            "{place}: the prediction is {p}, neither a class nor a probability"
                        )))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl<'a> PredictedMasks<'a> {
    /// # Errors
    /// When there is no pixel, the shapes don't fit, a class is none of the classes or a probability is none; the message names it.
    pub fn new(shape: MaskShape, prediction: MaskPrediction<'a>, truth: impl Into<ClassMaps<'a>>) -> Result<Self> {
        let truth = truth.into();
        let predicted = match &prediction {
            MaskPrediction::Classes(maps) => maps.len(),
            MaskPrediction::Logits(logits) => logits.len(),
            MaskPrediction::Probabilities(probabilities) => probabilities.len(),
        };
        if truth.is_empty() {
            check_counts(predicted, 0)?;
        }
        shape.check(truth.len())?;
        shape.check_prediction(&prediction, truth.len())?;
        shape.check_classes("true", &truth, shape.ignored)?;
        Ok(PredictedMasks::of(shape, prediction, truth))
    }

    fn of(shape: MaskShape, prediction: MaskPrediction<'a>, truth: ClassMaps<'a>) -> Self {
        let (chosen, confusions) = Default::default();
        let (foreground, labels, logits, probabilities) = Default::default();
        PredictedMasks { shape, prediction, truth, chosen, confusions, foreground, labels, logits, probabilities }
    }

    pub fn classes(&self) -> usize {
        self.shape.classes
    }

    /// How many there are.
    pub fn images(&self) -> usize {
        self.truth.len() / self.shape.pixels
    }

    /// `[images, height, width]`
    pub fn truth(&self) -> &ClassMaps<'a> {
        &self.truth
    }

    /// The predicted class of every pixel: the most likely one, the lowest of equals.
    pub fn chosen(&self) -> &ClassMaps<'_> {
        match &self.prediction {
            MaskPrediction::Classes(maps) => maps,
            MaskPrediction::Logits(logits) => self.chosen.get_or_init(|| match self.has_planes() {
                true => logits
                    .chunks_exact(self.classes() * self.shape.pixels)
                    .flat_map(|planes| self.likeliest(planes))
                    .collect::<Vec<u32>>()
                    .into(),
                false => logits.iter().map(|logit| u8::from(*logit > 0.0)).collect::<Vec<u8>>().into(),
            }),
            MaskPrediction::Probabilities(probabilities) => self
                .chosen
                .get_or_init(|| probabilities.iter().map(|p| u8::from(*p > HALF)).collect::<Vec<u8>>().into()),
        }
    }

    /// Whether there is a logit for every class.
    pub(super) fn has_planes(&self) -> bool {
        matches!(&self.prediction, MaskPrediction::Logits(logits) if logits.len() != self.truth.len())
    }

    /// Of one image, from its planes.
    fn likeliest(&self, planes: &[f32]) -> Vec<u32> {
        let pixels = self.shape.pixels;
        let (mut largest, mut chosen) = (planes[..pixels].to_vec(), vec![0; pixels]);
        for (class, plane) in planes.chunks_exact(pixels).enumerate().skip(1) {
            for ((largest, chosen), logit) in largest.iter_mut().zip(&mut chosen).zip(plane) {
                if logit > largest {
                    (*largest, *chosen) = (*logit, class as u32);
                }
            }
        }
        chosen
    }

    /// The same images, class 1 predicted where its probability is above `threshold`.
    ///
    /// # Errors
    /// As [`Self::foreground_probabilities`].
    pub fn above(&self, threshold: f64) -> Result<PredictedMasks<'_>> {
        let chosen: Vec<u8> = self.foreground_probabilities()?.iter().map(|p| u8::from(*p > threshold)).collect();
        Ok(PredictedMasks::of(self.shape, MaskPrediction::Classes(chosen.into()), self.truth.borrowed()))
    }

    pub(super) fn pixels_of(&self, image: usize) -> Range<usize> {
        image * self.shape.pixels..(image + 1) * self.shape.pixels
    }

    /// Whether a pixel counts.
    pub(super) fn counts(&self, pixel: usize) -> bool {
        self.shape.ignored != Some(self.truth.of(pixel))
    }

    /// The pixels of each image, counted.
    pub fn confusions(&self) -> &[Confusion] {
        self.confusions.get_or_init(|| {
            let chosen = self.chosen();
            let of_image = |image| {
                let pixels = self.pixels_of(image).filter(|pixel| self.counts(*pixel));
                Confusion::counted(self.classes(), pixels.map(|pixel| (self.truth.of(pixel), chosen.of(pixel))))
            };
            (0..self.images()).map(of_image).collect()
        })
    }

    /// Where one class is predicted and where it truly is in an image; pixels that don't count are in neither.
    ///
    /// # Errors
    /// When the maps are flat lists.
    pub fn regions(&self, image: usize, class: u32) -> Result<Regions> {
        let width = self.shape.width.ok_or_else(|| {
            let message = "flat lists of pixels have no regions and no distances; maps [height][width] are needed, or [images][height][width]";
            Error::Argument(message.into())
        })?;
        let region = |maps: &ClassMaps| {
            let inside = self.pixels_of(image).map(|pixel| self.counts(pixel) && maps.of(pixel) == class);
            Region::new(inside.collect(), width)
        };
        Ok(Regions { predicted: region(self.chosen())?, truth: region(&self.truth)? })
    }
}
