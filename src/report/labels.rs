//! What the columns of a record are called in figures.

use crate::metric;

/// The name of a column for people.
pub fn label(column: &str) -> String {
    match column {
        "loss" => "training loss".into(),
        "reward" => "expected reward, held out".into(),
        "entropy" => "policy entropy (nats)".into(),
        "return" => "episode return, sampled actions".into(),
        "deterministic_return" => "episode return, most likely actions".into(),
        "training_return" => "episode return while training".into(),
        "l1" => "L1 penalty".into(),
        "l2" => "L2 penalty".into(),
        "examples" => "examples (labelled rows or environment steps)".into(),
        other => match (other.strip_prefix("train_"), other.strip_prefix("gap_"), metric::of_column(other)) {
            (Some(judged), ..) => format!("{}, training examples", metric_name(judged)),
            (_, Some(judged), _) => format!("{}, training ahead of held out", metric_name(judged)),
            (_, _, Some(_)) => format!("{}, held out", metric_name(other)),
            _ => other.replace('_', " "),
        },
    }
}

fn metric_name(column: &str) -> String {
    match column {
        "cross_entropy" => "cross-entropy (nats)".into(),
        "r2" => "R²".into(),
        "mse" => "mean squared error".into(),
        "rmse" => "root mean squared error".into(),
        "mae" => "mean absolute error".into(),
        other => other.replace('_', " "),
    }
}
