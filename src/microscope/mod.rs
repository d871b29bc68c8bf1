//! A microscope: how the gradients of several objectives lie to one another at the same weights and examples, and how much of an estimate is
//! noise. It looks at a copy of the network, draws from streams of its own, and leaves no trace in the training.

mod look;
mod readings;
mod settings;
mod statistics;
#[cfg(test)]
mod tests;

pub use settings::MicroscopeSettings;
pub use statistics::{GradientMoments, cosine, mean_pairwise_cosine, norm};

use crate::network::Network;
use crate::objective::{Objective, Probe};
use crate::record::{ReadingWriter, TrialFolder};
use crate::{Result, stream};
use look::{Look, Seen};
use rand::Rng as _;
use std::ops::Range;

/// What stands in column `part` for the gradient with respect to a network's outputs, and to all of its parameters.
pub const OUTPUTS: &str = "outputs";
pub const ALL: &str = "all";

/// Of one trial.
pub struct Microscope {
    settings: MicroscopeSettings,
    seed: u64,
    budget: u64,
    /// Examples at which the next look is due.
    next: u64,
    looks: u64,
    /// Updates before the last look.
    looked_at: Option<u64>,
    /// Gets the weights of the network in hand for every look.
    copy: Network,
    /// The parameters of each layer.
    layers: Vec<(String, Range<usize>)>,
    /// The trial's own, and behind it those that it is compared with.
    subjects: Vec<ProbedArm>,
    writer: ReadingWriter,
}

/// An objective by the name of its arm.
pub struct ProbedArm {
    pub name: String,
    pub probe: Probe,
}

impl Microscope {
    /// Of a trial with this seed and budget, whose record is in the folder; `copy` is a network like its own. The first of the objectives is
    /// its own.
    pub fn new(
        settings: &MicroscopeSettings,
        (seed, budget): (u64, u64),
        copy: Network,
        subjects: Vec<ProbedArm>,
        folder: &TrialFolder,
    ) -> Result<Self> {
        Ok(Microscope {
            settings: settings.clone(),
            seed,
            budget,
            next: 0,
            looks: 0,
            looked_at: None,
            layers: layers(&copy),
            copy,
            subjects,
            writer: ReadingWriter::create(folder)?,
        })
    }

    /// Looks, if so many examples have been learned from that a look is due and none is left to be.
    pub fn look_if_due(&mut self, of: (&Network, &dyn Objective), updates: u64) -> Result<()> {
        let counters = of.1.counters();
        let due = counters.examples >= self.next && !counters.batch_is_left;
        if due { self.look(of, updates) } else { Ok(()) }
    }

    /// Looks after the last update, unless it has looked by then.
    pub fn look_at_end(&mut self, of: (&Network, &dyn Objective), updates: u64) -> Result<()> {
        if self.looked_at == Some(updates) { Ok(()) } else { self.look(of, updates) }
    }

    fn look(&mut self, (network, objective): (&Network, &dyn Objective), updates: u64) -> Result<()> {
        let (counters, every) = (objective.counters(), self.settings.every(self.budget));
        let mut rng = stream(self.seed, "microscope", self.looks);
        self.next = (counters.examples / every + 1) * every;
        self.looks += 1;
        self.looked_at = Some(updates);
        let look = Look {
            settings: &self.settings,
            network,
            copy: &self.copy,
            learned: objective.learned(),
            examples: counters.examples,
            progress: (counters.examples as f64 / self.budget as f64).min(1.0),
            shared: rng.random(),
        };
        let mut seen: Vec<Seen> = Vec::new();
        for subject in &self.subjects {
            // The noise of baselines is that of the own reward.
            let baselines = if seen.is_empty() { &self.settings.baselines[..] } else { &[] };
            seen.push(look.at(subject, (baselines, &mut rng))?);
        }
        self.writer.append(&readings::of(&seen, &self.layers, (updates, counters.examples)))
    }
}

/// What the parameters of a network belong to, by the beginnings of their names; `log_std` is by itself.
fn layers(network: &Network) -> Vec<(String, Range<usize>)> {
    let mut layers: Vec<(String, Range<usize>)> = Vec::new();
    for parameter in network.parameters().iter() {
        let name = parameter.name.rsplit_once('.').map_or(parameter.name.as_str(), |(layer, _)| layer);
        match layers.last_mut() {
            Some((last, range)) if last == name => range.end = parameter.range.end,
            _ => layers.push((name.to_string(), parameter.range.clone())),
        }
    }
    layers
}
