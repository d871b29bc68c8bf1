//! Weights on disk: safetensors with the names `layers.N.weight` `[out, in]` and `layers.N.bias` `[out]`, which PyTorch's
//! `load_state_dict` reads into an `nn.ModuleList` called `layers` of `nn.Linear`; and, of a Gaussian policy whose standard deviations don't
//! depend on the state, `log_std` `[actions]`.

use super::{Network, Parameter};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::path::Path;

impl Network {
    /// Writes every parameter. The file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        let named = |p: &Parameter| Ok((p.name.clone(), self.parameters.tensor(p)?));
        let tensors: Vec<(String, Tensor)> = self.parameters.iter().map(named).collect::<Result<_>>()?;
        let bytes = safetensors::serialize(tensors, None).map_err(|error| Error::content(path, error))?;
        crate::record::write_whole(path, &bytes)
    }

    /// Sets every parameter from a file that holds exactly these names and shapes.
    pub fn load(&self, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| Error::content(path, format!("not a safetensors file: {error}")))?;
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
            return Err(Error::content(path, format!("{} tensors where this network has {count}", tensors.len())));
        }
        self.parameters.set(found)
    }
}
