//! Why an operation never runs: chains of causes, back to their roots.
//!
//! An operation that never runs is blocked under every phase key. Some blockers are roots: a weight of 0, an exclusion, an
//! address that the device lacks. Others are needs (an erased block, a loaded latch, a suspended operation): the operations that
//! would meet them never run either. The chains found are the shortest, by the number of operations on the way. The result is
//! data: wording, and places in the text of the profile, are left to its users.

mod cause;
mod ranked;

use std::cell::OnceCell;
use std::cmp::Reverse;

use nandseq_profile::{BaseId, OpId, PhaseKey};

use crate::model::NameClassId;
use crate::needs::Need;
use crate::reason::Reason;
use crate::search::{Search, Verdicts};
use crate::verdict::Verdict;
pub use cause::{Blocker, Cause};
use ranked::{Distances, ENDLESS, RankedBlocker, length, nearest, no_weight, shorten, waits};

/// The causes of a profile and its table. Classes that nobody asked about are judged when a chain leads to them.
pub struct Causes<'s> {
    search: &'s Search<'s>,
    /// The verdicts on the operations that were asked about. If one of them never runs: on all that never run, too.
    asked: Verdicts,
    /// The verdicts on all operations that never run; found when a chain leads to one that `asked` has no verdict on.
    never_run: OnceCell<Verdicts>,
    distances: OnceCell<Distances>,
}

impl<'s> Causes<'s> {
    /// Prepares the search for causes of some operations.
    #[must_use]
    pub fn new(search: &'s Search<'s>, ops: &[OpId]) -> Self {
        // The chains of an operation that never runs lead through others that never run: all of them are judged at once.
        let all_run = ops.iter().all(|&op| search.can_run(op));
        let asked = search.verdicts(|op| ops.contains(&op) || !(all_run || search.can_run(op)));
        Self { search, asked, never_run: OnceCell::new(), distances: OnceCell::new() }
    }

    /// The chains of causes of an operation that is never proposed, the shortest first, one for each blocker.
    ///
    /// Empty if it can be proposed under some phase key.
    #[must_use]
    pub fn of(&self, op: OpId) -> Vec<Vec<Cause>> {
        let class = self.class_of(op);
        let mut blockers = self.blockers(op);
        if self.could_be_first(class, &blockers, self.distances().is_circular[usize::from(class)]) {
            blockers.extend(self.not_first(class));
        }
        self.chains(op, blockers, &[class])
    }

    /// The chains of causes of an operation that is never proposed under one phase key, as [`Self::of`] gives them for all.
    #[must_use]
    pub fn under(&self, key: PhaseKey, op: OpId) -> Vec<Vec<Cause>> {
        let blockers = match self.verdict(key, op) {
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => Vec::new(),
            Verdict::Unreachable(Reason::Excluded) => vec![RankedBlocker::alone(no_weight(vec![key], Vec::new()))],
            Verdict::Unreachable(Reason::NoWeight) => vec![RankedBlocker::alone(no_weight(Vec::new(), vec![key]))],
            Verdict::Unreachable(reason) => self.of_reason(self.class_of(op), reason, vec![key]),
        };
        // If the operation waits for itself there, the chain goes on to why it runs nowhere.
        self.chains(op, blockers, &[])
    }

    /// The verdict on a pair.
    #[must_use]
    pub fn verdict(&self, key: PhaseKey, op: OpId) -> Verdict {
        let search = self.search;
        let among_never_run = || {
            let verdicts = self.never_run.get_or_init(|| search.verdicts(|op| !search.can_run(op)));
            verdicts.of(search, key, op)
        };
        self.asked.of(search, key, op).or_else(among_never_run).unwrap_or_else(|| search.verdict(key, op))
    }

    /// Whether an operation can start at all, under some phase key, as a step of a chain, or in an attempt at a scenario. One that never does has the reason of
    /// the phase key under which it comes closest; one that only chains draw, [`Reason::NoHead`].
    #[must_use]
    pub fn at_all(&self, op: OpId) -> Verdict {
        if self.search.model.is_scripted(op) && self.search.can_run(op) {
            return if self.search.is_complete() { Verdict::Reachable } else { Verdict::Undecided };
        }
        let keys = self.search.model.profile.phase_keys.ids();
        let verdicts: Vec<Verdict> = keys.map(|key| self.verdict(key, op)).collect();
        if verdicts.contains(&Verdict::Reachable) {
            return Verdict::Reachable;
        }
        let by_chains = self.in_chains(op);
        let best = [Verdict::Reachable, Verdict::Coincidence, Verdict::Undecided];
        if let Some(best) = best.into_iter().find(|best| by_chains == *best || verdicts.contains(best)) {
            return best;
        }
        let reason = |verdict: &Verdict| match verdict {
            Verdict::Unreachable(reason) => Some(*reason),
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => None,
        };
        if self.search.model.has_share(op) || self.search.model.chains_with(op).is_empty() {
            let closest = verdicts.iter().filter_map(reason).max_by_key(|reason| reason.specificity());
            return Verdict::Unreachable(closest.unwrap_or(Reason::NoWeight));
        }
        Verdict::Unreachable(Reason::NoHead)
    }

    /// Whether an operation can start as a step of a chain: a class that is proposed begins it, and it can run with the operation.
    fn in_chains(&self, op: OpId) -> Verdict {
        let never = Verdict::Unreachable(Reason::NoHead);
        if !self.search.can_run(op) {
            return never;
        }
        let chains = self.search.running_chains(op);
        if !self.search.is_complete() {
            return if chains.is_empty() { never } else { Verdict::Undecided };
        }
        let begun = chains.into_iter().filter(|&chain| self.search.begins_with(chain, op));
        let mut heads: Vec<NameClassId> = begun.map(|(head, _)| head).collect();
        heads.dedup();
        let proposed: Vec<Verdict> = heads.into_iter().map(|head| self.proposed(head)).collect();
        let best = [Verdict::Reachable, Verdict::Coincidence];
        best.into_iter().find(|best| proposed.contains(best)).unwrap_or(never)
    }

    /// The best verdict on a class under any phase key, or in the bootstrap.
    fn proposed(&self, class: NameClassId) -> Verdict {
        let own = self.search.model.class(class);
        if own.in_bootstrap || own.scripted {
            return Verdict::Reachable;
        }
        let mut best = Verdict::Unreachable(Reason::NoHook);
        for (key, names) in self.search.model.profile.phase_keys.ids().zip(&self.search.model.shares) {
            let Some(&op) = names.iter().find(|op| self.class_of(**op) == class) else { continue };
            match self.asked.of(self.search, key, op).unwrap_or_else(|| self.search.verdict(key, op)) {
                Verdict::Reachable => return Verdict::Reachable,
                Verdict::Coincidence => best = Verdict::Coincidence,
                Verdict::Undecided | Verdict::Unreachable(_) => {}
            }
        }
        best
    }

    /// The names that are possible in the same states as this one, itself included.
    #[must_use]
    pub fn alike(&self, op: OpId) -> Vec<OpId> {
        self.names(self.class_of(op))
    }

    /// The needs that an operation has in every state, each with the operations that run and meet it.
    #[must_use]
    pub fn needs_of(&self, op: OpId) -> Vec<(Need, Vec<OpId>)> {
        let class = self.class_of(op);
        let mut needs: Vec<(Need, Vec<OpId>)> = Vec::new();
        let model = &self.search.model;
        for (need, providers) in
            model.constant_needs(class).into_iter().flat_map(|reason| model.needs(class, reason, &[]))
        {
            if !needs.iter().any(|(known, _)| *known == need) {
                let running = providers.into_iter().filter(|&class| self.runs(class));
                needs.push((need, running.flat_map(|class| self.names(class)).collect()));
            }
        }
        needs
    }

    fn class_of(&self, op: OpId) -> NameClassId {
        self.search.model.of_op[op.index()]
    }

    fn names(&self, class: NameClassId) -> Vec<OpId> {
        let of = self.search.model.of_op.iter().enumerate().filter(|(_, of)| **of == class);
        of.map(|(op, _)| OpId::from(op)).collect()
    }

    fn runs(&self, class: NameClassId) -> bool {
        self.search.graph.runs[usize::from(class)]
    }

    fn runs_any(&self, classes: &[NameClassId]) -> bool {
        classes.iter().any(|&class| self.runs(class))
    }

    /// The name that stands for its class: the first with a weight, or the first.
    fn representative(&self, class: NameClassId) -> Option<OpId> {
        let names = self.names(class);
        let has_weight = |op: &&OpId| self.search.model.shares.iter().any(|names| names.contains(op));
        names.iter().find(has_weight).or(names.first()).copied()
    }

    /// Whether a weight under DEFAULT, the phase key of a blank device, would let a class run. That is so if the class has
    /// weights only under phase keys that never come up, and either needs nothing or belongs to a circle of classes that wait for
    /// one another.
    fn could_be_first(&self, class: NameClassId, blockers: &[RankedBlocker], is_circular: bool) -> bool {
        let model = &self.search.model;
        let starts = || is_circular || model.constant_needs(class).is_empty();
        !model.base(class).effects.delay && !blockers.is_empty() && blockers.iter().all(waits) && starts()
    }

    /// The blockers of the name that stands for a class; `is_circular` as in [`Distances`].
    fn blockers_of_class(&self, class: NameClassId, is_circular: bool) -> Vec<RankedBlocker> {
        let Some(op) = self.representative(class) else { return Vec::new() };
        let mut blockers = self.blockers(op);
        if self.could_be_first(class, &blockers, is_circular) {
            blockers.extend(self.not_first(class));
        }
        blockers
    }

    /// The blockers of a class, the nearest to a root first.
    fn sorted_blockers(&self, class: NameClassId) -> Vec<RankedBlocker> {
        let mut blockers = self.blockers_of_class(class, self.distances().is_circular[usize::from(class)]);
        self.sort(&mut blockers);
        blockers
    }

    /// The distance of each class from a root.
    fn distances(&self) -> &Distances {
        self.distances.get_or_init(|| {
            let runs = &self.search.graph.runs;
            let of_class = |class, is_circular| {
                if self.runs(class) { Vec::new() } else { self.blockers_of_class(class, is_circular) }
            };
            let mut blockers: Vec<_> = (0..runs.len() as NameClassId).map(|class| of_class(class, false)).collect();
            let mut of: Vec<Option<usize>> = runs.iter().map(|&runs| (!runs).then_some(ENDLESS)).collect();
            shorten(&mut of, &blockers);
            let is_circular: Vec<bool> = of.iter().map(|distance| *distance == Some(ENDLESS)).collect();
            for class in (0..runs.len() as NameClassId).filter(|&class| is_circular[usize::from(class)]) {
                blockers[usize::from(class)] = of_class(class, true);
            }
            shorten(&mut of, &blockers);
            Distances { of, is_circular }
        })
    }

    /// Sorts blockers: the nearest to a root first, then the one that came closest to being accepted, then the one of most phase
    /// keys.
    fn sort(&self, blockers: &mut [RankedBlocker]) {
        let distances = &self.distances().of;
        blockers
            .sort_by_key(|blocker| (length(blocker, distances), Reverse(blocker.specificity), Reverse(blocker.keys)));
    }

    /// The chains that begin with some blockers of an operation. `seen` are the classes whose causes these blockers are.
    fn chains(&self, op: OpId, mut blockers: Vec<RankedBlocker>, seen: &[NameClassId]) -> Vec<Vec<Cause>> {
        if blockers.is_empty() {
            return Vec::new();
        }
        self.sort(&mut blockers);
        // If operations only wait for one another, one circle is enough to say so. If one of them could be the first, that
        // blocker is enough.
        let has_no_weight = |blocker: &RankedBlocker| matches!(blocker.blocker, Blocker::NoWeight { .. });
        let begins = blockers.iter().any(waits) && blockers.iter().any(has_no_weight);
        if begins || length(&blockers[0], &self.distances().of) == ENDLESS {
            blockers.truncate(1);
        }
        let ops = |blocker: &RankedBlocker| match blocker.blocker {
            // Other names of the class may have a weight.
            Blocker::NoWeight { .. } => vec![op],
            Blocker::Rule { .. } | Blocker::Unmet { .. } => self.alike(op),
        };
        blockers.into_iter().map(|blocker| self.chain(seen.to_vec(), ops(&blocker), blocker)).collect()
    }

    /// The shortest chain that begins with a blocker of some operations. It ends before it is back at a class of `seen`.
    fn chain(&self, mut seen: Vec<NameClassId>, ops: Vec<OpId>, blocker: RankedBlocker) -> Vec<Cause> {
        let mut chain = Vec::new();
        let mut providers = blocker.add_to(&mut chain, ops);
        while let Some((_, class)) = nearest(&providers, &self.distances().of) {
            // The chain is back at a class that it has: these operations only wait for one another.
            if seen.contains(&class) {
                break;
            }
            seen.push(class);
            let Some(blocker) = self.sorted_blockers(class).into_iter().next() else { break };
            // The link names every provider that is blocked for the same reason.
            let alike = |&other: &NameClassId| other == class || self.is_blocked_alike(other, &blocker);
            let alike = providers.iter().copied().filter(alike);
            let mut ops: Vec<OpId> = alike.flat_map(|other| self.names(other)).collect();
            ops.sort_unstable();
            providers = blocker.add_to(&mut chain, ops);
        }
        chain
    }

    /// Whether a blocker of the same kind blocks a class.
    fn is_blocked_alike(&self, class: NameClassId, blocker: &RankedBlocker) -> bool {
        self.sorted_blockers(class).iter().any(|other| match (&other.blocker, &blocker.blocker) {
            (Blocker::NoWeight { .. }, Blocker::NoWeight { .. }) => other.then.is_some() == blocker.then.is_some(),
            (Blocker::Rule { reason: one, .. }, Blocker::Rule { reason: other, .. }) => one == other,
            (Blocker::Unmet { need: one, .. }, Blocker::Unmet { need: other, .. }) => one == other,
            (Blocker::NoWeight { .. } | Blocker::Rule { .. } | Blocker::Unmet { .. }, _) => false,
        })
    }

    /// The blockers of an operation, each once; none if it can be proposed under some phase key.
    fn blockers(&self, op: OpId) -> Vec<RankedBlocker> {
        let (mut excluded, mut weightless) = (Vec::new(), Vec::new());
        let mut reasons: Vec<(Reason, Vec<PhaseKey>)> = Vec::new();
        for key in self.search.model.profile.phase_keys.ids() {
            match self.verdict(key, op) {
                Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => return Vec::new(),
                Verdict::Unreachable(Reason::Excluded) => excluded.push(key),
                Verdict::Unreachable(Reason::NoWeight) => weightless.push(key),
                Verdict::Unreachable(reason) => match reasons.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, keys)) => keys.push(key),
                    None => reasons.push((reason, vec![key])),
                },
            }
        }
        let class = self.class_of(op);
        if reasons.is_empty() {
            return self.without_weight(class, excluded, weightless);
        }
        // A phase key that never comes up matters only if no other key gives a weight.
        let no_hook = Reason::NoHook.specificity();
        if reasons.iter().any(|(reason, _)| reason.specificity() > no_hook) {
            reasons.retain(|(reason, _)| reason.specificity() > no_hook);
        }
        reasons.into_iter().flat_map(|(reason, keys)| self.of_reason(class, reason, keys)).collect()
    }

    /// What blocks a class without a weight. A step of chains that lacks something would be helped by no weight.
    fn without_weight(
        &self,
        class: NameClassId,
        excluded: Vec<PhaseKey>,
        weightless: Vec<PhaseKey>,
    ) -> Vec<RankedBlocker> {
        // A head of the class itself, or without a weight, needs a change of its own: that of the weight here is no longer.
        let model = &self.search.model;
        let heads = model.heads_of(class, |head| self.runs(head) || head != class && model.class(head).proposed);
        if heads.is_empty() {
            return self.weight_and_lacks(class, &no_weight(excluded, weightless));
        }
        let mut lacks = self.lacks(class);
        let own = lacks.is_empty().then(|| RankedBlocker::alone(no_weight(excluded, weightless)));
        if !self.runs_any(&heads) {
            lacks = vec![self.unmet(Reason::NoWeight, Need::Head, heads)];
        }
        own.into_iter().chain(lacks).collect()
    }

    /// A blocker for each need that a class lacks besides a weight; the weight alone if it lacks nothing else.
    fn weight_and_lacks(&self, class: NameClassId, weight: &Blocker) -> Vec<RankedBlocker> {
        let besides = |lack: RankedBlocker| RankedBlocker { blocker: weight.clone(), then: Some(lack.blocker), ..lack };
        let lacks: Vec<RankedBlocker> = self.lacks(class).into_iter().map(besides).collect();
        if lacks.is_empty() { vec![RankedBlocker::alone(weight.clone())] } else { lacks }
    }

    /// Blockers for the needs that a class has in every state and that no operation that runs meets.
    fn lacks(&self, class: NameClassId) -> Vec<RankedBlocker> {
        let model = &self.search.model;
        let waits = |reason: Reason, by: &[NameClassId]| {
            // A RESUME that has a weight only waits for an operation to resume.
            matches!(reason, Reason::NoResume(_)) && by.iter().any(|&class| model.class(class).proposed)
        };
        let unmet = |reason| {
            let needs = model.needs(class, reason, &[]).into_iter();
            let unmet = needs.filter(move |(_, by)| !self.runs_any(by) && !waits(reason, by));
            unmet.map(move |(need, by)| self.unmet(reason, need, by))
        };
        model.constant_needs(class).into_iter().flat_map(unmet).collect()
    }

    fn unmet(&self, reason: Reason, need: Need, providers: Vec<NameClassId>) -> RankedBlocker {
        let blocker = Blocker::Unmet { need, reason, keys: Vec::new(), providers: self.names_of(&providers) };
        RankedBlocker { providers, ..RankedBlocker::alone(blocker) }
    }

    fn names_of(&self, classes: &[NameClassId]) -> Vec<OpId> {
        classes.iter().flat_map(|&class| self.names(class)).collect()
    }

    /// The blockers of a class to which DEFAULT gives no weight, so that it is not the first to start on a blank device. None if
    /// DEFAULT gives it a weight.
    fn not_first(&self, class: NameClassId) -> Vec<RankedBlocker> {
        let key = vec![PhaseKey::DEFAULT];
        let Some(op) = self.representative(class) else { return Vec::new() };
        let weight = match self.verdict(PhaseKey::DEFAULT, op) {
            Verdict::Unreachable(Reason::NoWeight) => no_weight(Vec::new(), key),
            Verdict::Unreachable(Reason::Excluded) => no_weight(key, Vec::new()),
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided | Verdict::Unreachable(_) => {
                return Vec::new();
            }
        };
        self.weight_and_lacks(class, &weight)
    }

    /// The blockers behind a reason: the needs that nothing meets, or a rule if there are none.
    fn of_reason(&self, class: NameClassId, reason: Reason, keys: Vec<PhaseKey>) -> Vec<RankedBlocker> {
        let count = keys.len();
        let mut blockers = Vec::new();
        let model = &self.search.model;
        let needs =
            if reason == Reason::NoChain { self.steps_needed(class) } else { model.needs(class, reason, &keys) };
        for (need, providers) in needs {
            // A need that an operation meets is no blocker.
            if !self.runs_any(&providers) {
                let ops = self.names_of(&providers);
                let keys = if let Need::PhaseOf(base) = need { self.keys_of(base, &keys) } else { keys.clone() };
                let blocker = Blocker::Unmet { need, reason, keys, providers: ops };
                let specificity = reason.specificity();
                blockers.push(RankedBlocker { blocker, then: None, providers, specificity, keys: count });
            }
        }
        if blockers.is_empty() {
            let blocker = RankedBlocker::alone(Blocker::Rule { reason, keys });
            blockers.push(RankedBlocker { specificity: reason.specificity(), keys: count, ..blocker });
        }
        blockers
    }

    fn keys_of(&self, base: BaseId, keys: &[PhaseKey]) -> Vec<PhaseKey> {
        keys.iter().copied().filter(|&key| self.search.model.profile.phase_keys[key].base == Some(base)).collect()
    }

    /// For each chain of a class, the first step that never runs, with the classes of its base. The chain cannot run without it.
    fn steps_needed(&self, class: NameClassId) -> Vec<(Need, Vec<NameClassId>)> {
        let model = &self.search.model;
        let own = model.class(class).base;
        let missing = model.follow_ups(own).flatten().filter_map(|chain| {
            let bases = model.profile.chains[chain].steps.iter().map(|step| step.base);
            bases.filter(|&base| base != own).find(|base| !self.runs_any(&model.of_base[base.index()]))
        });
        model.each_base(missing, Need::Step)
    }
}

#[cfg(test)]
mod tests;
