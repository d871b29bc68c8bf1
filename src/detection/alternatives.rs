//! What would be found if one choice of an action were another.

use super::distance::corners_at;
use super::{Found, Head, Suppression};

/// A box that an action claims, at a point and of a class.
type Claim = ((usize, usize), Found);

impl Head {
    /// The boxes that an action claims, before any suppression, by rising point and class; all have the score 1.
    pub(super) fn claims(&self, action: &[u32]) -> Vec<Claim> {
        let points = 0..self.grid.points().len();
        let all = points.flat_map(|point| (0..self.classes).map(move |class| (point, class)));
        let claimed = all.filter(|(point, class)| action[self.number(*class, *point)] == 1);
        claimed.map(|at| (at, self.claim(action, at))).collect()
    }

    /// Where a channel of a point stands among the numbers of an action.
    fn number(&self, channel: usize, point: usize) -> usize {
        channel * self.grid.points().len() + point
    }

    fn claim(&self, action: &[u32], (point, class): (usize, usize)) -> Found {
        let bin = |side| f64::from(action[self.number(self.classes + side, point)]);
        Found { corners: corners_at(&self.grid.points()[point], std::array::from_fn(bin)), class, score: 1.0 }
    }

    /// The options of all choices of an action: two of each class and `bins` of each side, at every point.
    pub fn options(&self) -> usize {
        (2 * self.classes + 4 * self.bins) * self.grid.points().len()
    }

    /// Calls `visit(option, found)` for every option by which something else is found than by the action, with its place among [`Self::options`].
    ///
    /// These are one more or one box less at each point and of each class, and the other bins of the sides where there is a box: `points · classes` and
    /// `4 (bins − 1)` for each such point. What has no part in a box changes nothing.
    pub fn for_each_alternative(
        &self,
        action: &[u32],
        suppression: &Suppression,
        mut visit: impl FnMut(usize, &[Found]),
    ) {
        let (points, claims) = (self.grid.points().len(), self.claims(action));
        let kept = |claims: &[Claim]| {
            let found: Vec<Found> = claims.iter().map(|(_, found)| *found).collect();
            suppression.kept(&found).into_iter().map(|i| found[i]).collect::<Vec<Found>>()
        };
        let before = kept(&claims);
        let mut look = |option: usize, claims: &[Claim]| {
            let found = kept(claims);
            if found != before {
                visit(option, &found);
            }
        };
        for (class, point) in (0..self.classes).flat_map(|class| (0..points).map(move |point| (class, point))) {
            let (at, option) = ((point, class), 2 * self.number(class, point));
            let mut others = claims.clone();
            match claims.binary_search_by_key(&at, |(at, _)| *at) {
                Ok(i) => {
                    others.remove(i);
                    look(option, &others);
                }
                Err(i) => {
                    others.insert(i, (at, self.claim(action, at)));
                    look(option + 1, &others);
                }
            }
        }
        let mut with_box: Vec<usize> = claims.iter().map(|((point, _), _)| *point).collect();
        with_box.dedup();
        let mut changed = action.to_vec();
        for (side, point) in (0..4).flat_map(|side| with_box.iter().map(move |point| (side, *point))) {
            let number = self.number(self.classes + side, point);
            let first = 2 * self.classes * points + (side * points + point) * self.bins;
            for bin in (0..self.bins).filter(|bin| *bin as u32 != action[number]) {
                changed[number] = bin as u32;
                let moved = |(at, found): &Claim| (*at, if at.0 == point { self.claim(&changed, *at) } else { *found });
                look(first + bin, &claims.iter().map(moved).collect::<Vec<Claim>>());
            }
            changed[number] = action[number];
        }
    }
}
