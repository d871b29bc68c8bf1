//! A detector's loss, term by term: each is a row of the table of losses, held against what the points answer for.

use super::assignment::Predicted;
use super::distance::{corners_at, distances, expected_bin};
use super::head::Image;
use super::{Assigned, Assignment, Head, Object};
use crate::kernel::{self, Buffer, Real};
use crate::loss::{self, Domain, Inputs, Layout, Loss, PerExample};
use crate::options::Options;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor, Var, WithDType};

/// The outputs of a batch beside what each of their points answers for.
///
/// With `w` the score that a point is to give, and `S = max(Σ w, 1)` over the batch, a term is one of
/// - `Σ loss(class logits, w on the owner's class, else 0) / S` over all points that are not ignored, a sum over classes,
/// - `Σ w loss(box, the owner's box) / S` over the points with an owner, in pixels,
/// - `Σ w loss(distances, those of the owner's box) / S` in strides, a mean over the four sides,
/// - `Σ w loss(bins, distances of the owner's box) / S` in strides, a mean over the four sides.
pub struct Terms<'a> {
    head: &'a Head,
    outputs: Tensor,
    values: Buffer<f64>,
    /// What is assigned in each image.
    images: Vec<Assigned>,
    owned: Vec<Owned>,
    /// Of the points with an owner, `[owned, 4, bins]`.
    logits: Vec<f64>,
    /// Their softmax.
    probabilities: Vec<f64>,
    /// `S`
    total: f64,
}

/// A point with an owner.
struct Owned {
    image: usize,
    point: usize,
    owner: Object,
    score: f64,
    /// What it predicts, in strides.
    distances: [f64; 4],
}

/// What a loss compares.
#[derive(Clone, Copy, PartialEq)]
enum Compared {
    /// The logit of every class with a score.
    Scores,
    /// Two boxes.
    Boxes,
    /// Distances with distances.
    Distances,
    /// Distributions with distances.
    Bins,
}

impl Compared {
    fn by(loss: &Loss) -> Option<Compared> {
        let [predicted] = loss.predictions else { return None };
        let required: Vec<Domain> = loss.targets.iter().filter(|part| !part.optional).map(|part| part.domain).collect();
        match (loss.layout, predicted.domain, &required[..]) {
            (Layout::Same, Domain::Real, [Domain::Unit]) => Some(Compared::Scores),
            (Layout::Same, Domain::Real, [Domain::Real]) => Some(Compared::Distances),
            (Layout::Boxes, ..) => Some(Compared::Boxes),
            (Layout::Bins, ..) => Some(Compared::Bins),
            _ => None,
        }
    }
}

/// Whether these losses train a detector: its scores, and its boxes.
///
/// # Errors
/// When one of them compares something else, or nothing trains the scores or the boxes; the message names those that would.
pub fn check_losses<'a>(losses: impl Iterator<Item = &'a Loss>) -> Result<()> {
    let compared = losses.map(compared_by).collect::<Result<Vec<_>>>()?;
    if !compared.contains(&Compared::Scores) {
        let fitting = names(|compared| compared == Compared::Scores);
        return Err(Error::Argument(format!("no term trains the scores of a detector: {fitting}")));
    }
    if compared.iter().all(|compared| *compared == Compared::Scores) {
        let fitting = names(|compared| compared != Compared::Scores);
        return Err(Error::Argument(format!("no term trains the boxes of a detector: {fitting}")));
    }
    Ok(())
}

/// Whether a loss is a term of a detector's loss, of its scores or of its boxes.
pub fn is_term(loss: &Loss) -> bool {
    Compared::by(loss).is_some()
}

fn compared_by(loss: &Loss) -> Result<Compared> {
    let fitting = || names(|_| true);
    Compared::by(loss)
        .ok_or_else(|| Error::Argument(format!("`{}` is no term of a detector's loss: {}", loss.name, fitting())))
}

fn names(fits: impl Fn(Compared) -> bool) -> String {
    let fitting = loss::all().filter(|loss| Compared::by(loss).is_some_and(&fits)).map(|loss| loss.name);
    fitting.collect::<Vec<_>>().join(", ")
}

impl<'a> Terms<'a> {
    /// Assigns the points of each image of the outputs, `[batch, channels, points]`, to its objects.
    ///
    /// # Errors
    /// When the outputs have another shape or dtype, there is another number of images, or an object's class is none of the head's.
    pub fn new(head: &'a Head, outputs: &Tensor, objects: &[&[Object]], assignment: &Assignment) -> Result<Self> {
        Terms::of(head, outputs, objects, |image, objects| {
            let predicted = Predicted { score: &|p, class| image.score(p, class), corners: &|p| image.corners(p) };
            assignment.assigned(&head.grid, objects, predicted)
        })
    }

    /// With points that are assigned already.
    ///
    /// # Errors
    /// As [`Terms::new`], and when an assignment is of other points or objects.
    pub fn given(head: &'a Head, outputs: &Tensor, objects: &[&[Object]], assigned: Vec<Assigned>) -> Result<Self> {
        let points = head.grid.points().len();
        if assigned.len() != objects.len() {
            let (images, given) = (objects.len(), assigned.len());
            return Err(Error::Argument(format!("assignments of {given} images for {images} images with objects")));
        }
        for (image, (assigned, objects)) in assigned.iter().zip(objects).enumerate() {
            let lengths = [assigned.owners.len(), assigned.scores.len(), assigned.ignored.len()];
            if lengths != [points; 3] || assigned.owners.iter().flatten().any(|owner| *owner >= objects.len()) {
                let (objects, message) = (objects.len(), "the assignment is of other points or objects");
                return Err(Error::Argument(format!(
                    "image {image}: {message}, not {points} points and {objects} objects"
                )));
            }
        }
        let mut assigned = assigned.into_iter();
        Terms::of(head, outputs, objects, |_, _| assigned.next().unwrap_or_else(|| Assigned::none(points)))
    }

    fn of(
        head: &'a Head,
        outputs: &Tensor,
        objects: &[&[Object]],
        mut assigned: impl FnMut(Image, &[Object]) -> Assigned,
    ) -> Result<Self> {
        let values = head.read(outputs)?;
        let batch = outputs.dim(0)?;
        if batch != objects.len() {
            return Err(Error::Argument(format!("objects of {} images for outputs of {batch}", objects.len())));
        }
        if let Some(object) = objects.iter().flat_map(|objects| *objects).find(|object| object.class >= head.classes) {
            let message = format!("an object of class {}; the classes are 0 to {}", object.class, head.classes - 1);
            return Err(Error::Argument(message));
        }
        let images: Vec<Assigned> =
            head.images(&values).zip(objects).map(|(image, objects)| assigned(image, objects)).collect();
        let total = images.iter().flat_map(|image| &image.scores).sum::<f64>().max(1.0);
        let outputs = outputs.contiguous()?;
        let mut terms =
            Terms { head, outputs, values, images, total, owned: vec![], logits: vec![], probabilities: vec![] };
        terms.gather(objects);
        Ok(terms)
    }

    /// What the points with an owner predict, side by side.
    fn gather(&mut self, objects: &[&[Object]]) {
        let Terms { head, values, images, owned, logits, probabilities, .. } = self;
        let bins = head.bins;
        for (image, ((outputs, assigned), objects)) in head.images(values).zip(images).zip(objects).enumerate() {
            for (point, owner) in assigned.owners.iter().enumerate() {
                let Some(owner) = owner else { continue };
                let start = logits.len();
                logits.extend(outputs.bins(point));
                probabilities.resize(logits.len(), 0.0);
                let distances = std::array::from_fn(|side| {
                    let side = start + side * bins..start + (side + 1) * bins;
                    expected_bin(&logits[side.clone()], &mut probabilities[side])
                });
                owned.push(Owned { image, point, owner: objects[*owner], score: assigned.scores[point], distances });
            }
        }
    }

    /// What is assigned in each image.
    pub fn assigned(&self) -> &[Assigned] {
        &self.images
    }

    /// The term of one loss: its sum over each image, `[batch]`, differentiable in the outputs; [`PerExample::mean`] is their sum over `S`.
    ///
    /// # Errors
    /// When the loss compares something that a detector doesn't have.
    pub fn term(&self, loss: &Loss, options: &Options) -> Result<PerExample> {
        let compared = compared_by(loss)?;
        match self.outputs.dtype() {
            DType::F32 => self.in_precision::<f32>(loss, options, compared),
            _ => self.in_precision::<f64>(loss, options, compared),
        }
    }

    fn in_precision<T: Real>(&self, loss: &Loss, options: &Options, compared: Compared) -> Result<PerExample> {
        let mut term = Term { sums: vec![0.0; self.images.len()], gradient: Buffer::<T>::zeros(self.values.len()) };
        match compared {
            Compared::Scores => self.add_scores(loss, options, &mut term)?,
            _ if self.owned.is_empty() => {}
            Compared::Boxes => self.add_boxes(loss, options, &mut term)?,
            Compared::Distances => self.add_distances(loss, options, &mut term)?,
            Compared::Bins => self.add_bins(loss, options, &mut term)?,
        }
        let sums = term.sums.into_iter().map(<T as WithDType>::from_f64).collect();
        let values = kernel::differentiated(&self.outputs, sums, self.images.len(), term.gradient)?;
        Ok(PerExample { values, total_weight: Some(self.total) })
    }

    /// The place of a number among the outputs.
    fn place(&self, image: usize, channel: usize, point: usize) -> usize {
        (image * self.head.channels() + channel) * self.head.grid.points().len() + point
    }

    fn add_scores<T: Real>(&self, loss: &Loss, options: &Options, term: &mut Term<T>) -> Result<()> {
        let classes = self.head.classes;
        let all = self.images.iter().enumerate().flat_map(|(image, assigned)| {
            let counts = assigned.ignored.iter().enumerate().filter(|(_, ignored)| !**ignored);
            counts.map(move |(point, _)| (image, point))
        });
        let all: Vec<(usize, usize)> = all.collect();
        if all.is_empty() {
            return Ok(());
        }
        let mut logits = vec![T::zero(); all.len() * classes];
        for (row, (image, point)) in logits.chunks_exact_mut(classes).zip(&all) {
            for (class, logit) in row.iter_mut().enumerate() {
                *logit = <T as WithDType>::from_f64(self.values[self.place(*image, class, *point)]);
            }
        }
        let mut targets = vec![T::zero(); logits.len()];
        let mut owned = self.owned.iter().peekable();
        for (row, at) in targets.chunks_exact_mut(classes).zip(&all) {
            // Points with an owner are in the same order, and none of them is left out.
            if let Some(owned) = owned.next_if(|owned| (owned.image, owned.point) == *at) {
                row[owned.owner.class] = <T as WithDType>::from_f64(owned.score);
            }
        }
        let (losses, slopes) = losses(loss, options, (logits, targets), &[all.len(), classes])?;
        // Over classes a sum, where a loss takes the mean.
        let scale = classes as f64;
        for (i, (image, point)) in all.iter().enumerate() {
            term.sums[*image] += scale * losses[i];
            for class in 0..classes {
                let slope = scale * slopes[i * classes + class];
                term.gradient[self.place(*image, class, *point)] = <T as WithDType>::from_f64(slope);
            }
        }
        Ok(())
    }

    fn add_boxes<T: Real>(&self, loss: &Loss, options: &Options, term: &mut Term<T>) -> Result<()> {
        let points = self.head.grid.points();
        let predicted = self.owned.iter().flat_map(|owned| corners_at(&points[owned.point], owned.distances));
        let there = self.owned.iter().flat_map(|owned| owned.owner.corners);
        let (losses, mut slopes) =
            losses(loss, options, (predicted.collect(), there.collect()), &[self.owned.len(), 4])?;
        for (slopes, owned) in slopes.chunks_exact_mut(4).zip(&self.owned) {
            let stride = points[owned.point].stride;
            slopes.iter_mut().zip([-stride, -stride, stride, stride]).for_each(|(slope, by)| *slope *= by);
        }
        self.add_by_distances(&losses, &slopes, term);
        Ok(())
    }

    fn add_distances<T: Real>(&self, loss: &Loss, options: &Options, term: &mut Term<T>) -> Result<()> {
        let predicted = self.owned.iter().flat_map(|owned| owned.distances).collect();
        let shape = [self.owned.len(), 4];
        let (losses, slopes) = losses(loss, options, (predicted, self.true_distances()), &shape)?;
        self.add_by_distances(&losses, &slopes, term);
        Ok(())
    }

    fn add_bins<T: Real>(&self, loss: &Loss, options: &Options, term: &mut Term<T>) -> Result<()> {
        let shape = [self.owned.len(), 4, self.head.bins];
        let (losses, slopes) = losses(loss, options, (self.logits.clone(), self.true_distances()), &shape)?;
        let of_point = slopes.chunks_exact(4 * self.head.bins);
        self.add(&losses, of_point.map(|slopes| slopes.iter().copied()), term);
        Ok(())
    }

    /// Of the owners' boxes, in strides: `[owned, 4]`.
    fn true_distances(&self) -> Vec<f64> {
        let points = self.head.grid.points();
        let of = |owned: &Owned| distances(&points[owned.point], &owned.owner.corners, self.head.bins);
        self.owned.iter().flat_map(of).collect()
    }

    /// Losses with their slopes by the distances, `[owned, 4]`.
    fn add_by_distances<T: Real>(&self, losses: &[f64], slopes: &[f64], term: &mut Term<T>) {
        let bins = self.head.bins;
        let of_points = slopes.chunks_exact(4).zip(&self.owned).zip(self.probabilities.chunks_exact(4 * bins));
        let by_logits = of_points.map(|((slopes, owned), probabilities)| {
            probabilities.iter().enumerate().map(move |(i, probability)| {
                let (side, bin) = (i / bins, i % bins);
                slopes[side] * probability * (bin as f64 - owned.distances[side])
            })
        });
        self.add(losses, by_logits, term);
    }

    /// Losses with their slopes by the logits of the bins, `[4, bins]` of each point, all times the score of the point.
    fn add<T: Real>(
        &self,
        losses: &[f64],
        slopes: impl Iterator<Item = impl Iterator<Item = f64>>,
        term: &mut Term<T>,
    ) {
        for ((owned, loss), slopes) in self.owned.iter().zip(losses).zip(slopes) {
            term.sums[owned.image] += owned.score * loss;
            for (i, slope) in slopes.enumerate() {
                let place = self.place(owned.image, self.head.classes + i, owned.point);
                term.gradient[place] = <T as WithDType>::from_f64(owned.score * slope);
            }
        }
    }
}

/// The sum of each image, and its gradient in the outputs.
struct Term<T: Real> {
    sums: Vec<f64>,
    gradient: Buffer<T>,
}

/// The losses of some examples, with their slopes by what is predicted. The first two dimensions of `shape`, which is that
/// of the predictions, are those of the targets.
fn losses<T: WithDType>(
    loss: &Loss,
    options: &Options,
    (predictions, targets): (Vec<T>, Vec<T>),
    shape: &[usize],
) -> Result<(Vec<f64>, Vec<f64>)> {
    let predictions = Var::from_vec(predictions, shape, &Device::Cpu)?;
    let targets = Tensor::from_vec(targets, &shape[..2], &Device::Cpu)?;
    let values = (loss.per_example)(&Inputs::pair(&predictions, &targets), options)?.values;
    let gradients = values.backward()?;
    let slopes = gradients
        .get(&predictions)
        .ok_or_else(|| Error::Argument(format!("`{}` has no gradient in what is predicted", loss.name)))?;
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>> { Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?) };
    Ok((numbers(&values)?, numbers(slopes)?))
}
