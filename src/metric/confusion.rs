//! Chosen classes against labels, counted, and the numbers that are read off the counts.

use crate::Result;

/// How often each class was chosen for each true class.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: usize,
    /// `[true class][chosen class]`
    counts: Vec<u64>,
    /// Their sum.
    total: u64,
}

/// How one class was chosen, against the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassCounts {
    /// Examples of the class that were chosen as such.
    pub hits: u64,
    pub of_class: u64,
    pub chosen_as: u64,
    /// All examples.
    pub total: u64,
}

/// A fraction of counts of one class: with `tp` examples of the class chosen as such, `n` of the class, `m` chosen as it, out of `N`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ratio {
    /// `tp / m`, also called positive predictive value.
    Precision,
    /// `tp / n`, also called sensitivity.
    Recall,
    /// `(N − n − m + tp) / (N − n)`: the recall of the rest.
    Specificity,
    /// `(1 + β²) tp / (β² n + m)`; with `β = 1` the F1 score, which is the Dice score.
    FBeta(f64),
    /// `(2 tp + s) / (n + m + s)`
    SmoothedDice(f64),
    /// `tp / (n + m − tp)`, also called Jaccard index.
    IntersectionOverUnion,
}

/// What a ratio of nothing counts as; NaN is left out of means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Empty {
    /// Of a class that occurs neither among the labels nor among the chosen ones.
    pub absent: f64,
    /// 0 / 0 of a class that occurs: the precision of one never chosen, the recall of one never true.
    pub zero_division: f64,
    /// Of a class that does not occur among the labels, whatever was chosen; without it, as the other two say.
    pub without_label: Option<f64>,
}

impl From<f64> for Empty {
    /// The same for every 0 / 0.
    fn from(empty: f64) -> Empty {
        Empty { absent: empty, zero_division: empty, without_label: None }
    }
}

impl ClassCounts {
    /// Of a map that was chosen and the true one, a class per pixel, both equally long; takes no memory. So the Dice score of an image is
    /// `Ratio::FBeta(1.0).of(ClassCounts::of_maps(chosen, labels, 1), 1.0)`, 1 where both masks are empty, and 0 where one is.
    pub fn of_maps(chosen: &[u8], labels: &[u8], class: u8) -> ClassCounts {
        let mut counts = ClassCounts { total: chosen.len().min(labels.len()) as u64, ..ClassCounts::default() };
        for (&chosen, &label) in chosen.iter().zip(labels) {
            counts.hits += u64::from(chosen == class && label == class);
            counts.of_class += u64::from(label == class);
            counts.chosen_as += u64::from(chosen == class);
        }
        counts
    }
}

impl Ratio {
    /// Of these counts; `empty` where it is 0 / 0.
    pub fn of(self, counts: ClassCounts, empty: impl Into<Empty>) -> f64 {
        let empty = empty.into();
        match empty.without_label {
            Some(value) if counts.of_class == 0 => value,
            _ if counts.of_class + counts.chosen_as == 0 => divided(self.parts(counts), empty.absent),
            _ => divided(self.parts(counts), empty.zero_division),
        }
    }

    /// Numerator and denominator.
    fn parts(self, counts: ClassCounts) -> (f64, f64) {
        let ClassCounts { hits, of_class, chosen_as, total } = counts;
        let [hits, n, m, total] = [hits, of_class, chosen_as, total].map(|count| count as f64);
        match self {
            Ratio::Precision => (hits, m),
            Ratio::Recall => (hits, n),
            Ratio::Specificity => (total - n - m + hits, total - n),
            Ratio::FBeta(beta) => {
                // Beyond this it is the recall, and infinity would be no number.
                let square = (beta * beta).min(1e200);
                ((1.0 + square) * hits, square * n + m)
            }
            Ratio::SmoothedDice(smooth) => (2.0 * hits + smooth, n + m + smooth),
            Ratio::IntersectionOverUnion => (hits, n + m - hits),
        }
    }
}

/// How the values of classes become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// The mean over classes.
    Macro,
    /// The ratio of sums over classes.
    Micro,
    /// The mean over classes, weighted by how many examples each has.
    Weighted,
}

impl Confusion {
    /// Counts; `chosen` and `labels` are `[examples]`, both in `0..classes`.
    ///
    /// # Errors
    /// When there are none, not equally many, or one is no class; the message names it.
    pub fn new(chosen: &[u32], labels: &[u32], classes: usize) -> Result<Confusion> {
        super::check_counts(chosen.len(), labels.len())?;
        super::check_classes("prediction", chosen, classes)?;
        super::check_classes("target", labels, classes)?;
        Ok(Confusion::counted(classes, labels.iter().copied().zip(chosen.iter().copied())))
    }

    /// Of pairs of a true class and the one that was chosen, all below `classes`; there may be none.
    pub(super) fn counted(classes: usize, pairs: impl Iterator<Item = (u32, u32)>) -> Confusion {
        let mut confusion = Confusion { classes, counts: vec![0; classes * classes], total: 0 };
        for (label, chosen) in pairs {
            confusion.counts[label as usize * classes + chosen as usize] += 1;
            confusion.total += 1;
        }
        confusion
    }

    /// Takes one example of the class `label` that was chosen as `from` as chosen as `to`.
    ///
    /// # Panics
    /// When there is no such example, or no such class.
    pub fn move_one(&mut self, label: usize, from: usize, to: usize) {
        self.counts[label * self.classes + from] -= 1;
        self.counts[label * self.classes + to] += 1;
    }

    /// The examples one by one: 1 for the class that was chosen and 0 for the others, `[examples, classes]`, and the labels.
    pub(super) fn indicators(&self) -> (Vec<f64>, Vec<u32>) {
        let (mut indicators, mut labels) = (Vec::new(), Vec::new());
        for (i, count) in self.counts.iter().enumerate() {
            let (label, chosen) = (i / self.classes, i % self.classes);
            for _ in 0..*count {
                indicators.extend((0..self.classes).map(|class| f64::from(u8::from(class == chosen))));
                labels.push(label as u32);
            }
        }
        (indicators, labels)
    }

    /// The counts of all together.
    pub fn sum(of: &[Confusion]) -> Confusion {
        let classes = of.iter().map(|one| one.classes).max().unwrap_or(0);
        let count = |i: usize| of.iter().map(|one| one.counts[i]).sum();
        let total = of.iter().map(|one| one.total).sum();
        Confusion { classes, counts: (0..classes * classes).map(count).collect(), total }
    }

    /// The mean over all examples of a function of `(true class, chosen class)`.
    pub fn mean(&self, of: impl Fn(usize, usize) -> f64) -> f64 {
        let weighted = self.counts.iter().enumerate().map(|(i, n)| *n as f64 * of(i / self.classes, i % self.classes));
        weighted.sum::<f64>() / self.total as f64
    }

    pub fn classes(&self) -> usize {
        self.classes
    }

    /// `[true class][chosen class]`
    pub fn rows(&self) -> Vec<Vec<u64>> {
        self.counts.chunks(self.classes).map(<[u64]>::to_vec).collect()
    }

    /// The counts of one class.
    pub fn of_class(&self, class: usize) -> ClassCounts {
        ClassCounts {
            hits: self.hits(class),
            of_class: self.labelled(class),
            chosen_as: self.chosen_as(class),
            total: self.total,
        }
    }

    fn hits(&self, class: usize) -> u64 {
        self.counts[class * self.classes + class]
    }

    fn labelled(&self, class: usize) -> u64 {
        self.counts[class * self.classes..][..self.classes].iter().sum()
    }

    fn chosen_as(&self, class: usize) -> u64 {
        self.counts.iter().skip(class).step_by(self.classes).sum()
    }

    fn over_classes(&self, of: impl Fn(usize) -> f64) -> f64 {
        (0..self.classes).map(of).sum()
    }

    /// `Σ_c tp_c / N`
    pub fn accuracy(&self) -> f64 {
        self.over_classes(|class| self.hits(class) as f64) / self.total as f64
    }

    /// The ratio of one class; `empty` where it is 0 / 0.
    pub fn ratio(&self, ratio: Ratio, class: usize, empty: impl Into<Empty>) -> f64 {
        ratio.of(self.of_class(class), empty)
    }

    /// The ratio of every class.
    pub fn per_class(&self, ratio: Ratio, empty: impl Into<Empty>) -> Vec<f64> {
        let empty = empty.into();
        (0..self.classes).map(|class| self.ratio(ratio, class, empty)).collect()
    }

    /// The ratio averaged over all classes; a class whose ratio is 0 / 0 enters as `empty`, and not at all when that is NaN.
    pub fn average(&self, ratio: Ratio, average: Average, empty: impl Into<Empty>) -> f64 {
        let empty = empty.into();
        let weight: &dyn Fn(usize) -> f64 = match average {
            Average::Macro => &|_| 1.0,
            Average::Weighted => &|class| self.labelled(class) as f64,
            Average::Micro => {
                let parts = (0..self.classes).map(|class| ratio.parts(self.of_class(class)));
                let sums = parts.fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
                return divided(sums, empty.zero_division);
            }
        };
        let values = self.per_class(ratio, empty).into_iter().enumerate().filter(|(_, value)| !value.is_nan());
        let (sum, weights) =
            values.fold((0.0, 0.0), |(sum, weights), (c, value)| (sum + weight(c) * value, weights + weight(c)));
        sum / weights
    }

    /// The mean recall of the classes that occur among the labels.
    pub fn balanced_accuracy(&self) -> f64 {
        self.average(Ratio::Recall, Average::Macro, f64::NAN)
    }

    /// The correlation of chosen and true classes, from −1 to 1: `(s N − Σ n_c m_c) / √((N² − Σ n_c²)(N² − Σ m_c²))` with
    /// `s = Σ tp_c`; 0 where the denominator is.
    ///
    /// Matthews 1975; for more than two classes Gorodkin 2004.
    pub fn matthews(&self) -> f64 {
        let (total, hits) = (self.total as f64, self.over_classes(|class| self.hits(class) as f64));
        let products = self.over_classes(|class| self.labelled(class) as f64 * self.chosen_as(class) as f64);
        let true_spread = total * total - self.over_classes(|class| (self.labelled(class) as f64).powi(2));
        let chosen_spread = total * total - self.over_classes(|class| (self.chosen_as(class) as f64).powi(2));
        divided((hits * total - products, (true_spread * chosen_spread).sqrt()), 0.0)
    }

    /// Agreement beyond chance: `1 − Σ w_ij C_ij / Σ w_ij n_i m_j / N`, with `w_ij = [i ≠ j]` for `power` 0, else
    /// `|i − j|^power`; undefined where chance alone agrees always.
    ///
    /// Cohen 1960, 1968.
    pub fn cohen_kappa(&self, power: i32) -> f64 {
        let weight = |i: usize, j: usize| if i == j { 0.0 } else { (i.abs_diff(j) as f64).powi(power) };
        let (mut observed, mut expected) = (0.0, 0.0);
        let chosen_as: Vec<f64> = (0..self.classes).map(|class| self.chosen_as(class) as f64).collect();
        let total = self.total as f64;
        for i in 0..self.classes {
            let labelled = self.labelled(i) as f64;
            for (j, chosen_as) in chosen_as.iter().enumerate() {
                observed += weight(i, j) * self.counts[i * self.classes + j] as f64;
                expected += weight(i, j) * labelled * chosen_as / total;
            }
        }
        1.0 - divided((observed, expected), f64::NAN)
    }
}

fn divided((numerator, denominator): (f64, f64), empty: f64) -> f64 {
    if denominator == 0.0 { empty } else { numerator / denominator }
}
