//! Causes in words: what blocks an operation, where that is stated, and what to change.

use std::collections::BTreeMap;

use nandseq_plan::places::PlanPlaces;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::{AddressSource, Axis, DeviceState, Effect, LatchKind};
use nandseq_profile::places::StatedPlace;
use nandseq_profile::{BaseId, CellTypeId, OpId, PhaseKey, Profile};
use nandseq_reach::{Blocker, Cause, Need, Reason, Start};
use serde::Serialize;

use super::remedy::ProfileChange;
use super::weights::{FoundEntry, Texts, Weightless};
use crate::hint::{FlagsInForce, Hint};
use crate::in_force::InForce;
use crate::test_plan::PlanInForce;

/// Number of names in a list; the rest are only counted.
const LISTED: usize = 4;

/// A link of a chain of causes, ready to be shown.
#[derive(Serialize, Debug)]
pub(super) struct Link {
    /// The operations that are blocked.
    pub(super) operations: Vec<String>,
    /// The kind of blocker.
    pub(super) kind: &'static str,
    /// What blocks them, a sentence without a full stop.
    pub(super) text: String,
    /// Where that is stated.
    pub(super) stated: Vec<StatedEntry>,
    /// What to change.
    #[serde(skip)]
    pub(super) advice: Option<String>,
}

impl Link {
    /// The text without the name of one of its operations, so that the same reason of several operations gives the same text.
    pub(super) fn reason(&self, name: &str) -> String {
        self.text.replace(&format!("`{name}`"), "")
    }
}

/// An entry of a file.
#[derive(Serialize, Debug)]
pub(super) struct StatedEntry {
    /// What the entry does, a few words.
    pub(super) text: String,
    path: String,
    file: String,
    line: usize,
    column: usize,
}

impl StatedEntry {
    pub(super) fn new(found: &FoundEntry, says: &str) -> Self {
        let FoundEntry { file, place } = found;
        let text = format!("`{}`{says} ({})", place.path, found.at());
        Self { text, path: place.path.clone(), file: file.clone(), line: place.span.line, column: place.span.column }
    }

    /// `file:line:column`
    pub(super) fn at(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The sources of texts about causes.
pub(crate) struct Words<'p> {
    pub(crate) profile: &'p Profile,
    pub(super) texts: Texts<'p>,
    /// The list of bad blocks, if there is one.
    pub(crate) badlist: Option<&'p str>,
    /// The test plan, if there is one.
    plan: Option<&'p PlanInForce>,
    /// What the device begins with.
    start: Start<'p>,
}

impl<'p> Words<'p> {
    /// The words for a profile, its text, the table and the list of bad blocks in force.
    pub(crate) fn of(in_force: &'p InForce) -> Self {
        let InForce { profile, source, table, badlist_input, .. } = in_force;
        let badlist = badlist_input.as_ref().map(|input| &*input.source);
        Self {
            profile,
            texts: Texts::new(profile, source, table, in_force.plan.as_ref()),
            badlist,
            plan: in_force.plan.as_ref(),
            start: in_force.start(),
        }
    }

    /// Why an operation has no weight under a phase key: "`entry` at file:line:column does not list it".
    pub(crate) fn weightless(&self, key: PhaseKey, op: OpId) -> String {
        if self.profile.exclusions.in_op_state(key).contains(self.profile.ops[op].base) {
            return format!("{} names its base", self.exclusions_of_key(key));
        }
        match weightless_text(&self.texts.why(key, op), 1) {
            (says, Some(found)) => format!("`{}` at {}{says}", found.place.path, found.at()),
            (says, None) => says.to_owned(),
        }
    }

    /// The entry that lists the weights of a phase key: "`entry` (file:line:column)"; `None` where weights are built.
    pub(crate) fn weights_of(&self, key: PhaseKey) -> Option<String> {
        self.texts.distribution(key).map(|found| StatedEntry::new(&found, "").text)
    }

    /// The exclusions of a phase key, with their place.
    pub(crate) fn exclusions_of_key(&self, key: PhaseKey) -> String {
        let path = || format!("`exclusions.op_state.{}`", self.profile.phase_keys[key].name);
        self.placed(self.texts.places.exclusions_of_key(key)).unwrap_or_else(path)
    }

    /// The exclusions of a state, with their place.
    pub(crate) fn exclusions_of_state(&self, state: DeviceState) -> String {
        let path = || format!("`exclusions.state.{}`", state.name());
        self.placed(self.texts.places.exclusions_of_state(state)).unwrap_or_else(path)
    }

    fn placed(&self, place: Option<StatedPlace>) -> Option<String> {
        place.map(|place| StatedEntry::new(&self.texts.of_profile(place), "").text)
    }

    /// The advice if the table proposes nothing: the entry that would let a first operation start.
    pub(crate) fn how_to_propose(&self, flags: &FlagsInForce) -> String {
        let rank = |op: &OpId| {
            let base = &self.profile.bases[self.profile.ops[*op].base];
            let starts = matches!(base.address, AddressSource::None | AddressSource::AnyBlock | AddressSource::Hook);
            (!base.has(Effect::Erase), !starts || base.has(Effect::Delay))
        };
        let Some(first) = self.profile.ops.ids().min_by_key(rank) else { return String::new() };
        let why = self.texts.why(PhaseKey::DEFAULT, first);
        let advice = self.weight_advice(&why, &[first]).unwrap_or_default();
        let hint = Hint::new("explain").flags(&flags.all()).operand(&self.profile.ops[first].name);
        format!("{advice}; `{hint}` says why it has none")
    }

    /// The links of a chain of causes, in words.
    pub(super) fn chain(&self, chain: &[Cause]) -> Vec<Link> {
        chain.iter().map(|cause| self.link(cause)).collect()
    }

    fn link(&self, cause: &Cause) -> Link {
        let (who, are_many) = self.subject(&cause.ops);
        let operations = cause.ops.iter().map(|&op| self.profile.ops[op].name.clone()).collect();
        match &cause.blocker {
            Blocker::NoWeight { excluded, weightless } => {
                let (text, stated, advice) = self.no_weight((&cause.ops, are_many), excluded, weightless);
                Link { operations, kind: "no_weight", text: format!("{who} {text}"), stated, advice }
            }
            Blocker::Rule { reason, keys } => {
                let (op, key) = (cause.ops.first().copied().unwrap_or(OpId(0)), keys.first().copied());
                let why = reason.text(self.profile, key.unwrap_or(PhaseKey::DEFAULT), op);
                let text = format!("{who} cannot start{}: {why}", self.under(keys));
                let (stated, advice) = self.of_reason(*reason, op);
                Link { operations, kind: "rule", text, stated, advice }
            }
            Blocker::Unmet { need, reason, keys, providers } => {
                let needs = self.need(*need);
                let nobody = if providers.is_empty() {
                    "no operation of the profile brings that about".to_owned()
                } else {
                    format!("the operations that bring it about never run: {}", self.operations(providers))
                };
                let place =
                    if matches!(need, Need::PhaseOf(_)) || keys.len() == 1 { self.under(keys) } else { String::new() };
                let verb = if are_many { "need" } else { "needs" };
                let text = format!("{who} {verb} {needs}{place}; {nobody}");
                let op = cause.ops.first().copied().unwrap_or(OpId(0));
                // The exclusions of the state block the operation as much as the missing end of the state, so the advice names
                // both.
                let (stated, spare) =
                    if let Reason::State(_) = reason { self.of_reason(*reason, op) } else { (Vec::new(), None) };
                let add = format!("add an operation that brings about {needs}");
                let advice =
                    providers.is_empty().then(|| spare.map_or(add.clone(), |spare| format!("{spare}, or {add}")));
                Link { operations, kind: "unmet_need", text, stated, advice }
            }
        }
    }

    /// Why operations have no weight, the entries that state it, and what to change.
    fn no_weight(
        &self,
        (ops, are_many): (&[OpId], bool),
        excluded: &[PhaseKey],
        weightless: &[PhaseKey],
    ) -> (String, Vec<StatedEntry>, Option<String>) {
        let mut stated: Vec<StatedEntry> = Vec::new();
        let mut advice = None;
        let mut parts: Vec<String> = Vec::new();
        let mut whys = self.whys(ops, weightless);
        // An entry that stands for all other phase keys is not named twice.
        let stands: Vec<Weightless> = whys.iter().map(|(why, _)| why.clone()).collect();
        whys.retain(|(why, _)| match why {
            Weightless::NotListed(found) => !stands.contains(&Weightless::NotInDefault(Some(found.clone()))),
            Weightless::Stated(_) | Weightless::NotInDefault(_) | Weightless::Preset | Weightless::Crowded => true,
        });
        for (why, keys) in &whys {
            let (says, place) = weightless_text(why, keys.len());
            if let Some(found) = place
                && stated.len() < LISTED
            {
                stated.push(StatedEntry::new(found, says));
            } else if place.is_none() {
                parts.push(says.to_owned());
            }
            advice = advice.or_else(|| self.weight_advice(why, ops));
        }
        if !excluded.is_empty() && (weightless.is_empty() || excluded.len() + weightless.len() == 1) {
            let op = ops.first().copied().unwrap_or(OpId(0));
            for &key in excluded.iter().take(LISTED) {
                if let Some(place) = self.texts.places.exclusions_of_key(key) {
                    let why = Reason::Excluded.text(self.profile, key, op);
                    stated.push(StatedEntry::new(&self.texts.of_profile(place), &format!(": {why}")));
                }
            }
            advice = advice.or_else(|| Some("let fewer exclusions name its base".to_owned()));
        }
        let (verb, them) = if are_many { ("have", "them") } else { ("has", "it") };
        let mut text = match (weightless, excluded) {
            ([PhaseKey::DEFAULT], []) => format!("{verb} no weight under `DEFAULT`, the phase key of a blank device"),
            ([], [PhaseKey::DEFAULT]) => {
                format!("{verb} no weight under `DEFAULT`, the phase key of a blank device, which excludes {them}")
            }
            ([key], []) => format!("{verb} no weight under `{}`", self.profile.phase_keys[*key].name),
            ([], [key]) => {
                format!("{verb} no weight under `{}`, which excludes {them}", self.profile.phase_keys[*key].name)
            }
            ([], _) => format!("{verb} no weight: the exclusions of every phase key name the base"),
            (_, []) => format!("{verb} no weight under any phase key"),
            (_, some) => format!("{verb} no weight under any phase key ({} of them exclude {them})", some.len()),
        };
        if !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&parts.join("; "));
        }
        (text, stated, advice)
    }

    /// The reasons why operations have no weight under phase keys, each with its keys; the reason with most keys first.
    fn whys(&self, ops: &[OpId], keys: &[PhaseKey]) -> Vec<(Weightless, Vec<PhaseKey>)> {
        let mut whys: Vec<(Weightless, Vec<PhaseKey>)> = Vec::new();
        for &key in keys {
            for &op in ops {
                let why = self.texts.why(key, op);
                match whys.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, keys)) => keys.push(key),
                    None => whys.push((why, vec![key])),
                }
            }
        }
        whys.iter_mut().for_each(|(_, keys)| keys.dedup());
        whys.sort_by_key(|(_, keys)| usize::MAX - keys.len());
        whys
    }

    fn weight_advice(&self, why: &Weightless, ops: &[OpId]) -> Option<String> {
        let name = ops.first().map(|&op| &*self.profile.ops[op].name)?;
        Some(match why {
            Weightless::Stated(found) => {
                format!("give `{}` a value above 0 ({})", found.place.path, found.at())
            }
            Weightless::NotListed(found) | Weightless::NotInDefault(Some(found)) => {
                format!("list `{name}` with a weight under `{}` ({})", found.place.path, found.at())
            }
            Weightless::NotInDefault(None) => format!("list `{name}` with a weight under `phase_conditional.DEFAULT`"),
            Weightless::Preset => "leave --pc-demo out, or take another preset".to_owned(),
            Weightless::Crowded => {
                format!("give `{name}` a mass of its own, or lower those of others so that they add up to less than 1")
            }
        })
    }

    /// One of some changes in words, with its place; `None` if it follows from another.
    pub(super) fn change(&self, change: ProfileChange, all: &[ProfileChange]) -> Option<String> {
        let spare = |entry: String, base: BaseId| {
            Some(format!("let the exclusions in {entry} spare `{}`", self.profile.bases[base].name))
        };
        match change {
            ProfileChange::Weight(key, op) => {
                let why = self.texts.why(key, op);
                // A table that is built gives every name a mass that no exclusion names.
                let follows = why == Weightless::Crowded
                    && all.contains(&ProfileChange::SpareUnder(key, self.profile.ops[op].base));
                if follows { None } else { self.weight_advice(&why, &[op]) }
            }
            ProfileChange::SpareUnder(key, base) => spare(self.exclusions_of_key(key), base),
            ProfileChange::SpareIn(state, base) => spare(self.exclusions_of_state(state), base),
        }
    }

    /// The entries that state a reason, and what to change.
    fn of_reason(&self, reason: Reason, op: OpId) -> (Vec<StatedEntry>, Option<String>) {
        let place = |place: Option<StatedPlace>| -> Vec<StatedEntry> {
            place.map(|place| StatedEntry::new(&self.texts.of_profile(place), "")).into_iter().collect()
        };
        let places = &self.texts.places;
        let base = &self.profile.bases[self.profile.ops[op].base].name;
        match reason {
            Reason::Missing => (
                place(places.topology()),
                Some("give the device the dies or planes that it addresses, or take it out of the profile".to_owned()),
            ),
            Reason::OnePlane => (
                place(places.base(base)),
                Some(
                    "it can only follow another operation: let a chain that is multi-plane contain its base".to_owned(),
                ),
            ),
            Reason::BadBlocks => (
                Vec::new(),
                self.badlist.as_ref().map(|list| format!("leave some blocks out of the list of bad blocks `{list}`")),
            ),
            Reason::NoRegion => self.of_regions(op),
            Reason::OpState(key) => {
                let found = place(places.exclusions_of_key(key));
                (found, Some(format!("let the exclusions of `{}` spare `{base}`", self.profile.phase_keys[key].name)))
            }
            Reason::State(state) => {
                let found = place(places.exclusions_of_state(state));
                (found, Some(format!("let the exclusions of `{}` spare `{base}`", state.name())))
            }
            Reason::NoChain => (
                place(places.base(base)),
                Some("let its follow-ups be chains that can run to the end, or give it no follow-ups".to_owned()),
            ),
            Reason::NoHook => (Vec::new(), Some("give it a weight under another phase key".to_owned())),
            Reason::Delay => (Vec::new(), None),
            Reason::Excluded
            | Reason::NoWeight
            | Reason::NoHead
            | Reason::CellType
            | Reason::Occupied(_)
            | Reason::NoSuspendTarget(_)
            | Reason::NoResume(_)
            | Reason::NotSuspended(_)
            | Reason::ProgramFirst
            | Reason::SuspendedProgram
            | Reason::Latch(_)
            | Reason::PageRegister
            | Reason::CopybackRegister
            | Reason::OutputRegister
            | Reason::UnreadData
            | Reason::ChainUnderWay => (
                place(places.base(base)),
                Some("give it a weight under another phase key, or let a chain contain its base".to_owned()),
            ),
        }
    }

    /// The entries of addresses with regions, none of which has an address for an operation, and what to add to the first.
    fn of_regions(&self, op: OpId) -> (Vec<StatedEntry>, Option<String>) {
        let Some(plan) = self.plan else { return (Vec::new(), None) };
        let mut entries: Vec<usize> = plan.phases().flat_map(|phase| plan.addresses(phase)).collect();
        entries.sort_unstable();
        entries.dedup();
        let (all, places) = (&plan.plan.addresses, PlanPlaces::new(&plan.source));
        let stated = |name: &str| {
            let place = StatedPlace { path: format!("addresses.{name}"), span: places.entry("addresses", name)? };
            Some(StatedEntry::new(&FoundEntry { file: plan.source.name.clone(), place }, ""))
        };
        let with_regions = entries.into_iter().map(|at| &all[at]).filter(|entry| !entry.regions.is_empty());
        let stated: Vec<StatedEntry> = with_regions.filter_map(|entry| stated(&entry.name)).take(LISTED).collect();
        let planes = self.profile.topology.planes;
        let to = stated.first().map_or_else(String::new, |entry| format!(" to a region of {}", entry.text));
        let unserved = &plan.reach(self.profile, self.start).unserved;
        let address = |op: OpId| self.profile.bases[self.profile.ops[op].base].address;
        let is_alone = |&other: &OpId| address(other) == address(op) && !self.profile.ops[other].multi;
        let advice = if unserved.iter().any(is_alone) {
            format!("add the pages before its own{to}, or to one of an earlier phase")
        } else {
            format!("add blocks of one group, such as blocks 0-{}{to}", planes.saturating_sub(1))
        };
        (stated, Some(advice))
    }

    /// A need in words: "a block erased for `SLC`".
    pub(super) fn need(&self, need: Need) -> String {
        match need {
            Need::PhaseOf(base) => {
                format!("an operation of `{}` to be under way, or just over", self.profile.bases[base].name)
            }
            Need::ErasedBlock(cell) => format!("a block that is erased or open{}", self.cell(" for", cell)),
            Need::ProgrammedPage(cell) => format!("a page programmed{}", self.cell(" as", cell)),
            Need::Busy(axis) => format!("{} in CORE_BUSY that could be suspended", axis_name(axis)),
            Need::Resume(axis) => format!("an operation with a weight that resumes {}", axis_name(axis)),
            Need::Suspended(axis) => format!("{} that is suspended", axis_name(axis)),
            Need::EndOf(state) => format!("the end of `{}`, which forbids it", state.name()),
            Need::Latch(LatchKind::OneShot) => "the one-shot latch loaded".to_owned(),
            Need::Latch(LatchKind::Copyback) => "the copyback latch loaded".to_owned(),
            Need::PageRegister(cell) => format!("a page register that holds a page{}", self.cell(" of", cell)),
            Need::CopybackRegister => "a page register that a copyback read filled".to_owned(),
            Need::OutputRegister(cell) => format!("an output register that holds a page{}", self.cell(" of", cell)),
            Need::DataOutput => {
                "a data output before it, or it would overwrite data that has not been put out".to_owned()
            }
            Need::Head => "an operation that begins a chain with it, since no phase key gives it a weight".to_owned(),
            Need::Step(base) => format!("`{}` as a step of its chain", self.profile.bases[base].name),
        }
    }

    fn cell(&self, before: &str, cell: Option<CellTypeId>) -> String {
        cell.map_or_else(String::new, |cell| format!("{before} {}", self.profile.cell_types[cell].name))
    }

    /// Some operations: whole bases by their name, others by their own; a few, then a count.
    pub(super) fn operations(&self, ops: &[OpId]) -> String {
        self.subject(ops).0
    }

    /// The same as the subject of a sentence, and whether its verb is plural.
    fn subject(&self, ops: &[OpId]) -> (String, bool) {
        let mut by_base: BTreeMap<_, Vec<OpId>> = BTreeMap::new();
        for &op in ops {
            by_base.entry(self.profile.ops[op].base).or_default().push(op);
        }
        let mut names: Vec<(String, usize)> = Vec::new();
        for (base, of_base) in &by_base {
            let all = self.profile.ops.iter().filter(|op| op.base == *base).count();
            if of_base.len() == all && all > 1 {
                names.push((format!("every `{}`", self.profile.bases[*base].name), all));
            } else {
                names.extend(of_base.iter().map(|&op| (format!("`{}`", self.profile.ops[op].name), 1)));
            }
        }
        let rest: usize = names.iter().skip(LISTED).map(|(_, count)| count).sum();
        let shown = names.iter().take(LISTED).map(|(name, _)| &**name).collect::<Vec<_>>().join(", ");
        (if rest > 0 { format!("{shown} and {rest} more") } else { shown }, names.len() > 1)
    }

    /// " under `A`, `B` and 3 more phase keys"
    fn under(&self, keys: &[PhaseKey]) -> String {
        let shown: Vec<String> =
            keys.iter().take(2).map(|&key| format!("`{}`", self.profile.phase_keys[key].name)).collect();
        match keys.len().saturating_sub(2) {
            0 => format!(" under {}", shown.join(" and ")),
            more => format!(" under {} and {}", shown.join(", "), counted(more as u64, "more phase key")),
        }
    }
}

/// The words that follow an entry, and the entry; or a sentence of its own, without an entry.
fn weightless_text(why: &Weightless, keys: usize) -> (&'static str, Option<&FoundEntry>) {
    match why {
        Weightless::Stated(found) => (" is 0", Some(found)),
        Weightless::NotListed(found) => (" does not list it", Some(found)),
        Weightless::NotInDefault(Some(found)) => {
            (" stands for phase keys without weights, and does not list it", Some(found))
        }
        Weightless::NotInDefault(None) => ("the table has no weights for the phase key, nor for DEFAULT", None),
        Weightless::Preset => ("the preset for DEFAULT leaves it out", None),
        Weightless::Crowded if keys == 1 => ("the masses stated for others add up to 1 or more", None),
        Weightless::Crowded => ("the masses stated for others add up to 1 or more there", None),
    }
}

const fn axis_name(axis: Axis) -> &'static str {
    match axis {
        Axis::Erase => "an erase",
        Axis::Program => "a program",
    }
}
