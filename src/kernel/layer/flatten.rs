//! Images that become vectors. No layer computes that: an image is a row of floats already.

use super::{Arriving, LayerRow, Planned};
use lossward_envs::options::{OptionKind, OptionRow, Options};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow { name: "flatten", meaning: "true", kind: OptionKind::Flag { default: true } }],
    meaning: "says that images become vectors here; dense layers do so by themselves",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    super::switched_on(options, "flatten")?;
    Ok(Planned { layer: None, shape: vec![arriving.size()] })
}
