//! The trained numbers: one flat tensor, of which every parameter is a named range.

use crate::kernel::{self, Collector, Real};
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

/// What a parameter does. Weights alone are penalized and decayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Multiplies what comes in.
    Weight,
    /// Shifts.
    Bias,
    /// Multiplies what was normalized.
    Scale,
    /// A running mean or variance: batches move it, and no gradient does.
    Statistic,
}

/// The name, shape and place of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// As in the weights file: `layers.0.weight`.
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
    /// Where its numbers lie, row-major.
    pub range: Range<usize>,
}

/// All parameters of a network, in a fixed order. One tensor holds them, so that one operation differentiates a network and one
/// pass updates it.
pub struct Parameters {
    values: Var,
    /// See [`Parameters::version`].
    version: Cell<Option<u64>>,
    collector: Arc<Collector>,
    list: Vec<Parameter>,
}

impl Parameters {
    /// Copies the tensors, which must be of one dtype, in this order.
    pub fn new(tensors: Vec<(String, Role, Tensor)>) -> Result<Self> {
        let mut list = Vec::new();
        let mut end = 0;
        for (name, role, tensor) in &tensors {
            let range = end..end + tensor.elem_count();
            end = range.end;
            list.push(Parameter { name: name.clone(), role: *role, shape: tensor.dims().to_vec(), range });
        }
        let flat =
            tensors.iter().map(|(_, _, tensor)| tensor.flatten_all()).collect::<candle_core::Result<Vec<_>>>()?;
        let values = Var::from_tensor(&Tensor::cat(&flat, 0)?)?;
        Ok(Parameters { collector: Arc::new(Collector::new(&values)?), values, version: Cell::new(Some(0)), list })
    }

    /// The flat tensor, which gradients refer to. Whoever has it may change it at any time: from now on a forward pass without gradients lays
    /// the weights out anew, which takes a little longer.
    pub fn values(&self) -> &Var {
        self.version.set(None);
        &self.values
    }

    /// [`Self::values`], to be read.
    pub(crate) fn flat(&self) -> &Tensor {
        &self.values
    }

    /// Another number after every change of the values, by which what was made of them is known to be out of date; nothing where they can
    /// change unseen.
    pub(crate) fn version(&self) -> Option<u64> {
        self.version.get()
    }

    fn change(&self) {
        self.version.set(self.version.get().map(|version| version + 1));
    }

    /// Calls `update(values, gradient)` on the elements of both, flat tensors, to change the values in place.
    pub(crate) fn update<T: Real>(&self, gradient: &Tensor, update: impl FnOnce(&mut [T], &[T])) -> Result<()> {
        self.change();
        Ok(kernel::update(&self.values, gradient, update)?)
    }

    /// Where chains leave their gradients.
    pub fn collector(&self) -> &Arc<Collector> {
        &self.collector
    }

    /// The gradient of a scalar with respect to all parameters, a flat tensor like [`Self::values`]; nothing where it does not
    /// depend on them. The next call may overwrite it.
    pub fn gradient(&self, of: &Tensor) -> Result<Option<Tensor>> {
        self.collector.clear();
        let kept = of.backward()?.remove(&self.values);
        Ok(match (self.collector.collected(), kept) {
            (Some(collected), Some(kept)) => Some((collected + kept)?),
            (collected, kept) => collected.or(kept),
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.list.iter()
    }

    /// Moves running statistics towards those of the batch that the network was last differentiated at.
    pub fn track(&self) -> Result<()> {
        self.change();
        Ok(self.collector.track(&self.values)?)
    }

    /// The ranges of the weights, without the biases.
    pub fn weights(&self) -> Vec<Range<usize>> {
        self.iter().filter(|p| p.role == Role::Weight).map(|p| p.range.clone()).collect()
    }

    /// One parameter in its shape: a view of what it is now.
    pub fn tensor(&self, parameter: &Parameter) -> Result<Tensor> {
        let Range { start, .. } = parameter.range;
        Ok(self.values.as_detached_tensor().narrow(0, start, parameter.range.len())?.reshape(&parameter.shape[..])?)
    }

    /// Sets every parameter; `find` gives the new tensor of each, which must have its shape.
    pub fn set(&self, mut find: impl FnMut(&Parameter) -> Result<Tensor>) -> Result<()> {
        self.change();
        let flat = self.iter().map(|p| Ok(find(p)?.to_dtype(self.values.dtype())?.flatten_all()?));
        Ok(self.values.set(&Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)?)?)
    }

    /// Takes over the values of others of the same shapes, running statistics included; those stay as they are.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn copy(&self, from: &Parameters) -> Result<()> {
        self.change();
        Ok(self.values.set(from.flat())?)
    }

    /// The parameter whose entry in `flat`, a tensor like [`Self::values`], is the first that is not finite, and that entry.
    pub fn first_not_finite(&self, flat: &Tensor) -> Result<Option<(&Parameter, f64)>> {
        let Some((index, value)) = kernel::first_not_finite(flat)? else { return Ok(None) };
        let parameter = self.iter().find(|p| p.range.contains(&index));
        Ok(Some((parameter.ok_or_else(|| Error::Argument(format!("no parameter has entry {index}")))?, value)))
    }
}
