//! What is drawn, and what counts as learned.

use super::names::MOST_NAME;
use crate::checks::{Check, fail, require};
use crate::experiment::{Arm, Experiment, Plot, slug};

/// Drawn where nothing is said: what is known of every experiment, and all that is asked for.
pub(super) fn usual(arms: &[Arm], columns: &[String]) -> Plot {
    let usual = ["loss", "reward", "return", "accuracy", "r2", "entropy"].map(String::from);
    let mut y: Vec<String> = usual.into_iter().filter(|name| columns.contains(name)).collect();
    let asked = columns.iter().filter(|column| arms.iter().any(|arm| arm.evaluation.asks_for(column)));
    super::add_new(&mut y, asked.cloned().collect());
    Plot { name: crate::experiment::curves(), x: crate::experiment::examples(), y, log: None, range: None, arms: None }
}

/// Whether everything that is drawn is one of these columns, and every figure has a file of its own.
pub(super) fn check(experiment: &Experiment, columns: &[String]) -> Check {
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for (i, plot) in experiment.plots.iter().enumerate() {
        let here = |error: crate::Error| error.under(&format!("plot.{i}"));
        check_axes(plot, &columns).map_err(here)?;
        check_arms(plot, &experiment.arms).map_err(here)?;
        check_name(plot, &experiment.arms).map_err(here)?;
        let repeated = experiment.plots[..i].iter().any(|other| slug(&other.name) == slug(&plot.name));
        let message = "two plots have the same `name`; without one it is \"curves\"";
        require(!repeated, &format!("plot.{i}"), message)?;
    }
    match &experiment.threshold {
        Some(threshold) => {
            require(threshold.value.is_finite(), "threshold.value", "the `value` of a threshold must be finite")?;
            known(&columns, "threshold.metric", &threshold.metric)
        }
        None => Ok(()),
    }
}

fn known(columns: &[&str], path: &str, name: &str) -> Check {
    match columns.contains(&name) {
        true => Ok(()),
        false => fail(path, crate::error::unknown("column of the record", name, columns)),
    }
}

fn check_axes(plot: &Plot, columns: &[&str]) -> Check {
    known(columns, "x", &plot.x)?;
    plot.y.iter().try_for_each(|name| known(columns, "y", name))?;
    require(!plot.y.is_empty(), "y", "`y` of a plot is empty")?;
    let drawn: Vec<&str> = plot.y.iter().map(String::as_str).collect();
    let logarithmic = plot.log.iter().flatten();
    let ranged = plot.range.iter().flat_map(|range| range.keys());
    for (key, name) in logarithmic.clone().map(|name| ("log", name)).chain(ranged.map(|name| ("range", name))) {
        if !plot.y.contains(name) {
            return fail(key, crate::error::unknown("column of `y`", name, &drawn));
        }
    }
    plot.range.iter().flatten().try_for_each(|(name, [low, high])| {
        let positive = !logarithmic.clone().any(|log| log == name) || *low > 0.0;
        let holds = low.is_finite() && high.is_finite() && low < high && positive;
        let message = "a `range` is [low, high], finite, low below high, and on a logarithmic axis both positive";
        require(holds, "range", message)
    })
}

fn check_arms(plot: &Plot, arms: &[Arm]) -> Check {
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    if let Some(name) = plot.arms.iter().flatten().find(|name| !names.contains(&name.as_str())) {
        return fail("arms", crate::error::unknown("arm", name, &names));
    }
    let none = plot.arms.as_ref().is_some_and(Vec::is_empty);
    require(!none, "arms", "`arms` of a plot is empty; leave it out to draw all of them")
}

fn check_name(plot: &Plot, arms: &[Arm]) -> Check {
    let file = slug(&plot.name);
    require(!file.is_empty(), "name", "the `name` of a plot needs letters or digits")?;
    let message = format!("a plot's `name` becomes a file; the most is {MOST_NAME} bytes");
    require(file.len() <= MOST_NAME, "name", &message)?;
    require(file != "predictions", "name", "predictions on held-out images have this `name`")?;
    let of_microscope = arms.iter().any(|arm| arm.microscope.is_some()) && file.starts_with("microscope");
    require(!of_microscope, "name", "the figures of a microscope have names that begin like this `name`")?;
    let metrics = arms.iter().flat_map(|arm| &arm.evaluation.metrics);
    let taken = metrics.map(|metric| slug(&metric.label())).any(|name| name == file);
    require(!taken, "name", "a metric has this `name`, and its figure would take the place of the plot")
}
