//! Reachability for `profile check`: which names can be proposed under which phase key, and which states are traps.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use nandseq_generate::probability::Distributions;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::{Diagnostic, OpId, PhaseKey, Profile, Ticks};
use nandseq_reach::{BusDemand, COINCIDENCE, IdleTime, Reason, StarvedState, Trap, Universe, Verdict};
use serde::Serialize;

use crate::dead_dies;
use crate::explain::{TRIAL_OPS, Trial, Words};
use crate::failure::Failure;
use crate::in_force::InForce;
use crate::inputs::BUILT_IN;
use crate::op_filter::OpFilter;
use crate::simulated::simulated;

/// The pairs that are listed.
pub(crate) struct PairListing<'a> {
    /// Whether `--pairs` asks for pairs.
    pub(crate) pairs: bool,
    /// Names or patterns of `--op`, which ask for pairs too; all operations if there are none.
    pub(crate) ops: &'a [String],
}

/// The pairs of phase key and op name by verdict, with the reasons of those that are not reachable.
#[derive(Serialize)]
pub(crate) struct PairFindings {
    /// Number of pairs of phase key and op name.
    pairs: usize,
    reachable: u32,
    /// Not decided, because the device has too many states.
    undecided: u32,
    /// Reachable by coincidence alone.
    by_coincidence: u32,
    without_weight: u32,
    /// With a weight, and never proposed.
    never_proposed: u32,
    /// States without a way out, and other dead ends, in words.
    traps: Vec<String>,
    /// Why nothing can be generated, or which dies were dead at the end of a trial, in words.
    dead: Option<String>,
    /// The warning about operations that demand more of the bus than there is.
    bus: Option<String>,
    /// The warning about a device that rests nearly all the time.
    idle: Option<String>,
    /// The warning about an operation that lasts for very many refills.
    refills: Option<String>,
    /// The listed pairs that have a weight and are not reachable, by key and reason.
    not_reachable: Vec<NotReachable>,
    /// The operations of `--op` of which no pair is listed, and why.
    not_listed: Vec<NotListed>,
    /// Whether the bootstrap comes first.
    bootstrap: bool,
    /// The command that lists the pairs, if they are not listed.
    #[serde(skip)]
    more: Option<String>,
}

/// Names that are not reachable under a phase key, for one reason.
#[derive(Serialize)]
struct NotReachable {
    phase_key: String,
    reason: String,
    op_names: Vec<String>,
    /// Whether these are all names of the profile.
    #[serde(skip)]
    is_every: bool,
}

/// An operation of which no pair is listed.
#[derive(Serialize)]
struct NotListed {
    op_name: String,
    /// Number of phase keys that give it a weight. It is reachable under each of them.
    phase_keys: usize,
    /// Number of all phase keys.
    of: usize,
}

/// Looks at every pair of phase key and op name. Pairs of the listing that are not reachable are named.
///
/// # Errors
/// When a name of the listing fits nothing.
pub(crate) fn look(in_force: &InForce, listing: &PairListing<'_>) -> Result<PairFindings, Failure> {
    let InForce { profile, table, flags, .. } = in_force;
    let wanted = OpFilter::new(profile, listing.ops)?;
    let lists = listing.pairs || !listing.ops.is_empty();
    let universe = Universe::with_start(profile, &table.distributions, in_force.start());
    let [bus, idle, refills] = refill_warnings(profile, &table.distributions);
    let mut found = PairFindings {
        pairs: profile.phase_keys.len() * profile.ops.len(),
        reachable: 0,
        undecided: 0,
        by_coincidence: 0,
        without_weight: 0,
        never_proposed: 0,
        traps: traps(profile, universe.traps(), universe.supply().starved.as_ref()),
        dead: dead(in_force),
        bus,
        idle,
        refills,
        not_reachable: Vec::new(),
        not_listed: Vec::new(),
        bootstrap: in_force.bootstrap,
        more: (!lists).then(|| flags.check().flag("--pairs").to_string()),
    };
    let mut reasons: BTreeMap<(PhaseKey, String), Vec<String>> = BTreeMap::new();
    // For each operation the number of phase keys under which it is reachable, and whether it is not under another that gives it
    // a weight.
    let mut of_op = vec![(0, false); profile.ops.len()];
    for (key, op, verdict) in universe.pairs() {
        let why = match verdict {
            Verdict::Reachable => {
                found.reachable += 1;
                of_op[op.index()].0 += 1;
                continue;
            }
            Verdict::Unreachable(Reason::Excluded | Reason::NoWeight) => {
                found.without_weight += 1;
                continue;
            }
            Verdict::Undecided => {
                found.undecided += 1;
                Verdict::UNDECIDED.to_owned()
            }
            Verdict::Coincidence => {
                found.by_coincidence += 1;
                COINCIDENCE.to_owned()
            }
            Verdict::Unreachable(reason) => {
                found.never_proposed += 1;
                reason.text(profile, key, op)
            }
        };
        of_op[op.index()].1 = true;
        if lists && wanted.wants(op) {
            reasons.entry((key, why)).or_default().push(profile.ops[op].name.clone());
        }
    }
    let named = |((key, reason), op_names): ((PhaseKey, String), Vec<String>)| {
        let is_every = op_names.len() == profile.ops.len();
        NotReachable { phase_key: profile.phase_keys[key].name.clone(), reason, op_names, is_every }
    };
    found.not_reachable = reasons.into_iter().map(named).collect();
    if !listing.ops.is_empty() {
        let unlisted = profile.ops.iter_ids().zip(of_op).filter(|&((op, _), (_, listed))| wanted.wants(op) && !listed);
        let of = profile.phase_keys.len();
        let named =
            unlisted.map(|((_, info), (phase_keys, _))| NotListed { op_name: info.name.clone(), phase_keys, of });
        found.not_listed = named.collect();
    }
    Ok(found)
}

impl PairFindings {
    /// The warnings about the device as a whole: what the search, a trial and the weights of the refills show.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Diagnostic> {
        let code = |kind: &str| if kind == "trap" { "trap" } else { "starvation" };
        let traps =
            self.traps.iter().filter_map(|text| text.split_once(": ")).map(move |(kind, text)| (code(kind), text));
        let others = [("dead", &self.dead), ("bus", &self.bus), ("idle", &self.idle), ("refills", &self.refills)];
        let others = others.into_iter().filter_map(|(code, text)| Some((code, text.as_deref()?)));
        traps.chain(others).map(|(code, text)| Diagnostic::warning(code, text))
    }

    /// The pairs in words; with `all` the counts are among them.
    pub(crate) fn text(&self, all: bool) -> String {
        let mut text = String::new();
        for NotReachable { phase_key, reason, op_names, is_every } in &self.not_reachable {
            let names = if *is_every { "every name".to_owned() } else { op_names.join(", ") };
            text.push_str(&format!("{phase_key}: {reason}: {names}\n"));
        }
        for NotListed { op_name, phase_keys, of } in &self.not_listed {
            match phase_keys {
                0 => text
                    .push_str(&format!("{op_name}: none of {} gives it a weight\n", counted(*of as u64, "phase key"))),
                some => text.push_str(&format!(
                    "{op_name}: reachable under each of {} that give{} it a weight\n",
                    counted(*some as u64, "phase key"),
                    if *some == 1 { "s" } else { "" }
                )),
            }
        }
        let more =
            self.more.as_ref().map_or_else(String::new, |pairs| format!("; `{pairs}` lists them with the reasons"));
        let Self { pairs, reachable, undecided, by_coincidence, without_weight, never_proposed, .. } = self;
        let open = if *undecided > 0 {
            format!(
                "; {} are undecided: the device has more states than can be searched",
                grouped(u64::from(*undecided))
            )
        } else {
            String::new()
        };
        if all {
            let of = |count: &u32| grouped(u64::from(*count));
            text.push_str(&format!(
                "of {} pairs of phase key and op name {} are reachable, {} by coincidence; {} have no weight, {} have one and are \
                 never proposed{open}{more}\n",
                grouped(*pairs as u64),
                of(reachable),
                of(by_coincidence),
                of(without_weight),
                of(never_proposed)
            ));
        }
        text
    }
}

/// The warnings about traps and starvation that a quick search of the states shows: one that takes some 50 ms at most. None for the
/// built-in device, because its users cannot change it, and none for a device with more states.
pub(crate) fn dead_ends(in_force: &InForce) -> Vec<String> {
    /// The most operations that the search carries out.
    const MOST: u64 = 50_000;
    let InForce { profile, table, profile_input, .. } = in_force;
    if profile_input.source == BUILT_IN {
        return Vec::new();
    }
    let (found, starved) = nandseq_reach::dead_ends(profile, &table.distributions, in_force.start(), MOST);
    traps(profile, &found, starved.as_ref())
}

/// Why nothing can be generated, or which dies are dead at the end of a trial.
fn dead(in_force: &InForce) -> Option<String> {
    let (words, start) = (Words::of(in_force), in_force.start());
    let trial = Trial::new(&in_force.profile, &in_force.table.distributions, start, TRIAL_OPS);
    if let Some(problem) = &trial.problem {
        return Some(format!("{problem}: {}", words.how_to_propose(&in_force.flags)));
    }
    let after = counted(trial.ops, "operation");
    dead_dies::of_trial(&words, &trial, start.bootstrap).map(|dead| format!("after {after} of a trial {dead}"))
}

/// The warnings about instant operations that take the whole bus, about a device that rests nearly all the time, and about an
/// operation that lasts for very many refills.
pub(crate) fn refill_warnings(profile: &Profile, table: &Distributions) -> [Option<String>; 3] {
    let (demand, idle) = nandseq_reach::refills(profile, table);
    let idle = idle.and_then(|idle| idle_warning(profile, &idle));
    [bus_warning(profile, &demand), idle, long_warning(profile, table)]
}

/// The warning about an operation that lasts for very many refills; `None` if there is none.
fn long_warning(profile: &Profile, table: &Distributions) -> Option<String> {
    const MANY: u64 = 100_000_000;
    const IN_A_SECOND: u64 = 20_000_000;
    let weighted = table.iter().flat_map(|(_, entries)| entries).filter(|(_, mass)| *mass > 0.0);
    let total = |op: OpId| Ticks(profile.ops[op].durations.iter().map(|one| one.0).sum());
    let (total, Reverse(op)) = weighted.map(|&(op, _)| (total(op), Reverse(op))).max()?;
    let period = profile.policies.queue_refill_period;
    let refills = total.0 / period.0.max(1);
    (refills >= MANY).then(|| {
        format!(
            "{} takes {}, which is {} refills, one every {period}: if refills can propose something meanwhile and it is refused, or with \
             --closure, each of them is looked at, about {} of real time for one such operation (shorten it, or raise \
             queue_refill_period)",
            profile.ops[op].name,
            simulated(total.0 as f64 / 1e6),
            grouped(refills),
            counted(refills.div_ceil(IN_A_SECOND), "second")
        )
    })
}

/// The warning about instant operations that take the whole bus; `None` if they do not.
fn bus_warning(profile: &Profile, demand: &BusDemand) -> Option<String> {
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

/// The warning about a device that waits absurdly long for its next operation; `None` if it does not.
fn idle_warning(profile: &Profile, idle: &IdleTime) -> Option<String> {
    if !idle.is_absurd() {
        return None;
    }
    let name = |op: OpId| &*profile.ops[op].name;
    let (key, period) = (&profile.phase_keys[idle.key].name, profile.policies.queue_refill_period);
    let (draws, advice) = match idle.delay {
        Some(delay) => {
            const MOST: f64 = 1e12;
            let refills = grouped((1.0 / idle.share).min(MOST).round() as u64);
            let fewer = if 1.0 / idle.share > MOST { "fewer than " } else { "" };
            let advice = format!("lower the weight of {} under {key}, or ", name(delay));
            (format!(", and {fewer}one in {refills} of them draws an operation"), advice)
        }
        None => (String::new(), String::new()),
    };
    let (longest, total) = idle.longest;
    Some(format!(
        "on average a device at rest waits {} of simulated time for its next operation: refills under {key} come every {period}{draws}; \
         the longest operation, {}, takes {total} ({advice}shorten queue_refill_period)",
        simulated(idle.mean_us),
        name(longest)
    ))
}

/// The traps of the device, and starvation, in words.
fn traps(profile: &Profile, traps: &[Trap], starved: Option<&StarvedState>) -> Vec<String> {
    let mut all = Vec::new();
    for trap in traps {
        let names: Vec<&str> = trap.freed_by.iter().map(|&base| profile.bases[base].name.as_str()).collect();
        let way_out = match names.as_slice() {
            [] => "no base has an effect that would end it".to_owned(),
            names if trap.is_always => format!("{} would free it, but can never run there", names.join(", ")),
            names => format!("{} would free it, but other states may forbid that for ever", names.join(", ")),
        };
        let stays = if trap.is_always { "stays" } else { "may stay" };
        all.push(format!("trap: once in {} a die {stays} there: {way_out}", trap.state.name()));
    }
    if let Some(StarvedState { states, key }) = starved {
        let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
        let rests = if states.is_empty() { "at rest".to_owned() } else { format!("in {}", states.join(" and ")) };
        let key = &profile.phase_keys[*key].name;
        all.push(format!(
            "starvation: a die {rests} may wait long, or for ever, for its next operation: of what refills propose there under {key}, \
             nothing is possible whatever blocks and pages there are, and nothing changes that state (a reset with a weight \
             under {key} would)"
        ));
    }
    all
}
