//! Where arms turn from one phase to the next.

use super::Report;

/// Of the arms of these names, by their places in this order: the examples at which a phase follows another.
pub(super) fn turns<'a>(report: &Report, names: impl Iterator<Item = &'a str>) -> Vec<(usize, f64)> {
    let of = |(i, name): (usize, &str)| {
        let arm = report.experiment.arms.iter().find(|arm| arm.name == name);
        arm.map(|arm| arm.turns()).unwrap_or_default().into_iter().map(move |at| (i, at as f64)).collect::<Vec<_>>()
    };
    names.enumerate().flat_map(of).collect()
}
