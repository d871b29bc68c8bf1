//! A data set whose noise grows with x, so that its mean and its upper edge differ.

use lossward::data::{DataSet, DataSetRow};
use lossward::options::{Interval, OptionKind, OptionRow, Options};
use lossward::stream;

pub const FAN: DataSetRow = DataSetRow {
    name: "fan",
    summary: "drawn: y = x + spread · x · u, with x uniform in [0, 1] and u in [−1, 1]; the mean of y is x",
    source: "drawn by this program",
    licence: "generated",
    options: &[
        OptionRow {
            name: "rows",
            meaning: "of each part",
            kind: OptionKind::Whole { default: Some(500), at_least: 10 },
        },
        OptionRow::number("spread", 1.0, Interval::NOT_NEGATIVE, "of y around x, relative to x"),
    ],
    load,
};

/// A function of the options alone: every trial meets the same rows.
fn load(options: &Options) -> lossward::Result<DataSet> {
    let rows = options.whole_up_to("rows", 1_000_000)?;
    let spread = options.number("spread");
    let part = |i: u64| {
        let mut rng = stream(0, "fan", i);
        let mut uniform = || f64::from(rand_core(&mut rng)) / f64::from(u32::MAX);
        let x: Vec<f64> = (0..rows).map(|_| uniform()).collect();
        let y = x.iter().map(|x| x + spread * x * (2.0 * uniform() - 1.0)).collect();
        (x, y)
    };
    DataSet::of_values(vec!["x".into()], "y".into(), [part(0), part(1)])
}

fn rand_core(rng: &mut lossward::Rng) -> u32 {
    use lossward::rand::RngCore;
    rng.next_u32()
}
