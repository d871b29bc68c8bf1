//! `lossward env rollout`

use crate::cli::json::{self, Array};
use crate::cli::{Ending, figure_ending};
use crate::disk;
use crate::report::figure::scene;
use crate::stream;
use crate::task::find_environment;
use anyhow::Context;
use lossward_envs::{Actions, Cause, RandomActions, Space, Spec, Vectorized};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Play one copy and print every step: with random actions, or those of a file.
///
/// A line per step: the action, the observation that it led to, the reward, and whether the episode is over. When it is, `reset_observation` is what
/// the next one begins with (automatic reset in the same step, as Gymnasium calls it), so that the same seed and the same actions give the same lines.
#[derive(clap::Args)]
pub struct Arguments {
    id: String,
    /// Of the environment's and the random actions' streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Steps to play; without it, one episode, or what `--actions` has.
    #[arg(long)]
    steps: Option<usize>,
    /// A list of actions as JSON, @FILE or - for standard input: [0, 1], or lists of numbers.
    #[arg(long, value_name = "JSON")]
    actions: Option<String>,
    /// Options of the environment: {"is_slippery": false}.
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// Print a JSON object per line.
    #[arg(long)]
    json: bool,
    /// Draw the last state into this file, .svg or .png.
    #[arg(long, value_name = "FILE")]
    scene: Option<PathBuf>,
}

/// Steps of an episode without an end, unless more are asked for.
const MOST_STEPS: usize = 1_000;

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let spec = find_environment(&arguments.id)?;
    if let Some(file) = &arguments.scene {
        figure_ending(file, "--scene")?;
    }
    let options = super::options_of(spec, arguments.options.as_ref())?;
    let mut env = (spec.make)(&options, vec![stream(arguments.seed, "env", 0)])?;
    let given = arguments.actions.as_ref().map(|text| Given::read(text, env.actions()).context("--actions"));
    let mut player = Player {
        random: RandomActions::new(env.actions(), vec![stream(arguments.seed, "actions", 0)]),
        given: given.transpose()?,
        width: env.actions().width(),
    };
    let listed = player.given.as_ref().map(|given| given.len() / player.width);
    let whole_episode = arguments.steps.is_none() && listed.is_none();
    let most = arguments.steps.or(listed).unwrap_or(MOST_STEPS);
    anyhow::ensure!(
        listed.is_none_or(|listed| most <= listed),
        "--steps {most} and only {} actions",
        listed.unwrap_or(0)
    );
    let first = json!({ "step": 0, "observation": env.steps().observations });
    super::super::print(&line(arguments.json, &first))?;
    for step in 1..=most {
        let action = player.next(step - 1);
        env.step(action, &[])?;
        let ended = show(arguments, env.as_ref(), (step, shown(action)))?;
        if ended && whole_episode {
            break;
        }
    }
    match &arguments.scene {
        Some(file) => draw(spec, env.as_ref(), file),
        None => Ok(()),
    }
}

/// Prints what a step left; whether the episode is over.
fn show(arguments: &Arguments, env: &dyn Vectorized, (step, action): (usize, Value)) -> anyhow::Result<bool> {
    let steps = env.steps();
    let end = steps.ends.first();
    // After an end the environment shows the next episode already.
    let observation = if end.is_some() { steps.last_observation(0) } else { &steps.observations[..] };
    let mut object = json!({
        "step": step, "action": action, "observation": observation, "reward": steps.rewards[0],
        "terminated": end.is_some_and(|end| end.cause == Cause::Terminated),
        "truncated": end.is_some_and(|end| end.cause == Cause::Truncated),
    });
    if let Some(end) = end {
        object["return"] = json!(end.total_reward);
        object["length"] = json!(end.length);
        // Where the next action is taken: without it the rest could not be replayed.
        object["reset_observation"] = json!(&steps.observations[..]);
    }
    super::super::print(&line(arguments.json, &object))?;
    Ok(end.is_some())
}

fn line(as_json: bool, object: &Value) -> String {
    if as_json {
        return format!("{object}\n");
    }
    let fields = object.as_object().into_iter().flatten().filter(|(_, value)| **value != json!(false));
    let field = |(name, value): (&String, &Value)| match name.as_str() {
        "step" => format!("{value:>4}"),
        "terminated" | "truncated" => name.clone(),
        _ => format!("{name} {value}"),
    };
    fields.map(field).collect::<Vec<_>>().join("  ") + "\n"
}

/// Actions from a list, or drawn.
struct Player {
    random: RandomActions,
    given: Option<Given>,
    width: usize,
}

/// The actions of a list, one after the other.
enum Given {
    Indices(Vec<u32>),
    Values(Vec<f32>),
}

impl Given {
    /// # Errors
    /// When an entry is not an action of this space.
    fn read(text: &str, space: Space) -> anyhow::Result<Given> {
        let array = Array::of(json::read(text)?)?;
        let width = space.width();
        let fits = array.shape[..] == [array.values.len()] && width == 1 || array.shape.get(1) == Some(&width);
        anyhow::ensure!(fits, "a list with {width} numbers for each step of the action space {space}");
        if let Space::Box { .. } = space {
            return Ok(Given::Values(array.values.iter().map(|value| *value as f32).collect()));
        }
        let index = |(i, index): (usize, i64)| {
            u32::try_from(index).map_err(|_| anyhow::anyhow!("action {} is {index}, not an index", i / width))
        };
        Ok(Given::Indices(array.whole()?.into_iter().enumerate().map(index).collect::<anyhow::Result<_>>()?))
    }

    fn len(&self) -> usize {
        match self {
            Given::Indices(indices) => indices.len(),
            Given::Values(values) => values.len(),
        }
    }
}

impl Player {
    fn next(&mut self, step: usize) -> Actions<'_> {
        let range = step * self.width..(step + 1) * self.width;
        match &self.given {
            Some(Given::Indices(indices)) => Actions::Indices(&indices[range]),
            Some(Given::Values(values)) => Actions::Values(&values[range]),
            None => self.random.draw(),
        }
    }
}

fn shown(action: Actions<'_>) -> Value {
    match action {
        Actions::Indices([index]) => json!(index),
        Actions::Indices(indices) => json!(indices),
        Actions::Values(values) => json!(values),
    }
}

fn draw(spec: &Spec, env: &dyn Vectorized, file: &std::path::Path) -> anyhow::Result<()> {
    let picture = env.scene(0).with_context(|| format!("{} has no scene to draw", spec.id))?;
    let content = match figure_ending(file, "--scene")? {
        Ending::Svg => scene::svg(&picture)?,
        Ending::Png => scene::png(&picture)?,
    };
    Ok(disk::write_whole(file, &content)?)
}
