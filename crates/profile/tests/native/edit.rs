//! Tests that add operations to the built-in device by editing its text, as a person would.

use nandseq_profile::model::{Effect, PhaseKind, Scope};
use nandseq_profile::{Profile, builtin, check};

use crate::good;

/// The text with a stanza inserted right after a line.
fn with(text: &str, line: &str, stanza: &str) -> String {
    let line = format!("\n{line}\n");
    assert_eq!(text.matches(&line).count(), 1, "{line:?} stands once in the built-in profile");
    text.replacen(&line, &format!("{line}{stanza}"), 1)
}

fn duration(profile: &Profile, name: &str, kind: PhaseKind) -> String {
    let op = profile.ops.iter().find(|op| op.name == name).expect("the operation");
    let at = profile.bases[op.base].phases.iter().position(|phase| phase.kind == kind).expect("the phase");
    op.durations[at].to_us_text()
}

#[test]
fn a_stranger_adds_an_operation_with_one_stanza() {
    let stanza = "  Page_Program_Turbo: {base: PROGRAM_SLC, celltype: SLC, ISSUE: 8.5, CORE_BUSY: 180}\n";
    let before = builtin::profile();
    let after = good(&with(builtin::text(), "ops:", stanza));
    assert_eq!(after.ops.len(), before.ops.len() + 1);
    let op = after.ops.iter().find(|op| op.name == "Page_Program_Turbo").expect("the new operation");
    assert_eq!(after.bases[op.base].name, "PROGRAM_SLC");
    assert_eq!(duration(&after, &op.name, PhaseKind::CoreBusy), "180");
    // Nothing else has to be edited: it has a share of the mass of its base, and `check` has no new finding.
    assert_eq!(check::check(&after).len(), check::check(&before).len());
}

#[test]
fn a_stranger_adds_a_family_with_one_stanza() {
    let stanza = "  \"Retry_Read_{cell}_{level}\":
    base: READ
    ISSUE: 0.2
    DATA_OUT: tDOUT_16K
    variants:
      cell: {SLC: {celltype: SLC}, LSB: {celltype: TLC}, CSB: {celltype: TLC}}
      level: {L1: {CORE_BUSY: 70}, L2: {CORE_BUSY: 90}}
    except: [Retry_Read_SLC_L2]
";
    let after = good(&with(builtin::text(), "ops:", stanza));
    let names: Vec<&str> =
        after.ops.iter().map(|op| op.name.as_str()).filter(|name| name.starts_with("Retry_Read_")).collect();
    let expected =
        ["Retry_Read_SLC_L1", "Retry_Read_LSB_L1", "Retry_Read_LSB_L2", "Retry_Read_CSB_L1", "Retry_Read_CSB_L2"];
    assert_eq!(names, expected);
    assert_eq!(duration(&after, "Retry_Read_CSB_L2", PhaseKind::CoreBusy), "90");
}

#[test]
fn a_stranger_adds_a_new_behaviour_with_a_base_and_an_operation() {
    let base = "  GANG_ERASE: {class: erase, effects: [erase]}\n";
    let op = "  Gang_Erase_SLC: {base: GANG_ERASE, celltype: SLC, multi: true, ISSUE: 4, CORE_BUSY: tBERS_SLC}\n";
    let after = good(&with(&with(builtin::text(), "bases:", base), "ops:", op));
    let (id, base) = after.bases.iter_ids().find(|(_, base)| base.name == "GANG_ERASE").expect("the new base");
    assert_eq!((base.scope, base.has(Effect::Erase)), (Scope::Die, true));
    // The exclusions come from its class: it is forbidden in every state in which an erase is.
    let erase = after.bases.iter_ids().find(|(_, base)| base.name == "ERASE").expect("ERASE").0;
    let groups: Vec<_> = after.exclusions.groups.iter().filter(|group| group.forbids.contains(erase)).collect();
    assert!(groups.len() > 15 && groups.iter().all(|group| group.forbids.contains(id)));
    let op = after.ops.iter().find(|op| op.name == "Gang_Erase_SLC").expect("the new operation");
    assert_eq!((op.base, op.multi), (id, true));
    assert_eq!(duration(&after, &op.name, PhaseKind::CoreBusy), "7000");
}
