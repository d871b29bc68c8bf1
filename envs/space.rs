//! What can be observed and what can be done.

/// A set of observations or actions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Space {
    /// The integers `0..n`.
    Discrete(u32),
    /// One integer below each of these numbers.
    MultiDiscrete(&'static [u32]),
    /// Real arrays of a shape with bounds; a bound may be infinite.
    Box { shape: Dims, low: Bound, high: Bound },
}

/// The lengths of an array, at most four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dims {
    lengths: [usize; 4],
    rank: usize,
}

impl Dims {
    /// # Panics
    /// When there are more than four.
    pub const fn of(given: &[usize]) -> Dims {
        assert!(given.len() <= 4, "an array of more than four dimensions");
        let (mut lengths, mut i) = ([1; 4], 0);
        while i < given.len() {
            lengths[i] = given[i];
            i += 1;
        }
        Dims { lengths, rank: given.len() }
    }

    pub fn as_slice(&self) -> &[usize] {
        &self.lengths[..self.rank]
    }

    /// Elements of the array.
    pub fn size(&self) -> usize {
        self.lengths.iter().product()
    }
}

/// A bound of every element of a [`Space::Box`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The same for all.
    All(f32),
    /// One for each, row-major.
    Each(&'static [f32]),
    /// One for each element of a part, the same for every part: those of stacked frames.
    EachOfPart(&'static [f32]),
}

impl Bound {
    /// Of the element with this index.
    pub fn of(self, index: usize) -> f32 {
        match self {
            Bound::All(bound) => bound,
            Bound::Each(bounds) => bounds[index],
            Bound::EachOfPart(bounds) => bounds[index % bounds.len()],
        }
    }
}

impl Space {
    /// Zeros and ones, such as an image of channels.
    pub const fn binary(shape: &[usize]) -> Space {
        Space::Box { shape: Dims::of(shape), low: Bound::All(0.0), high: Bound::All(1.0) }
    }

    /// The number of floats that a network reads (observations; discrete ones are one-hot) or writes (actions).
    pub fn size(&self) -> usize {
        match self {
            Space::Discrete(n) => *n as usize,
            Space::MultiDiscrete(sizes) => sizes.iter().map(|n| *n as usize).sum(),
            Space::Box { shape, .. } => shape.size(),
        }
    }

    /// The shape of an observation that a network reads.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Space::Box { shape, .. } => shape.as_slice().to_vec(),
            _ => vec![self.size()],
        }
    }

    /// Numbers of one action: 1 for a discrete space.
    pub fn width(&self) -> usize {
        match self {
            Space::Discrete(_) => 1,
            Space::MultiDiscrete(sizes) => sizes.len(),
            Space::Box { shape, .. } => shape.size(),
        }
    }

    /// The first element of this array that lies outside, if it is a box.
    pub fn first_outside(&self, values: &[f32]) -> Option<usize> {
        match self {
            Space::Box { low, high, .. } => {
                // The opposite comparison would let NaN pass.
                (0..values.len()).find(|&i| !(low.of(i) <= values[i] && values[i] <= high.of(i)))
            }
            _ => None,
        }
    }
}

/// `Discrete(2)`, `MultiDiscrete(2, 3)`, `Box(10, 10, 4)`
impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |numbers: &mut dyn Iterator<Item = String>| numbers.collect::<Vec<_>>().join(", ");
        match self {
            Space::Discrete(n) => write!(f, "Discrete({n})"),
            Space::MultiDiscrete(sizes) => write!(f, "MultiDiscrete({})", list(&mut sizes.iter().map(u32::to_string))),
            Space::Box { shape, .. } => write!(f, "Box({})", list(&mut shape.as_slice().iter().map(usize::to_string))),
        }
    }
}

/// The action of one copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action<'a> {
    /// In a discrete space.
    Index(u32),
    /// In a multi-discrete one.
    Indices(&'a [u32]),
    /// In a box.
    Values(&'a [f32]),
}

impl<'a> Action<'a> {
    /// # Panics
    /// When the action space is not discrete: the dynamics and their [`crate::Spec`] disagree. So do the others.
    #[inline]
    pub fn index(self) -> u32 {
        match self {
            Action::Index(index) => index,
            other => panic!("{other:?} where the action space is discrete"),
        }
    }

    pub fn indices(self) -> &'a [u32] {
        match self {
            Action::Indices(indices) => indices,
            other => panic!("{other:?} where the action space is multi-discrete"),
        }
    }

    #[inline]
    pub fn values(self) -> &'a [f32] {
        match self {
            Action::Values(values) => values,
            other => panic!("{other:?} where the action space is a box"),
        }
    }
}

/// The actions of all copies, `[copies, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Actions<'a> {
    Indices(&'a [u32]),
    Values(&'a [f32]),
}

impl<'a> From<&'a [u32]> for Actions<'a> {
    fn from(indices: &'a [u32]) -> Self {
        Actions::Indices(indices)
    }
}

impl<'a> From<&'a [f32]> for Actions<'a> {
    fn from(values: &'a [f32]) -> Self {
        Actions::Values(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_know_their_sizes_and_bounds() {
        let image = Space::binary(&[10, 10, 4]);
        assert_eq!((image.size(), image.width(), image.to_string()), (400, 400, "Box(10, 10, 4)".into()));
        let pair = Space::MultiDiscrete(&[2, 3]);
        assert_eq!((pair.size(), pair.width(), pair.to_string()), (5, 2, "MultiDiscrete(2, 3)".into()));
        let space =
            Space::Box { shape: Dims::of(&[2]), low: Bound::Each(&[-1.0, f32::NEG_INFINITY]), high: Bound::All(1.0) };
        assert_eq!(space.first_outside(&[0.0, -9.0]), None);
        assert_eq!(space.first_outside(&[0.0, f32::NAN]), Some(1));
        assert_eq!(space.first_outside(&[-2.0, 0.0]), Some(0));
    }
}
