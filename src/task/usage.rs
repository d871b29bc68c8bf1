//! What weights that were trained on a task need to be used.

use super::{Task, TaskSettings, TaskSource};
use crate::data::DataSet;
use crate::distribution::{PolicySettings, Squash};
use crate::network::{EnvironmentDescription, FeatureDescription, Outputs, Usage};
use crate::{Error, Result};
use lossward_envs::Space;

impl Task {
    /// Of a network that was trained here with these settings of its policy.
    pub fn usage(&self, settings: &TaskSettings, policy: Option<&PolicySettings>) -> Result<Usage> {
        let input_shape = self.input_shape();
        Ok(match &self.source {
            TaskSource::DataSet(data, kind) => {
                Usage { input_shape, features: features(data), outputs: Some(kind.outputs()), environment: None }
            }
            TaskSource::Environment(environment) => Usage {
                input_shape,
                features: Vec::new(),
                outputs: Some(actions(environment.actions, policy)),
                environment: Some(EnvironmentDescription {
                    id: environment.spec.id.into(),
                    settings: toml::to_string(settings)
                        .map_err(|error| Error::Argument(format!("the task as TOML: {error}")))?,
                    normalizes_observations: settings
                        .wrappers
                        .as_ref()
                        .and_then(|wrappers| wrappers.normalize_observations)
                        == Some(true),
                }),
            },
        })
    }
}

fn features(data: &DataSet) -> Vec<FeatureDescription> {
    let of = |feature: &crate::data::Feature| FeatureDescription {
        column: feature.column.clone(),
        value: feature.category().map(String::from),
        mean: feature.scale.mean,
        deviation: feature.scale.deviation,
    };
    data.features.iter().map(of).collect()
}

fn actions(space: Space, policy: Option<&PolicySettings>) -> Outputs {
    match space {
        Space::Discrete(n) => Outputs::Choices { sizes: vec![n] },
        Space::MultiDiscrete(sizes) => Outputs::Choices { sizes: sizes.to_vec() },
        Space::Box { low, high, .. } => Outputs::Numbers {
            low: (0..space.size()).map(|i| low.of(i)).collect(),
            high: (0..space.size()).map(|i| high.of(i)).collect(),
            squash: match policy.map(|policy| policy.squash) {
                Some(Squash::Tanh) => "tanh".into(),
                _ => "clip".into(),
            },
        },
    }
}
