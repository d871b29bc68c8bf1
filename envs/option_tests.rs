//! Environments that were told something else than their defaults keep their promises too.

use crate::options::Options;
use crate::{RandomActions, Shape, find, stream};

const TOLD: &[(&str, &str)] = &[
    ("Lossward/BernoulliBandit-v0", "arms = 3\ninstance = 7"),
    ("Lossward/ContextualBandit-v0", "arms = 3\nfeatures = 2\ncontexts = \"clusters\"\nclusters = 1\ndeviation = 0"),
    ("Lossward/GaussianBandit-v0", "arms = 2\nspread = 0\ninstance = 7"),
    ("Lossward/GaussianBandit-v0", "arms = 3\nmeans = [-1, 0, 2.5]"),
    ("Lossward/OpenBandit-v0", ""),
    ("Lossward/Catch-v0", "rows = 2\ncolumns = 1"),
    ("Lossward/Copy-v0", "symbols = 7\nlength = 1\nvisible = true"),
    ("Lossward/DeepSea-v0", "size = 1\nmeaning = \"cell\""),
    ("Lossward/DeepSea-v0", "size = 25\nmeaning = \"fixed\""),
    ("Lossward/Lqr-v0", "axes = 3\nnoise = 0.5\ncontrol_cost = 2"),
    ("Lossward/MemoryChain-v0", "length = 1\nbits = 5"),
    ("Lossward/MemoryChain-v0", "length = 9\nbits = 2\nvisible = true"),
    ("Lossward/ShiftedGrid-v0", "shift = \"goal\"\nrandom_start = true"),
    ("Lossward/ShiftedGrid-v0", "shift = \"wind\""),
    ("Lossward/ShiftedGrid-v0", "shift = \"mirror\"\nrandom_start = true"),
];

#[test]
fn observations_stay_in_the_space_and_scenes_can_be_drawn() {
    for (id, toml) in TOLD {
        let spec = find(id).unwrap();
        let options = Options::new(id, spec.options, &toml::from_str(toml).unwrap()).unwrap();
        let streams = |name| (0..5).map(|i| stream(0, name, i)).collect();
        let mut env = (spec.make)(&options, streams("env")).unwrap();
        let mut actions = RandomActions::new(env.actions(), streams("actions"));
        for step in 0..500 {
            env.step(actions.draw(), &[]).unwrap();
            let steps = env.steps();
            assert_eq!(steps.observations.len(), 5 * env.observations().size(), "{id} {toml}");
            for observation in steps.observations.chunks(steps.features) {
                assert_eq!(env.observations().first_outside(observation), None, "{id} {toml}, step {step}");
            }
            for end in &steps.ends {
                let last = steps.last_observation(end.copy);
                assert_eq!(env.observations().first_outside(last), None, "{id} {toml}, step {step}");
            }
            let scene = env.scene(step % 5).unwrap();
            assert!(scene.width > 0.0 && scene.height > 0.0 && !scene.shapes.is_empty(), "{id} {toml}");
            for shape in &scene.shapes {
                let (x, y) = match *shape {
                    Shape::Circle { center, .. } => center,
                    Shape::Rectangle { corner, .. } => corner,
                    Shape::Line { from, .. } => from,
                    Shape::Polygon { ref points, .. } => points[0],
                    Shape::Text { at, .. } => at,
                };
                let inside = (0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y);
                assert!(inside, "{id} {toml}: {shape:?} in a scene of {} × {}", scene.width, scene.height);
            }
        }
    }
}
