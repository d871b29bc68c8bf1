//! Cross a frozen lake from the start to the goal without falling into a hole.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(4)`: 0 left, 1 down, 2 right, 3 up |
//! | Observation space | `Discrete(16)`, one-hot: the cell, row by row from the upper left; `Discrete(64)` on the map 8x8, and as many as there are cells on a map of your own |
//! | Reward | 1 for reaching the goal, otherwise 0 |
//! | Initial state | a start cell `S`, each equally likely |
//! | Termination | in a hole or at the goal |
//! | Truncation | `FrozenLake-v1` 100 steps, `FrozenLake8x8-v1` 200 steps, whatever the map |
//! | Solved at | a mean return of 0.7 and of 0.85 |
//!
//! # Options
//! - `map`: `"4x4"`, `"8x8"`, or rows of cells joined by `/`, such as `"SFF/FHF/FFG"`, all of one length, with at least one `S` and
//!   one `G`. `S` is a start, `F` frozen, `H` a hole, `G` the goal.
//! - `is_slippery`: whether the ice may carry you to the side.
//! - `success_rate`: on slippery ice, how likely you go where you meant to; without `is_slippery` it does nothing.
//!
//! # Dynamics
//! On slippery ice with success rate `p` the direction is the intended one with probability `p` and each of the two at a right
//! angle to it with probability `(1 − p) / 2`; never the opposite one. A step over the edge leaves you where you are. The two maps:
//!
//! ```text
//! SFFF    SFFFFFFF
//! FHFH    FFFFFFFF
//! FFFH    FFFHFFFF
//! HFFG    FFFFFHFF
//!         FFFHFFFF
//!         FHHFFFHF
//!         FHFFHFHF
//!         FFFHFFFG
//! ```
//!
//! # Source
//! Gymnasium's `FrozenLake-v1` and `FrozenLake8x8-v1`, whose transition tables these are. On slippery ice the best policies reach the
//! goal within the time limit with probability 0.744 (4x4) and 0.913 (8x8).

use super::dynamic_programming::best_expected_return;
use super::grid::{Direction, Grid};
use super::table::{TabularEnv, Transition, TransitionTable, World};
use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};
use crate::{BestReturn, Ink, Scene, Space, Spec};

const MAPS: &[(&str, &str)] = &[
    ("4x4", "SFFF/FHFH/FFFH/HFFG"),
    ("8x8", "SFFFFFFF/FFFFFFFF/FFFHFFFF/FFFFFHFF/FFFHFFFF/FHHFFFHF/FHFFHFHF/FFFHFFFG"),
];
const DIRECTIONS: [Direction; 4] = [Direction::Left, Direction::Down, Direction::Right, Direction::Up];

pub const SPEC: Spec = Spec {
    id: "FrozenLake-v1",
    summary: "cross slippery ice between holes; 1 at the goal, at most 100 steps (Gymnasium)",
    source: include_str!("frozen_lake.rs"),
    observations: Space::Discrete(16),
    actions: Space::Discrete(4),
    max_steps: Some(100),
    reward_threshold: Some(0.7),
    best_return: Some(BestReturn {
        found: "by dynamic programming",
        expected: |options, max_steps| best_expected_return(&world(options).ok()?.table, max_steps),
    }),
    options: &options("4x4"),
    make: |options, rngs| Ok(TabularEnv::copies(&SPEC, world(options)?, rngs)),
};

pub const SPEC_8X8: Spec = Spec {
    id: "FrozenLake8x8-v1",
    summary: "cross slippery ice between holes on a larger lake; 1 at the goal, at most 200 steps (Gymnasium)",
    source: include_str!("frozen_lake.rs"),
    observations: Space::Discrete(64),
    max_steps: Some(200),
    reward_threshold: Some(0.85),
    options: &options("8x8"),
    make: |options, rngs| Ok(TabularEnv::copies(&SPEC_8X8, world(options)?, rngs)),
    ..SPEC
};

const fn options(map: &'static str) -> [OptionRow; 3] {
    [
        OptionRow {
            name: "map",
            meaning: "4x4, 8x8, or rows of S (start), F (frozen), H (hole), G (goal) joined by /: SFF/FHF/FFG",
            kind: OptionKind::Text { default: map },
        },
        OptionRow {
            name: "is_slippery",
            meaning: "whether the ice may carry you to the side",
            kind: OptionKind::Flag { default: true },
        },
        OptionRow::number(
            "success_rate",
            1.0 / 3.0,
            Interval::UNIT,
            "on slippery ice, how likely you go where you meant to",
        ),
    ]
}

/// The lake with these options.
///
/// # Errors
/// When the map is none.
pub fn world(options: &Options) -> Result<World, OptionError> {
    let name = options.text("map");
    let map = MAPS.iter().find(|(known, _)| *known == name).map_or(name, |(_, map)| map);
    let (grid, cells) = read(map).map_err(|what| {
        OptionError::new("map", format!("`map` must be 4x4, 8x8, or rows joined by /, not {name}: {what}"))
    })?;
    let success = options.flag("is_slippery").then(|| options.number("success_rate"));
    let table = table(grid, &cells, success);
    Ok(World { table, masks_actions: false, scene: Box::new(move |state| scene(grid, &cells, state)) })
}

/// The cells of a map, row by row.
fn read(map: &str) -> Result<(Grid, Vec<u8>), String> {
    let rows: Vec<&[u8]> = map.split('/').map(str::as_bytes).collect();
    let columns = rows[0].len();
    if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.is_empty() || row.len() != columns) {
        return Err(format!("row {} has {} cells, row 1 has {columns}", i + 1, row.len()));
    }
    let cells = rows.concat();
    if let Some(other) = map.chars().find(|letter| !"SFHG/".contains(*letter)) {
        return Err(format!("`{other}` is none of S, F, H, G"));
    }
    if let Some(missing) = [b'S', b'G'].iter().find(|letter| !cells.contains(letter)) {
        return Err(format!("it has no {}", char::from(*missing)));
    }
    Ok((Grid { rows: rows.len() as u32, columns: columns as u32 }, cells))
}

/// With the probability of going where one meant to, if the ice is slippery.
fn table(grid: Grid, cells: &[u8], success: Option<f64>) -> TransitionTable {
    let starts: Vec<u32> = (0..cells.len() as u32).filter(|cell| cells[*cell as usize] == b'S').collect();
    let each = 1.0 / starts.len() as f64;
    let starts = starts.into_iter().map(|cell| (cell, each)).collect();
    let is_end = |cell: u32| matches!(cells[cell as usize], b'H' | b'G');
    TransitionTable::new((cells.len(), 4), starts, |cell, action| {
        if is_end(cell) {
            return vec![Transition::certain(cell, 0.0, true)];
        }
        let go = |turn: u32, probability| {
            let next_state = grid.neighbor(cell, DIRECTIONS[((action + turn) % 4) as usize]);
            let reward = f64::from(u8::from(cells[next_state as usize] == b'G'));
            Transition { probability, next_state, reward, terminated: is_end(next_state) }
        };
        match success {
            None => vec![go(0, 1.0)],
            Some(success) => {
                let aside = (1.0 - success) / 2.0;
                vec![go(3, aside), go(0, success), go(1, aside)]
            }
        }
    })
}

fn scene(grid: Grid, cells: &[u8], state: u32) -> Scene {
    let ink = |cell: u32| match cells[cell as usize] {
        b'S' => Some(Ink::Quiet),
        b'H' => Some(Ink::Danger),
        b'G' => Some(Ink::Goal),
        _ => None,
    };
    grid.scene(ink, state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Vectorized, stream};

    fn make(toml: &str) -> Result<Box<dyn Vectorized>, String> {
        let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).map_err(|e| e.to_string())?;
        (SPEC.make)(&options, vec![stream(0, "env", 0)]).map_err(|e| e.to_string())
    }

    #[test]
    fn a_map_of_your_own_has_a_state_per_cell() {
        let env = make("map = \"FSF/FHG\"\nsuccess_rate = 0.9").unwrap();
        assert_eq!(env.observations(), Space::Discrete(6));
        assert_eq!(env.steps().observations, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    /// The shortest way over the lake is 6 steps, over a row of four 3; each slippery one succeeds with `p` where the sides are walls.
    #[test]
    fn a_time_limit_that_is_too_short_lowers_the_best_return() {
        let best = |toml: &str, limit| {
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
            SPEC.best_expected_return(&options, limit)
        };
        let dry = "is_slippery = false";
        assert_eq!([Some(5), Some(6), None].map(|limit| best(dry, limit)), [Some(0.0), Some(1.0), Some(1.0)]);
        let slippery = [5, 6, 20, 100, 1000].map(|limit| best("", Some(limit)).unwrap());
        assert!(slippery[0] == 0.0 && slippery.is_sorted_by(|a, b| a < b), "{slippery:?}");
        // Without a limit, from the start of the smaller map: 14/17.
        assert!((best("", None).unwrap() - 14.0 / 17.0).abs() < 1e-12 && slippery[4] < 14.0 / 17.0);
        let row = "map = \"SFFG\"\nsuccess_rate = 0.5";
        let within = [2, 3, 4].map(|limit| best(row, Some(limit)).unwrap());
        assert_eq!(within, [0.0, 0.125, 0.125 + 3.0 / 16.0]);
        // Of two starts one is a step away and the other one two.
        assert_eq!(best("map = \"SSG\"\nis_slippery = false", Some(1)), Some(0.5));
        assert_eq!(best("map = \"SX\"", None), None, "it is no map");
    }

    #[test]
    fn what_is_no_map_is_told() {
        for (map, message) in [
            ("5x5", "`map` must be 4x4, 8x8, or rows joined by /, not 5x5: `5` is none of S, F, H, G"),
            ("SF/G", "row 2 has 1 cells, row 1 has 2"),
            ("", "row 1 has 0 cells"),
            ("FF/FG", "it has no S"),
            ("SF/FF", "it has no G"),
        ] {
            let error = make(&format!("map = \"{map}\"")).err().unwrap();
            assert!(error.contains(message), "{map}: {error}");
        }
        assert!(make("success_rate = 1.5").err().unwrap().contains("a number in [0, 1], not 1.5"));
    }
}
