//! Curves that are no columns of the rows.

use super::{Figure, Panel};
use crate::report::{ArmCurve, Report, interval};

/// What is drawn: panels that share their horizontal axis.
pub(in crate::report) struct Curves {
    x_label: String,
    logarithmic_x: bool,
    /// What the colors stand for.
    names: Vec<String>,
    pub panels: Vec<CurvesPanel>,
}

/// A title, whether the vertical axis is logarithmic, and curves with their colors.
pub(in crate::report) type CurvesPanel = (String, bool, Vec<(usize, ArmCurve)>);

impl Curves {
    /// Of the panels that have a curve.
    pub fn new(x_label: String, logarithmic_x: bool, names: Vec<String>, mut panels: Vec<CurvesPanel>) -> Self {
        panels.retain(|(_, _, curves)| !curves.is_empty());
        Curves { x_label, logarithmic_x, names, panels }
    }
}

impl Figure {
    pub(in crate::report) fn of_curves(report: &Report, of: Curves) -> Figure {
        let Curves { x_label, logarithmic_x, names, panels } = of;
        let n = |color: usize| {
            let curves = panels.iter().flat_map(|(_, _, curves)| curves).filter(|(of, _)| *of == color);
            curves.map(|(_, curve)| curve.n).max()
        };
        let legend: Vec<(String, usize)> = names
            .iter()
            .enumerate()
            .filter_map(|(color, name)| Some((format!("{name} (n = {})", n(color)?), color)))
            .collect();
        let seeds: Vec<usize> = (0..names.len()).filter_map(n).collect();
        let panel = |(title, logarithmic, curves)| Panel {
            title,
            curves,
            threshold: None,
            turns: Vec::new(),
            of_paths: false,
            logarithmic,
            logarithmic_x,
            range: None,
        };
        Figure {
            title: format!("{}: gradients", report.experiment.title),
            subtitle: format!("interquartile mean over n seeds; bands: {}", interval::in_words(seeds.into_iter())),
            x_label,
            arms: names,
            panels: panels.into_iter().map(panel).collect(),
            legend,
        }
    }
}
