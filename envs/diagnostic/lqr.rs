//! Push a point mass to the origin and hold it there, at the least cost: continuous control whose optimum is known.
//!
//! | | |
//! |---|---|
//! | Action space | `Box(axes)`: the force `u` along each axis (N), unbounded |
//! | Observation space | `Box(2·axes)`: position (m) and velocity (m/s) along each axis, one axis after another |
//! | Reward | `−Σ_axes (position² + 0.1·velocity² + control_cost·u²)`, of the state in which the force is chosen |
//! | Initial state | each position and velocity uniform in [−1, 1) |
//! | Termination | never |
//! | Truncation | 100 steps |
//! | Solved at | the return of [`Stage::gain`], see below |
//!
//! # Dynamics
//! For each axis, with `h = 0.1` s, a mass of 1 kg and `ε ~ N(0, 1)`:
//!
//! ```text
//! x' = A x + B (u + noise · ε)    A = [1 h; 0 1]    B = [h²/2; h]
//! ```
//!
//! which is exact for a force that is constant during a step. The axes don't touch one another.
//!
//! # The best that can be expected
//! With the time limit as horizon, `T = 100`, the best force at time `t` is `u = −K_t x`, and from there on it costs `xᵀ P_t x`
//! if there is no noise, where [`riccati`] tells both:
//!
//! ```text
//! P_T = 0    K_t = BᵀP_{t+1}A / (r + BᵀP_{t+1}B)    P_t = Q + AᵀP_{t+1}(A − B K_t)
//! ```
//!
//! Noise adds `noise² Σ_t BᵀP_{t+1}B` and leaves the best force as it is. Over initial states the expected cost of the best
//! policy is [`Plant::expected_cost`], 3.948 per axis by default.
//!
//! # Source
//! Kalman (1960), "Contributions to the theory of optimal control", Boletín de la Sociedad Matemática Mexicana 5; as a
//! measure of policy gradients, Fazel, Ge, Kakade and Mesbahi (2018), arXiv 1801.05039.

use crate::bandit::gaussian::normal;
use crate::options::{Interval, OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Bound, Copies, Dims, Env, Ink, Made, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;

const STEP: f64 = 0.1;
const HORIZON: u32 = 100;
const MOST_STAGES: u32 = 1_000_000;

pub const SPEC: Spec = Spec {
    id: "Lossward/Lqr-v0",
    summary: "push a point mass to the origin at a quadratic cost; 100 steps, optimum known (Kalman 1960)",
    source: include_str!("lqr.rs"),
    observations: unbounded(2),
    actions: unbounded(1),
    max_steps: Some(HORIZON),
    reward_threshold: None,
    best_return: Some(BestReturn { found: "by the Riccati recursion", expected: best_return }),
    options: &[
        OptionRow {
            name: "axes",
            meaning: "directions in which the mass moves, at most 1000",
            kind: OptionKind::Whole { default: Some(1), at_least: 1 },
        },
        OptionRow::number("control_cost", 0.1, Interval::POSITIVE, "r, the cost of a unit of squared force"),
        OptionRow::number(
            "noise",
            0.0,
            Interval::NOT_NEGATIVE,
            "standard deviation of the force that is added to yours (N)",
        ),
    ],
    make,
};

const fn unbounded(elements: usize) -> Space {
    let (low, high) = (Bound::All(f32::NEG_INFINITY), Bound::All(f32::INFINITY));
    Space::Box { shape: Dims::of(&[elements]), low, high }
}

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let axes = options.whole_up_to("axes", 1000)?;
    let plant = Plant::point_mass(options.number("control_cost"));
    let env = Lqr { plant, noise: options.number("noise"), state: vec![[0.0; 2]; axes] };
    let spaces = (unbounded(2 * axes), unbounded(axes));
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// Without a time limit noise costs more than any number; with one that nobody waits for, the stages would fill the memory.
fn best_return(options: &Options, max_steps: Option<u32>) -> Option<f64> {
    let axes = options.whole_up_to("axes", 1000).ok()? as f64;
    let plant = Plant::point_mass(options.number("control_cost"));
    let steps = max_steps.filter(|steps| *steps <= MOST_STAGES)?;
    Some(-axes * plant.expected_cost(steps as usize, options.number("noise")))
}

/// Linear dynamics of two numbers under one control, `x' = A x + B u`, at the cost `Σ_i q_i x_i² + r u²` per step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plant {
    pub a: [[f64; 2]; 2],
    pub b: [f64; 2],
    pub q: [f64; 2],
    pub r: f64,
}

/// One step of the best policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// `K`: the best control is `u = −K x`.
    pub gain: [f64; 2],
    /// `P`: this step and all later ones cost `xᵀ P x`.
    pub cost_to_go: [[f64; 2]; 2],
}

/// The best policy for this many steps, the first step first; with many steps, the first stage is the stationary one.
pub fn riccati(plant: &Plant, steps: usize) -> Vec<Stage> {
    let Plant { a, b, q, r } = *plant;
    let mut next = [[0.0; 2]; 2];
    let mut stages = vec![Stage { gain: [0.0; 2], cost_to_go: next }; steps];
    for stage in stages.iter_mut().rev() {
        let pb = times(next, b);
        let gain = [0, 1].map(|j| (pb[0] * a[0][j] + pb[1] * a[1][j]) / (r + dot(pb, b)));
        let closed = [0, 1].map(|i| [0, 1].map(|j| a[i][j] - b[i] * gain[j]));
        let p = [0, 1].map(|i| {
            let pa = times(next, [a[0][i], a[1][i]]);
            [0, 1].map(|j| if i == j { q[i] } else { 0.0 } + pa[0] * closed[0][j] + pa[1] * closed[1][j])
        });
        // Symmetric but for rounding, which must not grow.
        let off = (p[0][1] + p[1][0]) / 2.0;
        next = [[p[0][0], off], [off, p[1][1]]];
        *stage = Stage { gain, cost_to_go: next };
    }
    stages
}

impl Plant {
    /// The dynamics of one axis.
    pub const fn point_mass(control_cost: f64) -> Plant {
        Plant { a: [[1.0, STEP], [0.0, 1.0]], b: [STEP * STEP / 2.0, STEP], q: [1.0, 0.1], r: control_cost }
    }

    /// What one step costs.
    pub fn cost(&self, x: [f64; 2], u: f64) -> f64 {
        self.q[0] * x[0] * x[0] + self.q[1] * x[1] * x[1] + self.r * u * u
    }

    /// The next state.
    pub fn next(&self, x: [f64; 2], u: f64) -> [f64; 2] {
        [0, 1].map(|i| dot(self.a[i], x) + self.b[i] * u)
    }

    /// The expected cost of the best policy over this many steps, from both numbers uniform in [−1, 1), with this standard
    /// deviation of the noise on the control: `(P₁₁ + P₂₂)/3 + noise² Σ_t BᵀP_{t+1}B`.
    pub fn expected_cost(&self, steps: usize, noise: f64) -> f64 {
        let stages = riccati(self, steps);
        let initial = stages.first().map_or(0.0, |stage| (stage.cost_to_go[0][0] + stage.cost_to_go[1][1]) / 3.0);
        let disturbed = stages.iter().skip(1).map(|stage| dot(times(stage.cost_to_go, self.b), self.b));
        initial + noise * noise * disturbed.sum::<f64>()
    }
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn times(matrix: [[f64; 2]; 2], vector: [f64; 2]) -> [f64; 2] {
    matrix.map(|row| dot(row, vector))
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct Lqr {
    plant: Plant,
    noise: f64,
    /// Position and velocity along each axis.
    pub state: Vec<[f64; 2]>,
}

impl Env for Lqr {
    fn reset(&mut self, rng: &mut Rng) {
        self.state.fill_with(|| [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)]);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        let mut cost = 0.0;
        for (x, u) in self.state.iter_mut().zip(action.values()) {
            let u = f64::from(*u);
            cost += self.plant.cost(*x, u);
            let disturbance = if self.noise > 0.0 { self.noise * normal(rng) } else { 0.0 };
            *x = self.plant.next(*x, u + disturbance);
        }
        Outcome { reward: -cost, terminated: false }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(self.state.iter().flatten()) {
            *out = *value as f32;
        }
    }

    /// The origin and the mass with its velocity, along the first two axes, within 2 m.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::new(4.0, if self.state.len() > 1 { 4.0 } else { 1.0 });
        let origin = (scene.width / 2.0, scene.height / 2.0);
        let along = |axis: usize, i: usize| self.state.get(axis).map_or(0.0, |x| x[i].clamp(-2.0, 2.0) as f32);
        let mass = (origin.0 + along(0, 0), origin.1 + along(1, 0));
        let tip = (mass.0 + 0.5 * along(0, 1), mass.1 + 0.5 * along(1, 1));
        scene.shapes.extend([
            Shape::Line { from: (0.0, origin.1), to: (scene.width, origin.1), width: 0.02, ink: Ink::Quiet },
            Shape::Circle { center: origin, radius: 0.12, ink: Ink::Goal },
            Shape::Line { from: mass, to: tip, width: 0.04, ink: Ink::Other },
            Shape::Circle { center: mass, radius: 0.08, ink: Ink::Player },
        ]);
        Some(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    /// Some plants: the environment's, one that is unstable and one whose numbers say nothing to anyone.
    const PLANTS: [Plant; 3] = [
        Plant::point_mass(0.1),
        Plant { a: [[1.2, 0.3], [0.0, 1.1]], b: [0.0, 1.0], q: [1.0, 0.0], r: 2.0 },
        Plant { a: [[0.5, -0.7], [0.9, 0.4]], b: [1.0, -0.3], q: [0.2, 3.0], r: 0.01 },
    ];

    fn rollout(plant: &Plant, gains: &[[f64; 2]], mut x: [f64; 2]) -> f64 {
        let mut total = 0.0;
        for gain in gains {
            let u = -dot(*gain, x);
            total += plant.cost(x, u);
            x = plant.next(x, u);
        }
        total
    }

    #[test]
    fn the_best_gains_cost_what_is_promised_and_all_others_cost_more() {
        for plant in PLANTS {
            let stages = riccati(&plant, 30);
            let gains: Vec<[f64; 2]> = stages.iter().map(|stage| stage.gain).collect();
            for x in [[1.0, 0.0], [0.0, 1.0], [-0.7, 1.3]] {
                let best = rollout(&plant, &gains, x);
                let promised = dot(times(stages[0].cost_to_go, x), x);
                assert!((best - promised).abs() < 1e-9 * promised, "{best} {promised}");
                for (t, element, change) in (0..29).flat_map(|t| [(t, 0, 0.1), (t, 0, -0.1), (t, 1, 0.1), (t, 1, -0.1)])
                {
                    let mut others = gains.clone();
                    others[t][element] += change;
                    assert!(rollout(&plant, &others, x) > best - 1e-12 * best, "{t} {element} {change}");
                }
                let constant = gains.iter().map(|gain| [gain[0] * 1.2, gain[1]]).collect::<Vec<_>>();
                assert!(rollout(&plant, &constant, x) > best * (1.0 + 1e-6));
            }
        }
    }

    /// Over many steps the first gain is stationary: played for ever, it costs `xᵀ P x`, and its neighbors cost more.
    #[test]
    fn the_stationary_gain_is_the_best_constant_one() {
        for plant in PLANTS {
            let Stage { gain, cost_to_go } = riccati(&plant, 2000)[0];
            let cost = |gain, x| rollout(&plant, &[gain; 2000], x);
            for x in [[1.0, 0.0], [0.0, 1.0], [-0.7, 1.3]] {
                let promised = dot(times(cost_to_go, x), x);
                assert!((cost(gain, x) - promised).abs() < 1e-9 * promised);
                for change in [[0.02, 0.0], [-0.02, 0.0], [0.0, 0.02], [0.0, -0.02], [0.02, -0.02]] {
                    assert!(cost([gain[0] + change[0], gain[1] + change[1]], x) > promised, "{change:?}");
                }
            }
        }
    }

    /// `p = 1 + p − p²/(1 + p)`: the golden ratio.
    #[test]
    fn one_number_costs_the_golden_ratio() {
        let plant = Plant { a: [[1.0, 0.0], [0.0, 0.0]], b: [1.0, 0.0], q: [1.0, 0.0], r: 1.0 };
        let golden = (1.0 + 5.0_f64.sqrt()) / 2.0;
        let stage = riccati(&plant, 100)[0];
        assert!((stage.cost_to_go[0][0] - golden).abs() < 1e-12);
        assert!((stage.gain[0] - golden / (1.0 + golden)).abs() < 1e-12);
    }

    /// The mean return of the best policy in the environment itself.
    #[test]
    fn the_environment_pays_the_expected_cost() {
        for noise in [0.0, 1.0] {
            let plant = Plant::point_mass(0.1);
            let stages = riccati(&plant, HORIZON as usize);
            let mut rng = stream(0, "env", 0);
            let mut env = Lqr { plant, noise, state: vec![[0.0; 2]; 2] };
            let returns: Vec<f64> = (0..4000)
                .map(|_| {
                    env.reset(&mut rng);
                    let mut step = |stage: &Stage| {
                        let forces = [0, 1].map(|axis| -dot(stage.gain, env.state[axis]) as f32);
                        env.step(Action::Values(&forces), &mut rng).reward
                    };
                    stages.iter().map(&mut step).sum()
                })
                .collect();
            let mean = returns.iter().sum::<f64>() / 4000.0;
            let variance = returns.iter().map(|total| (total - mean).powi(2)).sum::<f64>() / 3999.0;
            let expected = -2.0 * plant.expected_cost(HORIZON as usize, noise);
            assert!((mean - expected).abs() < 4.0 * (variance / 4000.0).sqrt(), "{mean} {expected}");
            let given = toml::from_str(&format!("axes = 2\nnoise = {noise}")).unwrap();
            let options = Options::new(SPEC.id, SPEC.options, &given).unwrap();
            assert_eq!(SPEC.best_expected_return(&options, SPEC.max_steps), Some(expected));
            assert_eq!([None, Some(u32::MAX)].map(|limit| SPEC.best_expected_return(&options, limit)), [None; 2]);
        }
    }

    /// The force of the last step moves nothing that counts: of one step there is the state's cost, `(1 + 0.1)/3`.
    #[test]
    fn one_step_costs_the_initial_state() {
        let best = SPEC.best_expected_return(&Options::defaults(SPEC.options), Some(1)).unwrap();
        assert!((best + 1.1 / 3.0).abs() < 1e-12, "{best}");
    }

    /// From numpy, which minimized the cost over all 100 forces at once, without the recursion: `H_xx − H_xu H_uu⁻¹ H_ux` of
    /// the quadratic form in the initial state and the forces.
    #[test]
    fn the_recursion_is_as_good_as_all_forces_chosen_at_once() {
        let p = riccati(&Plant::point_mass(0.1), HORIZON as usize)[0].cost_to_go;
        let expected = [[9.07756147, 3.16622804], [3.16622804, 2.76585156]];
        assert!(p.iter().flatten().zip(expected.iter().flatten()).all(|(p, q)| (p - q).abs() < 1e-8), "{p:?}");
        assert!((Plant::point_mass(0.1).expected_cost(HORIZON as usize, 0.0) - 3.948).abs() < 5e-4);
    }
}
