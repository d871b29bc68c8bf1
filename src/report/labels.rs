//! What the columns of a record are called in figures.

/// The name of a column for people.
pub fn label(column: &str) -> String {
    match column {
        "loss" => "training loss".into(),
        "cross_entropy" => "cross-entropy, held out (nats)".into(),
        "accuracy" => "accuracy, held out".into(),
        "r2" => "R², held out".into(),
        "rmse" => "root mean squared error, held out".into(),
        "mae" => "mean absolute error, held out".into(),
        "reward" => "expected reward, held out".into(),
        "entropy" => "policy entropy (nats)".into(),
        "return" => "episode return, sampled actions".into(),
        "deterministic_return" => "episode return, most likely actions".into(),
        "training_return" => "episode return while training".into(),
        "l1" => "L1 penalty".into(),
        "l2" => "L2 penalty".into(),
        "examples" => "examples (labelled rows or environment steps)".into(),
        other => match (other.strip_prefix("train_"), other.strip_prefix("gap_")) {
            (Some(metric), _) => format!("{}, training examples", metric.replace('_', " ")),
            (_, Some(metric)) => format!("{}, training ahead of held out by", metric.replace('_', " ")),
            _ => other.replace('_', " "),
        },
    }
}
