//! Any bytes as a snapshot and as the state in one: what is taken up goes on for a while, everything else is refused.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_generate::{RunLimits, Setup, Site, SiteState, Snapshot, probability};
use nandseq_profile::{Ticks, builtin};
use nandseq_trace::{Operation, Sink};

static SETUP: LazyLock<Setup> = LazyLock::new(|| {
    let mut profile = builtin::profile();
    (profile.topology.blocks_per_die, profile.topology.pages_per_block) = (16, 4);
    Setup::new(&profile, &probability::of_profile(&profile, 1729), &[]).expect("something to propose")
});

struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, _: &Operation<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = Snapshot::from_bytes(data);
    let Ok(state) = serde_json::from_slice::<SiteState>(data) else { return };
    let Ok(mut site) = Site::from_state(&SETUP, 1, &state) else { return };
    let limits = RunLimits { run_until: Ticks::from_us(20_000), max_ops: Some(200), ..RunLimits::default() };
    let _ = site.run(&limits, &mut Nowhere);
});
