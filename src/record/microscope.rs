//! What a microscope read of a trial: a CSV file of its own, beside the rows.

use super::TrialFolder;
use crate::{Error, Result};
use csv::{Reader, StringRecord, Writer};
use std::fs::File;
use std::path::{Path, PathBuf};

/// One reading: how estimates of one gradient lie to another one, at one moment of a training and in one part of the network. What there is
/// nothing to say of is NaN, an empty cell.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReading {
    pub updates: u64,
    pub examples: u64,
    /// Whose gradient: the name of an arm.
    pub objective: String,
    /// What was subtracted from the rewards instead of the objective's own; empty where it was that.
    pub baseline: String,
    /// With what it is compared: the name of an arm, whose expected gradient is meant; empty is its own.
    pub against: String,
    /// Whether the expected gradient of `against` is known in closed form, `exact`, or is the `mean` of many estimates.
    pub reference: String,
    /// `outputs`, for the gradient with respect to the network's outputs; `all` parameters; or those of a layer, `layers.0`.
    pub part: String,
    /// Sampled actions of each context behind one estimate; nothing of an expected gradient, and of episodes.
    pub samples: Option<u64>,
    /// The mean over estimates of the cosine with the expected gradient of `against`.
    pub cosine: f64,
    /// The mean norm of the estimates.
    pub norm: f64,
    /// That, divided by the norm of the expected gradient of `against`.
    pub norm_ratio: f64,
    /// The sum over coordinates of the variance of one estimate.
    pub variance: f64,
    /// The norm of the own expected gradient, divided by the root of the variance.
    pub signal_to_noise: f64,
}

const COLUMNS: [&str; 13] = [
    "updates",
    "examples",
    "objective",
    "baseline",
    "against",
    "reference",
    "part",
    "samples",
    "cosine",
    "norm",
    "norm_ratio",
    "variance",
    "signal_to_noise",
];

/// Appends readings; those of one look are on disk before the next update.
pub struct ReadingWriter {
    path: PathBuf,
    writer: Writer<File>,
}

impl TrialFolder {
    pub fn microscope(&self) -> PathBuf {
        self.path().join("microscope.csv")
    }

    /// What a microscope read, in order; nothing where there was none.
    ///
    /// # Errors
    /// When the file is no such thing.
    pub fn read_microscope(&self) -> Result<Vec<GradientReading>> {
        let path = self.microscope();
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(Error::file("read", &path))?,
        };
        let mut reader = Reader::from_reader(file);
        let header = reader.headers().map_err(|error| Error::content(&path, error))?;
        if header.iter().ne(COLUMNS) {
            return Err(Error::content(&path, format!("its header is not {}", COLUMNS.join(","))));
        }
        reader.records().map(|record| read(&record.map_err(|error| Error::content(&path, error))?, &path)).collect()
    }
}

fn read(record: &StringRecord, path: &Path) -> Result<GradientReading> {
    let bad = |i: usize, error: String| {
        let line = record.position().map_or(0, |position| position.line());
        Error::content(path, format!("line {line}, {}: {error}", COLUMNS[i]))
    };
    let whole = |i: usize| record[i].parse::<u64>().map_err(|error| bad(i, error.to_string()));
    let number = |i: usize| match &record[i] {
        "" => Ok(f64::NAN),
        text => text.parse::<f64>().map_err(|error| bad(i, error.to_string())),
    };
    Ok(GradientReading {
        updates: whole(0)?,
        examples: whole(1)?,
        objective: record[2].into(),
        baseline: record[3].into(),
        against: record[4].into(),
        reference: record[5].into(),
        part: record[6].into(),
        samples: if record[7].is_empty() { None } else { Some(whole(7)?) },
        cosine: number(8)?,
        norm: number(9)?,
        norm_ratio: number(10)?,
        variance: number(11)?,
        signal_to_noise: number(12)?,
    })
}

/// Six significant digits, more than an estimate has.
fn cell(value: f64) -> String {
    if value.is_finite() { format!("{:?}", format!("{value:.5e}").parse().unwrap_or(value)) } else { String::new() }
}

impl ReadingWriter {
    /// Creates the file with its header.
    pub fn create(folder: &TrialFolder) -> Result<Self> {
        let path = folder.microscope();
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        let mut writer = ReadingWriter { path, writer: Writer::from_writer(file) };
        writer.write(COLUMNS.map(String::from))?;
        Ok(writer)
    }

    /// Appends what one look has read.
    pub fn append(&mut self, readings: &[GradientReading]) -> Result<()> {
        for reading in readings {
            let GradientReading { objective, baseline, against, reference, part, .. } = reading.clone();
            self.write([
                reading.updates.to_string(),
                reading.examples.to_string(),
                objective,
                baseline,
                against,
                reference,
                part,
                reading.samples.map_or(String::new(), |samples| samples.to_string()),
                cell(reading.cosine),
                cell(reading.norm),
                cell(reading.norm_ratio),
                cell(reading.variance),
                cell(reading.signal_to_noise),
            ])?;
        }
        self.writer.flush().map_err(Error::file("append to", &self.path))
    }

    fn write(&mut self, record: [String; 13]) -> Result<()> {
        self.writer.write_record(record).map_err(|error| Error::content(&self.path, error))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn reading() -> GradientReading {
        GradientReading {
            updates: 3,
            examples: 300,
            objective: "a, \"b\"".into(),
            baseline: String::new(),
            against: "cross-entropy".into(),
            reference: "exact".into(),
            part: "layers.0".into(),
            samples: Some(4),
            cosine: -0.125,
            norm: 1e-9,
            norm_ratio: 2.0,
            variance: f64::NAN,
            signal_to_noise: 1234560.0,
        }
    }

    #[test]
    fn readings_come_back() {
        let results = tempfile::tempdir().unwrap();
        let folder = TrialFolder::of(results.path(), "a", 0);
        assert!(folder.read_microscope().unwrap().is_empty());
        std::fs::create_dir_all(folder.path()).unwrap();
        let mut writer = ReadingWriter::create(&folder).unwrap();
        let expected = GradientReading { samples: None, variance: 0.5, ..reading() };
        writer.append(&[reading()]).unwrap();
        writer.append(std::slice::from_ref(&expected)).unwrap();
        let read = folder.read_microscope().unwrap();
        assert_eq!(read[1], expected);
        assert!(read[0].variance.is_nan());
        assert_eq!(
            GradientReading { variance: 0.0, ..read[0].clone() },
            GradientReading { variance: 0.0, ..reading() }
        );
        let text = std::fs::read_to_string(folder.microscope()).unwrap();
        std::fs::write(folder.microscope(), text.replace("-0.125", "x")).unwrap();
        let error = folder.read_microscope().unwrap_err().to_string();
        assert!(error.contains("line 2, cosine: ") || error.contains("line 3, cosine: "), "{error}");
        std::fs::write(folder.microscope(), "updates\n").unwrap();
        assert!(folder.read_microscope().unwrap_err().to_string().contains("its header is not updates,examples"));
    }
}
