//! How the results came about, and how to get them again.

use super::text::grouped;
use crate::experiment::Arm;
use crate::record::Provenance;
use crate::report::Report;
use crate::{Error, Result};
use maud::{Markup, html};

pub(super) fn section(report: &Report) -> Result<Markup> {
    let file = toml::to_string(&report.experiment).map_err(|error| Error::Argument(error.to_string()))?;
    let reads = report.experiment.arms.iter().any(Arm::reads_files);
    Ok(html! {
        section id="making" {
            h2 { "How this was made" }
            @if report.provenance.is_empty() {
                p { "The machine and the versions that trained were not recorded." }
            } @else {
                dl { @for of in &report.provenance { (machine(of)) } }
            }
            p {
                "In the folder of this page, these train it again from the resolved experiment beside it, and draw this page and its \
                 figures again from the records alone:"
            }
            @if reads {
                p { "The files that the experiment names are looked for where they were, as seen from the folder of this page." }
            }
            pre tabindex="0" { "lossward run experiment.toml --out again\nlossward plot ." }
            p {
                "The same arm and seed give the same rows on the same machine, for any number of " code { "--jobs" }
                "; only seconds differ."
            }
            (statistics())
            details data-print {
                summary { "The experiment, resolved" }
                pre tabindex="0" { (file) }
            }
        }
    })
}

fn statistics() -> Markup {
    html! {
        h3 { "Statistics" }
        p {
            "Curves and final scores are interquartile means over seeds: the mean of the middle half. Bands and brackets are 95 % \
             percentile bootstrap intervals (below 5 seeds, which are too few, the range of the seeds), with whole runs drawn with \
             replacement (" a href="https://arxiv.org/abs/2108.13264" { "Agarwal et al. 2021" } "). Curves against updates and seconds \
             show the same estimates at the mean count of the trials’ middle half."
        }
    }
}

fn machine(of: &Provenance) -> Markup {
    let machine = &of.machine;
    html! {
        div {
            dt { "machine" }
            dd {
                (machine.processor) ", " (machine.cores) " cores, " (machine.vectors)
                @if let Some(gib) = machine.memory_gib { ", " (grouped(gib)) " GiB of memory" }
                ", " (machine.system)
            }
        }
        div {
            dt { "versions" }
            dd { "lossward " (of.lossward) ", candle " (of.candle) }
        }
    }
}
