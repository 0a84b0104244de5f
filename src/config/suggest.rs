//! The nearest valid name to one that is not.

/// How a refusal of `wrong` ends: the nearest of the valid names, or all of them.
pub(super) fn advice<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.into_iter().collect();
    match nearest(wrong, &valid) {
        Some(name) => format!("did you mean `{name}`?"),
        None if valid.is_empty() => "there are none here".to_owned(),
        None => format!("valid here: {}", valid.join(", ")),
    }
}

fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let wrong = wrong.to_lowercase();
    valid
        .iter()
        .map(|name| (strsim::jaro_winkler(&wrong, &name.to_lowercase()), *name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_gets_its_name_and_a_stranger_gets_the_list() {
        let keys = ["host", "port", "request_timeout"];
        assert_eq!(advice("prot", keys), "did you mean `port`?");
        assert_eq!(advice("Host", keys), "did you mean `host`?");
        assert_eq!(
            advice("requestTimeout", keys),
            "did you mean `request_timeout`?"
        );
        assert_eq!(
            advice("zebra", keys),
            "valid here: host, port, request_timeout"
        );
        assert_eq!(advice("zebra", []), "there are none here");
    }
}
