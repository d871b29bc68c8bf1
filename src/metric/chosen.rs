//! The metrics of chosen classes against labels, with their options.

use super::{Average, Confusion, DrawnAs, Empty, Judge, Metric, Ratio, Value};
use crate::options::{Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result};

/// A ratio as the options of its row ask for it.
pub(super) fn averaged(confusion: &Confusion, ratio: Ratio, options: &Options, empty: Empty) -> Result<Value> {
    if let Some(class) = positive(options, confusion.classes())? {
        return Ok(Value::Number(confusion.ratio(ratio, class, empty)));
    }
    Ok(match options.choice("average") {
        "micro" => Value::Number(confusion.average(ratio, Average::Micro, empty)),
        "weighted" => Value::Number(confusion.average(ratio, Average::Weighted, empty)),
        "none" => Value::per_class(confusion.per_class(ratio, empty)),
        _ => Value::Number(confusion.average(ratio, Average::Macro, empty)),
    })
}

/// The class that the option `positive` names, if it names one.
pub(super) fn positive(options: &Options, classes: usize) -> Result<Option<usize>> {
    let Some(class) = options.whole("positive") else { return Ok(None) };
    let known = usize::try_from(class).ok().filter(|class| *class < classes);
    let last = classes.saturating_sub(1);
    known.map(Some).ok_or_else(|| Error::Argument(format!("`positive` is {class}; the classes are 0 to {last}")))
}

/// What the option `absent` says; NaN for undefined.
pub(super) fn absent(options: &Options) -> f64 {
    match options.choice("absent") {
        "one" => 1.0,
        "zero" => 0.0,
        _ => f64::NAN,
    }
}

fn over_what_occurs(confusion: &Confusion, ratio: Ratio, options: &Options) -> Result<Value> {
    let (absent, zero_division) = (absent(options), options.number("zero_division"));
    // One class that was asked for by number is reported, as scikit-learn does.
    let alone = options.whole("positive").is_some() && absent.is_nan();
    let absent = if alone { zero_division } else { absent };
    averaged(confusion, ratio, options, Empty { absent, zero_division, without_label: None })
}

pub(super) const AVERAGE: OptionRow = OptionRow {
    name: "average",
    meaning: "over classes: the mean, the ratio of sums, the mean weighted by examples, or no average",
    kind: OptionKind::Choice(&["macro", "micro", "weighted", "none"]),
};
pub(super) const POSITIVE: OptionRow = OptionRow {
    name: "positive",
    meaning: "of this class alone, whatever `average` says",
    kind: OptionKind::Whole { default: None, at_least: 0 },
};
pub(super) const ABSENT: OptionRow = OptionRow {
    name: "absent",
    meaning: "what a class absent from truth and prediction counts as; an undefined one is left out of means",
    kind: OptionKind::Choice(&["undefined", "one", "zero"]),
};
const ZERO_DIVISION: OptionRow = OptionRow {
    name: "zero_division",
    meaning: "what 0 / 0 counts as for a class that occurs, and for `positive`",
    kind: OptionKind::Number { default: 0.0, range: Interval::UNIT },
};
const BETA: OptionRow = OptionRow {
    name: "beta",
    meaning: "recall counts beta times as much as precision",
    kind: OptionKind::Number { default: 2.0, range: Interval::POSITIVE },
};

/// What the rows of this file have in common.
const ROW: Metric = Metric {
    name: "",
    formula: "",
    summary: "",
    source: "scikit-learn precision_recall_fscore_support",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: &[AVERAGE, ABSENT, ZERO_DIVISION, POSITIVE],
    judge: Judge::Chosen(|_, _| Ok(Value::Number(f64::NAN))),
    reward: None,
};

pub(super) const ACCURACY: Metric = Metric {
    name: "accuracy",
    formula: "mean of [argmax z = y]",
    summary: "share of examples whose most likely class is the label; as a reward: 1 for the right class, else 0",
    source: "scikit-learn accuracy_score",
    options: &[],
    judge: Judge::Chosen(|confusion, _| Ok(Value::Number(confusion.accuracy()))),
    reward: Some(|prediction, target, _| f64::from(u8::from(prediction == target))),
    ..ROW
};

/// What choosing `chosen` for `label` costs.
fn cost(chosen: usize, label: usize, options: &Options) -> f64 {
    match options.rows("costs") {
        Some(costs) => costs[label][chosen],
        None => f64::from(u8::from(chosen != label)),
    }
}

pub(super) const COST: Metric = Metric {
    name: "cost",
    formula: "mean of C[y, argmax z]",
    summary: "what the chosen classes cost, by a cost matrix; as a reward: minus that",
    source: "Elkan 2001, The foundations of cost-sensitive learning",
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    drawn: None,
    options: &[OptionRow {
        name: "costs",
        meaning: "C: a row per true class, a column per chosen one; without it, 1 for a wrong class and 0 for the right one",
        kind: OptionKind::SquareMatrix(Interval::NOT_NEGATIVE),
    }],
    judge: Judge::Chosen(|confusion, options| {
        options.check_classes(confusion.classes())?;
        Ok(Value::Number(confusion.mean(|label, chosen| cost(chosen, label, options))))
    }),
    reward: Some(|prediction, target, options| -cost(prediction as usize, target as usize, options)),
};

pub(super) const PRECISION: Metric = Metric {
    name: "precision",
    formula: "tp / (tp + fp) per class, averaged over the classes that occur",
    summary: "share of what was chosen as a class that is of it",
    judge: Judge::Chosen(|confusion, options| over_what_occurs(confusion, Ratio::Precision, options)),
    ..ROW
};

pub(super) const RECALL: Metric = Metric {
    name: "recall",
    formula: "tp / (tp + fn) per class, averaged over the classes that occur",
    summary: "share of a class that was chosen as such",
    judge: Judge::Chosen(|confusion, options| over_what_occurs(confusion, Ratio::Recall, options)),
    ..ROW
};

pub(super) const F1: Metric = Metric {
    name: "f1",
    formula: "2 tp / (2 tp + fp + fn) per class, averaged over the classes that occur",
    summary: "harmonic mean of precision and recall",
    judge: Judge::Chosen(|confusion, options| over_what_occurs(confusion, Ratio::FBeta(1.0), options)),
    ..ROW
};

pub(super) const F_BETA: Metric = Metric {
    name: "f_beta",
    formula: "(1 + β²) tp / ((1 + β²) tp + fp + β² fn) per class, averaged over the classes that occur",
    summary: "weighted harmonic mean of precision and recall",
    source: "van Rijsbergen 1979; scikit-learn fbeta_score",
    options: &[BETA, AVERAGE, ABSENT, ZERO_DIVISION, POSITIVE],
    judge: Judge::Chosen(|confusion, options| {
        over_what_occurs(confusion, Ratio::FBeta(options.number("beta")), options)
    }),
    ..ROW
};

pub(super) const BALANCED_ACCURACY: Metric = Metric {
    name: "balanced_accuracy",
    formula: "mean recall over the classes among the labels",
    summary: "accuracy as if every class had equally many examples",
    source: "Brodersen et al. 2010; scikit-learn balanced_accuracy_score",
    options: &[],
    judge: Judge::Chosen(|confusion, _| Ok(Value::Number(confusion.balanced_accuracy()))),
    ..ROW
};

pub(super) const MATTHEWS: Metric = Metric {
    name: "matthews",
    formula: "(Σ tp N − Σ n m) / √((N² − Σ n²)(N² − Σ m²))",
    summary: "correlation of chosen and true classes, n of a class and m chosen as it; 0 where either never varies",
    source: "Matthews 1975; Gorodkin 2004; scikit-learn matthews_corrcoef",
    range: (-1.0, 1.0),
    options: &[],
    judge: Judge::Chosen(|confusion, _| Ok(Value::Number(confusion.matthews()))),
    ..ROW
};

pub(super) const COHEN_KAPPA: Metric = Metric {
    name: "cohen_kappa",
    formula: "1 − Σ w C / (Σ w n m / N)",
    summary: "agreement beyond chance; undefined where chance alone always agrees",
    source: "Cohen 1960; scikit-learn cohen_kappa_score",
    range: (-1.0, 1.0),
    options: &[OptionRow {
        name: "weights",
        meaning: "how much choosing j for i counts: [i ≠ j], |i − j| or (i − j)²",
        kind: OptionKind::Choice(&["none", "linear", "quadratic"]),
    }],
    judge: Judge::Chosen(|confusion, options| {
        let power = match options.choice("weights") {
            "linear" => 1,
            "quadratic" => 2,
            _ => 0,
        };
        Ok(Value::Number(confusion.cohen_kappa(power)))
    }),
    ..ROW
};

pub(super) const CONFUSION_MATRIX: Metric = Metric {
    name: "confusion_matrix",
    formula: "C_ij = number of examples of class i chosen as j",
    summary: "counts, true classes down and chosen ones across",
    source: "scikit-learn confusion_matrix",
    range: (0.0, f64::INFINITY),
    higher_is_better: None,
    drawn: Some(DrawnAs::ConfusionMatrix),
    options: &[],
    judge: Judge::Chosen(|confusion, _| Ok(Value::Counts(confusion.rows()))),
    ..ROW
};
