//! Any bytes as a test plan of the built-in device: read and its diagnostics shown, without a panic. What an accepted plan names is there.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::places::Places;
use nandseq_profile::{BaseId, Profile, SourceFile, builtin};

static DEVICE: LazyLock<Profile> = LazyLock::new(builtin::profile);
static CLASSES: LazyLock<Vec<(String, Vec<BaseId>)>> =
    LazyLock::new(|| Places::new(&SourceFile::new(builtin::NAME, builtin::text()), &DEVICE).classes());

fuzz_target!(|data: &[u8]| {
    let Ok(source) = SourceFile::from_bytes("plan.yaml", data.to_vec()) else { return };
    let (plan, diagnostics) = nandseq_plan::read(&source, &DEVICE, &CLASSES);
    let _ = diagnostics.render(&source, Styling::Plain);
    let Some(plan) = plan else { return };
    for phase in &plan.phases {
        assert!(phase.runs > 0 && phase.addresses.iter().all(|&entry| entry < plan.addresses.len()));
        assert!(phase.scenarios.iter().all(|&entry| entry < plan.scenarios.len()));
    }
    for scenario in &plan.scenarios {
        assert!(!scenario.steps.is_empty() && scenario.steps.iter().all(|step| !step.ops.is_empty() && step.repeat > 0));
    }
});
