//! A small device for unit tests: two planes, an erase, a program, a read, a data output, a delay and a status read.

use nandseq_profile::{OpId, PhaseKey, Profile, ReadOptions, SourceFile, read};

/// The small device, with these weights under DEFAULT and these further sections of the profile.
pub(crate) fn device(weights: &str, sections: &str) -> Profile {
    chained(weights, "", sections)
}

/// As [`device`]; `follow_ups` of status reads are given too.
pub(crate) fn chained(weights: &str, follow_ups: &str, sections: &str) -> Profile {
    let text = format!(
        "
schema: 1
name: sample
topology: {{dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}}
cell_types: {{NONE: [], SLC: []}}
policies: {{queue_refill_period: 50}}
bases:
  ERASE: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block, payload: [die, plane, block, page, celltype], effects: [erase]}}
  PROG: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: next_page, payload: [die, plane, block, page, celltype], effects: [program]}}
  READ: {{scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: readable_page, payload: [die, plane, block, page, celltype], effects: [fill_registers]}}
  OUT: {{scope: none, phases: [ISSUE], address: output_register, payload: [die, plane, block, page, celltype], effects: [data_out]}}
  WAIT: {{scope: none, instant: true, phases: [ISSUE], effects: [delay]}}
  STATUS: {{scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read], follow_ups: {{{follow_ups}}}}}
ops:
  EraseA: {{base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}}
  EraseB: {{base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}}
  Program: {{base: PROG, celltype: SLC, ISSUE: 1, CORE_BUSY: 30}}
  Read: {{base: READ, celltype: SLC, ISSUE: 0.2, CORE_BUSY: 20}}
  Out: {{base: OUT, ISSUE: 0.2}}
  Wait: {{base: WAIT, ISSUE: 0.02}}
  Status: {{base: STATUS, ISSUE: 0.1, status_of: die}}
  StatusLun3: {{base: STATUS, ISSUE: 60, status_of: lun 3}}
phase_conditional: {{DEFAULT: {{{weights}}}}}
{sections}"
    );
    let source = SourceFile::new("sample.yaml", text);
    let (profile, remarks) = read(&source, ReadOptions::default());
    profile.unwrap_or_else(|| panic!("{remarks:#?}"))
}

/// The probability table of a profile.
pub(crate) fn table(profile: &Profile) -> &[(PhaseKey, Vec<(OpId, f64)>)] {
    &profile.probabilities.phase_conditional
}

/// The operation with this name.
pub(crate) fn op(profile: &Profile, name: &str) -> OpId {
    profile.ops.ids().find(|&op| profile.ops[op].name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The phase key with this name.
pub(crate) fn key(profile: &Profile, name: &str) -> PhaseKey {
    profile.phase_keys.ids().find(|&key| profile.phase_keys[key].name == name).unwrap_or_else(|| panic!("no {name}"))
}
