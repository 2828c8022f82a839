//! What `profile check` says of reachability: which names can be proposed under which phase key, and which states are traps.

use std::collections::BTreeMap;

use nandseq_generate::probability::Distributions;
use nandseq_profile::{PhaseKey, Profile};
use nandseq_reach::{BusDemand, COINCIDENCE, Reason, Universe, Verdict};

use crate::failure::Failure;
use crate::in_force::InForce;
use crate::op_filter::OpFilter;

/// Which pairs are listed.
pub(crate) struct Listing<'a> {
    /// Whether any is.
    pub(crate) pairs: bool,
    /// Names or patterns; none for all.
    pub(crate) ops: &'a [String],
}

/// The findings in words, and every pair of the listing that the table gives a weight and that is never proposed, by key and reason.
///
/// # Errors
/// When a name of the listing fits nothing.
pub(crate) fn report(in_force: &InForce, listing: &Listing<'_>) -> Result<String, Failure> {
    let InForce { profile, table, bad_blocks, flags, .. } = in_force;
    let wanted = OpFilter::new(profile, listing.ops)?;
    let lists = listing.pairs || !listing.ops.is_empty();
    let universe = Universe::with_bad_blocks(profile, &table.distributions, bad_blocks);
    let mut text = traps(profile, &universe);
    text.extend(bus_warning(profile, &table.distributions).map(|warning| format!("bus: {warning}\n")));
    let (mut reachable, mut by_chance, mut excluded, mut never) = (0u32, 0u32, 0u32, 0u32);
    let mut reasons: BTreeMap<(PhaseKey, String), Vec<&str>> = BTreeMap::new();
    for (key, op, verdict) in universe.pairs() {
        let why = match verdict {
            Verdict::Reachable => {
                reachable += 1;
                continue;
            }
            Verdict::Unreachable(Reason::Excluded | Reason::NoWeight) => {
                excluded += 1;
                continue;
            }
            Verdict::Coincidence => {
                by_chance += 1;
                COINCIDENCE.to_owned()
            }
            Verdict::Unreachable(reason) => {
                never += 1;
                reason.text(profile, key, op)
            }
        };
        if lists && wanted.wants(op) {
            reasons.entry((key, why)).or_default().push(&profile.ops[op].name);
        }
    }
    for ((key, why), names) in &reasons {
        let names = if names.len() == profile.ops.len() { "every name".to_owned() } else { names.join(", ") };
        text.push_str(&format!("{}: {why}: {names}\n", profile.phase_keys[*key].name));
    }
    let pairs = flags.check().flag("--pairs");
    let more = if lists { String::new() } else { format!("; `{pairs}` lists them with the reasons") };
    text.push_str(&format!(
        "of {} pairs of phase key and op name {reachable} are reachable, {by_chance} by coincidence; {excluded} have no \
         weight, {never} have one and are never proposed{more}\n",
        profile.phase_keys.len() * profile.ops.len(),
    ));
    Ok(text)
}

/// What is to be said where instants keep the bus for ever.
pub(crate) fn bus_warning(profile: &Profile, table: &Distributions) -> Option<String> {
    let demand = BusDemand::of(profile, table);
    let first = demand.names.first().map(|&(op, _)| &*profile.ops[op].name)?;
    (demand.share >= BusDemand::SATURATED).then(|| {
        format!(
            "operations that wait for the bus however long demand {:.0} % of it, most of it {first}: refills under {} come every {}, \
             and what they bring takes longer; other operations will hardly start (lower these weights, or raise \
             queue_refill_period)",
            100.0 * demand.share,
            profile.phase_keys[demand.key].name,
            profile.policies.queue_refill_period
        )
    })
}

/// States without a way out.
fn traps(profile: &Profile, universe: &Universe) -> String {
    let mut text = String::new();
    for trap in universe.traps() {
        let names: Vec<&str> = trap.freed_by.iter().map(|&base| profile.bases[base].name.as_str()).collect();
        let way_out = match names.as_slice() {
            [] => "no base has an effect that would end it".to_owned(),
            names => format!("{} would free it, but can never run there", names.join(", ")),
        };
        text.push_str(&format!("trap: once in {} a die stays there: {way_out}\n", trap.state.name()));
    }
    if universe.supply().least <= 0.0 {
        text.push_str(
            "starvation: there is a state in which a refill has nothing to propose that is always possible; a reset or an \
             erase with a weight under DEFAULT would be\n",
        );
    }
    text
}
