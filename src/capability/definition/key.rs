//! Where a credential comes from: never the definition itself.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use crate::telemetry::Secret;

/// What a definition may ask of the process that reads it.
pub trait Surroundings {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<Secret>;

    /// A path as a person writes it: a leading `~/` is their home directory.
    fn path(&self, text: &str) -> PathBuf;
}

/// A credential, or the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The value of a variable, which stays the same as long as the program runs.
    Held(Secret),
    /// A file that is read again for each use, because others change it.
    File {
        /// The file.
        path: PathBuf,
        /// The member of its JSON object, dots between the names; the whole file if absent.
        field: Option<Box<str>>,
    },
}

/// Why a file holds no credential.
#[derive(Debug)]
pub enum KeyError {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The file is no JSON object that has this string.
    NoField(PathBuf, Box<str>),
    /// The file holds nothing, or too much for a credential.
    NoKey(PathBuf),
}

/// The longest file that is taken for one with a credential, in bytes.
const LONGEST: u64 = 1 << 20;

impl Key {
    /// Reads `env:NAME`, `{env.NAME}`, `file:PATH` or `file:PATH:FIELD`.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key; it never quotes the text, which may be a credential.
    pub fn parse(text: &str, surroundings: &dyn Surroundings) -> Result<Self, String> {
        let inside = text
            .strip_prefix("{env.")
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = text.strip_prefix("env:").or(inside) {
            return surroundings.variable(name).map(Self::Held).ok_or_else(|| {
                format!("needs the environment variable {name}, which is not set: set it, or name a file that sets it in env_files")
            });
        }
        let Some(file) = text.strip_prefix("file:") else {
            return Err("is no place of a credential that is known here: write env:NAME, {env.NAME}, or file:PATH:FIELD".to_owned());
        };
        let (path, field) = match file.rsplit_once(':') {
            Some((path, field)) if !field.contains(['/', '\\']) => (path, Some(field)),
            _ => (file, None),
        };
        Ok(Self::File {
            path: surroundings.path(path),
            field: field.map(Into::into),
        })
    }

    /// The credential as it is now. A file is read, which may block for as long as a disk takes.
    ///
    /// # Errors
    /// If the file does not hold it.
    pub fn value(&self) -> Result<Cow<'_, Secret>, KeyError> {
        match self {
            Self::Held(secret) => Ok(Cow::Borrowed(secret)),
            Self::File { path, field } => read(path, field.as_deref()).map(Cow::Owned),
        }
    }
}

fn read(path: &Path, field: Option<&str>) -> Result<Secret, KeyError> {
    let unreadable = |error| KeyError::Unreadable(path.to_owned(), error);
    let length = fs::metadata(path).map_err(unreadable)?.len();
    let text = match length {
        1..=LONGEST => fs::read_to_string(path).map_err(unreadable)?,
        _ => return Err(KeyError::NoKey(path.to_owned())),
    };
    let Some(field) = field else {
        return Ok(Secret::new(text.trim()));
    };
    let none = || KeyError::NoField(path.to_owned(), field.into());
    let tree: serde_json::Value = serde_json::from_str(&text).map_err(|_| none())?;
    let pointer = format!("/{}", field.replace('.', "/"));
    let found = tree.pointer(&pointer).and_then(serde_json::Value::as_str);
    found.map(Secret::new).ok_or_else(none)
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(path, error) => {
                write!(
                    f,
                    "the credential's file {} cannot be read ({error})",
                    path.display()
                )
            }
            Self::NoField(path, field) => write!(
                f,
                "the credential's file {} is no JSON object with the text `{field}`",
                path.display()
            ),
            Self::NoKey(path) => {
                write!(
                    f,
                    "the credential's file {} is empty or too long",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A process with one variable.
    pub(in crate::capability::definition) struct Pretended;

    impl Surroundings for Pretended {
        fn variable(&self, name: &str) -> Option<Secret> {
            (name == "TOKEN").then(|| Secret::new("hunter2"))
        }

        fn path(&self, text: &str) -> PathBuf {
            PathBuf::from(text)
        }
    }

    fn file(path: &str, field: Option<&str>) -> Key {
        Key::File {
            path: path.into(),
            field: field.map(Into::into),
        }
    }

    #[test]
    fn a_key_comes_from_a_variable_or_a_file_and_is_never_written() {
        let held = Key::Held(Secret::new("hunter2"));
        assert_eq!(Key::parse("env:TOKEN", &Pretended), Ok(held.clone()));
        assert_eq!(Key::parse("{env.TOKEN}", &Pretended), Ok(held));
        assert_eq!(
            Key::parse("file:/a/b.json:x.y", &Pretended),
            Ok(file("/a/b.json", Some("x.y")))
        );
        assert_eq!(Key::parse("file:/a/b", &Pretended), Ok(file("/a/b", None)));
        for text in ["hunter2", "keychain:x", "oauth:google", ""] {
            let refused = Key::parse(text, &Pretended).unwrap_err();
            assert!(refused.contains("write env:NAME"), "{refused}");
            assert!(text.is_empty() || !refused.contains(text), "{refused}");
        }
        assert!(
            Key::parse("env:NONE", &Pretended)
                .unwrap_err()
                .contains("NONE, which is not set")
        );
    }

    #[test]
    fn a_file_is_read_again_for_each_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        let place = path.display().to_string();
        let value = |field| {
            let key = file(&place, field);
            key.value()
                .map(|secret| secret.expose().to_owned())
                .map_err(|error| error.to_string())
        };
        assert!(value(None).unwrap_err().contains("cannot be read"));
        fs::write(&path, r#"{"a":{"b":"one"}}"#).unwrap();
        assert_eq!(value(Some("a.b")).as_deref(), Ok("one"));
        assert!(
            value(Some("a"))
                .unwrap_err()
                .contains("no JSON object with the text `a`")
        );
        fs::write(&path, "two\n").unwrap();
        assert_eq!(value(None).as_deref(), Ok("two"));
        fs::write(&path, "").unwrap();
        assert!(value(None).unwrap_err().contains("is empty"));
    }
}
