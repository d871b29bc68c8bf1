//! What can go wrong, in the words that the user reads.

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
    /// An argument of a library function.
    #[error("{0}")]
    Argument(String),
    /// A figure that could not be drawn.
    #[error("drawing: {0}")]
    Drawing(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Environment(#[from] lossward_envs::StepError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps an I/O error with what was being done to which path: `.map_err(Error::file("read", path))`.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |cause| Error::File { action, path, cause }
    }

    pub fn content(path: impl Into<PathBuf>, message: impl ToString) -> Error {
        Error::Content { path: path.into(), message: message.to_string() }
    }
}

/// `name` is not one of `known`: a sentence with the nearest one and the whole list.
pub fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    let nearest = nearest(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("unknown {kind} `{name}`; {nearest}known: {}", known.join(", "))
}

/// The known name that `name` was most likely meant to be, if one is near enough.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), *known))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_nonsense_is_not() {
        assert_eq!(nearest("learning_rat", &["momentum", "learning_rate"]), Some("learning_rate"));
        assert_eq!(nearest("cartpole-v1", &["CartPole-v1"]), Some("CartPole-v1"));
        assert_eq!(nearest("zzz", &["momentum", "learning_rate"]), None);
    }
}
