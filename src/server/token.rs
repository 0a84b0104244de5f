//! A bearer token made by the gateway: where it lies, and that only its owner can read it.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::telemetry::Secret;

const BYTES: usize = 32;

/// A token and the file it lies in.
#[derive(Debug)]
pub(super) struct TokenFile {
    /// 32 random bytes as hex.
    pub(super) token: Secret,
    /// A file with mode 0600.
    pub(super) path: PathBuf,
}

impl TokenFile {
    /// The token for the gateway that is configured for this port: the one of its last start, so that clients stay
    /// configured, or a new one. It lies in the user's state directory, or below the temporary one where there is none to
    /// write to.
    pub(super) fn open(port: u16) -> io::Result<Self> {
        let name = format!("token-{port}");
        match state_directory().map(|directory| Self::open_in(&directory, &name)) {
            Some(Ok(file)) => Ok(file),
            _ => Self::open_in(&temporary_directory()?, &name),
        }
    }

    /// The token of a gateway that was started for this port, if there is one.
    pub(super) fn known(port: u16) -> Option<Secret> {
        let name = format!("token-{port}");
        let places = [state_directory(), temporary_directory().ok()];
        let known = |directory: PathBuf| kept(&directory.join(&name));
        places.into_iter().flatten().find_map(known)
    }

    fn open_in(directory: &Path, name: &str) -> io::Result<Self> {
        private_directories().create(directory)?;
        let path = directory.join(name);
        let token = match kept(&path) {
            Some(token) => token,
            None => write_new(directory, &path)?,
        };
        Ok(Self { token, path })
    }
}

/// `$XDG_STATE_HOME/mcp-gateway`, or its default (XDG Base Directory Specification).
fn state_directory() -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("mcp-gateway"))
}

/// A directory of our own where everybody may write: it counts only if nobody else made it.
fn temporary_directory() -> io::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let directory = env::temp_dir().join(format!("mcp-gateway-{user}"));
    private_directories().create(&directory)?;
    if is_private(&directory) {
        Ok(directory)
    } else {
        let reason = format!("{} is not ours alone", directory.display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
    }
}

fn private_directories() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

/// Ours, no link, and closed to everybody else.
fn is_private(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        !found.is_symlink()
            && found.mode() & 0o077 == 0
            && found.uid() == rustix::process::geteuid().as_raw()
    })
}

fn kept(path: &Path) -> Option<Secret> {
    if !is_private(path) {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let token = text.trim();
    let whole = token.len() == 2 * BYTES && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| Secret::new(token))
}

/// Written under another name first: the token is never in a file that others can read, nor half written.
fn write_new(directory: &Path, path: &Path) -> io::Result<Secret> {
    let token = random_hex()?;
    let draft = directory.join(format!(".draft-{}", random_hex()?));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    let written = writeln!(file, "{token}").and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| Secret::new(token))
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random bytes"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_token_lies_where_only_its_owner_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("state/mcp-gateway");
        let made = TokenFile::open_in(&directory, "token-1").unwrap();
        assert_eq!(mode(&made.path), 0o600);
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(made.token.expose().len(), 64);
        assert_eq!(
            fs::read_to_string(&made.path).unwrap().trim(),
            made.token.expose()
        );
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn the_token_outlives_a_restart_and_differs_between_ports() {
        let home = tempfile::tempdir().unwrap();
        let first = TokenFile::open_in(home.path(), "token-1").unwrap();
        let again = TokenFile::open_in(home.path(), "token-1").unwrap();
        let other = TokenFile::open_in(home.path(), "token-2").unwrap();
        assert_eq!(first.token, again.token);
        assert_ne!(first.token, other.token);
    }

    #[test]
    fn a_file_that_others_could_read_or_that_is_no_token_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let first = TokenFile::open_in(home.path(), "token-1").unwrap();
        fs::set_permissions(&first.path, fs::Permissions::from_mode(0o644)).unwrap();
        let second = TokenFile::open_in(home.path(), "token-1").unwrap();
        assert_ne!(first.token, second.token);
        assert_eq!(mode(&second.path), 0o600);
        fs::write(&second.path, "short").unwrap();
        let third = TokenFile::open_in(home.path(), "token-1").unwrap();
        assert_eq!(third.token.expose().len(), 64);
    }
}
