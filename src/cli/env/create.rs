//! `lossward env new`

use anyhow::Context;
use std::path::Path;

/// Begin an environment of your own: a commented file that compiles and conforms.
#[derive(clap::Args)]
#[command(after_help = "Example, in the folder of Lossward's source: lossward env new MyEnv")]
pub struct Arguments {
    /// Its name: letters and digits, beginning with a capital.
    name: String,
}

/// Where environments of your own live.
const FOLDER: &str = "envs/custom";

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let name = &arguments.name;
    let is_name =
        name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    anyhow::ensure!(is_name, "`{name}` is not a name of letters and digits that begins with a capital, such as MyEnv");
    let registry = Path::new(FOLDER).join("mod.rs");
    anyhow::ensure!(
        registry.is_file(),
        "there is no {} here; go to the folder of Lossward's source first (a crate of your own needs no file there: see examples/)",
        registry.display()
    );
    let module = snake_case(name);
    let path = Path::new(FOLDER).join(format!("{module}.rs"));
    anyhow::ensure!(!path.exists(), "{} is there already", path.display());
    let text = include_str!("template.rs.txt").replace("MODULE", &module).replace("NAME", name);
    crate::disk::write_whole(&path, text.as_bytes()).context("the environment's file")?;
    super::super::print(&format!(
        "wrote {}\n\nRegister it by one line in {}:\n\n    environments! {{\n        {module},\n    }}\n\nThen\n\n    \
         cargo run --release -- env check Custom/{name}-v0\n    cargo run --release -- env rollout Custom/{name}-v0 --scene {module}.svg\n\n\
         and train on it with `[task] env = \"Custom/{name}-v0\"`.\n",
        path.display(),
        registry.display(),
    ))
}

/// `MyEnv` as `my_env`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
