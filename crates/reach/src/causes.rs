//! Why an operation never runs: chains of causes, back to their roots.
//!
//! An operation that never runs is blocked under every phase key. Some blockers are roots: a weight of 0, an exclusion, an address that the
//! device lacks. Others are needs that another operation would meet (an erased block, a loaded latch, something suspended), which never
//! runs either. The chains found are the shortest, by the number of operations on the way. Leaves out places in the text of the
//! profile, and wording: this is data.

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
    /// The verdicts on the operations that were asked about; where one of them never runs, on all that never run, too.
    asked: Verdicts,
    /// The verdicts on all that never run, where a chain leads to one that was not judged before.
    never_run: OnceCell<Verdicts>,
    distances: OnceCell<Distances>,
}

impl<'s> Causes<'s> {
    /// Prepares the search for causes of some operations.
    #[must_use]
    pub fn new(search: &'s Search<'s>, ops: &[OpId]) -> Self {
        // The chains of an operation that never runs lead through others: all of those are judged at once.
        let all_run = ops.iter().all(|&op| search.can_run(op));
        let asked = search.verdicts(|op| ops.contains(&op) || !(all_run || search.can_run(op)));
        Self { search, asked, never_run: OnceCell::new(), distances: OnceCell::new() }
    }

    /// The chains of causes of an operation that is never proposed, the shortest first, one for each different thing in the way.
    ///
    /// Empty where a phase key exists under which it can be proposed.
    #[must_use]
    pub fn of(&self, op: OpId) -> Vec<Vec<Cause>> {
        let class = self.class_of(op);
        let mut blockers = self.blockers(op);
        if self.could_be_first(class, &blockers, self.distances().is_circular[usize::from(class)]) {
            blockers.extend(self.not_first(class));
        }
        self.chains(op, blockers)
    }

    /// The same for one phase key alone.
    #[must_use]
    pub fn under(&self, key: PhaseKey, op: OpId) -> Vec<Vec<Cause>> {
        let blockers = match self.verdict(key, op) {
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => Vec::new(),
            Verdict::Unreachable(Reason::Excluded) => vec![RankedBlocker::alone(no_weight(vec![key], Vec::new()))],
            Verdict::Unreachable(Reason::NoWeight) => vec![RankedBlocker::alone(no_weight(Vec::new(), vec![key]))],
            Verdict::Unreachable(reason) => self.of_reason(self.class_of(op), reason, vec![key]),
        };
        self.chains(op, blockers)
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

    /// The names that are possible in the same states as this one, itself included.
    #[must_use]
    pub fn alike(&self, op: OpId) -> Vec<OpId> {
        self.names(self.class_of(op))
    }

    /// The chains, by index into the profile's, of which an operation can be a step, with the operations that begin them and run.
    #[must_use]
    pub fn steps_of(&self, op: OpId) -> Vec<(usize, Vec<BaseId>)> {
        let (model, class) = (&self.search.model, self.class_of(op));
        let base = model.class(class).base;
        let mut found: Vec<(usize, Vec<BaseId>)> = Vec::new();
        for head in model.classes_that(|head| model.class(head).proposed && self.runs(head)) {
            let of = model.class(head).base;
            for chain in model.follow_ups(of).flatten() {
                let weights = model.profile.chains[chain].name_weights.iter().find(|(of, _)| *of == base);
                let drawn =
                    weights.is_none_or(|(_, list)| list.iter().any(|&(name, weight)| name == op && weight > 0.0));
                if drawn && model.is_step(class, chain, head) {
                    match found.iter_mut().find(|(known, _)| *known == chain) {
                        Some((_, heads)) if heads.contains(&of) => {}
                        Some((_, heads)) => heads.push(of),
                        None => found.push((chain, vec![of])),
                    }
                }
            }
        }
        found
    }

    /// What an operation needs whenever it is proposed, each with the operations that run and bring it about.
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

    /// Whether it would help if DEFAULT, the phase key of a blank device, gave a class a weight: it has one under phase keys that never come
    /// up alone, and either needs nothing, or it, and whatever it needs, waits for one another.
    fn could_be_first(&self, class: NameClassId, blockers: &[RankedBlocker], is_circular: bool) -> bool {
        let model = &self.search.model;
        let starts = || is_circular || model.constant_needs(class).is_empty();
        !model.base(class).effects.delay && !blockers.is_empty() && blockers.iter().all(waits) && starts()
    }

    /// What blocks the name that stands for a class; `is_circular` as in [`Distances`].
    fn blockers_of_class(&self, class: NameClassId, is_circular: bool) -> Vec<RankedBlocker> {
        let Some(op) = self.representative(class) else { return Vec::new() };
        let mut blockers = self.blockers(op);
        if self.could_be_first(class, &blockers, is_circular) {
            blockers.extend(self.not_first(class));
        }
        blockers
    }

    /// The same, the nearest to a root first.
    fn sorted_blockers(&self, class: NameClassId) -> Vec<RankedBlocker> {
        let mut blockers = self.blockers_of_class(class, self.distances().is_circular[usize::from(class)]);
        self.sort(&mut blockers);
        blockers
    }

    /// How far each class is from a root.
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

    /// Sorts blockers: the nearest to a root first, then what came closest to being accepted, then what holds for most keys.
    fn sort(&self, blockers: &mut [RankedBlocker]) {
        let distances = &self.distances().of;
        blockers
            .sort_by_key(|blocker| (length(blocker, distances), Reverse(blocker.specificity), Reverse(blocker.keys)));
    }

    fn chains(&self, op: OpId, mut blockers: Vec<RankedBlocker>) -> Vec<Vec<Cause>> {
        if blockers.is_empty() {
            return Vec::new();
        }
        self.sort(&mut blockers);
        // Where operations only wait for one another, any of the circles says so, and where one of them could begin, that says enough.
        let has_no_weight = |blocker: &RankedBlocker| matches!(blocker.blocker, Blocker::NoWeight { .. });
        let begins = blockers.iter().any(waits) && blockers.iter().any(has_no_weight);
        if begins || length(&blockers[0], &self.distances().of) == ENDLESS {
            blockers.truncate(1);
        }
        let ops = |blocker: &RankedBlocker| match blocker.blocker {
            // Others of its kind may have a weight.
            Blocker::NoWeight { .. } => vec![op],
            Blocker::Rule { .. } | Blocker::Unmet { .. } => self.alike(op),
        };
        blockers.into_iter().map(|blocker| self.chain(self.class_of(op), ops(&blocker), blocker)).collect()
    }

    /// The shortest chain that begins with a blocker of some operations of a class.
    fn chain(&self, class: NameClassId, ops: Vec<OpId>, blocker: RankedBlocker) -> Vec<Cause> {
        let mut chain = Vec::new();
        let mut seen = vec![class];
        let mut providers = blocker.add_to(&mut chain, ops);
        while let Some((_, class)) = nearest(&providers, &self.distances().of) {
            // They only wait for one another.
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

    /// Whether something of the same kind blocks a class.
    fn is_blocked_alike(&self, class: NameClassId, blocker: &RankedBlocker) -> bool {
        self.sorted_blockers(class).iter().any(|other| match (&other.blocker, &blocker.blocker) {
            (Blocker::NoWeight { .. }, Blocker::NoWeight { .. }) => other.then.is_some() == blocker.then.is_some(),
            (Blocker::Rule { reason: one, .. }, Blocker::Rule { reason: other, .. }) => one == other,
            (Blocker::Unmet { need: one, .. }, Blocker::Unmet { need: other, .. }) => one == other,
            (Blocker::NoWeight { .. } | Blocker::Rule { .. } | Blocker::Unmet { .. }, _) => false,
        })
    }

    /// Everything that blocks an operation, each once; nothing where it can be proposed.
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
        // A phase key that never comes up matters only where no other gives a weight.
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
        let heads = self.search.model.heads_of(class, |_| true);
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

    /// That a class has no weight, and what it lacks once it has one: a blocker for each.
    fn weight_and_lacks(&self, class: NameClassId, weight: &Blocker) -> Vec<RankedBlocker> {
        let besides = |lack: RankedBlocker| RankedBlocker { blocker: weight.clone(), then: Some(lack.blocker), ..lack };
        let lacks: Vec<RankedBlocker> = self.lacks(class).into_iter().map(besides).collect();
        if lacks.is_empty() { vec![RankedBlocker::alone(weight.clone())] } else { lacks }
    }

    /// What an operation of a class asks for whenever it is proposed, and no operation that runs brings about.
    fn lacks(&self, class: NameClassId) -> Vec<RankedBlocker> {
        let model = &self.search.model;
        let waits = |reason: Reason, by: &[NameClassId]| {
            // A resume with a weight waits for what it resumes.
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

    /// That DEFAULT gives a class no weight, so that it is not the first to start on a blank device, and what it lacks besides; nothing
    /// where DEFAULT does.
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

    /// What a reason means: needs that nothing meets, or a rule.
    fn of_reason(&self, class: NameClassId, reason: Reason, keys: Vec<PhaseKey>) -> Vec<RankedBlocker> {
        let count = keys.len();
        let mut blockers = Vec::new();
        for (need, providers) in self.all_needs(class, reason, &keys) {
            // What some operation brings about is there: something else is in the way.
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

    fn all_needs(&self, class: NameClassId, reason: Reason, keys: &[PhaseKey]) -> Vec<(Need, Vec<NameClassId>)> {
        if reason == Reason::NoChain { self.steps_needed(class) } else { self.search.model.needs(class, reason, keys) }
    }

    /// The steps without which none of the chains of a class can run: one that never runs, of each chain.
    fn steps_needed(&self, class: NameClassId) -> Vec<(Need, Vec<NameClassId>)> {
        let base = self.search.model.class(class).base;
        let steps = self.search.model.follow_ups(base).flatten().filter_map(|chain| {
            let steps = &self.search.model.profile.chains[chain].steps;
            let missing = steps.iter().find(|step| {
                step.base != base
                    && !self.runs_any(
                        &self.search.model.classes_that(|class| self.search.model.class(class).base == step.base),
                    )
            });
            missing.map(|step| step.base)
        });
        let mut bases: Vec<BaseId> = steps.collect();
        bases.sort_unstable();
        bases.dedup();
        bases
            .into_iter()
            .map(|base| {
                (Need::Step(base), self.search.model.classes_that(|class| self.search.model.class(class).base == base))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
