//! What the columns of a record are called where people look; in files they keep their names.

use crate::experiment::Arm;
use crate::metric;
use crate::objective::ROUNDS;
use crate::record::COUNTERS;
use crate::task::Count;

/// The name of a column for people.
pub fn label(column: &str) -> String {
    match column {
        "loss" => "training loss".into(),
        "reward" => "expected reward, held out".into(),
        "entropy" => "policy entropy (nats)".into(),
        "return" => "episode return, sampled actions".into(),
        "deterministic_return" => "episode return, most likely actions".into(),
        "training_return" => "episode return while training".into(),
        // Of a critic's values.
        "explained_variance" => "explained variance".into(),
        "proxy" => "proxy reward, held out".into(),
        "root_kl_to_start" => "√KL from the start, held out".into(),
        "labels" => "labels seen".into(),
        "rewards" => "rewards seen".into(),
        "operations" => "floating-point operations".into(),
        "l1" => "L1 penalty".into(),
        "l2" => "L2 penalty".into(),
        other => match (other.strip_prefix("train_"), other.strip_prefix("gap_"), metric::of_column(other)) {
            (Some(judged), ..) => format!("{}, training examples", metric_name(judged)),
            (_, Some(judged), _) => format!("{}, training ahead of held out", metric_name(judged)),
            (_, _, Some(_)) => match metric::further(other) {
                Some((part, judged)) => format!("{}, {}", metric_name(judged), part.replace('_', " ")),
                None => format!("{}, held out", metric_name(other)),
            },
            _ => other.replace('_', " "),
        },
    }
}

/// Whether a column only ever rises, as a count of what was done so far.
pub(super) fn is_counter(column: &str) -> bool {
    let all = COUNTERS.into_iter().chain(Count::ALL.map(Count::column));
    all.chain(ROUNDS.iter().copied()).any(|counter| counter == column)
}

/// The same as the head of a narrow column: `F1 of class 1`, `training accuracy`.
pub(super) fn short_label(column: &str) -> String {
    match (column.strip_prefix("train_"), column.strip_prefix("gap_"), metric::of_column(column)) {
        (Some(judged), ..) => format!("training {}", metric_name(judged)),
        (_, Some(judged), _) => format!("gap of {}", metric_name(judged)),
        // A critic's values have a column of this name, too.
        (_, _, Some(_)) if column != "explained_variance" => match metric::further(column) {
            Some((part, judged)) => format!("{}, {}", metric_name(judged), part.replace('_', " ")),
            None => metric_name(column),
        },
        _ => column.replace('_', " "),
    }
}

/// The name of a horizontal axis: what `examples` count depends on who learns from what.
pub(super) fn axis_label<'a>(column: &str, arms: impl Iterator<Item = &'a Arm>) -> String {
    if column != "examples" {
        return label(column);
    }
    let mut counted: Vec<&str> = arms.map(|arm| arm.objective.kind().examples(arm.task.env.is_some())).collect();
    counted.dedup();
    match counted[..] {
        [only] => only.into(),
        _ => "examples".into(),
    }
}

/// `f1(average=macro)`, `top_k(k=3)` or `f1(average=none)[2]` in words.
fn metric_name(column: &str) -> String {
    let (name, rest) = column.split_at(column.find(['(', '[']).unwrap_or(column.len()));
    let (options, index) = match rest.rfind(')') {
        Some(end) => (&rest[1..end], &rest[end + 1..]),
        None => ("", rest),
    };
    let options = options_of(options);
    let given = |wanted: &str| options.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let class = Some(index.trim_matches(['[', ']'])).filter(|class| !class.is_empty()).or(given("positive"));
    let mut words = match name {
        "top_k" => format!("top-{} accuracy", given("k").unwrap_or("5")),
        "f_beta" => format!("F{}", given("beta").unwrap_or("1")),
        _ => base_name(name),
    };
    if let Some(class) = class {
        words += &format!(" of class {class}");
    }
    for (name, value) in &options {
        let phrase = match (name.as_str(), value.as_str()) {
            ("k" | "beta" | "positive", _) | ("average", "none") if class.is_some() || name != "average" => continue,
            ("average", "none") => "per class".into(),
            ("average", how) => format!("{how} average"),
            ("weights", "none") => "unweighted".into(),
            ("weights", how) => format!("{how} weights"),
            ("absent", "one") => "absent counts 1".into(),
            ("absent", "zero") => "absent counts 0".into(),
            ("absent", how) => format!("absent {}", how.replace('_', " ")),
            ("zero_division", how) => format!("0/0 counts as {how}"),
            ("multi_class", how) => how.replace('_', " "),
            (name, "true") => name.replace('_', " "),
            (name, "false") => format!("not {}", name.replace('_', " ")),
            (name, value) => format!("{} {}", name.replace('_', " "), value.replace('_', " ")),
        };
        words += &format!(", {phrase}");
    }
    words
}

fn base_name(name: &str) -> String {
    match name {
        "f1" => "F1",
        "matthews" => "Matthews correlation",
        "cohen_kappa" => "Cohen’s kappa",
        "cross_entropy" => "cross-entropy (nats)",
        "log_loss" => "log loss (nats)",
        "brier" => "Brier score",
        "roc_auc" => "ROC AUC",
        "roc_curve" => "ROC curve",
        "pr_curve" => "precision-recall curve",
        "r2" => "R²",
        "mse" => "mean squared error",
        "rmse" => "root mean squared error",
        "mae" => "mean absolute error",
        "mape" => "mean absolute percentage error",
        "max_error" => "largest error",
        "map" => "mAP",
        "map_50" => "mAP at IoU 0.5",
        "map_75" => "mAP at IoU 0.75",
        "ap_per_class" => "average precision per class",
        "box_f1" => "F1 of boxes",
        "box_precision" => "precision of boxes",
        "box_recall" => "recall of boxes",
        "box_pr_curve" => "precision-recall curve of boxes",
        "dice" => "Dice",
        "mean_iou" => "mean IoU",
        "lesion_f1" => "lesion F1",
        "hausdorff" => "Hausdorff distance",
        "hausdorff_95" => "95 % Hausdorff distance",
        other => return other.replace('_', " "),
    }
    .into()
}

/// `average=macro costs=[[0 1] [5 0]]` as pairs.
fn options_of(text: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        match (part.split_once('='), options.last_mut()) {
            (Some((name, value)), _) => options.push((name.into(), value.into())),
            (None, Some((_, value))) => *value += &format!(" {part}"),
            (None, None) => {}
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Named, OptionKind, OptionValue};

    #[test]
    fn metrics_are_named_in_words() {
        for (column, words) in [
            ("f1(positive=1)", "F1 of class 1"),
            ("f1(average=none)[2]", "F1 of class 2"),
            ("f1(average=macro)", "F1, macro average"),
            ("f_beta(beta=0.5)", "F0.5"),
            ("dice(absent=one per_image=true positive=1)", "Dice of class 1, absent counts 1, per image"),
            ("top_k(k=3)", "top-3 accuracy"),
            ("top_k", "top-5 accuracy"),
            ("train_accuracy", "training accuracy"),
            ("out_of_domain_map_50", "mAP at IoU 0.5, out of domain"),
            ("r2", "R²"),
            ("deterministic_return", "deterministic return"),
            ("cost(costs=[[0 1] [5 0]])", "cost, costs [[0 1] [5 0]]"),
        ] {
            assert_eq!(short_label(column), words);
        }
        assert_eq!(label("f1(positive=1)"), "F1 of class 1, held out");
        assert_eq!(label("train_f1(positive=1)"), "F1 of class 1, training examples");
    }

    /// Every metric with every option at some value: no signs of a program are left.
    #[test]
    fn every_metric_with_every_option_has_words() {
        for metric in metric::all() {
            let mut labels = vec![metric.name.to_string()];
            for option in metric.options {
                let values: Vec<OptionValue> = match &option.kind {
                    OptionKind::Choice(choices) => {
                        choices.iter().map(|choice| OptionValue::Text(choice.to_string())).collect()
                    }
                    OptionKind::Flag { .. } => [true, false].map(OptionValue::Flag).to_vec(),
                    OptionKind::Whole { .. } => vec![OptionValue::Whole(2)],
                    OptionKind::Number { .. } | OptionKind::OptionalNumber(_) | OptionKind::RequiredNumber(_) => {
                        vec![OptionValue::Number(0.5)]
                    }
                    _ => vec![option.kind.default_value().unwrap_or(OptionValue::Text("some_text".into()))],
                };
                let named =
                    |value| Named { name: metric.name.into(), options: [(option.name.to_string(), value)].into() };
                labels.extend(values.into_iter().map(|value| named(value).label()));
            }
            for column in labels {
                for words in [short_label(&column), label(&column), short_label(&format!("train_{column}"))] {
                    assert!(!words.replace("(nats)", "").contains(['_', '=', '(', ')']), "{column}: {words}");
                }
            }
        }
    }
}
