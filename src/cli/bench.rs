//! `lossward bench`

use crate::aligned::{self, Side};
use crate::benchmark::{self, Benchmark, Row};
use crate::numbers::grouped;
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Measure this build on this machine: training, acting, stepping and starting, as fractions of the machine's own peak.
///
/// One core, unless a workload says otherwise; takes about a minute. `of peak` compares the useful operations of the matrix
/// products with the best product of one core, measured in the same rounds; `plain candle` is the same training step as
/// candle-nn would have it written, with its AdamW; peak memory is measured where the system has /proc. For figures worth
/// keeping, leave the machine alone meanwhile.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward bench
  lossward bench --only CartPole
  lossward bench --against results/benchmarks/amd-epyc-2-cores.json")]
pub struct Arguments {
    /// Only the workloads whose name contains this, in any case; prints them, and writes nothing without --out.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Compare with an earlier run's file.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Where the figures go. [default: results/benchmarks/PROCESSOR-CORES.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List the workloads and measure nothing.
    #[arg(long, conflicts_with_all = ["against", "out"])]
    list: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let only = arguments.only.as_deref().unwrap_or("");
    if arguments.list {
        return super::print(&benchmark::names(only)?.iter().map(|name| format!("{name}\n")).collect::<String>());
    }
    // A file that can't be compared with is told before a minute has passed.
    let other = arguments.against.as_deref().map(Benchmark::read).transpose()?;
    if let Some(out) = arguments.out.as_deref().filter(|out| out.parent().is_none_or(Path::is_dir)) {
        crate::disk::check_writable(out)?;
    }
    let bar = indicatif::ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let measured = benchmark::run(only, |next| bar.set_message(next.to_string()));
    bar.finish_and_clear();
    let (benchmark, failed) = measured?;
    super::print(&table(&benchmark))?;
    if let Some(other) = &other {
        super::print(&comparison(other, &benchmark))?;
    }
    let default = || Path::new("results/benchmarks").join(file_name(&benchmark));
    let out = arguments.out.clone().or_else(|| arguments.only.is_none().then(default));
    if let Some(out) = out {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        }
        benchmark.write(&out)?;
        super::print(&format!("wrote {}\n", out.display()))?;
    }
    for (name, error) in &failed {
        super::tell(format_args!("{name}: {error}"));
    }
    anyhow::ensure!(failed.is_empty(), "{} workloads could not be measured", failed.len());
    Ok(())
}

/// The processor's name and its cores, in letters that every file system takes.
fn file_name(benchmark: &Benchmark) -> String {
    format!("{}-{}-cores.json", crate::experiment::slug(&benchmark.machine.processor), benchmark.machine.cores)
}

fn table(benchmark: &Benchmark) -> String {
    let machine = &benchmark.machine;
    let memory = machine.memory_gib.map_or(String::new(), |gib| format!(", {gib} GiB"));
    let mut text = format!(
        "{}, {} cores, {}{memory}, {}; lossward {}\n",
        machine.processor, machine.cores, machine.vectors, machine.system, benchmark.lossward
    );
    let peaks = benchmark.peaks.iter().map(|peak| format!("{:.0} at {} ({})", peak.gflops, peak.shape, peak.library));
    let peaks: Vec<String> = peaks.collect();
    text += &format!("matrix product of one core, GFLOP/s: {}\n", peaks.join(", "));
    text += &format!("copying: {:.1} GB/s\n\n", benchmark.bandwidth);
    let mut rows = vec![["workload", "median", "quartiles", "", "GFLOP/s", "of peak", "ratio"].map(String::from)];
    rows.extend(benchmark.rows.iter().map(|row| {
        let fraction = row.fraction.zip(row.of.as_ref()).map(|(fraction, of)| format!("{fraction:.2} of {of}"));
        let ratio = row.ratio.zip(row.compared_with.as_ref()).map(|(ratio, with)| format!("{ratio:.2} × {with}"));
        [
            row.workload.clone(),
            digits(row.value),
            format!("{} – {}", digits(row.quartiles[0]), digits(row.quartiles[1])),
            row.unit.name().into(),
            row.gflops.map_or(String::new(), |gflops| format!("{gflops:.1}")),
            fraction.unwrap_or_default(),
            ratio.unwrap_or_default(),
        ]
    }));
    text + &flush(&rows) + "\n"
}

fn comparison(there: &Benchmark, here: &Benchmark) -> String {
    let mut text =
        format!("against {} ({} cores), lossward {}", there.machine.processor, there.machine.cores, there.lossward);
    if there.machine != here.machine {
        text += "; another machine: compare the fractions, not the rates";
    }
    let mut rows =
        vec![["workload", "there", "here", "", "here / there", "of peak, there", "of peak, here"].map(String::from)];
    for row in &here.rows {
        let Some(other) = there.rows.iter().find(|other| other.workload == row.workload) else { continue };
        let ratio = row.value / other.value;
        // What the rounds of one run differ by is noise between runs as well.
        let apart = row.quartiles[0] > other.quartiles[1] || row.quartiles[1] < other.quartiles[0];
        let word = match (apart, (ratio > 1.0) == row.unit.higher_is_better()) {
            (false, _) => "",
            (true, true) => " better",
            (true, false) => " worse",
        };
        let fraction = |row: &Row| row.fraction.map_or(String::new(), |fraction| format!("{fraction:.2}"));
        rows.push([
            row.workload.clone(),
            digits(other.value),
            digits(row.value),
            row.unit.name().into(),
            format!("{ratio:.2}{word}"),
            fraction(other),
            fraction(row),
        ]);
    }
    if rows.len() == 1 {
        return format!("{text}: no workload in common\n");
    }
    format!("{text}; better and worse where the quartiles do not overlap\n{}\n", flush(&rows))
}

/// Three digits, with thousands apart.
fn digits(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { grouped(value) }
}

/// The first column flush left, numbers flush right.
fn flush<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
    let side = |column| if (1..=2).contains(&column) { Side::Right } else { Side::Left };
    aligned::lines(&rows, side).iter().map(|line| format!("{line}\n")).collect()
}
