//! What can go wrong, in the words that the user reads.

pub use lossward_envs::names::unknown;
use std::path::PathBuf;

/// The library's error. Every variant says what is wrong, where, and (where there is one) what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The experiment file or an override of it.
    #[error("{place}: {message}")]
    Experiment { place: String, message: String },
    /// A file or folder that can't be read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    File { action: &'static str, path: PathBuf, cause: std::io::Error },
    /// A record, data set or weights file whose content is not what it should be.
    #[error("{}: {message}", path.display())]
    Content { path: PathBuf, message: String },
    /// A number that is not finite; the first offender.
    #[error("{what} is {value}")]
    NotFinite { what: String, value: f64 },
    /// Where in a trial an error happened.
    #[error("update {update} ({examples} examples): {cause}")]
    During { update: u64, examples: u64, cause: Box<Error> },
    /// A setting that can't be had, by its key as seen from the table that was checked.
    #[error("{message}")]
    Setting { key: String, message: String },
    /// An argument of a library function.
    #[error("{0}")]
    Argument(String),
    /// A figure that could not be drawn.
    #[error("drawing: {0}")]
    Drawing(String),
    /// A bug, of ours or of an extension.
    #[error("panicked: {0}")]
    Panic(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Option(#[from] lossward_envs::options::OptionError),
    #[error(transparent)]
    Environment(#[from] lossward_envs::StepError),
    #[error(transparent)]
    Wrapper(#[from] lossward_envs::wrapper::WrapError),
    #[error(transparent)]
    Tensor(candle_core::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Without the backtrace that an environment variable adds: a reason is recorded, and must not depend on it.
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Error {
        match error {
            candle_core::Error::WithBacktrace { inner, .. } => Error::from(*inner),
            error => Error::Tensor(error),
        }
    }
}

impl Error {
    /// At a key of the table that is checked.
    pub fn setting(key: &str, message: impl ToString) -> Error {
        Error::Setting { key: key.into(), message: message.to_string() }
    }

    /// As seen from the table that has this one under `table`.
    pub fn under(self, table: &str) -> Error {
        match self {
            Error::Setting { key, message } => Error::Setting { key: format!("{table}.{key}"), message },
            other => Error::setting(table, other),
        }
    }

    /// Wraps an I/O error with what was being done to which path: `.map_err(Error::file("read", path))`.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |cause| Error::File { action, path, cause }
    }

    pub fn content(path: impl Into<PathBuf>, message: impl ToString) -> Error {
        Error::Content { path: path.into(), message: message.to_string() }
    }
}
