//! `lossward env`

mod create;
mod document;
mod rollout;

use super::json;
use crate::options::{self, Given, Options};
use crate::task::{find_environment, four_decimals};
use anyhow::Context;
use lossward_envs::{Bound, Space, Spec, check};

/// List, describe, check and play environments, or begin one of your own.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward env describe CartPole-v1
  lossward env rollout CartPole-v1 --seed 1 --scene last.svg
  lossward env check --all
  lossward env new MyEnv")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Every environment in a line.
    List {
        /// Write the page on all of them and the picture of their scenes into this folder: environments.md, environments.png.
        #[arg(long, value_name = "FOLDER")]
        document: Option<std::path::PathBuf>,
    },
    /// What it is: spaces, rewards, ends, dynamics, options, source.
    Describe {
        id: String,
    },
    /// Whether it keeps its promises: spaces, finite numbers, determinism, independent copies, time limit, reset.
    Check {
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    Rollout(rollout::Arguments),
    New(create::Arguments),
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.verb {
        Verb::List { document: Some(folder) } => document::write(folder),
        Verb::List { document: None } => super::print(&super::two_columns(&lines())),
        Verb::Describe { id } => super::print(&describe(find_environment(id)?)),
        Verb::Check { id, .. } => {
            let all = lossward_envs::all().collect();
            let specs = id.as_ref().map_or(Ok(all), |id| find_environment(id).map(|spec| vec![spec]))?;
            specs.into_iter().try_for_each(check_one)
        }
        Verb::Rollout(arguments) => rollout::run(arguments),
        Verb::New(arguments) => create::run(arguments),
    }
}

/// A line for each environment: for `lossward list environments`, too.
pub fn lines() -> Vec<(String, String)> {
    let line = |spec: &Spec| {
        let spaces = format!("observations {}, actions {}", spec.observations, spec.actions);
        (spec.id.to_string(), format!("{}; {spaces}", spec.summary))
    };
    lossward_envs::all().map(line).collect()
}

fn check_one(spec: &Spec) -> anyhow::Result<()> {
    // A broken environment may panic; the verdict says so.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let verdict = check::check(spec);
    std::panic::set_hook(hook);
    verdict?;
    let rules: Vec<&str> = check::RULES.iter().map(|(name, _)| *name).collect();
    super::print(&format!("{} keeps its promises: {}\n", spec.id, rules.join(", ")))
}

fn describe(spec: &Spec) -> String {
    let bounds = |space: Space| match space {
        Space::Box { low, high, .. } => match (low, high) {
            (Bound::All(low), Bound::All(high)) => format!(", each in [{low}, {high}]"),
            _ => {
                let pair = |i| format!("[{}, {}]", low.of(i), high.of(i));
                format!(", in {}", (0..space.size()).map(pair).collect::<Vec<_>>().join(" × "))
            }
        },
        _ => String::new(),
    };
    let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_string());
    let options = options::describe(spec.options);
    let best = best_return(spec);
    let within = spec.max_steps.map_or(String::new(), |steps| format!(", within {steps} steps"));
    format!(
        "{}: {}\n\n  observations  {}{}\n  actions       {}{}\n  time limit    {}\n  solved at     {}\n{}  options       {}\n\n{}",
        spec.id,
        spec.summary,
        spec.observations,
        bounds(spec.observations),
        spec.actions,
        bounds(spec.actions),
        or(spec.max_steps.map(|steps| format!("{steps} steps")), "none"),
        or(spec.reward_threshold.map(|threshold| format!("a mean return of {threshold}")), "no return is agreed upon"),
        or(best.map(|best| format!("  best return   {best} (expected{within})\n")), ""),
        if options.is_empty() { "none".to_string() } else { options.join("\n                ") },
        spec.doc(),
    )
}

/// The largest expected return with default options, where it is known.
fn best_return(spec: &Spec) -> Option<String> {
    spec.best_expected_return(&Options::defaults(spec.options), spec.max_steps).map(four_decimals)
}

/// Options given as JSON, checked.
fn options_of(spec: &Spec, given: Option<&String>) -> anyhow::Result<Options> {
    let given: Given = match given {
        None => Given::new(),
        Some(text) => {
            let value = json::read(text).context("--options")?.into_value();
            serde_json::from_value(value).context("--options must be an object such as {\"is_slippery\": false}")?
        }
    };
    Ok(Options::new(spec.id, spec.options, &given)?)
}
