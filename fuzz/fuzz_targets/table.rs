//! Any bytes as a probability table of the built-in device: read and its diagnostics shown, without a panic. A table that is
//! accepted survives being written and read back.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Profile, SourceFile, builtin, table};

static DEVICE: LazyLock<Profile> = LazyLock::new(builtin::profile);

fuzz_target!(|data: &[u8]| {
    let Ok(source) = SourceFile::from_bytes("op_state_probs.yaml", data.to_vec()) else { return };
    let (read, diagnostics) = table::read(&source, &DEVICE);
    let _ = diagnostics.render(&source, Styling::Plain);
    let Some(read) = read else { return };
    let written = SourceFile::new("written.yaml", table::write(&read, &DEVICE));
    let (again, diagnostics) = table::read(&written, &DEVICE);
    let again = again.unwrap_or_else(|| panic!("{}", diagnostics.render(&written, Styling::Plain)));
    assert_eq!(again.entries, read.entries);
});
