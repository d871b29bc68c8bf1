//! Weights on disk: safetensors with the names `layers.N.weight` `[out, in]` and `layers.N.bias` `[out]`, which PyTorch's
//! `load_state_dict` reads into an `nn.ModuleList` called `layers` of `nn.Linear`.

use super::Network;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::path::Path;

impl Network {
    /// Writes every parameter. The file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        let tensors: Vec<_> = self.parameters.iter().map(|p| (&p.name, p.var.as_tensor())).collect();
        let bytes = safetensors::serialize(tensors, None).map_err(|error| Error::content(path, error))?;
        crate::record::write_whole(path, &bytes)
    }

    /// Sets every parameter from a file that holds exactly these names and shapes.
    pub fn load(&self, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| Error::content(path, format!("not a safetensors file: {error}")))?;
        for parameter in &self.parameters {
            let (name, expected) = (&parameter.name, parameter.var.dims());
            let found: &Tensor =
                tensors.get(name).ok_or_else(|| Error::content(path, format!("the tensor `{name}` is missing")))?;
            if found.dims() != expected {
                let message = format!("`{name}` has shape {:?}; this network's has {expected:?}", found.dims());
                return Err(Error::content(path, message));
            }
            parameter.var.set(&found.to_dtype(parameter.var.dtype())?)?;
        }
        if tensors.len() != self.parameters.len() {
            let message = format!("{} tensors where this network has {}", tensors.len(), self.parameters.len());
            return Err(Error::content(path, message));
        }
        Ok(())
    }
}
