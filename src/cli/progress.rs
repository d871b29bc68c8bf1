//! What a run shows while it runs: on a terminal one line per running trial, elsewhere a plain line per trial that ends.

use crate::diagnosis::Finding;
use crate::laboratory::{Event, Plan};
use crate::record::TrialOutcome;
use crate::train::Watch;
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The display of one run.
pub(super) struct Progress<'a> {
    plan: &'a Plan<'a>,
    look: Look,
    /// The line that counts trials.
    trials: ProgressBar,
    running: BTreeMap<usize, (Arc<Watch>, ProgressBar)>,
    /// Arms and what was said of them.
    warned: BTreeSet<(String, &'static str)>,
    ended: usize,
    /// Trials of which was said that another process trains them, and how many such have ended.
    elsewhere: BTreeSet<usize>,
    left_to_others: usize,
    started: Instant,
}

/// What is new since this was asked last.
fn findings(watch: &Watch) -> Vec<Finding> {
    std::mem::take(&mut watch.findings.lock().unwrap_or_else(PoisonError::into_inner))
}

enum Look {
    /// Only failures.
    Quiet,
    Lines,
    Bars(MultiProgress),
}

impl<'a> Progress<'a> {
    pub const REFRESH: Duration = Duration::from_millis(100);

    pub fn new(plan: &'a Plan<'a>, quiet: bool) -> Self {
        let look = match quiet {
            true => Look::Quiet,
            false if std::io::stderr().is_terminal() => Look::Bars(MultiProgress::new()),
            false => Look::Lines,
        };
        let trials = ProgressBar::hidden();
        trials.set_length(plan.missing.len() as u64);
        let (running, warned) = (BTreeMap::new(), BTreeSet::new());
        let (elsewhere, started) = (BTreeSet::new(), Instant::now());
        let mut progress =
            Progress { plan, look, trials, running, warned, ended: 0, elsewhere, left_to_others: 0, started };
        if let Look::Bars(bars) = &progress.look {
            let style = "{bar:28.dim} {pos}/{len} trials, {elapsed} gone, {eta} left";
            progress.trials = bars.add(styled(plan.missing.len() as u64, style));
        }
        progress
    }

    /// Takes in what has happened, if anything, and brings the display up to date.
    pub fn show(&mut self, event: Option<Event>) {
        match event {
            Some(Event::Started { trial, watch }) => {
                let trial_of = &self.plan.missing[trial];
                let bar = match &self.look {
                    Look::Bars(bars) => {
                        let style = "{bar:28.cyan/dim} {msg}: {human_pos}/{human_len} examples, {rate}, {eta} left";
                        let bar = styled(trial_of.arm.budget.examples, style).with_message(trial_of.name());
                        bars.insert_before(&self.trials, bar)
                    }
                    _ => ProgressBar::hidden(),
                };
                self.running.insert(trial, (watch, bar));
            }
            Some(Event::Ended { trial, outcome }) => self.end(trial, &outcome),
            Some(Event::Elsewhere { trial, by }) if self.elsewhere.insert(trial) => {
                let name = self.plan.missing[trial].name();
                self.say(false, &format!("{name} is trained by {by}; it is waited for when nothing else is left"));
            }
            Some(Event::Elsewhere { .. }) => {}
            Some(Event::EndedElsewhere { trial }) => {
                self.left_to_others += 1;
                self.trials.set_length((self.plan.missing.len() - self.left_to_others) as u64);
                self.say(false, &format!("{} has been finished by another process", self.plan.missing[trial].name()));
            }
            None => {}
        }
        let mut news = Vec::new();
        for (trial, (watch, bar)) in &self.running {
            bar.set_position(watch.examples.load(Ordering::Relaxed));
            news.extend(findings(watch).into_iter().map(|finding| (*trial, finding)));
        }
        news.into_iter().for_each(|(trial, finding)| self.warn(trial, &finding));
        self.trials.tick();
    }

    fn end(&mut self, trial: usize, outcome: &crate::Result<TrialOutcome>) {
        if let Some((watch, bar)) = self.running.remove(&trial) {
            bar.finish_and_clear();
            findings(&watch).iter().for_each(|finding| self.warn(trial, finding));
        }
        if matches!(outcome, Err(crate::Error::Interrupted)) {
            return;
        }
        self.ended += 1;
        self.trials.set_position(self.ended as u64);
        let trial_of = &self.plan.missing[trial];
        let (ended, of, name) = (self.ended, self.plan.missing.len() - self.left_to_others, trial_of.name());
        let text = match outcome {
            Ok(TrialOutcome::Finished { seconds, .. }) => {
                let rate = trial_of.arm.budget.examples as f64 / seconds;
                let left = self.started.elapsed().as_secs_f64() / ended as f64 * of.saturating_sub(ended) as f64;
                format!("[{ended}/{of}] {name}: {seconds:.1} s, {rate:.0} examples/s; about {left:.0} s left")
            }
            Ok(TrialOutcome::Failed { reason }) => format!("[{ended}/{of}] {name} FAILED: {reason}"),
            Err(error) => format!("[{ended}/{of}] {name} FAILED: {error}"),
        };
        let warnings = match outcome {
            Ok(TrialOutcome::Finished { warnings, .. }) => &warnings[..],
            _ => &[],
        };
        let failed = !matches!(outcome, Ok(TrialOutcome::Finished { .. }));
        self.say(failed, &text);
        warnings.iter().for_each(|warning| self.say(true, &format!("warning: {}: {warning}", trial_of.name())));
    }

    /// Says what was found, unless it was said of another seed of the arm: the report tells all of them.
    fn warn(&mut self, trial: usize, finding: &Finding) {
        let trial = &self.plan.missing[trial];
        if self.warned.insert((trial.arm.name.clone(), finding.kind)) {
            self.say(true, &format!("warning: {}: {finding}", trial.name()));
        }
    }

    /// Prints a line, unless it is no news and nobody reads along.
    fn say(&self, is_news: bool, text: &str) {
        match &self.look {
            Look::Bars(bars) if is_news => bars.suspend(|| super::tell(text)),
            Look::Lines => super::tell(text),
            Look::Quiet if is_news => super::tell(text),
            _ => {}
        }
    }

    pub fn finish(self) {
        self.trials.finish_and_clear();
        if let Look::Bars(bars) = &self.look {
            // What can't be cleared stays on the screen.
            bars.clear().ok();
        }
        if self.look_is_loud() {
            let seconds = self.started.elapsed().as_secs_f64();
            match self.ended {
                0 => super::tell(format_args!("no trial ended in {seconds:.1} s")),
                n => super::tell(format_args!("{n} trials in {seconds:.1} s, {:.2} s each", seconds / n as f64)),
            }
        }
    }

    fn look_is_loud(&self) -> bool {
        !matches!(self.look, Look::Quiet)
    }
}

fn styled(length: u64, style: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A display that can't be written to is nothing to stop for.
        write!(out, "{:.0}/s", state.per_sec()).ok();
    };
    ProgressBar::new(length).with_style(style.with_key("rate", rate).progress_chars("━╸─"))
}
