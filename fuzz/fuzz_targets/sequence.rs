//! Any bytes as a sequence file, read and judged, without a panic and with every row counted.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_input::SequenceReader;
use nandseq_profile::{Block, Die, Profile, ReadOptions, SourceFile, builtin, read};
use nandseq_verify::Verifier;

/// The small device of the rulebook, and the built-in one with few blocks.
static DEVICES: LazyLock<[Profile; 2]> = LazyLock::new(|| {
    let rulebook = SourceFile::new("device.yaml", include_str!("../../rulebook/device.yaml"));
    let mut large = builtin::profile();
    large.topology.blocks_per_die = 16;
    [read(&rulebook, ReadOptions::default()).0.expect("the rulebook's device is valid"), large]
});

fuzz_target!(|data: &[u8]| {
    for profile in DEVICES.iter() {
        let mut verifier = Verifier::new(profile, &[(Die(0), Block(4))]);
        // Twice: the second run of a site goes on where the first one ended.
        for _ in 0..2 {
            let Ok(mut reader) = SequenceReader::new(profile, data) else { break };
            let mut rows = 0;
            while let Ok(Some(row)) = reader.next_row() {
                rows += 1;
                match row {
                    Ok(row) => verifier.row(&row),
                    Err(row) => verifier.bad_row(&row),
                }
            }
            assert_eq!(reader.rows(), rows);
            verifier.end_of_file();
        }
        assert!(verifier.is_clean() || !verifier.findings().is_empty());
    }
});
