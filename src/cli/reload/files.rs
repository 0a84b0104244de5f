//! Have the files of the configuration changed?
//!
//! They are looked at once a second rather than watched by the system: a watch is on a file or a directory, and loses it when
//! an editor writes another file in its place, when a link to a directory is turned to another one (as mounted volumes do),
//! or when the file is not there yet. A look costs a few microseconds and misses none of this.

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

/// How often they are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a change must rest: whoever writes a file may empty it first.
const REST: Duration = Duration::from_millis(250);

/// What the files looked like at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look(Vec<(PathBuf, Option<Mark>)>);

/// What differs when a file is another one: device, inode, length, and both times of change in seconds and nanoseconds.
type Mark = (u64, u64, u64, (i64, i64), (i64, i64));

impl Look {
    /// Looks at these files now. Links are followed.
    pub(super) fn at(files: Vec<PathBuf>) -> Self {
        let marked = files.into_iter().map(|file| {
            let mark = fs::metadata(&file).ok().map(|found| {
                let (written, changed) = (
                    (found.mtime(), found.mtime_nsec()),
                    (found.ctime(), found.ctime_nsec()),
                );
                (found.dev(), found.ino(), found.len(), written, changed)
            });
            (file, mark)
        });
        Self(marked.collect())
    }

    fn again(&self) -> Self {
        Self::at(self.0.iter().map(|(file, _)| file.clone()).collect())
    }

    /// Resolves when the files look otherwise, and have rested since.
    pub(super) async fn changes(&self) {
        let mut last = self.clone();
        loop {
            let is_known = last == *self;
            sleep(if is_known { INTERVAL } else { REST }).await;
            let earlier = self.clone();
            // A file system that hangs may hold a thread of its own, but no request.
            let Ok(now) = spawn_blocking(move || earlier.again()).await else {
                continue;
            };
            if now != *self && now == last {
                return;
            }
            last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(file: &std::path::Path) -> Look {
        Look::at(vec![file.to_path_buf()])
    }

    #[test]
    fn whatever_makes_another_file_of_it_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a");
        let absent = looked(&file);
        fs::write(&file, "1").unwrap();
        let first = looked(&file);
        assert_ne!(first, absent, "it appears");
        assert_eq!(first.again(), first);
        let other = home.path().join("b");
        fs::write(&other, "1").unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(&other)
            .unwrap()
            .set_modified(time)
            .unwrap();
        fs::rename(&other, &file).unwrap();
        let second = looked(&file);
        assert_ne!(second, first, "of the same length and time");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(home.path().join("c"), &file).unwrap();
        assert_eq!(looked(&file), absent, "a link to nothing");
        fs::write(home.path().join("c"), "1").unwrap();
        assert_ne!(looked(&file), absent, "what a link leads to");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_once_it_rests() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a");
        let look = looked(&file);
        let told = tokio::spawn(async move { look.changes().await });
        tokio::task::yield_now().await;
        assert!(!told.is_finished());
        fs::write(&file, "1").unwrap();
        told.await.unwrap();
    }
}
