//! What a batch of steps leaves behind, and what can go wrong in it.

/// Why an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The state is terminal; what follows is worth nothing.
    Terminated,
    /// The time limit cut the episode; what follows is worth the value of the last observation (Pardo et al. 2018,
    /// arXiv 1712.00378).
    Truncated,
}

/// The end of one copy's episode. Its last observation is [`Steps::last_observation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeEnd {
    pub copy: usize,
    pub cause: Cause,
    /// Undiscounted sum of the rewards that the environment paid.
    pub total_reward: f64,
    /// Steps since reset.
    pub length: u32,
}

/// What a batch of steps left behind. The buffers are allocated once and overwritten by every step.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    pub copies: usize,
    pub features: usize,
    /// `[copies, features]`: what each copy shows now; after an end, the first observation of the next episode.
    pub observations: Vec<f32>,
    /// `[copies, actions]`: which actions are allowed now; empty where the environment has no action mask.
    pub action_masks: Vec<bool>,
    /// `[copies]`
    pub rewards: Vec<f32>,
    /// What is known of the single choices of the last actions, `[copies, …]`, in a form that whoever asked for it knows; empty elsewhere, as in
    /// all environments of this crate.
    pub credits: Vec<f32>,
    /// The episodes that ended in this step, by rising copy.
    pub ends: Vec<EpisodeEnd>,
    pub(crate) last_observations: Vec<f32>,
    pub(crate) lengths: Vec<u32>,
}

impl Steps {
    pub(crate) fn new(copies: usize, features: usize) -> Self {
        Steps {
            copies,
            features,
            observations: vec![0.0; copies * features],
            action_masks: Vec::new(),
            rewards: vec![0.0; copies],
            credits: Vec::new(),
            ends: Vec::with_capacity(copies),
            last_observations: vec![0.0; copies * features],
            lengths: vec![0; copies],
        }
    }

    /// What a copy shows now, `[features]`.
    pub fn observation(&self, copy: usize) -> &[f32] {
        &self.observations[self.range(copy)]
    }

    /// The observation in which the copy's most recent episode ended, before the automatic reset.
    pub fn last_observation(&self, copy: usize) -> &[f32] {
        &self.last_observations[self.range(copy)]
    }

    /// Steps of a copy since its episode began: 0 where its last step ended one.
    pub fn length(&self, copy: usize) -> u32 {
        self.lengths[copy]
    }

    pub(crate) fn observation_mut(&mut self, copy: usize) -> &mut [f32] {
        let range = self.range(copy);
        &mut self.observations[range]
    }

    pub(crate) fn last_observation_mut(&mut self, copy: usize) -> &mut [f32] {
        let range = self.range(copy);
        &mut self.last_observations[range]
    }

    /// Takes over all but the observations, without allocating.
    pub(crate) fn copy_all_but_observations(&mut self, other: &Steps) {
        self.action_masks.clone_from(&other.action_masks);
        self.rewards.clone_from(&other.rewards);
        self.credits.clone_from(&other.credits);
        self.ends.clone_from(&other.ends);
        self.lengths.clone_from(&other.lengths);
    }

    pub(crate) fn range(&self, copy: usize) -> std::ops::Range<usize> {
        copy * self.features..(copy + 1) * self.features
    }
}

/// A step that broke the environment's contract.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepError {
    #[error("{env}, copy {copy}, step {step}: action {action} is outside Discrete({actions}); the largest is {}", actions - 1)]
    Action { env: &'static str, copy: usize, step: u32, action: u32, actions: u32 },
    #[error("{env}, copy {copy}, step {step}: element {index} of the action is {value}, not finite")]
    Value { env: &'static str, copy: usize, step: u32, index: usize, value: f32 },
    #[error("{env}: {what}")]
    Actions { env: &'static str, what: String },
    #[error("{env}, copy {copy}, step {step}: the environment returned a reward of {reward}")]
    Reward { env: &'static str, copy: usize, step: u32, reward: f64 },
    #[error("{env}, copy {copy}, step {step}: element {index} of the observation is {value}")]
    Observation { env: &'static str, copy: usize, step: u32, index: usize, value: f32 },
    #[error(
        "{env}, copy {copy}, step {step}: the observation was not written whole: element {index} of {features} is missing"
    )]
    Unwritten { env: &'static str, copy: usize, step: u32, index: usize, features: usize },
    /// Also where more is written than the observation has room for.
    #[error("{env}, copy {copy}, step {step}: the environment panicked: {what}")]
    Panic { env: &'static str, copy: usize, step: u32, what: String },
    #[error("{env}, copy {copy}, step {step}: the reward {reward} times {factor} is too large for 32 bits")]
    Scaled { env: &'static str, copy: usize, step: u32, reward: f32, factor: f64 },
}
