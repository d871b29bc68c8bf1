//! The formulas against the code that trains, for every row.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::experiment::PRESETS;

/// The default of a row and other parameters that it takes.
fn parameters(row: &CardRow) -> Vec<String> {
    let mut texts = vec![row.name.to_string()];
    let Some(parameter) = &row.parameter else { return texts };
    let others: &[f64] = if parameter.whole { &[2.0, 3.0, 64.0] } else { &[0.0, 0.3, 1.0, 2.5] };
    texts.extend(others.iter().filter(|x| parameter.takes(**x)).map(|x| format!("{}={x}", row.name)));
    texts
}

#[test]
fn every_formula_is_what_the_code_does() {
    for row in ROWS {
        for text in parameters(row) {
            for classes in [2, 3, 10] {
                let card = Card::read(&text, classes).unwrap();
                for p in PROBABILITIES {
                    let (formula, measured) = (card.beta(p), card.measured(p).unwrap());
                    let close = (formula - measured).abs() <= 1e-6 * formula.abs().max(1.0);
                    assert!(close, "{text}, {classes} classes, p = {p}: {formula} by formula, {measured} measured");
                    let update = card.update(p).unwrap();
                    let other = Company { p, classes }.other();
                    let along = update[1..].iter().all(|slope| (slope + measured * other).abs() < 1e-6);
                    assert!(along, "{text}, {classes} classes, p = {p}: {update:?} is not along e_y − π");
                }
            }
        }
    }
}

#[test]
fn every_preset_and_all_that_is_shown_has_a_card() {
    for (preset, _) in PRESETS {
        let of_it = |row: &&CardRow| matches!(row.measured, Measured::Rewards { preset: of, .. } if of == *preset);
        assert!(ROWS.iter().any(|row| of_it(&row)), "{preset}");
    }
    let shown: Vec<&str> = ALL.iter().map(|text| Card::read(text, 10).unwrap().row.name).collect();
    for (i, row) in ROWS.iter().enumerate() {
        assert!(shown.contains(&row.name), "{}", row.name);
        let taken = |name: &str| ROWS[..i].iter().any(|other| other.name == name || other.short == Some(name));
        assert!(!taken(row.name) && !row.short.is_some_and(taken), "{} twice", row.name);
        for text in [row.formula, row.meaning] {
            assert!(!text.is_empty(), "{}", row.name);
        }
    }
}

#[test]
fn what_is_no_card_is_named() {
    for (text, parts) in [
        ("gpro", &["unknown objective `gpro`", "did you mean `grpo`?"][..]),
        ("gce=1.5", &["`gce=1.5`", "q of generalized_cross_entropy must be a number in [0, 1]"]),
        ("gce=x", &["must be a number in [0, 1]"]),
        ("gce=nan", &["must be a number in [0, 1]"]),
        ("focal=-1", &["γ of categorical_focal must be a number in [0, ∞)"]),
        ("focal=inf", &["must be a number in [0, ∞)"]),
        ("grpo=1", &["K of grpo must be a whole number in [2, 256]"]),
        ("grpo=2.5", &["a whole number"]),
        ("dft=1", &["dft has no parameter"]),
        ("", &["unknown objective ``"]),
    ] {
        let error = Card::read(text, 10).err().unwrap().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
    for name in ["ce", "pg"] {
        assert!(Card::read(name, 10).unwrap().measured(1.0).unwrap_err().to_string().contains("in (0, 1), not 1"));
    }
    assert!(Card::read("grpo", 10).unwrap().measured(0.123_456).unwrap_err().to_string().contains("no whole number"));
}
