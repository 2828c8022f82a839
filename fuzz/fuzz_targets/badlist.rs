//! Any bytes as a list of bad blocks: read and its diagnostics shown, without a panic; what is accepted exists.

#![no_main]

#[path = "../../crates/cli/src/badlist.rs"]
mod badlist;

use libfuzzer_sys::fuzz_target;
use nandseq_profile::SourceFile;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::model::Topology;

const DEVICE: Topology = Topology { dies: 2, planes: 4, blocks_per_die: 1020, pages_per_block: 2564 };

fuzz_target!(|data: &[u8]| {
    let Ok(source) = SourceFile::from_bytes("badlist.csv", data.to_vec()) else { return };
    match badlist::read(&source, DEVICE) {
        Ok(blocks) => assert!(blocks.iter().all(|(die, block)| die.0 < 2 && block.0 < 1020) && blocks.is_sorted()),
        Err(diagnostics) => {
            let _ = diagnostics.render(&source, Styling::Plain);
        }
    }
});
