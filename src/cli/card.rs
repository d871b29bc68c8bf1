//! `lossward card`

use crate::aligned::{self, Side};
use crate::card::{self, Card, PROBABILITIES};
use crate::report::figure::CardFigure;
use serde_json::{Value, json};
use std::path::PathBuf;

/// How much each objective learns from a hard example.
///
/// Where 1 is paid for the right class y and 0 for the others, or y is the label, each of these objectives moves the logits by β(p) (e_y − π),
/// with p = π(y). The table has β as measured from the code that trains, and how far the formula is from it. docs/policy_gradients.md derives
/// each.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward card
  lossward card ppo grpo grpo=8 dg tpo dft focal gce=0.5 --figure card.svg")]
pub struct Arguments {
    /// Objectives, with their parameter if they are to have another than usual: gce=0.5; all, if none is named.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// So many classes, all but the right one equally likely.
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=1000))]
    classes: u64,
    /// Draw β against p into this SVG or PNG file.
    #[arg(long, value_name = "FILE")]
    figure: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let ending = arguments.figure.as_deref().map(|path| super::figure_ending(path, "--figure")).transpose()?;
    let all = card::ALL.iter().map(|name| name.to_string()).collect();
    let names: &Vec<String> = if arguments.names.is_empty() { &all } else { &arguments.names };
    let cards = names.iter().map(|name| Card::read(name, arguments.classes as usize)).collect::<Result<Vec<_>, _>>()?;
    let rows = cards.iter().map(Measurement::of).collect::<Result<Vec<_>, _>>()?;
    if let (Some(path), Some(ending)) = (&arguments.figure, ending) {
        let figure = CardFigure::new(&cards)?;
        let bytes = match ending {
            super::Ending::Svg => figure.svg()?,
            super::Ending::Png => figure.png()?,
        };
        crate::disk::write_whole(path, &bytes)?;
    }
    super::print(&match arguments.json {
        true => format!("{}\n", as_json(&rows, arguments.classes)),
        false => in_words(&rows, arguments.classes),
    })
}

/// A card at all of [`PROBABILITIES`].
struct Measurement<'a> {
    card: &'a Card,
    by_formula: Vec<f64>,
    measured: Vec<f64>,
}

impl Measurement<'_> {
    fn of(card: &Card) -> crate::Result<Measurement<'_>> {
        let by_formula = PROBABILITIES.iter().map(|p| card.beta(*p)).collect();
        let measured = PROBABILITIES.iter().map(|p| card.measured(*p)).collect::<crate::Result<_>>()?;
        Ok(Measurement { card, by_formula, measured })
    }

    /// The largest difference, of weights beyond 1 in parts of them.
    fn difference(&self) -> f64 {
        let pairs = self.by_formula.iter().zip(&self.measured);
        pairs.map(|(formula, measured)| (formula - measured).abs() / formula.abs().max(1.0)).fold(0.0, f64::max)
    }
}

fn as_json(rows: &[Measurement], classes: u64) -> Value {
    let objectives = rows.iter().map(|row| {
        let Card { row: objective, parameter, .. } = row.card;
        let parameter = objective.parameter.as_ref().zip(*parameter);
        json!({
            "name": objective.name,
            "parameter": parameter.map(|(parameter, value)| json!({ "symbol": parameter.symbol, "value": value })),
            "meaning": objective.meaning, "formula": objective.formula, "in_any_company": objective.in_any_company,
            "beta": row.by_formula, "measured": row.measured,
        })
    });
    let surprisal: Vec<f64> = PROBABILITIES.iter().map(|p| -p.ln()).collect();
    json!({ "classes": classes, "p": PROBABILITIES, "surprisal": surprisal, "objectives": objectives.collect::<Vec<_>>() })
}

fn in_words(rows: &[Measurement], classes: u64) -> String {
    let cells = |first: &str, values: Vec<String>, last: [&str; 2]| {
        let rest = values.into_iter().chain(last.map(String::from));
        std::iter::once(first.to_string()).chain(rest).collect::<Vec<String>>()
    };
    let mut table = vec![
        cells("", PROBABILITIES.map(|p| format!("p = {p}")).to_vec(), ["off by", "β"]),
        cells("surprisal −ln p", PROBABILITIES.map(|p| shown(-p.ln())).to_vec(), ["", ""]),
    ];
    table.extend(rows.iter().map(|row| {
        let mark = if row.card.row.in_any_company { "" } else { " *" };
        let name = format!("{}{mark}", row.card.label());
        let values = row.measured.iter().map(|beta| shown(*beta)).collect();
        cells(&name, values, [&format!("{:.0e}", row.difference()), row.card.row.formula])
    }));
    let last = table[0].len() - 1;
    let lines = aligned::lines(&table, |column| if column == 0 || column == last { Side::Left } else { Side::Right });
    let meanings: Vec<(String, String)> =
        rows.iter().map(|row| (row.card.label(), row.card.row.meaning.to_string())).collect();
    let note = match rows.iter().all(|row| row.card.row.in_any_company) {
        true => "",
        false => "*: where all other classes are equally likely\n",
    };
    format!(
        "β(p), measured: the update of the logits of n = {classes} classes is β(p) (e_y − π), p = π(y); off by: how far the formula is from it\n\n{}\n{note}\n{}",
        lines.join("\n"),
        super::two_columns(&meanings)
    )
}

fn shown(value: f64) -> String {
    format!("{value:.4}").replace('-', "−")
}
