//! Where a server runs, so that one that starts again there knows who was there before it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

/// What tells this run of the machine's kernel from all others, on Linux.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
/// So many bytes of a hash tell seats apart.
const BYTES: usize = 6;

/// The seat of whoever has this lock, in twelve letters: the locked file, by the numbers that this run of the kernel knows it
/// by. The kernel gives the lock of a file to one process at a time, and the number of an open file to no other. So whoever
/// has the lock knows that everybody who had the same seat before has ended; a copy of the directory, or another machine's
/// look at it, is another seat. Nothing where the kernel does not tell its runs apart.
pub(crate) fn of(lock: &File) -> Option<String> {
    within(lock, Path::new(BOOT))
}

fn within(lock: &File, boot: &Path) -> Option<String> {
    let (boot, file) = (std::fs::read(boot).ok()?, lock.metadata().ok()?);
    let mut context = Context::new(&SHA256);
    context.update(&file.dev().to_be_bytes());
    context.update(&file.ino().to_be_bytes());
    context.update(&boot);
    let hash = context.finish();
    hash.as_ref().get(..BYTES).map(|bytes| HEXLOWER.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{of, within};

    #[test]
    fn a_seat_is_that_of_one_file_in_one_run_of_the_kernel() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for boot in ["one", "two"] {
            std::fs::write(path(boot), boot).unwrap();
        }
        let lock = File::create(path("lock")).unwrap();
        let seat = within(&lock, &path("one")).unwrap();
        assert_eq!(seat.len(), 12);
        assert!(!seat.contains('-'), "it stands before a hyphen");
        assert_eq!(within(&File::open(path("lock")).unwrap(), &path("one")).unwrap(), seat);
        assert_ne!(within(&lock, &path("two")).unwrap(), seat, "another run");
        std::fs::copy(path("lock"), path("copy")).unwrap();
        assert_ne!(within(&File::open(path("copy")).unwrap(), &path("one")).unwrap(), seat, "a copy");
        assert_eq!(within(&lock, &path("none")), None);
        assert!(of(&lock).is_some(), "Linux tells");
    }
}
