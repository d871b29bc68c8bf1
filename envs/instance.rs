//! What is drawn once for all copies of an environment: the means of a bandit's arms, the meaning of actions.

use crate::options::{OptionKind, OptionRow, Options};
use crate::random::sibling;
use crate::{Rng, stream};

/// The option with which an environment that draws something once fixes the draw.
pub(crate) const INSTANCE: OptionRow = OptionRow {
    name: "instance",
    meaning: "number of the draw that all copies share, the same in every trial; without it, each trial's seed has its own",
    kind: OptionKind::Whole { default: None, at_least: 0 },
};

/// The stream `name` of what all copies share: that of the option `instance` if it was given, otherwise that of the seed
/// behind the copies' own streams, so that training and evaluation of one trial meet the same draw.
pub(crate) fn instance(options: &Options, rngs: &[Rng], name: &str) -> Rng {
    match (options.whole(INSTANCE.name), rngs.first()) {
        (Some(number), _) => stream(number as u64, name, 0),
        (None, Some(rng)) => sibling(rng, name),
        (None, None) => stream(0, name, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn an_instance_belongs_to_a_trial_or_to_its_number() {
        const ROWS: &[OptionRow] = &[INSTANCE];
        let options = |toml| Options::new("environment", ROWS, &toml::from_str(toml).unwrap()).unwrap();
        let draw = |toml, seed, name| instance(&options(toml), &[stream(seed, name, 5)], "arms").random::<u64>();
        assert_eq!(draw("", 1, "env"), draw("", 1, "evaluation"));
        assert_ne!(draw("", 1, "env"), draw("", 2, "env"));
        assert_eq!(draw("instance = 3", 1, "env"), draw("instance = 3", 2, "evaluation"));
        assert_ne!(draw("instance = 3", 1, "env"), draw("instance = 4", 1, "env"));
    }
}
