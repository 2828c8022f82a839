//! Any bytes as a profile: read in either form, leniently or not, and its diagnostics shown, without a panic. What is accepted
//! can be written; a native profile survives being written and read back. (One in the predecessor's form may hold what the
//! native form refuses, such as a payload that leaves out part of the address, or leaves behind, such as weights of names for
//! steps that its chain does not have.)

#![no_main]

use libfuzzer_sys::fuzz_target;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{ReadOptions, SourceFile, native, read};

fuzz_target!(|data: &[u8]| {
    let source = match SourceFile::from_bytes("profile.yaml", data.to_vec()) {
        Ok(source) => source,
        Err((source, diagnostics)) => {
            let _ = diagnostics.render(&source, Styling::Plain);
            return;
        }
    };
    for lenient in [false, true] {
        let (profile, diagnostics) = read(&source, ReadOptions { lenient });
        let _ = diagnostics.render(&source, Styling::Plain);
        assert_eq!(profile.is_some(), !diagnostics.has_errors());
        let Some(profile) = profile else { continue };
        let written = SourceFile::new("written.yaml", native::write(&profile));
        let (again, diagnostics) = read(&written, ReadOptions::default());
        let native = source.text.lines().any(|line| line.starts_with("schema"));
        let same = again.is_some_and(|again| again == profile);
        assert!(same || !native, "{}", diagnostics.render(&written, Styling::Plain));
    }
});
