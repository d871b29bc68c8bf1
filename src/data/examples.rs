//! Inputs with their targets, row by row.

use std::ops::Range;

/// Inputs and targets of as many rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    pub inputs: InputValues,
    pub targets: Targets,
}

/// `[rows, features]`
#[derive(Clone, Debug, PartialEq)]
pub enum InputValues {
    Numbers(Vec<f32>),
    /// Bytes, and the number that each of the 256 stands for: images keep their size until they are put into a batch.
    Bytes {
        bytes: Vec<u8>,
        numbers: Box<[f32; 256]>,
    },
}

/// What belongs to the inputs, `[rows]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Each below the number of classes.
    Classes(Vec<u32>),
    /// Real values, standardized.
    Values(Vec<f32>),
}

impl InputValues {
    /// Floats of all rows.
    pub fn len(&self) -> usize {
        match self {
            InputValues::Numbers(numbers) => numbers.len(),
            InputValues::Bytes { bytes, .. } => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends these floats to `out`.
    pub fn append(&self, range: Range<usize>, out: &mut Vec<f32>) {
        match self {
            InputValues::Numbers(numbers) => out.extend_from_slice(&numbers[range]),
            InputValues::Bytes { bytes, numbers } => {
                out.extend(bytes[range].iter().map(|byte| numbers[usize::from(*byte)]))
            }
        }
    }

    fn kept(&self, features: usize, rows: &[usize]) -> InputValues {
        fn of<T: Copy>(all: &[T], features: usize, rows: &[usize]) -> Vec<T> {
            rows.iter().flat_map(|row| &all[row * features..(row + 1) * features]).copied().collect()
        }
        match self {
            InputValues::Numbers(numbers) => InputValues::Numbers(of(numbers, features, rows)),
            InputValues::Bytes { bytes, numbers } => {
                InputValues::Bytes { bytes: of(bytes, features, rows), numbers: numbers.clone() }
            }
        }
    }
}

impl Targets {
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class or the value of one row.
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Targets::Classes(labels) => f64::from(labels[row]),
            Targets::Values(values) => f64::from(values[row]),
        }
    }

    pub(super) fn kept(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Classes(labels) => Targets::Classes(rows.iter().map(|&row| labels[row]).collect()),
            Targets::Values(values) => Targets::Values(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

impl Examples {
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Floats of one input.
    pub fn features(&self) -> usize {
        self.inputs.len() / self.len().max(1)
    }

    /// The inputs of these rows, `[rows, features]`.
    pub fn inputs_of(&self, rows: impl Iterator<Item = usize>) -> Vec<f32> {
        let features = self.features();
        let mut out = Vec::with_capacity(rows.size_hint().0 * features);
        rows.for_each(|row| self.inputs.append(row * features..(row + 1) * features, &mut out));
        out
    }

    /// The input of one row.
    pub fn write_input(&self, row: usize, out: &mut [f32]) {
        let range = row * out.len()..(row + 1) * out.len();
        match &self.inputs {
            InputValues::Numbers(numbers) => out.copy_from_slice(&numbers[range]),
            InputValues::Bytes { bytes, numbers } => {
                out.iter_mut().zip(&bytes[range]).for_each(|(out, byte)| *out = numbers[usize::from(*byte)]);
            }
        }
    }

    /// These rows alone, in this order.
    pub fn kept(&self, rows: &[usize]) -> Examples {
        Examples { inputs: self.inputs.kept(self.features(), rows), targets: self.targets.kept(rows) }
    }
}
