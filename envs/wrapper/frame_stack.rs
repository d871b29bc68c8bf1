//! Observations with a memory of the last ones.

use super::{Layer, Wrap, check_parameter, wrap};
use crate::options::Interval;
use crate::vectorized::playing;
use crate::{Bound, Dims, Space, StepError, Steps, Vectorized};

/// The last `count` observations of the episode, the oldest first, along the first axis: `[C, H, W]` becomes
/// `[count · C, H, W]`, `[F]` becomes `[count · F]`, and one of `n` (one-hot) becomes zeros and ones, `[count · n]`. An
/// episode begins with its first observation `count` times. Mnih et al. (2015), "Human-level control through deep
/// reinforcement learning", Nature 518, with 4.
///
/// # Errors
/// When the count is not 1 to 1000.
pub fn stack_frames(env: Box<dyn Vectorized>, count: usize) -> Wrap {
    check_parameter(
        &*env,
        "stack_frames",
        ("count", count as f64),
        Interval { low: 1.0, high: 1000.0, closed: (true, true) },
    )?;
    let Steps { copies, features, .. } = *env.steps();
    let steps = Steps::new(copies, count * features);
    let frames = vec![0.0; copies * count * features];
    Ok(wrap(env, StackedFrames { count, features, frames, oldest: vec![0; copies], steps }))
}

struct StackedFrames {
    count: usize,
    /// Of one frame.
    features: usize,
    /// `[copies, count, features]`; those of a copy are a ring, because what [`Self::steps`] shows may be changed in place.
    frames: Vec<f32>,
    /// Where the ring of each copy begins.
    oldest: Vec<usize>,
    steps: Steps,
}

impl StackedFrames {
    /// The ring of a copy.
    fn ring(&mut self, copy: usize) -> &mut [f32] {
        let size = self.count * self.features;
        &mut self.frames[copy * size..(copy + 1) * size]
    }

    fn begin(&mut self, copy: usize, frame: &[f32]) {
        let features = self.features;
        self.ring(copy).chunks_exact_mut(features).for_each(|place| place.copy_from_slice(frame));
        self.show(copy, Steps::observation_mut);
    }

    fn push(&mut self, copy: usize, frame: &[f32]) {
        let (oldest, features) = (self.oldest[copy], self.features);
        self.ring(copy)[oldest * features..(oldest + 1) * features].copy_from_slice(frame);
        self.oldest[copy] = (oldest + 1) % self.count;
    }

    /// Writes the ring of a copy, unrolled.
    fn show(&mut self, copy: usize, place: fn(&mut Steps, usize) -> &mut [f32]) {
        let size = self.count * self.features;
        let ring = &self.frames[copy * size..(copy + 1) * size];
        let (newer, older) = ring.split_at(self.oldest[copy] * self.features);
        let (front, back) = place(&mut self.steps, copy).split_at_mut(older.len());
        front.copy_from_slice(older);
        back.copy_from_slice(newer);
    }
}

impl Layer for StackedFrames {
    fn observation_space(&self, below: Space) -> Space {
        let Space::Box { shape, low, high } = below else { return Space::binary(&[self.count * below.size()]) };
        let of_frame = |bound| match bound {
            Bound::Each(bounds) => Bound::EachOfPart(bounds),
            other => other,
        };
        let lengths = match shape.as_slice() {
            [] => vec![self.count],
            [first, rest @ ..] => [&[self.count * first], rest].concat(),
        };
        Space::Box { shape: Dims::of(&lengths), low: of_frame(low), high: of_frame(high) }
    }

    fn after_reset(&mut self, steps: &mut Steps) {
        self.steps.copy_all_but_observations(steps);
        for copy in 0..steps.copies {
            self.begin(copy, steps.observation(copy));
        }
    }

    fn after_step(&mut self, steps: &mut Steps, paused: &[bool]) -> Result<(), StepError> {
        self.steps.copy_all_but_observations(steps);
        for copy in playing(steps.copies, paused) {
            if steps.length(copy) == 0 {
                self.push(copy, steps.last_observation(copy));
                self.show(copy, Steps::last_observation_mut);
                self.begin(copy, steps.observation(copy));
            } else {
                self.push(copy, steps.observation(copy));
                self.show(copy, Steps::observation_mut);
            }
        }
        Ok(())
    }

    fn steps<'a>(&'a self, _: &'a Steps) -> &'a Steps {
        &self.steps
    }

    fn steps_mut<'a>(&'a mut self, _: &'a mut Steps) -> &'a mut Steps {
        &mut self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::traces::{Players, copies_of};

    /// The last frames of a history, oldest first, its first one repeated where it is too short.
    fn last(history: &[Vec<f32>], count: usize) -> Vec<f32> {
        (0..count).flat_map(|i| history[(history.len() + i).saturating_sub(count)].clone()).collect()
    }

    #[test]
    fn a_stack_is_the_end_of_the_history() {
        for (id, count) in [("CartPole-v1", 4), ("MinAtar/Asterix-v1", 3), ("FrozenLake-v1", 2), ("CartPole-v1", 1)] {
            let mut plain = Players::new(copies_of(id, 3), true);
            let mut stacked = Players::new(stack_frames(copies_of(id, 3), count).unwrap(), true);
            let mut histories: Vec<Vec<Vec<f32>>> =
                (0..3).map(|copy| vec![plain.env.steps().observation(copy).to_vec()]).collect();
            let mut ends = 0;
            for step in 0..400 {
                plain.step();
                stacked.step();
                let (seen, got) = (plain.env.steps(), stacked.env.steps());
                assert_eq!((&got.rewards, &got.ends), (&seen.rewards, &seen.ends));
                for (copy, history) in histories.iter_mut().enumerate() {
                    if stacked.paused[copy] {
                        // Nothing is added.
                    } else if seen.ends.iter().any(|end| end.copy == copy) {
                        history.push(seen.last_observation(copy).to_vec());
                        assert_eq!(got.last_observation(copy), last(history, count), "{id}, step {step}");
                        *history = vec![seen.observation(copy).to_vec()];
                        ends += 1;
                    } else {
                        history.push(seen.observation(copy).to_vec());
                    }
                    assert_eq!(got.observation(copy), last(history, count), "{id}, step {step}, copy {copy}");
                }
            }
            assert!(ends > 5, "{id}: {ends} episodes");
        }
    }

    #[test]
    fn the_first_axis_grows() {
        let space = |id, count| stack_frames(copies_of(id, 1), count).unwrap().observations();
        assert_eq!(space("MinAtar/Breakout-v1", 4), Space::binary(&[16, 10, 10]));
        assert_eq!(space("FrozenLake-v1", 2), Space::binary(&[32]));
        let Space::Box { shape, low, high } = space("Pendulum-v1", 2) else { panic!("it is a box") };
        assert_eq!(shape.as_slice(), [6]);
        let bounds: Vec<(f32, f32)> = (0..6).map(|i| (low.of(i), high.of(i))).collect();
        let one = [(-1.0, 1.0), (-1.0, 1.0), (-8.0, 8.0)];
        assert_eq!(bounds, [one, one].concat());
    }
}
