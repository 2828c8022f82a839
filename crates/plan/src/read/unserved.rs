//! Notes about operations that draw an address and that no region in force can give one.

use nandseq_profile::diagnostic::{counted, quoted};
use nandseq_profile::yaml::Entry;
use nandseq_profile::{Diagnostic, Diagnostics, OpId, Profile};

use crate::model::TestPlan;
use crate::served::unserved_by_phase;

/// The number of operations and phases that a note names.
const NAMED: usize = 3;

/// Adds a note for each list of operations that the regions of some phases do not serve. `entries` are those of `addresses`.
pub(super) fn note(plan: &TestPlan, entries: &[Entry], profile: &Profile, diagnostics: &mut Diagnostics) {
    let Some(by_phase) = unserved_by_phase(plan, profile, profile.bootstrap.enabled) else {
        let message = "the phases have too many regions to see which operations have no address in them";
        return diagnostics.push(Diagnostic::note("no-address", message));
    };
    let mut found: Vec<(Vec<OpId>, Vec<&str>, usize)> = Vec::new();
    for ((name, in_force), ops) in plan.addresses_in_force().into_iter().zip(by_phase) {
        let Some(&entry) = in_force.iter().find(|&&entry| !plan.addresses[entry].regions.is_empty()) else { continue };
        match found.iter_mut().find(|(other, ..)| *other == ops) {
            _ if ops.is_empty() => {}
            Some((_, names, _)) => names.extend(name),
            None => found.push((ops, name.into_iter().collect(), entry)),
        }
    }
    for (ops, names, entry) in found {
        let names: Vec<String> = names.into_iter().map(quoted).collect();
        let of = match names.as_slice() {
            [] => String::new(),
            [one] => format!("in the phase {one} "),
            several => format!("in the phases {} ", shortened(several)),
        };
        let named: Vec<String> = ops.iter().map(|&op| quoted(&profile.ops[op].name)).collect();
        let count = counted(ops.len() as u64, "operation");
        let message = format!("{of}no region has an address for {count}: {}", shortened(&named));
        let help = if ops.iter().all(|&op| profile.ops[op].multi) {
            format!("several planes need blocks of one group, such as blocks 0-{}", profile.topology.planes - 1)
        } else {
            "a page is programmed after those before it: have them in a region of this phase or of an earlier one"
                .into()
        };
        let note = Diagnostic::note("no-address", message).help(help);
        diagnostics.push(match entries.get(entry) {
            Some(entry) => note.at(entry.key_span, ""),
            None => note,
        });
    }
}

/// The first of some texts, and how many more there are.
fn shortened(texts: &[String]) -> String {
    let more = texts.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    texts[..texts.len() - more].join(", ") + &rest
}
