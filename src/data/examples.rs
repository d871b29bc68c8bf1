//! Inputs with their targets, row by row.

use super::Targets;
use std::ops::Range;
use std::sync::Arc;

/// Inputs and targets of as many rows. What a seed does to them is a list of rows: the inputs themselves are there once.
#[derive(Clone, Debug)]
pub struct Examples {
    inputs: Arc<InputValues>,
    /// Floats of one input.
    features: usize,
    /// Which rows of `inputs` are meant, in this order; all of them without a list.
    rows: Option<Vec<u32>>,
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

impl InputValues {
    fn len(&self) -> usize {
        match self {
            InputValues::Numbers(numbers) => numbers.len(),
            InputValues::Bytes { bytes, .. } => bytes.len(),
        }
    }

    /// Appends these floats to `out`.
    fn append(&self, range: Range<usize>, out: &mut Vec<f32>) {
        match self {
            InputValues::Numbers(numbers) => out.extend_from_slice(&numbers[range]),
            InputValues::Bytes { bytes, numbers } => {
                out.extend(bytes[range].iter().map(|byte| numbers[usize::from(*byte)]))
            }
        }
    }

    fn write(&self, range: Range<usize>, out: &mut [f32]) {
        match self {
            InputValues::Numbers(numbers) => out.copy_from_slice(&numbers[range]),
            InputValues::Bytes { bytes, numbers } => {
                out.iter_mut().zip(&bytes[range]).for_each(|(out, byte)| *out = numbers[usize::from(*byte)]);
            }
        }
    }
}

impl Examples {
    /// Inputs and targets that belong together.
    pub fn new(inputs: InputValues, targets: Targets) -> Examples {
        let features = inputs.len() / targets.len().max(1);
        Examples { inputs: inputs.into(), features, rows: None, targets }
    }

    pub fn len(&self) -> usize {
        self.targets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Floats of one input.
    pub fn features(&self) -> usize {
        self.features
    }

    fn range(&self, row: usize) -> Range<usize> {
        let row = self.rows.as_ref().map_or(row, |rows| rows[row] as usize);
        row * self.features..(row + 1) * self.features
    }

    /// The inputs of these rows, `[rows, features]`.
    pub fn inputs_of(&self, rows: impl Iterator<Item = usize>) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.size_hint().0 * self.features);
        rows.for_each(|row| self.inputs.append(self.range(row), &mut out));
        out
    }

    /// All inputs, `[rows, features]`, where they lie so.
    pub fn inputs_as_they_lie(&self) -> Option<&[f32]> {
        match (&*self.inputs, &self.rows) {
            (InputValues::Numbers(numbers), None) => Some(numbers),
            _ => None,
        }
    }

    /// The input of one row.
    pub fn write_input(&self, row: usize, out: &mut [f32]) {
        self.inputs.write(self.range(row), out);
    }

    /// One feature of every row.
    pub fn feature(&self, feature: usize) -> impl Iterator<Item = f32> {
        (0..self.len()).map(move |row| {
            let at = self.range(row).start + feature;
            match &*self.inputs {
                InputValues::Numbers(numbers) => numbers[at],
                InputValues::Bytes { bytes, numbers } => numbers[usize::from(bytes[at])],
            }
        })
    }

    /// How often each of the few numbers occurs that inputs are made of, where they are bytes.
    pub(super) fn counts(&self) -> Option<Vec<(f32, usize)>> {
        let InputValues::Bytes { bytes, numbers } = &*self.inputs else { return None };
        let mut counts = [0; 256];
        for row in 0..self.len() {
            bytes[self.range(row)].iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        }
        Some(numbers.iter().copied().zip(counts).collect())
    }

    /// These rows alone, in this order.
    pub fn kept(&self, rows: &[usize]) -> Examples {
        let place = |row: &usize| self.rows.as_ref().map_or(*row as u32, |kept| kept[*row]);
        Examples {
            inputs: self.inputs.clone(),
            features: self.features,
            rows: Some(rows.iter().map(place).collect()),
            targets: self.targets.kept(rows),
        }
    }
}

/// As what they hold, however they hold it.
impl PartialEq for Examples {
    fn eq(&self, other: &Examples) -> bool {
        let same = |row: usize| self.inputs_of(row..row + 1) == other.inputs_of(row..row + 1);
        let shared = Arc::ptr_eq(&self.inputs, &other.inputs) && self.rows == other.rows;
        self.features == other.features && self.targets == other.targets && (shared || (0..self.len()).all(same))
    }
}
