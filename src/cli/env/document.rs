//! The page on all environments, from the heads of their files.

use crate::disk;
use crate::report::figure::scene;
use crate::stream;
use lossward_envs::{RandomActions, Scene, Spec};
use std::path::Path;

/// Writes environments.md and the picture of all scenes.
pub fn write(folder: &Path) -> anyhow::Result<()> {
    disk::create_folder(folder)?;
    let mut scenes = Vec::new();
    for spec in lossward_envs::ALL.iter() {
        scenes.extend(typical(spec)?.map(|scene| (spec.id, scene)));
    }
    disk::write_whole(&folder.join("environments.md"), page().as_bytes())?;
    disk::write_whole(&folder.join("environments.png"), &scene::sheet(&scenes)?)?;
    super::super::print(&format!("described {} environments in {}\n", lossward_envs::ALL.len(), folder.display()))
}

/// A state in the middle of play with random actions.
fn typical(spec: &Spec) -> anyhow::Result<Option<Scene>> {
    let mut env = spec.make_default(vec![stream(1, "env", 0)]);
    let mut actions = RandomActions::new(env.actions(), vec![stream(1, "actions", 0)]);
    let mut scene = env.scene(0);
    for _ in 0..STEPS {
        env.step(actions.draw(), &[])?;
        if !env.steps().ends.is_empty() {
            break;
        }
        scene = env.scene(0);
    }
    Ok(scene)
}

/// Enough for things to move.
const STEPS: usize = 12;

fn page() -> String {
    let mut page = String::from(
        "# Environments\n\nWritten by `lossward env list --document docs` from the heads of the files in envs/: change it there.\n\n\
         ![A picture of every environment in the middle of play](environments.png)\n\n| id | in a sentence | observations | actions | time limit | best return |\n\
         |---|---|---|---|---|---|\n",
    );
    for spec in lossward_envs::ALL.iter() {
        let limit = spec.max_steps.map_or("none".to_string(), |steps| steps.to_string());
        let best = super::best_return(spec).unwrap_or_else(|| "–".into());
        let Spec { id, summary, observations, actions, .. } = spec;
        page += &format!("| {id} | {summary} | {observations} | {actions} | {limit} | {best} |\n");
    }
    page += "\nThe best return is the largest that any policy can expect of an episode, with default options, where it is known.\n";
    for spec in lossward_envs::ALL.iter() {
        // Headings of the file's head stand below the environment's own.
        let doc = spec.doc().replace("\n# ", "\n### ");
        page += &format!("\n## {}\n\n{doc}", spec.id);
        let options = crate::options::describe(spec.options);
        if !options.is_empty() {
            page +=
                &format!("\n### Options\n\n{}\n", options.iter().map(|line| format!("- {line}\n")).collect::<String>());
        }
    }
    page
}
