//! What earlier steps leave in a block while nothing else may start between the steps (`between: nothing`), and what that forbids.
//!
//! The block of an erase is in flight, erased with its cell type, or not erased, until it is programmed or erased again. That of a
//! program is in flight, programmed up to its page at least, or not erased, until it is erased again.

use nandseq_device::{BaseInfo, OpInfo, Rule};
use nandseq_plan::model::AddressPart;
use nandseq_profile::OpId;
use nandseq_profile::model::AddressSource;

use super::steps::{Obstacle, Steps};

/// What is in the block that keeps an operation from being a step.
pub(crate) fn obstacle(steps: &Steps<'_>, step: usize, op: OpId) -> Option<Obstacle> {
    let own = steps.op(op);
    if steps.scenario.others_between || !(is_program(own.1) || own.1.reads_page) {
        return None;
    }
    (0..step).rev().find_map(|from| {
        let erases = |(_, info): (&OpInfo, &BaseInfo)| info.effects.erase;
        let is_known = steps.is_within(AddressPart::Block, step, from)
            && steps.of(from).all(|(_, info)| steps.share_die((step, own.1), (from, info)))
            && !steps.any_between((from, step), false, erases);
        let (rule, what) = if is_known { after_all(steps, (step, own), from)? } else { return None };
        let because = format!("{} left the block {what}, and nothing in between erases it", steps.name(from));
        Some(Obstacle::by(rule, because, "state an erase before it, or another block"))
    })
}

/// Whether the rules of programs judge the block of an operation.
fn is_program(info: &BaseInfo) -> bool {
    info.has_block && (info.effects.is_program() || info.address == AddressSource::NextPage)
}

const fn commits(info: &BaseInfo) -> bool {
    info.effects.program || info.effects.close
}

/// The rule that forbids an operation in the block of an earlier step, whichever operation that is.
fn after_all(steps: &Steps<'_>, own: (usize, (&OpInfo, &BaseInfo)), from: usize) -> Option<(Rule, &'static str)> {
    let mut found = None;
    for other in steps.kinds_of(from) {
        found = Some(match (other.1.effects.erase, commits(other.1)) {
            (true, false) => after_erase(steps, own, (from, other.0))?,
            (false, true) => after_program(steps, own, (from, other))?,
            _ => return None,
        });
    }
    found
}

fn after_erase(
    steps: &Steps<'_>,
    (step, (own, info)): (usize, (&OpInfo, &BaseInfo)),
    (from, erase): (usize, &OpInfo),
) -> Option<(Rule, &'static str)> {
    let is_programmed = steps.any_between((from, step), false, |(_, info)| commits(info));
    if info.reads_page && !is_programmed {
        return Some((Rule::ReadBeforeProgram, "erased"));
    }
    if !info.reads_page && !is_programmed && !steps.allows(step, AddressPart::Page, 0) {
        return Some((Rule::ProgramOrder, "erased, so that its next page is 0"));
    }
    // Whatever is programmed there is of a cell type that the erase allows.
    let (cell, erased) = own.cell_type.zip(erase.cell_type)?;
    let allowed = steps.tables.programs[erased.index()] >> cell.0 & 1 == 1;
    let rule = if info.reads_page { Rule::ReadCellType } else { Rule::ProgramCellType };
    (!allowed).then_some((rule, "erased for another cell type"))
}

fn after_program(
    steps: &Steps<'_>,
    (step, (own, info)): (usize, (&OpInfo, &BaseInfo)),
    (from, (program, of_program)): (usize, (&OpInfo, &BaseInfo)),
) -> Option<(Rule, &'static str)> {
    let is_same_page = || steps.is_within(AddressPart::Page, step, from);
    if !info.reads_page && (of_program.effects.close || is_same_page()) {
        return Some((Rule::ProgramOrder, "with the page programmed"));
    }
    let (cell, programmed) = own.cell_type.zip(program.cell_type)?;
    let rule = if info.reads_page { Rule::ReadCellType } else { Rule::ProgramCellType };
    (cell != programmed).then_some((rule, "programmed with another cell type"))
}
