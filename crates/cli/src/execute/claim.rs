//! Who writes into a folder: one program at a time.
//!
//! Promises that a folder that is claimed is not claimed by another process until the claim is dropped or the process is gone, however
//! it ends. It is a lock of the folder itself, so that no file tells of it. File systems that cannot lock folders let everybody in.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// The right to write into a folder.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: Option<File>,
}

/// With whom a folder is shared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum With {
    /// Nobody.
    Nobody,
    /// Others that write files of other names: shards.
    Shards,
}

/// Claims a folder, which must exist.
pub(crate) fn claim(folder: &Path, with: With) -> Result<Claim, Failure> {
    let Ok(file) = File::open(folder) else { return Ok(Claim { _lock: None }) };
    let locked = match with {
        With::Nobody => file.try_lock(),
        With::Shards => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => Ok(Claim { _lock: Some(file) }),
        Err(TryLockError::Error(_)) => Ok(Claim { _lock: None }),
        Err(TryLockError::WouldBlock) => {
            let reason = io::Error::new(io::ErrorKind::ResourceBusy, "another nandseqgen is writing into it");
            Err(Failure::cannot_write(folder, reason))
        }
    }
}
