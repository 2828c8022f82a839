//! Why an operation never runs: chains of causes, back to their roots.
//!
//! An operation that never runs is barred under every phase key. Some bars are roots: a weight of 0, an exclusion, an address that the
//! device lacks. Others are needs that another operation would meet (an erased block, a loaded latch, something suspended), which never
//! runs either. The chains found are the shortest, by the number of operations on the way. Leaves out where a profile says what it says,
//! and words: this is data.

use nandseq_profile::{BaseId, OpId, PhaseKey};

use crate::model::ClassId;
use crate::needs::Need;
use crate::reason::Reason;
use crate::search::{Search, Verdicts};
use crate::universe::Verdict;

/// What bars an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bar {
    /// It has no weight under any phase key. Under `excluded` exclusions leave it out; under `weightless` nothing does.
    NoWeight {
        /// Phase keys whose exclusions leave it out.
        excluded: Vec<PhaseKey>,
        /// The others.
        weightless: Vec<PhaseKey>,
    },
    /// Under these phase keys, where it has a weight, something is in the way that no other operation would change.
    Rule {
        /// What.
        reason: Reason,
        /// Where.
        keys: Vec<PhaseKey>,
    },
    /// Under these phase keys, where it has a weight, it needs something that no operation brings about, since none of those that would
    /// ever runs.
    Unmet {
        /// What it needs.
        need: Need,
        /// What the search said.
        reason: Reason,
        /// Where.
        keys: Vec<PhaseKey>,
        /// The operations that would bring it about; empty where the profile has none.
        providers: Vec<OpId>,
    },
}

/// One link of a chain of causes: operations that are alike, and what bars them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The names that share base, cell type and number of planes, and for which the same holds.
    pub ops: Vec<OpId>,
    /// What bars them.
    pub bar: Bar,
}

/// What is in the way of one class of names, and what would meet it.
struct Obstacle {
    bar: Bar,
    providers: Vec<ClassId>,
    progress: u8,
    keys: usize,
}

/// The causes of a profile and its table.
pub struct Causes<'s> {
    search: &'s Search<'s>,
    verdicts: Verdicts,
    /// For each class the number of links from it to a root; `None` where it runs.
    distance: Vec<Option<usize>>,
}

/// Longer than any chain: where operations only wait for one another.
const ENDLESS: usize = usize::MAX;

impl<'s> Causes<'s> {
    /// Prepares the search for causes of some operations.
    #[must_use]
    pub fn new(search: &'s Search<'s>, ops: &[OpId]) -> Self {
        let all_run = ops.iter().all(|&op| search.can_run(op));
        let mut verdicts = search.verdicts(|op| ops.contains(&op) || !(all_run || search.can_run(op)));
        let keys = || search.model.profile.phase_keys.ids();
        let comes = |verdict| matches!(verdict, Verdict::Reachable | Verdict::Coincidence);
        if all_run && !ops.iter().all(|&op| keys().any(|key| comes(verdicts.of(search, key, op)))) {
            // Whoever asks why one is not proposed may need to know what never runs.
            verdicts.add(search.verdicts(|op| !search.can_run(op)));
        }
        let distance = search.graph.runs.iter().map(|&runs| (!runs).then_some(ENDLESS)).collect();
        let mut causes = Self { search, verdicts, distance };
        causes.measure();
        causes
    }

    /// The chains of causes of an operation that is never proposed, the shortest first, one for each different thing in the way.
    ///
    /// Empty where a phase key exists under which it can be proposed.
    #[must_use]
    pub fn of(&self, op: OpId) -> Vec<Vec<Cause>> {
        self.chains(op, self.bars(op))
    }

    /// The same for one phase key alone.
    #[must_use]
    pub fn under(&self, key: PhaseKey, op: OpId) -> Vec<Vec<Cause>> {
        let bars = match self.verdict(key, op) {
            Verdict::Reachable | Verdict::Coincidence => Vec::new(),
            Verdict::Unreachable(Reason::Excluded) => vec![no_weight(vec![key], Vec::new())],
            Verdict::Unreachable(Reason::NoWeight) => vec![no_weight(Vec::new(), vec![key])],
            Verdict::Unreachable(reason) => self.of_reason(self.class_of(op), reason, vec![key]),
        };
        self.chains(op, bars)
    }

    /// The verdict on a pair of one of the operations, or of one that never runs.
    #[must_use]
    pub fn verdict(&self, key: PhaseKey, op: OpId) -> Verdict {
        self.verdicts.of(self.search, key, op)
    }

    /// The names that are possible in the same states as this one, itself included.
    #[must_use]
    pub fn alike(&self, op: OpId) -> Vec<OpId> {
        self.names(self.class_of(op))
    }

    /// The chains, by index into the profile's, of which an operation can be a step, with the operations that begin them and run.
    #[must_use]
    pub fn steps_of(&self, op: OpId) -> Vec<(usize, Vec<BaseId>)> {
        let base = self.search.model.class(self.class_of(op)).base;
        let mut found: Vec<(usize, Vec<BaseId>)> = Vec::new();
        for head in self.search.model.heads().filter(|head| self.runs_any(&self.search.model.of_base[head.index()])) {
            for chain in self.search.model.follow_ups(head).flatten() {
                let chain_info = &self.search.model.profile.chains[chain];
                let weights = chain_info.name_weights.iter().find(|(of, _)| *of == base).map(|(_, weights)| weights);
                let drawn = weights.is_none_or(|list| list.iter().any(|&(name, weight)| name == op && weight > 0.0));
                if drawn && chain_info.steps.iter().any(|step| step.base == base) {
                    match found.iter_mut().find(|(known, _)| *known == chain) {
                        Some((_, heads)) => heads.push(head),
                        None => found.push((chain, vec![head])),
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
        for (need, providers) in model.asks_for(class).into_iter().flat_map(|reason| model.needs(class, reason, &[])) {
            if !needs.iter().any(|(known, _)| *known == need) {
                let running = providers.into_iter().filter(|&class| self.runs(class));
                needs.push((need, running.flat_map(|class| self.names(class)).collect()));
            }
        }
        needs
    }

    fn class_of(&self, op: OpId) -> ClassId {
        self.search.model.of_op[op.index()]
    }

    fn names(&self, class: ClassId) -> Vec<OpId> {
        let of = self.search.model.of_op.iter().enumerate().filter(|(_, of)| **of == class);
        of.map(|(op, _)| OpId::from(op)).collect()
    }

    fn runs(&self, class: ClassId) -> bool {
        self.distance[usize::from(class)].is_none()
    }

    fn runs_any(&self, classes: &[ClassId]) -> bool {
        classes.iter().any(|&class| self.runs(class))
    }

    /// Finds how far each class is from a root, until nothing gets shorter.
    fn measure(&mut self) {
        let bars: Vec<Vec<Obstacle>> = (0..self.search.model.classes.len() as ClassId)
            .map(|class| {
                // The name with the most weight stands for its class.
                let names = self.names(class);
                let weighed = names.iter().find(|op| self.search.model.shares.iter().any(|names| names.contains(op)));
                let op = weighed.or(names.first());
                if self.runs(class) { Vec::new() } else { op.map_or_else(Vec::new, |&op| self.bars(op)) }
            })
            .collect();
        loop {
            let mut shorter = false;
            for (class, bars) in bars.iter().enumerate() {
                let Some(known) = self.distance[class] else { continue };
                let found = bars.iter().map(|bar| self.length(bar)).min().unwrap_or(ENDLESS);
                if found < known {
                    self.distance[class] = Some(found);
                    shorter = true;
                }
            }
            if !shorter {
                return;
            }
        }
    }

    /// The links from a bar to its nearest root.
    fn length(&self, bar: &Obstacle) -> usize {
        match (&bar.bar, bar.providers.is_empty()) {
            (Bar::NoWeight { .. } | Bar::Rule { .. }, _) | (Bar::Unmet { .. }, true) => 1,
            (Bar::Unmet { .. }, false) => {
                self.nearest(&bar.providers).map_or(ENDLESS, |(length, _)| length.saturating_add(1))
            }
        }
    }

    /// The provider that is nearest to a root.
    fn nearest(&self, providers: &[ClassId]) -> Option<(usize, ClassId)> {
        providers.iter().filter_map(|&class| Some((self.distance[usize::from(class)]?, class))).min()
    }

    fn chains(&self, op: OpId, mut bars: Vec<Obstacle>) -> Vec<Vec<Cause>> {
        bars.sort_by_key(|bar| (self.length(bar), u8::MAX - bar.progress, usize::MAX - bar.keys));
        let ops = |bar: &Obstacle| match bar.bar {
            // Others of its kind may have a weight.
            Bar::NoWeight { .. } => vec![op],
            Bar::Rule { .. } | Bar::Unmet { .. } => self.alike(op),
        };
        bars.into_iter().map(|bar| self.chain(Cause { ops: ops(&bar), bar: bar.bar.clone() }, &bar)).collect()
    }

    /// The shortest chain that begins with a bar.
    fn chain(&self, first: Cause, bar: &Obstacle) -> Vec<Cause> {
        let mut chain = vec![first];
        let mut providers = bar.providers.clone();
        let mut seen: Vec<ClassId> = Vec::new();
        while let Some((_, class)) = self.nearest(&providers) {
            if seen.contains(&class) {
                break; // they wait for one another
            }
            seen.push(class);
            let names = self.names(class);
            let weighed = names.iter().find(|op| self.search.model.shares.iter().any(|names| names.contains(op)));
            let Some(&op) = weighed.or(names.first()) else { break };
            let mut bars = self.bars(op);
            bars.sort_by_key(|bar| (self.length(bar), u8::MAX - bar.progress, usize::MAX - bar.keys));
            let Some(bar) = bars.into_iter().next() else { break };
            // Whatever else would do as well is barred by the same, or it would be nearer.
            let alike = providers.iter().filter(|&&other| self.is_barred_alike(other, &bar.bar));
            let mut ops: Vec<OpId> = alike.flat_map(|&other| self.names(other)).collect();
            ops.sort_unstable();
            chain.push(Cause { ops, bar: bar.bar.clone() });
            providers.clone_from(&bar.providers);
        }
        chain
    }

    /// Whether what bars a class first is of the same kind.
    fn is_barred_alike(&self, class: ClassId, bar: &Bar) -> bool {
        let names = self.names(class);
        let Some(&op) = names.first() else { return false };
        self.bars(op).iter().any(|other| match (&other.bar, bar) {
            (Bar::NoWeight { .. }, Bar::NoWeight { .. }) => true,
            (Bar::Rule { reason: one, .. }, Bar::Rule { reason: other, .. }) => one == other,
            (Bar::Unmet { need: one, .. }, Bar::Unmet { need: other, .. }) => one == other,
            (Bar::NoWeight { .. } | Bar::Rule { .. } | Bar::Unmet { .. }, _) => false,
        })
    }

    /// Everything that bars an operation, each once; nothing where it can be proposed.
    fn bars(&self, op: OpId) -> Vec<Obstacle> {
        let (mut excluded, mut weightless) = (Vec::new(), Vec::new());
        let mut reasons: Vec<(Reason, Vec<PhaseKey>)> = Vec::new();
        for key in self.search.model.profile.phase_keys.ids() {
            match self.verdict(key, op) {
                Verdict::Reachable | Verdict::Coincidence => return Vec::new(),
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
            return vec![no_weight(excluded, weightless)];
        }
        // A phase key that never comes up matters only where no other gives a weight.
        let no_hook = Reason::NoHook.progress();
        if reasons.iter().any(|(reason, _)| reason.progress() > no_hook) {
            reasons.retain(|(reason, _)| reason.progress() > no_hook);
        }
        reasons.into_iter().flat_map(|(reason, keys)| self.of_reason(class, reason, keys)).collect()
    }

    /// What a reason means: needs that nothing meets, or a rule.
    fn of_reason(&self, class: ClassId, reason: Reason, keys: Vec<PhaseKey>) -> Vec<Obstacle> {
        let count = keys.len();
        let mut bars = Vec::new();
        for (need, providers) in self.all_needs(class, reason, &keys) {
            // What some operation brings about is there: something else is in the way.
            if !self.runs_any(&providers) {
                let ops = providers.iter().flat_map(|&class| self.names(class)).collect();
                let keys = if let Need::Before(base) = need { self.keys_of(base, &keys) } else { keys.clone() };
                let bar = Bar::Unmet { need, reason, keys, providers: ops };
                bars.push(Obstacle { bar, providers, progress: reason.progress(), keys: count });
            }
        }
        if bars.is_empty() {
            let bar = Bar::Rule { reason, keys };
            bars.push(Obstacle { bar, providers: Vec::new(), progress: reason.progress(), keys: count });
        }
        bars
    }

    fn keys_of(&self, base: BaseId, keys: &[PhaseKey]) -> Vec<PhaseKey> {
        keys.iter().copied().filter(|&key| self.search.model.profile.phase_keys[key].base == Some(base)).collect()
    }

    fn all_needs(&self, class: ClassId, reason: Reason, keys: &[PhaseKey]) -> Vec<(Need, Vec<ClassId>)> {
        if reason == Reason::NoChain { self.steps_needed(class) } else { self.search.model.needs(class, reason, keys) }
    }

    /// The steps without which none of the chains of a class can run: one that never runs, of each chain.
    fn steps_needed(&self, class: ClassId) -> Vec<(Need, Vec<ClassId>)> {
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

fn no_weight(excluded: Vec<PhaseKey>, weightless: Vec<PhaseKey>) -> Obstacle {
    let keys = excluded.len() + weightless.len();
    Obstacle { bar: Bar::NoWeight { excluded, weightless }, providers: Vec::new(), progress: 0, keys }
}
