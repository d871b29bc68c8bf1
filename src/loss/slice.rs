//! A loss along one line through its inputs: what is drawn of it.

use super::{Inputs, Layout, Loss};
use crate::options::{Given, OptionValue, Options};
use crate::{Result, scalar};
use candle_core::{DType, Device, Tensor, Var};

/// A line through the inputs of a loss.
pub struct Slice {
    /// What is moved along it.
    pub x: &'static str,
    pub range: (f64, f64),
    pub lines: &'static [Line],
}

/// One curve over the line.
pub struct Line {
    pub label: &'static str,
    /// The target, or what else the layout lets vary; see [`Slice::inputs`].
    pub target: f64,
    pub option: Option<(&'static str, f64)>,
}

/// `(x, loss, slope)` along a [`Line`].
pub type Points = Vec<(f64, f64, f64)>;

/// Points of a curve.
const POINTS: usize = 241;

impl Line {
    pub const fn of(label: &'static str, target: f64) -> Line {
        Line { label, target, option: None }
    }

    pub const fn with(label: &'static str, option: &'static str, value: f64) -> Line {
        Line { label, target: 0.0, option: Some((option, value)) }
    }

    /// This line at another target.
    pub(super) const fn at(self, target: f64) -> Line {
        Line { target, ..self }
    }
}

impl Loss {
    /// The loss and its slope along each line of its slice.
    pub fn curves(&self) -> Result<Vec<(&'static str, Points)>> {
        self.slice.lines.iter().map(|line| Ok((line.label, self.points(line)?))).collect()
    }

    fn points(&self, line: &Line) -> Result<Points> {
        let given = line.option.map(|(name, value)| (name.to_string(), OptionValue::Number(value)));
        let options = Options::new(self.name, self.options, &given.into_iter().collect::<Given>())?;
        let (low, high) = self.slice.range;
        let x = (0..POINTS).map(|i| low + (high - low) * i as f64 / (POINTS - 1) as f64);
        x.map(|x| {
            let inputs = self.inputs_at(x, line.target)?;
            let (value, slope) = self.along(&inputs, x, line.target, &options)?;
            Ok((x, value, slope))
        })
        .collect()
    }

    /// The value at `inputs`, and its gradient times the direction of the line.
    fn along(&self, inputs: &Inputs, x: f64, target: f64, options: &Options) -> Result<(f64, f64)> {
        let variables = inputs.predictions.iter().map(Var::from_tensor).collect::<candle_core::Result<Vec<_>>>()?;
        let predictions = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
        let inputs = Inputs { predictions, targets: inputs.targets.clone() };
        let value = (self.per_example)(&inputs, options)?.mean()?;
        let gradients = value.backward()?;
        let [before, after] = [x - STEP, x + STEP].map(|x| self.inputs_at(x, target));
        let mut slope = 0.0;
        for (i, (before, after)) in before?.predictions.iter().zip(&after?.predictions).enumerate() {
            if let Some(gradient) = gradients.get(&variables[i]) {
                let direction = ((after - before)? / (2.0 * STEP))?;
                slope += scalar(&(gradient * direction)?.sum_all()?)?;
            }
        }
        Ok((scalar(&value)?, slope))
    }

    /// One example at `x`. A plain output is compared with `target`; of classes `x` is the score of class 0 and `target` the
    /// label; a mask has this score on its half of the pixels and the opposite one elsewhere; a box of `target` times the width
    /// is moved aside by `x` widths; bins have a peak at `x`; vectors are turned or moved by `x`.
    fn inputs_at(&self, x: f64, target: f64) -> Result<Inputs> {
        let tensor = |values: &[f64], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu);
        let one = |value: f64| tensor(&[value], &[1, 1]);
        let (predictions, targets) = match self.layout {
            Layout::Same if self.predictions.len() == 2 => (vec![one(x)?, one(target)?], vec![one(0.0)?]),
            Layout::Same => (vec![one(x)?], vec![one(target)?]),
            Layout::Classes => {
                (vec![tensor(&[x, 0.0, 0.0], &[1, 3])?], vec![tensor(&[target], &[1])?.to_dtype(DType::I64)?])
            }
            Layout::Masks => {
                let mask: Vec<f64> = (0..16).map(|i| f64::from(u8::from(i % 4 < 2))).collect();
                let scores: Vec<f64> = mask.iter().map(|inside| if *inside > 0.0 { x } else { -x }).collect();
                (vec![tensor(&scores, &[1, 1, 4, 4])?], vec![tensor(&mask, &[1, 1, 4, 4])?])
            }
            Layout::Boxes => {
                (vec![tensor(&[x, 0.0, x + target, 1.0], &[1, 4])?], vec![tensor(&[0.0, 0.0, 1.0, 1.0], &[1, 4])?])
            }
            Layout::Bins => {
                let scores: Vec<f64> = (0..8).map(|bin| -(f64::from(bin) - x).powi(2)).collect();
                (vec![tensor(&scores, &[1, 1, 8])?], vec![one(target)?])
            }
            Layout::Vectors if self.targets.is_empty() => {
                let vectors = [[0.0, 0.0], [target, 0.0], [0.0, x]];
                (vectors.iter().map(|v| tensor(v, &[1, 2])).collect::<candle_core::Result<_>>()?, Vec::new())
            }
            Layout::Vectors => {
                let vectors = [[1.0, 0.0], [x.cos(), x.sin()]];
                let vectors = vectors.iter().map(|v| tensor(v, &[1, 2])).collect::<candle_core::Result<_>>()?;
                (vectors, vec![tensor(&[target], &[1])?])
            }
        };
        Ok(Inputs { predictions, targets })
    }
}

/// Either side of a point, for the direction of the line.
const STEP: f64 = 1e-6;
