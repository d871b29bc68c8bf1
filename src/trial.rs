//! One trial: an arm and a seed. Same two, same record, apart from seconds.

use crate::diagnosis;
use crate::experiment::{Arm, Experiment, columns};
use crate::microscope::{Microscope, MicroscopeSettings, ProbedArm};
use crate::network::Network;
use crate::objective::{ExpertSettings, Objective, ObjectiveSettings, Parts};
use crate::optimizer::Optimizer;
use crate::patience::Patience;
use crate::record::{Claim, Provenance, Rows, Status, TrialFolder, TrialOutcome};
use crate::regularizer::Regularizer;
use crate::task::{Evaluation, Expert, Task, TaskSettings};
use crate::train::{Course, Training, Watch, train};
use crate::{Error, FilePath, Result, stream};
use lossward_envs::panic_message;
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// An arm with a seed, and where its records go.
pub struct Trial<'a> {
    pub arm: &'a Arm,
    pub seed: u64,
    /// Whether it is of the first seed, whose predictions are kept where some are asked for.
    pub is_first: bool,
    pub folder: TrialFolder,
    /// The arms whose gradients its own is compared with.
    against: Vec<&'a Arm>,
}

#[derive(Serialize)]
struct Identity<'a> {
    seed: u64,
    arm: &'a Arm,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    against: Vec<Against<'a>>,
}

/// What a microscope needs of another arm.
#[derive(Serialize)]
struct Against<'a> {
    name: &'a str,
    task: &'a TaskSettings,
    objective: &'a ObjectiveSettings,
}

impl<'a> Trial<'a> {
    /// Of an arm and a seed of an experiment.
    pub fn new(experiment: &'a Experiment, arm: &'a Arm, seed: u64, results: &Path) -> Self {
        let is_first = seed == experiment.seeds.from;
        let named = |other: &&Arm| arm.compared_with().any(|name| name == other.name);
        let against = experiment.arms.iter().filter(named).collect();
        Trial { arm, seed, is_first, folder: TrialFolder::of(results, &arm.slug(), seed), against }
    }

    /// For messages: `REINFORCE, seed 3`.
    pub fn name(&self) -> String {
        format!("{}, seed {}", self.arm.name, self.seed)
    }

    /// All that the trial is a function of, as TOML.
    pub fn identity(&self) -> Result<String> {
        let of = |arm: &&'a Arm| Against { name: &arm.name, task: &arm.task, objective: &arm.objective };
        toml::to_string(&Identity { seed: self.seed, arm: self.arm, against: self.against.iter().map(of).collect() })
            .map_err(|error| Error::content(self.folder.identity(), error))
    }

    /// What its folder says about it. Of records without checksums, those that end before their time are not whole.
    pub fn status(&self) -> Result<Status> {
        let status = self.folder.status(&self.identity()?);
        let ended = matches!(status, Status::Ended(TrialOutcome::Finished { .. }));
        if ended && self.arm.evaluation.early_stopping.is_none() && !self.folder.has_checksums() {
            let examples =
                Rows::read(&self.folder.rows())?.column("examples").and_then(|column| column.last().copied());
            if examples.is_none_or(|examples| examples < self.arm.budget.examples as f64) {
                return Ok(Status::Damaged("rows.csv ends before the budget".into()));
            }
        }
        Ok(status)
    }

    /// Runs the trial from its beginning and leaves its records. A failure is recorded too; an interruption is not, so that
    /// the next run takes the trial up again.
    pub fn run(&self, results: &Path, watch: &Watch, claim: &Claim) -> Result<TrialOutcome> {
        self.folder.begin(&self.identity()?)?;
        let outcome = match self.run_guarded(results, watch) {
            Ok((seconds, warnings)) => TrialOutcome::Finished { seconds, warnings },
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => TrialOutcome::Failed { reason: error.to_string() },
        };
        if !claim.is_held() {
            let message =
                "another process has taken the trial over, since this one seemed to be gone; its record is that one's";
            return Err(Error::content(self.folder.path(), message));
        }
        outcome.write(&self.folder, Some(&Provenance::here()))?;
        Ok(outcome)
    }

    /// [`Self::run_unrecorded`], with a panic as an error: it must not take the other trials with it.
    fn run_guarded(&self, results: &Path, watch: &Watch) -> Result<(f64, Vec<String>)> {
        let run = AssertUnwindSafe(|| self.run_unrecorded(results, watch));
        catch_unwind(run).unwrap_or_else(|panic| Err(Error::Panic(panic_message(panic.as_ref()))))
    }

    /// How long it took, and what there is to know about it.
    fn run_unrecorded(&self, results: &Path, watch: &Watch) -> Result<(f64, Vec<String>)> {
        let Trial { arm, seed, .. } = *self;
        let task = Task::load(&arm.task, seed)?;
        let mut training = Training {
            network: self.network(&task, results)?,
            optimizer: Optimizer::new(&arm.optimizer, stream(seed, "gradient noise", 0))?,
            regularizer: self.regularizer(&task, results)?,
            evaluation: Evaluation::new(&task, &arm.evaluation, seed)?,
            patience: arm.evaluation.early_stopping.map(|early| Patience::new(early.patience, early.threshold)),
            microscope: arm.microscope.as_ref().map(|of| self.microscope(of, &task, results)).transpose()?,
            budget: arm.budget.examples,
            watch,
        };
        let mut objective = self.objective(&task, results)?;
        let mut course = Course::begin(arm, &self.folder, &columns(arm, &training.evaluation)?)?;
        let trained = train(objective.as_mut(), &mut training, &mut course, &mut stream(seed, "batches", 0));
        // Also of a training that failed.
        course.write_best()?;
        trained?;
        let dead = diagnosis::dead_heads(&training.evaluation.heads_fed_zeros(&training.network)?);
        if self.is_first {
            course.keep_predictions(&mut training)?;
        }
        let warnings = objective.warnings().into_iter().chain(dead.map(|finding| finding.to_string()));
        Ok((course.seconds(), warnings.collect()))
    }

    fn objective(&self, task: &Task, results: &Path) -> Result<Box<dyn Objective>> {
        let Trial { arm, seed, .. } = *self;
        let expert = |settings: &ExpertSettings| self.expert(settings, task, results);
        let (network, optimizer, budget) = (&arm.network, &arm.optimizer, arm.budget.examples);
        arm.objective.kind().build(Parts { task, network, optimizer, budget, seed, expert: &expert })
    }

    fn microscope(&self, settings: &MicroscopeSettings, task: &Task, results: &Path) -> Result<Microscope> {
        let Trial { arm, seed, .. } = *self;
        let expert = |settings: &ExpertSettings| self.expert(settings, task, results);
        let probe = |of: &Arm, task: &Task| -> Result<ProbedArm> {
            let (network, optimizer, budget) = (&arm.network, &arm.optimizer, arm.budget.examples);
            let parts = Parts { task, network, optimizer, budget, seed, expert: &expert };
            Ok(ProbedArm { name: of.name.clone(), probe: of.objective.kind().probe(&parts)? })
        };
        let mut subjects = vec![probe(arm, task)?];
        for other in &self.against {
            subjects.push(probe(other, &task.beside(&other.task, seed)?)?);
        }
        Microscope::new(settings, (seed, arm.budget.examples), self.network(task, results)?, subjects, &self.folder)
    }

    fn expert(&self, settings: &ExpertSettings, task: &Task, results: &Path) -> Result<Expert> {
        if settings.arm.is_none() && settings.file.is_none() {
            return Err(Error::Argument("an expert is either an `arm` or a `file`".into()));
        }
        let network = self.network(task, results)?;
        self.load(&network, settings.arm.as_deref(), settings.file.as_ref(), results)?;
        Ok(Expert { network, episodes: settings.episodes, seed: self.seed })
    }

    fn regularizer(&self, task: &Task, results: &Path) -> Result<Regularizer> {
        let settings = &self.arm.regularizer;
        let reference = match &settings.kl {
            None => None,
            Some(kl) => {
                let network = self.network(task, results)?;
                self.load(&network, kl.arm.as_deref(), kl.file.as_ref(), results)?;
                Some(network)
            }
        };
        Ok(Regularizer::new(settings, reference))
    }

    /// The arm's network as its training begins: as it is initialized, or as another one left it.
    fn network(&self, task: &Task, results: &Path) -> Result<Network> {
        let settings = &self.arm.network;
        let policy = task.policy(settings.policy.as_ref())?;
        let sizes = (&task.input_shape()[..], policy);
        let network = Network::of_policy(settings, sizes, &mut stream(self.seed, "init", 0))?;
        let usage = task.usage(&self.arm.task, settings.policy.as_ref())?;
        let network = network.with_statistics(task.statistics()).with_usage(usage);
        if let Some(start) = &self.arm.start {
            self.load(&network, start.arm.as_deref(), start.file.as_ref(), results)?;
        }
        Ok(network)
    }

    /// Gives a network the final weights of another arm with the same seed, or those of a file; none of both changes nothing.
    fn load(&self, network: &Network, arm: Option<&str>, file: Option<&FilePath>, results: &Path) -> Result<()> {
        match (arm, file) {
            (Some(arm), _) => {
                network.load(&TrialFolder::of(results, &crate::experiment::slug(arm), self.seed).final_weights())
            }
            (None, Some(file)) => network.load(&file.path()),
            (None, None) => Ok(()),
        }
    }
}
