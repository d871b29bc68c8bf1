//! Tables laid over one another.

use crate::data::FILE_KEYS;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Ways to say one thing, of which the upper table's counts.
const EITHER: &[[&str; 2]] = &[
    ["csv", "images"],
    ["labels", "masks"],
    ["labels", "boxes"],
    ["masks", "boxes"],
    ["arm", "file"],
    ["examples", "epochs"],
];

/// Keys whose value is a table under a single name, such as `loss = { huber = { delta = 0.5 } }`.
const NAMED: &[&str] = &["loss", "reward", "activation", "assignment"];

/// Lays `over` on top of `under`: tables are merged key by key, everything else is replaced. A table that is another thing than the one
/// below, such as a schedule of another name, takes its place.
pub(super) fn merge<'i>(under: &mut DeTable<'i>, over: &DeTable<'i>) {
    for [one, other] in EITHER {
        for (said, unsaid) in [(one, other), (other, one)] {
            if over.contains_key(*said) && !over.contains_key(*unsaid) {
                under.remove(*unsaid);
            }
        }
    }
    // The checksums of other files.
    if FILE_KEYS.iter().any(|key| over.contains_key(*key)) {
        under.remove("sha256");
    }
    for (key, value) in over {
        let below = under.remove(key.get_ref().as_ref()).map(Spanned::into_inner);
        let merged = match (below, value.get_ref()) {
            (Some(DeValue::Table(mut below)), DeValue::Table(above)) if !replaces(key.get_ref(), &below, above) => {
                merge(&mut below, above);
                DeValue::Table(below)
            }
            (Some(DeValue::Array(below)), DeValue::Table(above)) if key.get_ref() == "plot" => plots(&below, above),
            (_, above) => above.clone(),
        };
        under.insert(key.clone(), Spanned::new(value.span(), merged));
    }
}

/// Whether a table is another thing than the one below it.
fn replaces(key: &str, below: &DeTable, above: &DeTable) -> bool {
    let text = |of: &DeTable, key: &str| of.get(key).and_then(|value| value.get_ref().as_str().map(str::to_string));
    let differs = |key: &str| text(above, key).is_some() && text(above, key) != text(below, key);
    let source = ["csv", "images"].iter().find(|source| above.contains_key(**source));
    match key {
        "dataset" => source.is_some_and(|source| !below.contains_key(*source)),
        "objective" => {
            below.contains_key("kind") && above.contains_key("kind") && (differs("kind") || differs("preset"))
        }
        _ if NAMED.contains(&key) => above.iter().any(|(name, _)| !below.contains_key(name.get_ref().as_ref())),
        _ => differs("schedule"),
    }
}

/// The plots of a file with changes by name: `plot.curves.log = ["loss"]`.
fn plots<'i>(below: &DeArray<'i>, above: &DeTable<'i>) -> DeValue<'i> {
    let mut merged = DeArray::new();
    for plot in below.iter() {
        let mut plot = plot.clone();
        if let DeValue::Table(table) = plot.get_mut() {
            let name = table.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or("curves").to_string();
            if let Some(DeValue::Table(changes)) = above.get(name.as_str()).map(Spanned::get_ref) {
                merge(table, changes);
            }
        }
        merged.push(plot);
    }
    let is_known = |name: &str| {
        below.iter().any(|plot| {
            let named =
                plot.get_ref().as_table().and_then(|plot| plot.get("name")).and_then(|name| name.get_ref().as_str());
            named.unwrap_or("curves") == name
        })
    };
    // A name that no plot has: what stands there is no plot, and is told.
    above.iter().filter(|(name, _)| !is_known(name.get_ref())).for_each(|(_, value)| merged.push(value.clone()));
    DeValue::Array(merged)
}
