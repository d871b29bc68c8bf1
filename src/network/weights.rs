//! Weights on disk: safetensors with the names `layers.N.weight` `[out, in]` and `layers.N.bias` `[out]`, which PyTorch's
//! `load_state_dict` reads into an `nn.ModuleList` called `layers` of `nn.Linear`; and, of a Gaussian policy whose standard deviations don't
//! depend on the state, `log_std` `[actions]`. Where observations or rewards are normalized, the running statistics stand beside
//! them: `observations.mean`, `.variance` and `.count`, `returns.…`, in double precision. The metadata say what else is needed to use the weights
//! ([`WeightsDescription`]).

use super::{Network, Parameter, WeightsDescription};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use lossward_envs::wrapper::{Moments, Statistics};
use std::path::Path;

impl Network {
    /// Writes every parameter. The file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        crate::disk::write_whole(path, &self.to_bytes()?)
    }

    /// The content of a weights file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let named = |p: &Parameter| Ok((p.name.clone(), self.parameters.tensor(p)?));
        let mut tensors: Vec<(String, Tensor)> = self.parameters.iter().map(named).collect::<Result<_>>()?;
        for (name, statistics) in self.statistics() {
            if let Some(moments) = statistics.moments() {
                tensors.push((format!("{name}.mean"), Tensor::new(moments.mean, &Device::Cpu)?));
                tensors.push((format!("{name}.variance"), Tensor::new(moments.variance, &Device::Cpu)?));
                tensors.push((format!("{name}.count"), Tensor::new(moments.count, &Device::Cpu)?));
            }
        }
        let description =
            self.usage.clone().map(|usage| WeightsDescription::new(&self.graph, usage).metadata()).transpose()?;
        safetensors::serialize(tensors, description).map_err(|error| Error::Argument(format!("weights: {error}")))
    }

    /// The statistics that belong to the weights, by the beginning of their tensors' names.
    fn statistics(&self) -> impl Iterator<Item = (&'static str, &Statistics)> {
        let both = self.statistics.iter();
        both.flat_map(|both| [("observations", &both.observations), ("returns", &both.returns)])
    }

    /// Sets every parameter from a file that holds exactly these names and shapes.
    pub fn load(&self, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| Error::content(path, format!("not a safetensors file: {error}")))?;
        for (name, statistics) in self.statistics() {
            let parts = ["mean", "variance", "count"].map(|part| format!("{name}.{part}"));
            let bad = |error: String| Error::content(path, format!("`{name}`: {error}"));
            match parts.each_ref().map(|part| tensors.remove(part)) {
                [None, None, None] => {}
                [Some(mean), Some(variance), Some(count)] => {
                    let read = || {
                        Ok(Moments { mean: mean.to_vec1()?, variance: variance.to_vec1()?, count: count.to_scalar()? })
                    };
                    let moments = read().map_err(|error: candle_core::Error| bad(error.to_string()))?;
                    statistics.set(moments).map_err(|error| bad(error.to_string()))?;
                }
                some => {
                    let absent =
                        parts.iter().zip(&some).find(|(_, tensor)| tensor.is_none()).map_or("", |(part, _)| part);
                    return Err(Error::content(path, format!("the tensor `{absent}` is missing")));
                }
            }
        }
        let count = self.parameters.iter().count();
        let found = |parameter: &Parameter| {
            let (name, expected) = (&parameter.name, &parameter.shape[..]);
            let found =
                tensors.get(name).ok_or_else(|| Error::content(path, format!("the tensor `{name}` is missing")))?;
            if found.dims() != expected {
                let message = format!("`{name}` has shape {:?}; this network's has {expected:?}", found.dims());
                return Err(Error::content(path, message));
            }
            Ok(found.clone())
        };
        self.parameters.iter().try_for_each(|parameter| found(parameter).map(|_| ()))?;
        if tensors.len() != count {
            let known = |name: &&String| self.parameters.iter().any(|parameter| parameter.name == **name);
            let mut others: Vec<&String> = tensors.keys().filter(|name| !known(name)).collect();
            others.sort();
            let first = others.first().map_or("", |name| name.as_str());
            let message = format!("{} tensors where this network has {count}, such as `{first}`", tensors.len());
            return Err(Error::content(path, message));
        }
        for parameter in self.parameters.iter() {
            let values = found(parameter)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::content(path, format!("`{}` holds {value}, which is not finite", parameter.name)));
            }
        }
        self.parameters.set(found)
    }
}
