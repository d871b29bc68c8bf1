//! The texts of one column, one behind the other.

/// Entries of which some may be missing: their bytes and 4 more for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    bytes: String,
    /// Where each entry ends; the highest bit says that it is missing.
    ends: Vec<u32>,
}

const MISSING: u32 = 1 << 31;

/// A column holds no more bytes than this.
pub const MOST_BYTES: usize = MISSING as usize - 1;

impl Texts {
    /// Appends an entry. The caller makes sure that all of them together have no more than [`MOST_BYTES`].
    pub fn push(&mut self, text: Option<&str>) {
        self.bytes.push_str(text.unwrap_or_default());
        self.ends.push(self.bytes.len() as u32 | if text.is_none() { MISSING } else { 0 });
    }

    fn rows(&self) -> usize {
        self.ends.len()
    }

    /// All of them together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn get(&self, row: usize) -> Option<&str> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before] & !MISSING) as usize;
        let end = self.ends[row];
        (end & MISSING == 0).then(|| &self.bytes[start..end as usize])
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> + Clone {
        (0..self.rows()).map(|row| self.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back() {
        let entries = [Some("a"), None, Some(""), Some("grün"), None];
        let mut texts = Texts::default();
        entries.iter().for_each(|entry| texts.push(*entry));
        assert_eq!(texts.iter().collect::<Vec<_>>(), entries);
        assert_eq!((texts.rows(), texts.get(3)), (5, Some("grün")));
    }
}
