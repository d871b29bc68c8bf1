//! Connected components of a region.

use super::Region;

/// Which pixels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share a side.
    Four,
    /// Those that share a side or a corner.
    Eight,
}

/// The connected parts of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// `[height, width]`: 0 outside, else the number of the component, from 1, in the order of their first pixels row by row.
    pub labels: Vec<u32>,
    pub count: usize,
}

impl Region {
    /// Labels in two passes over the pixels, with a forest of labels that turned out to be one (Rosenfeld and Pfaltz 1966; Fiorio and
    /// Gustedt 1996).
    pub fn components(&self, connectivity: Connectivity) -> Components {
        let (inside, width) = (self.inside(), self.width());
        let mut labels = vec![0; inside.len()];
        let mut forest = Forest { parents: vec![0] };
        for i in (0..inside.len()).filter(|i| inside[*i]) {
            let mut label = 0;
            for back in earlier_neighbors(i, width, connectivity).into_iter().flatten() {
                label = forest.joined(label, labels[i - back]);
            }
            labels[i] = if label == 0 { forest.planted() } else { label };
        }
        let (numbers, count) = forest.numbers();
        labels.iter_mut().for_each(|label| *label = numbers[*label as usize]);
        Components { labels, count }
    }
}

/// How far back the neighbors of a pixel lie that come before it row by row.
fn earlier_neighbors(i: usize, width: usize, connectivity: Connectivity) -> [Option<usize>; 4] {
    let (left, right, above) = (!i.is_multiple_of(width), !(i + 1).is_multiple_of(width), i >= width);
    let corners = above && connectivity == Connectivity::Eight;
    let if_there = |there: bool, back: usize| there.then_some(back);
    [
        if_there(left, 1),
        if_there(above, width),
        if_there(corners && left, width + 1),
        if_there(corners && right, width - 1),
    ]
}

/// Labels; each points to a smaller one of its component, or to itself. Label 0 is the outside.
struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    /// A new label.
    fn planted(&mut self) -> u32 {
        let label = self.parents.len() as u32;
        self.parents.push(label);
        label
    }

    fn root(&mut self, mut label: u32) -> u32 {
        while self.parents[label as usize] != label {
            let above = self.parents[self.parents[label as usize] as usize];
            self.parents[label as usize] = above;
            label = above;
        }
        label
    }

    /// The smaller root of two labels, which are one from now on; 0 is no label.
    fn joined(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        if low == 0 {
            return high;
        }
        self.parents[high as usize] = low;
        low
    }

    /// What number each label's component has, and how many there are. A root is older than all of its component, so that roots come in
    /// the order of the components' first pixels.
    fn numbers(&self) -> (Vec<u32>, usize) {
        let (mut numbers, mut count) = (vec![0; self.parents.len()], 0);
        for (label, parent) in self.parents.iter().enumerate().skip(1) {
            numbers[label] = if *parent as usize == label {
                count += 1;
                count
            } else {
                numbers[*parent as usize]
            };
        }
        (numbers, count as usize)
    }
}

impl Components {
    /// How many pixels each has.
    pub fn sizes(&self) -> Vec<usize> {
        self.counted(|_| true)
    }

    /// How many pixels of each lie in a region of the same size.
    pub fn covered_by(&self, region: &Region) -> Vec<usize> {
        self.counted(|i| region.inside().get(i) == Some(&true))
    }

    fn counted(&self, counts: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut of_each = vec![0; self.count];
        for (i, label) in self.labels.iter().enumerate().filter(|(_, label)| **label != 0) {
            of_each[*label as usize - 1] += usize::from(counts(i));
        }
        of_each
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    /// By flooding each component from its first pixel.
    fn flooded(region: &Region, connectivity: Connectivity) -> Components {
        let (inside, width) = (region.inside(), region.width());
        let (mut labels, mut count) = (vec![0; inside.len()], 0);
        let touch = |i: usize, j: usize| {
            let (rows, columns) = ((i / width).abs_diff(j / width), (i % width).abs_diff(j % width));
            match connectivity {
                Connectivity::Four => rows + columns == 1,
                Connectivity::Eight => rows.max(columns) == 1,
            }
        };
        for first in 0..inside.len() {
            if !inside[first] || labels[first] != 0 {
                continue;
            }
            count += 1;
            labels[first] = count;
            let mut open = vec![first];
            while let Some(i) = open.pop() {
                for j in (0..inside.len()).filter(|j| inside[*j] && touch(i, *j)) {
                    if labels[j] == 0 {
                        labels[j] = count;
                        open.push(j);
                    }
                }
            }
        }
        Components { labels, count: count as usize }
    }

    #[test]
    fn components_are_those_of_flooding() {
        let mut rng = crate::stream(0, "components", 0);
        for _ in 0..500 {
            let (height, width) = (rng.random_range(1..9), rng.random_range(1..9));
            let density = rng.random_range(0.1..0.9);
            let inside = (0..height * width).map(|_| rng.random_bool(density)).collect();
            let region = Region::new(inside, width).unwrap();
            for connectivity in [Connectivity::Four, Connectivity::Eight] {
                let components = region.components(connectivity);
                assert_eq!(components, flooded(&region, connectivity), "{region:?}");
                let pixels = region.inside().iter().filter(|inside| **inside).count();
                assert_eq!(components.sizes().iter().sum::<usize>(), pixels);
                assert_eq!(components.covered_by(&region), components.sizes());
            }
        }
    }
}
