//! The exact Euclidean distance transform (Felzenszwalb and Huttenlocher 2012, Distance transforms of sampled functions).

use super::Region;

impl Region {
    /// How far the center of every pixel of the image is from that of the nearest pixel inside, `[height, width]`; infinite where none is.
    /// `spacing` is the distance between rows and that between columns, both positive.
    pub fn distances(&self, spacing: [f64; 2]) -> Vec<f64> {
        let [of_rows, of_columns] = spacing.map(|distance| distance * distance);
        let (height, width) = (self.height(), self.width());
        let mut squares: Vec<f64> =
            self.inside().iter().map(|inside| if *inside { 0.0 } else { f64::INFINITY }).collect();
        let mut envelope = Envelope::default();
        let mut line = vec![0.0; height];
        for column in 0..width {
            for (row, square) in line.iter_mut().enumerate() {
                *square = squares[row * width + column];
            }
            envelope.lower(&mut line, of_rows);
            for (row, square) in line.iter().enumerate() {
                squares[row * width + column] = *square;
            }
        }
        squares.chunks_exact_mut(width).for_each(|line| envelope.lower(line, of_columns));
        squares.into_iter().map(f64::sqrt).collect()
    }
}

/// Parabolas along a line, each where it is the lowest of all.
#[derive(Default)]
struct Envelope {
    heights: Vec<f64>,
    /// The vertex of each, and from where on it is the lowest.
    parabolas: Vec<(usize, f64)>,
}

impl Envelope {
    /// `min_q a (p − q)² + f(q)` for every `p`, in place of `f(p)`.
    fn lower(&mut self, line: &mut [f64], a: f64) {
        let Envelope { heights, parabolas } = self;
        heights.clear();
        heights.extend_from_slice(line);
        parabolas.clear();
        for q in (0..heights.len()).filter(|q| heights[*q].is_finite()) {
            let mut from = f64::NEG_INFINITY;
            while let Some(&(vertex, lowest_from)) = parabolas.last() {
                from = crossing((vertex, heights[vertex]), (q, heights[q]), a);
                if from > lowest_from {
                    break;
                }
                parabolas.pop();
            }
            let from = if parabolas.is_empty() { f64::NEG_INFINITY } else { from };
            parabolas.push((q, from));
        }
        let mut lowest = 0;
        for (p, value) in line.iter_mut().enumerate() {
            while parabolas.get(lowest + 1).is_some_and(|(_, from)| *from < p as f64) {
                lowest += 1;
            }
            if let Some((vertex, _)) = parabolas.get(lowest) {
                *value = a * (p as f64 - *vertex as f64).powi(2) + heights[*vertex];
            }
        }
    }
}

/// Where the parabolas `a (p − v)² + f` and `a (p − w)² + g` cross.
fn crossing((v, f): (usize, f64), (w, g): (usize, f64), a: f64) -> f64 {
    let (v, w) = (v as f64, w as f64);
    ((g - f) / a + w * w - v * v) / (2.0 * (w - v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn distances_are_the_smallest_of_all() {
        let mut rng = crate::stream(0, "distances", 0);
        for i in 0..400 {
            let (height, width) = (rng.random_range(1..12), rng.random_range(1..12));
            let density = [0.02, 0.2, 0.7][i % 3];
            let spacing = if i % 2 == 0 { [1.0, 1.0] } else { [0.1, 1.0].map(|low| rng.random_range(low..3.0)) };
            let inside: Vec<bool> = (0..height * width).map(|_| rng.random_bool(density)).collect();
            let region = Region::new(inside.clone(), width).unwrap();
            for (p, distance) in region.distances(spacing).into_iter().enumerate() {
                let to = |q: usize| {
                    let rows = (p / width).abs_diff(q / width) as f64 * spacing[0];
                    rows.hypot((p % width).abs_diff(q % width) as f64 * spacing[1])
                };
                let nearest = (0..inside.len()).filter(|q| inside[*q]).map(to).fold(f64::INFINITY, f64::min);
                assert!(distance == nearest || (distance - nearest).abs() < 1e-12, "{distance}, not {nearest}");
            }
        }
    }
}
