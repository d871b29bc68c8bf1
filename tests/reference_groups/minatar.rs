use super::{Case, numbers};
use lossward_envs::Outcome;
use lossward_envs::minatar::asterix::{self, Asterix};
use lossward_envs::minatar::breakout::Breakout;
use lossward_envs::minatar::freeway::{self, Freeway};
use lossward_envs::minatar::seaquest::{self, Seaquest, SwimmerKind};
use lossward_envs::minatar::space_invaders::SpaceInvaders;
use lossward_envs::minatar::{Game, KEYS, Key, Screen};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a game and its recording have in common, whatever its random events are.
struct Recording<'a> {
    case: &'a Case,
    channels: usize,
    /// By steps done: the indices `(row · 10 + column) · channels + channel` of the set cells, in order.
    frames: BTreeMap<u64, Vec<usize>>,
    /// By the step in which they happen, counted from 0; before the first step, by −1.
    draws: BTreeMap<i64, Vec<&'a Value>>,
}

impl<'a> Recording<'a> {
    fn new(case: &'a Case) -> Self {
        assert_eq!(case.number("sticky_action_prob"), 0.0);
        // The events are listed, so that the seed is not needed.
        case.input("seed");
        assert_eq!(format!("minatar_{}", case.text("game")), case.group);
        let indices = |frame: &Value| numbers(frame).into_iter().map(|index| index as usize).collect();
        let frames = match case.expects("observations") {
            true => (0..).zip(case.expected("observations").as_array().unwrap().iter().map(indices)).collect(),
            false => {
                let pairs = case.expected("observations_[steps_done,indices]").as_array().unwrap();
                pairs.iter().map(|pair| (pair[0].as_u64().unwrap(), indices(&pair[1]))).collect()
            }
        };
        let mut draws = BTreeMap::<i64, Vec<&Value>>::new();
        for draw in case.input("draws").as_array().unwrap() {
            draws.entry(draw["before_step"].as_i64().unwrap()).or_default().push(draw);
        }
        Recording { case, channels: case.number("num_channels") as usize, frames, draws }
    }

    /// The next event of this step; `fields` are those that the game reads.
    fn draw(&mut self, step: i64, fields: &[&str]) -> &'a Value {
        let draws = self.draws.get_mut(&step).filter(|draws| !draws.is_empty());
        let draw = draws.unwrap_or_else(|| panic!("no event is recorded for step {step}")).remove(0);
        let unknown = draw.as_object().unwrap().keys().find(|key| *key != "before_step" && !fields.contains(&&key[..]));
        assert_eq!(unknown, None, "a field of an event that this test does not know");
        draw
    }

    fn check_frame(&self, game: &impl Game, steps_done: u64) {
        let Some(frame) = self.frames.get(&steps_done) else { return };
        let mut cells = vec![0.0; self.channels * 100];
        game.paint(&mut Screen(&mut cells));
        let set = |index: &usize| cells[index % self.channels * 100 + index / self.channels] == 1.0;
        let seen: Vec<usize> = (0..cells.len()).filter(set).collect();
        assert_eq!(&seen, frame, "the observation after {steps_done} steps");
    }

    /// Plays the recorded actions of an episode that has begun, and compares all that is recorded.
    fn play<G: Game>(mut self, mut game: G, mut step: impl FnMut(&mut G, Key, &mut Self, i64) -> Outcome) {
        let (actions, mut rewards) = (self.case.indices("actions"), Vec::new());
        self.check_frame(&game, 0);
        for (t, action) in actions.iter().enumerate() {
            let outcome = step(&mut game, KEYS[*action as usize], &mut self, t as i64);
            self.check_frame(&game, t as u64 + 1);
            assert_eq!(Value::from(outcome.terminated), self.case.expected("terminals")[t], "terminal at step {t}");
            rewards.push(outcome.reward);
        }
        assert!(self.draws.values().all(Vec::is_empty), "events that did not happen: {:?}", self.draws);
        self.case.check("rewards", &rewards);
        self.case.check("return", &[rewards.iter().sum()]);
        self.case.check("num_steps", &[actions.len() as f64]);
        assert_eq!(&game.difficulty().map_or(Value::Null, Value::from), self.case.expected("final_difficulty_ramp"));
    }
}

pub fn asterix(case: &Case) {
    let (mut recording, mut game) = (Recording::new(case), Asterix::new(case.flag("difficulty_ramping")));
    // Nothing happens where no lane is free.
    recording.draws.values_mut().for_each(|draws| draws.retain(|draw| !draw["free_slot_index"].is_null()));
    game.begin();
    recording.play(game, |game, key, recording, step| {
        game.advance(key, |free| {
            let draw = recording.draw(step, &["kind", "from_left", "is_gold", "free_slot_index"]);
            assert_eq!(draw["kind"], "spawn");
            let free_lane = draw["free_slot_index"].as_u64().unwrap() as usize;
            assert!(free_lane < free, "lane {free_lane} of {free} free ones at step {step}");
            let flag = |name: &str| draw[name].as_bool().unwrap();
            asterix::Arrival { from_left: flag("from_left"), is_treasure: flag("is_gold"), free_lane }
        })
    });
}

pub fn breakout(case: &Case) {
    let (mut recording, mut game) = (Recording::new(case), Breakout::new(case.flag("difficulty_ramping")));
    game.serve(recording.draw(-1, &["ball_side"])["ball_side"] == "left");
    recording.play(game, |game, key, _, _| game.advance(key));
}

pub fn freeway(case: &Case) {
    let (mut recording, mut game) = (Recording::new(case), Freeway::new(case.flag("difficulty_ramping")));
    let velocities = |recording: &mut Recording, step: i64| {
        let draw = recording.draw(step, &["signed_speeds"]);
        <[i8; 8]>::try_from(numbers(&draw["signed_speeds"]).into_iter().map(|v| v as i8).collect::<Vec<i8>>()).unwrap()
    };
    game.begin(velocities(&mut recording, -1));
    recording.play(game, |game, key, recording, step| {
        let outcome = game.advance(key, || velocities(recording, step));
        // What MinAtar calls terminal is the time limit here.
        Outcome { terminated: step as u32 + 1 >= freeway::SPEC.max_steps.unwrap(), ..outcome }
    });
}

pub fn seaquest(case: &Case) {
    let mut game = Seaquest::new(case.flag("difficulty_ramping"));
    game.begin();
    Recording::new(case).play(game, |game, key, recording, step| {
        game.advance(key, |kind| {
            let draw = recording.draw(step, &["kind", "from_left", "is_sub", "row"]);
            assert_eq!(draw["kind"], if kind == SwimmerKind::Enemy { "enemy" } else { "diver" });
            seaquest::SwimmerArrival {
                from_left: draw["from_left"].as_bool().unwrap(),
                is_submarine: draw["is_sub"].as_bool().unwrap_or(false),
                row: draw["row"].as_i64().unwrap() as i8,
            }
        })
    });
}

pub fn space_invaders(case: &Case) {
    let mut game = SpaceInvaders::new(case.flag("difficulty_ramping"));
    game.begin();
    Recording::new(case).play(game, |game, key, _, _| game.advance(key));
}
