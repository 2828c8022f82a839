//! Sequences in few words, and what a fault makes of them.

use std::sync::LazyLock;

use nandseq_input::{Addressed, FieldSet, Row};
use nandseq_profile::model::PayloadField;
use nandseq_profile::places::Places;
use nandseq_profile::{BaseId, Diagnostics, OpId, Profile, SourceFile, Ticks, builtin};
use nandseq_simulate::{FaultySite, PlantedFault, read};

/// An operation: its start in ns, its name, and die, plane, block and page of each target.
pub(crate) type Started = (u64, &'static str, Vec<[i64; 4]>);

/// The classes of a profile, with their bases.
type Classes = Vec<(String, Vec<BaseId>)>;

/// The built-in device and its classes, which take long to read.
static DEVICE: LazyLock<(Profile, Classes)> = LazyLock::new(|| {
    let profile = builtin::profile();
    let classes = Places::new(&SourceFile::new(builtin::NAME, builtin::text()), &profile).classes();
    (profile, classes)
});

pub(crate) fn device() -> &'static Profile {
    &DEVICE.0
}

pub(crate) fn read_text(text: &str) -> (Option<PlantedFault>, Diagnostics) {
    read(&SourceFile::new("fault.yaml", text), device(), &DEVICE.1)
}

/// A fault with what its `when` says, and further lines.
pub(crate) fn fault(when: &str, more: &str) -> PlantedFault {
    let text = format!("schema: 1\nname: planted\nwhen: {when}\n{more}");
    let (fault, diagnostics) = read_text(&text);
    fault.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"))
}

pub(crate) fn op(name: &str) -> OpId {
    device().ops.iter_ids().find(|(_, op)| op.name == name).unwrap_or_else(|| panic!("no {name}")).0
}

/// A target as a row of the operation names it.
fn target(op: OpId, [die, plane, block, page]: [i64; 4]) -> Addressed {
    let address = [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page];
    let payload = &device().bases[device().ops[op].base].payload;
    let fields: FieldSet = payload.iter().copied().filter(|field| address.contains(field)).collect();
    Addressed { fields, die, plane, block, page, ..Addressed::default() }
}

/// Plays a run. Operations have the `op_uid`s from `first` on.
pub(crate) fn run(site: &mut FaultySite<'_>, number: u32, first: u64, ops: &[Started]) -> Vec<u64> {
    site.begin_run(number);
    for (uid, (ns, name, targets)) in (first..).zip(ops) {
        let op = op(name);
        let targets: Vec<Addressed> = targets.iter().map(|address| target(op, *address)).collect();
        let time = Ticks(ns * 1_000);
        site.operation(&Row { row: uid, seq: uid, time, opcode: 0, op, uid, targets: &targets, fault: None });
    }
    site.end_run()
}

/// The places, from 0, of the operations of one run of site 1 that fail.
pub(crate) fn failing(when: &str, more: &str, ops: &[Started]) -> Vec<u64> {
    let fault = fault(when, more);
    run(&mut FaultySite::new(device(), &fault, 1, 1), 1, 0, ops)
}
