//! Where is the program that a stdio backend names?

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use crate::backend::StdioSettings;

/// The program of `settings` as a path that can be executed.
///
/// A name without `/` is looked up on the `PATH` that the child will see, any other is taken relative to the child's
/// working directory.
pub(super) fn locate(settings: &StdioSettings) -> Result<PathBuf, NotExecutable> {
    let program = Path::new(&settings.program);
    if let Some(cwd) = settings.cwd.as_deref().filter(|cwd| !cwd.is_dir()) {
        return Err(NotExecutable::without(cwd));
    }
    if settings.program.contains('/') {
        let path = settings
            .cwd
            .as_deref()
            .map_or_else(|| program.to_owned(), |cwd| cwd.join(program));
        return executable(&path)
            .then_some(path)
            .ok_or_else(|| NotExecutable::at(settings));
    }
    let own = settings.env.get("PATH").map(|path| path.expose().into());
    let search = own.or_else(|| env::var_os("PATH")).unwrap_or_default();
    env::split_paths(&search)
        .map(|folder| folder.join(program))
        .find(|path| executable(path))
        .ok_or_else(|| NotExecutable::on_path(settings))
}

impl StdioSettings {
    /// Why the program cannot be started until somebody mends something; none if it can be found.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        locate(self).err().map(|missing| missing.to_string())
    }
}

fn executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// The program cannot be started until somebody installs it or mends the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotExecutable(String);

impl NotExecutable {
    fn at(settings: &StdioSettings) -> Self {
        Self(format!(
            "the command `{}` is not an executable file; install it or mend `command`",
            settings.program
        ))
    }

    fn on_path(settings: &StdioSettings) -> Self {
        Self(format!(
            "the command `{}` is not on PATH; install it or mend `command`",
            settings.program
        ))
    }

    fn without(cwd: &Path) -> Self {
        Self(format!(
            "the working directory {} does not exist; make it or mend `cwd`",
            cwd.display()
        ))
    }
}

impl fmt::Display for NotExecutable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in the configuration, then revive the backend",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::telemetry::Secret;

    fn settings(program: &str, path: &str) -> StdioSettings {
        StdioSettings {
            env: BTreeMap::from([("PATH".into(), Secret::new(path))]),
            cwd: Some("/bin".into()),
            ..StdioSettings::new(program, &[])
        }
    }

    #[test]
    fn a_bare_name_is_found_on_the_path_of_the_child() {
        assert_eq!(
            locate(&settings("sh", "/nowhere:/bin")),
            Ok("/bin/sh".into())
        );
        let missing = locate(&settings("sh", "/nowhere")).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("the command `sh` is not on PATH; install it")
        );
    }

    #[test]
    fn a_working_directory_that_is_not_there_is_named() {
        let nowhere = StdioSettings {
            cwd: Some("/no/such/folder".into()),
            ..settings("sh", "/bin")
        };
        assert!(
            locate(&nowhere)
                .unwrap_err()
                .to_string()
                .contains("/no/such/folder does not exist")
        );
    }

    #[test]
    fn a_path_is_relative_to_the_working_directory_of_the_child() {
        assert_eq!(locate(&settings("./sh", "")), Ok("/bin/./sh".into()));
        assert!(locate(&settings("./no-such-program", "")).is_err());
        assert!(locate(&settings("/etc/passwd", "")).is_err());
    }
}
