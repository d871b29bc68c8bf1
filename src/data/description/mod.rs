//! What data holds, column by column, in the units of its source: the same for a data set, a table and a list of boxes.

mod bins;
mod distribution;
mod of_idx;
mod of_set;
mod of_table;
mod of_targets;

pub use bins::Bins;
pub use distribution::Distribution;
pub use of_table::of_boxes;

/// Columns, of one part or several.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// What the parts are called, and their rows.
    pub parts: Vec<(String, usize)>,
    /// What is predicted, where that is decided.
    pub target: Option<ColumnDescription>,
    pub columns: Vec<ColumnDescription>,
    /// All that there is, where two numbers are enough to draw it.
    pub plane: Option<Plane>,
}

/// Points in two dimensions, by what they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    pub axes: [String; 2],
    pub groups: Vec<(String, Vec<(f64, f64)>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDescription {
    pub name: String,
    /// Entries without a value, over all parts.
    pub missing: usize,
    /// What its categories count: `rows`.
    pub counted: &'static str,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One distribution for each part.
    Numbers(Vec<Distribution>),
    /// Names with how often they occur in each part, `[names][parts]`.
    Categories(Vec<(String, Vec<usize>)>),
}

impl ColumnDescription {
    fn numbers(name: impl Into<String>, parts: Vec<Distribution>) -> ColumnDescription {
        ColumnDescription { name: name.into(), missing: 0, counted: "rows", content: Content::Numbers(parts) }
    }

    fn categories(name: impl Into<String>, names: Vec<(String, Vec<usize>)>) -> ColumnDescription {
        ColumnDescription { name: name.into(), missing: 0, counted: "rows", content: Content::Categories(names) }
    }

    /// Different numbers or names over all parts.
    pub fn distinct(&self) -> usize {
        match &self.content {
            Content::Numbers(parts) => joined(parts).distinct(),
            Content::Categories(names) => names.len(),
        }
    }
}

impl Description {
    /// What is predicted first, then the others.
    pub fn all_columns(&self) -> impl Iterator<Item = &ColumnDescription> {
        self.target.iter().chain(&self.columns)
    }
}

/// All parts together.
pub fn joined(parts: &[Distribution]) -> Distribution {
    let mut counts: Vec<(f64, usize)> = parts.iter().flat_map(Distribution::counts).copied().collect();
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let together = |same: &[(f64, usize)]| (same[0].0, same.iter().map(|(_, count)| count).sum());
    Distribution::of_counts(counts.chunk_by(|a, b| a.0 == b.0).map(together))
}

/// Names from the most frequent to the least, over all parts.
pub fn by_frequency(names: &[(String, Vec<usize>)]) -> Vec<&(String, Vec<usize>)> {
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.iter().sum::<usize>()));
    sorted
}
