//! Which file is the configuration: the one that is named, or the first that is there.

use std::path::{Path, PathBuf};

use super::Environment;

/// Where a configuration is looked for when none is named, in this order.
pub(super) fn places(environment: &Environment) -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("gateway.yaml")];
    if environment.value("HOME").is_some() {
        places.push(environment.path("~/.config/mcp-gateway/gateway.yaml"));
    }
    places.push(PathBuf::from("/etc/mcp-gateway/gateway.yaml"));
    places
}

/// The first of the places that is there. One that is there and cannot be read is found too:
/// to pass it over would serve something else than its owner wrote.
pub(super) fn first(places: &[PathBuf]) -> Option<&Path> {
    places
        .iter()
        .map(PathBuf::as_path)
        .find(|place| place.symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_working_directory_comes_first_then_home_then_etc() {
        let environment = [("HOME".to_owned(), "/home/me".to_owned())]
            .into_iter()
            .collect();
        let expected = [
            "gateway.yaml",
            "/home/me/.config/mcp-gateway/gateway.yaml",
            "/etc/mcp-gateway/gateway.yaml",
        ];
        assert_eq!(places(&environment), expected.map(PathBuf::from));
        assert_eq!(places(&Environment::default()).len(), 2);
    }

    #[test]
    fn the_first_that_is_there_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path().join("b.yaml");
        std::fs::write(&there, "").unwrap();
        let places = [directory.path().join("a.yaml"), there.clone()];
        assert_eq!(first(&places), Some(there.as_path()));
        assert_eq!(first(&places[..1]), None);
    }
}
