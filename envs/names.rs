//! Names that are nearly right.

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
