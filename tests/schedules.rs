//! The table of schedules, row by row: what files may say, and what the curves look like.

#![allow(clippy::unwrap_used)]

use lossward::optimizer::{SCHEDULES, Schedule, ScheduleRow};
use lossward::options::OptionKind;

fn parse(table: toml::Table) -> Result<Schedule, String> {
    toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| error.message().to_string())
}

/// The row's schedule with a value for everything that it requires.
fn example(row: &ScheduleRow) -> toml::Table {
    let mut table = toml::Table::new();
    table.insert("schedule".into(), row.name.into());
    for option in row.options.iter().filter(|option| option.kind.is_required()) {
        let value: toml::Value = match option.name {
            "from" => 0.1.into(),
            "to" => 0.01.into(),
            "peak" => 0.2.into(),
            "factor" => 0.5.into(),
            "every" | "period" | "warmup" => 0.25.into(),
            "at" => vec![0.25, 0.5].into(),
            other => panic!("no example of `{other}`"),
        };
        table.insert(option.name.into(), value);
    }
    table
}

fn with(row: &ScheduleRow, key: &str, value: impl Into<toml::Value>) -> Result<Schedule, String> {
    let mut table = example(row);
    table.insert(key.into(), value.into());
    parse(table)
}

/// Curves of one row that use its options.
fn variants(row: &ScheduleRow) -> Vec<Schedule> {
    let mut variants = vec![parse(example(row)).unwrap()];
    for option in row.options {
        variants.extend(match option.name {
            "until" => with(row, "until", 0.8).ok(),
            "growth" => with(row, "growth", 2).ok(),
            "power" => with(row, "power", 2.5).ok(),
            "three_phase" => with(row, "three_phase", true).ok(),
            "shape" => with(row, "shape", "linear").ok(),
            "factor" if row.name != "plateau" => with(row, "factor", 3.0).ok(),
            _ => None,
        });
    }
    variants
}

#[test]
fn every_schedule_is_written_as_it_is_read() {
    for schedule in SCHEDULES.iter().flat_map(variants).chain([Schedule::Constant(0.5)]) {
        let written = toml::Value::try_from(&schedule).unwrap();
        assert_eq!(written.clone().try_into(), Ok(schedule), "{written}");
    }
}

#[test]
fn every_option_has_its_default_and_its_range_and_what_is_required_is_asked_for() {
    for row in SCHEDULES {
        for option in row.options {
            match option.kind.default_value() {
                Some(default) => {
                    let default = toml::Value::try_from(default).unwrap();
                    assert_eq!(with(row, option.name, default), parse(example(row)), "{}", row.name);
                }
                None => {
                    let mut table = example(row);
                    table.remove(option.name);
                    let message = parse(table).unwrap_err();
                    let expected = format!("`{}` of the schedule {} must be given", option.name, row.name);
                    assert!(message.contains(&expected), "{message}");
                }
            }
            let wrong: &[toml::Value] = match option.kind {
                OptionKind::Shares => &[toml::Value::Array(vec![]), 1.5.into()],
                OptionKind::Flag { .. } | OptionKind::Choice(_) => &["neither".into()],
                _ => &[(-1).into(), (-0.1).into(), f64::NAN.into(), f64::INFINITY.into(), "0.5".into()],
            };
            for value in wrong {
                let message = with(row, option.name, value.clone()).unwrap_err();
                let expected = format!("`{}` of the schedule {} must be {}", option.name, row.name, option.kind);
                assert!(message.contains(&expected), "{message}");
            }
        }
    }
}

#[test]
fn an_unknown_key_or_name_is_answered_with_the_nearest() {
    for row in SCHEDULES {
        let message = with(row, "form", 1.0).unwrap_err();
        assert!(message.contains("did you mean `from`"), "{message}");
        let mut table = example(row);
        table.insert("schedule".into(), format!("{}s", row.name).into());
        let message = parse(table).unwrap_err();
        assert!(message.contains(&format!("did you mean `{}`", row.name)), "{message}");
    }
}

/// A curve on a fine grid.
fn grid(schedule: &Schedule) -> Vec<f64> {
    (0..=10_000).map(|i| schedule.at(f64::from(i) / 10_000.0)).collect()
}

#[test]
fn every_curve_begins_and_ends_where_it_says_and_stays_within_its_bounds() {
    for schedule in SCHEDULES.iter().flat_map(variants) {
        let written = toml::Table::try_from(&schedule).unwrap();
        let number = |key: &str| written.get(key).and_then(toml::Value::as_float);
        assert_eq!(schedule.at(0.0), number("from").unwrap(), "{written}");
        assert_eq!([schedule.at(-1.0), schedule.at(2.0)], [schedule.at(0.0), schedule.at(1.0)]);
        let ends_at_to = !matches!(schedule, Schedule::Plateau { .. } | Schedule::CosineRestarts { .. });
        if let Some(to) = number("to").filter(|_| ends_at_to) {
            for t in [number("until").unwrap_or(1.0), 1.0] {
                assert!((schedule.at(t) - to).abs() < 1e-15, "{} is not {to}: {written}", schedule.at(t));
            }
        }
        let [smallest, largest] = schedule.bounds();
        let hair = 1e-15;
        assert!(grid(&schedule).iter().all(|y| smallest - hair <= *y && *y <= largest + hair), "{written}");
    }
}

#[test]
fn curves_without_steps_are_continuous_and_those_without_peaks_fall() {
    for schedule in SCHEDULES.iter().flat_map(variants) {
        let steps: Vec<f64> = grid(&schedule).windows(2).map(|pair| pair[1] - pair[0]).collect();
        let jumps = steps.iter().filter(|step| step.abs() > 1e-3).count();
        let rises = steps.iter().any(|step| *step > 1e-15);
        let (expected_jumps, may_rise) = match schedule {
            Schedule::Step { factor, .. } => (4, factor > 1.0),
            Schedule::Multistep { factor, .. } => (2, factor > 1.0),
            // Of periods of 1/4, and of 1/4 and 1/2.
            Schedule::CosineRestarts { growth, .. } => (if growth == 1.0 { 4 } else { 2 }, true),
            Schedule::OneCycle { .. } | Schedule::WarmupCosine { .. } => (0, true),
            _ => (0, false),
        };
        assert_eq!((jumps, rises), (expected_jumps, may_rise), "{schedule:?}");
    }
}

/// Shares of a budget are rounded; where a curve jumps is counted in whole updates.
#[test]
fn jumps_come_at_the_very_update() {
    for budget in 1..=150 {
        let share = |updates: u32| f64::from(updates) / f64::from(budget);
        for length in 1..=budget {
            let step = Schedule::Step { from: 1.0, factor: 0.5, every: share(length) };
            let at = (1..=budget / length).map(|i| share(i * length)).collect();
            let multistep = Schedule::Multistep { from: 1.0, factor: 0.5, at };
            let restarts = |growth| Schedule::CosineRestarts { from: 1.0, to: 0.0, period: share(length), growth };
            let (even, growing) = (restarts(1.0), restarts(2.0));
            let (mut start, mut period) = (0, length);
            for update in 0..=budget {
                let expected = 0.5_f64.powi((update / length) as i32);
                assert_eq!([step.at(share(update)), multistep.at(share(update))], [expected; 2]);
                let cosine = |share: f64| (1.0 + (std::f64::consts::PI * share).cos()) / 2.0;
                let expected = cosine(f64::from(update % length) / f64::from(length));
                assert!((even.at(share(update)) - expected).abs() < 1e-9, "{update} of {budget}, every {length}");
                if update == start + period {
                    (start, period) = (update, 2 * period);
                }
                let expected = cosine(f64::from(update - start) / f64::from(period));
                assert!((growing.at(share(update)) - expected).abs() < 1e-9, "{update} of {budget}, first {length}");
            }
        }
    }
}
