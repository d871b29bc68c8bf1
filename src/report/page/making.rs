//! How the results came about, and how to get them again.

use super::html::{escape, grouped};
use crate::experiment::Arm;
use crate::record::Provenance;
use crate::report::Report;
use crate::{Error, Result};

pub(super) fn section(report: &Report) -> Result<String> {
    let machines = match &report.provenance[..] {
        [] => "<p>The machine and the versions that trained were not recorded.</p>".to_string(),
        all => format!("<dl>{}</dl>", all.iter().map(machine).collect::<String>()),
    };
    let file = toml::to_string(&report.experiment).map_err(|error| Error::Argument(error.to_string()))?;
    let reads = report.experiment.arms.iter().any(Arm::reads_files);
    let of_files = match reads {
        true => {
            "<p>The files that the experiment names are looked for where they were, as seen from the folder of this page.</p>"
        }
        false => "",
    };
    Ok(format!(
        "<section id=\"making\"><h2>How this was made</h2>{machines}\
         <p>In the folder of this page, these train it again from the resolved experiment beside it, and draw this page and its \
         figures again from the records alone:</p>{of_files}\
         <pre tabindex=\"0\">lossward run experiment.toml --out again\nlossward plot .</pre>\
         <p>The same arm and seed give the same rows on the same machine, for any number of <code>--jobs</code>; only seconds \
         differ.</p><h3>Statistics</h3><p>Curves and final scores are interquartile means over seeds: the mean of the middle \
         half. Bands and brackets are 95 % percentile bootstrap intervals (below 5 seeds, which are too few, the range of the seeds), with whole runs drawn with replacement \
         (<a href=\"https://arxiv.org/abs/2108.13264\">Agarwal et al. 2021</a>). Curves against updates and seconds show the \
         same estimates at the mean count of the trials’ middle half.</p>\
         <details data-print><summary>The experiment, resolved</summary><pre tabindex=\"0\">{}</pre></details></section>\n",
        escape(&file)
    ))
}

fn machine(of: &Provenance) -> String {
    let machine = &of.machine;
    let memory = machine.memory_gib.map_or(String::new(), |gib| format!(", {} GiB of memory", grouped(gib)));
    format!(
        "<div><dt>machine</dt><dd>{}, {} cores, {}{memory}, {}</dd></div><div><dt>versions</dt><dd>lossward {}, candle {}</dd></div>",
        escape(&machine.processor),
        machine.cores,
        escape(&machine.vectors),
        escape(&machine.system),
        escape(&of.lossward),
        escape(&of.candle),
    )
}
