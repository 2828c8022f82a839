//! Which classes can ever start: the least set that begins with what a blank device can start.
//!
//! Operations bring phase keys up, phase keys propose operations, and operations need blocks and pages that others make. A class
//! counts only if classes that count already let it start: two that only wait for each other never do. A search of states follows
//! the classes that are known. What it finds adds classes, until a search adds none.

use crate::courses::starts_in;
use crate::explore::Graph;
use crate::judge::of_hook;
use crate::model::{Model, NameClassId, SearchedStates, WeightTable, shares};
use crate::plan::SearchState;
use crate::state::{Die, Plane};
use crate::verdict::{Verdict, classes_under};
use nandseq_profile::PhaseKey;

/// The cell types with blocks and pages, the classes that can be suspended or resumed, and what is true of classes.
type Followed = ((u8, u8), Vec<NameClassId>, [Vec<bool>; 3]);

impl Model<'_> {
    /// Knows only of the classes that a blank device can start.
    pub(crate) fn begin(&mut self) {
        self.started = vec![false; self.classes.len()];
        // Refills under DEFAULT come in every state if they do not use END keys. Then the search by itself says which of these
        // classes can start, except where the plane of a hook decides.
        let is_first = |class: NameClassId| {
            let info = self.base(class);
            let of_hook = info.effects.suspend.is_some() || self.class(class).multi && of_hook(info.address);
            self.possible[usize::from(class)] && self.has_share_under(class, PhaseKey::DEFAULT) && !of_hook
        };
        let ends = self.profile.policies.refill_uses_end_key;
        self.drawn = (0..self.classes.len() as NameClassId).map(|class| !ends && is_first(class)).collect();
        self.add_blank();
    }

    /// Draws by another table from now on, which gives no name a weight that had none before. What has started stays.
    pub(crate) fn draw_by(&mut self, table: &WeightTable) {
        self.shares = shares(self.profile, table);
        let mut has_share = vec![false; self.classes.len()];
        self.shares.iter().flatten().for_each(|op| has_share[usize::from(self.of_op[op.index()])] = true);
        self.drawn.iter_mut().zip(has_share).for_each(|(drawn, has_share)| *drawn &= has_share);
        self.renew();
    }

    /// Takes all possible classes to start.
    pub(crate) fn assume_all(&mut self) {
        self.drawn = vec![false; self.classes.len()];
        self.shares.iter().flatten().for_each(|op| self.drawn[usize::from(self.of_op[op.index()])] = true);
        self.started.clone_from(&self.possible);
        self.renew();
    }

    /// Adds the classes that can start by what a search has found. Returns whether a search can find more with them.
    pub(crate) fn grow(&mut self, graph: &Graph) -> bool {
        let before = self.followed();
        self.started.iter_mut().zip(&graph.runs).for_each(|(known, runs)| *known |= runs);
        self.renew();
        loop {
            let more = self.more_drawn(graph);
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|class| self.drawn[usize::from(class)] = true);
            self.add_blank();
        }
        self.followed() != before
    }

    /// All that a search takes from the classes that are known.
    fn followed(&self) -> Followed {
        let targets = self.classes_that(|class| {
            let effects = &self.base(class).effects;
            self.started[usize::from(class)] && (effects.erase || effects.is_program())
        });
        let of_classes = [&self.untracked_steps, &self.tracked_steps, &self.drawn].map(Clone::clone);
        ((self.programmable, self.readable), targets, of_classes)
    }

    /// Finds what follows from the classes that are known.
    fn renew(&mut self) {
        let suspends = |class: NameClassId| {
            let axis = self.base(class).effects.suspend;
            self.may_be_drawn(class) && axis.is_some_and(|axis| self.can_resume(axis))
        };
        self.suspends = self.classes_that(suspends);
        self.untracked_steps = self.steps_of(false);
        self.tracked_steps = self.steps_of(true);
        (self.programmable, self.readable) = self.cell_types();
    }

    /// Adds the classes that can start on a blank device. Every search would find them, but each search only those that the ones
    /// before make possible.
    fn add_blank(&mut self) {
        let blank = SearchState { die: Die::default(), plane: Plane::default() };
        loop {
            self.renew();
            let starts = starts_in(self, &blank.die).into_iter().filter(|start| {
                let class = start.class;
                let on_plane = !self.has_targets(class) || self.plane_allows(&blank.plane, class).is_ok();
                let tables = !self.looks_at_die(class) || self.plane_tables(&blank.plane, class).is_ok();
                let completes =
                    || start.next.is_some() || self.possible_follow_ups(blank, class, None).next().is_some();
                !self.started[usize::from(class)] && on_plane && tables && completes()
            });
            let more: Vec<NameClassId> = starts.map(|start| start.class).collect();
            if more.is_empty() {
                return;
            }
            more.into_iter().for_each(|class| self.started[usize::from(class)] = true);
        }
    }

    /// Further classes that can be proposed in the states that a search has found.
    fn more_drawn(&self, graph: &Graph) -> Vec<NameClassId> {
        let mut open: Vec<bool> =
            self.possible.iter().zip(&self.drawn).map(|(possible, drawn)| *possible && !drawn).collect();
        let mut more = Vec::new();
        for key in self.profile.phase_keys.ids().filter(|&key| self.key_comes_up(key, &self.started)) {
            let asked = self.classes_that(|class| open[usize::from(class)] && self.has_share_under(class, key));
            if asked.is_empty() {
                continue;
            }
            // A search of some states only does not say what hooks fall on a key.
            let verdicts = (self.searched == SearchedStates::All).then(|| classes_under(self, graph, key, &open));
            let is_drawn = |class: &NameClassId| {
                verdicts.as_ref().is_none_or(|verdicts| match verdicts[usize::from(*class)] {
                    Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => true,
                    Verdict::Unreachable(_) => false,
                })
            };
            for class in asked.into_iter().filter(is_drawn) {
                open[usize::from(class)] = false;
                more.push(class);
            }
        }
        more
    }

    /// Whether a phase key gives a name of a class a share.
    fn has_share_under(&self, class: NameClassId, key: PhaseKey) -> bool {
        self.shares[key.index()].iter().any(|op| self.of_op[op.index()] == class)
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::{OpId, Profile};

    use super::*;
    use crate::causes::Causes;
    use crate::model::Start;
    use crate::never::can_start;
    use crate::reason::Reason;
    use crate::sample::{chained, device, key, op};
    use crate::search::Search;
    use crate::{MOST_TRIED, never_provided};

    /// A table that gives names a weight of 1 under keys.
    fn table_of(profile: &Profile, keys: &[(&str, &[&str])]) -> Vec<(PhaseKey, Vec<(OpId, f64)>)> {
        let of_key = |key| keys.iter().find(|(name, _)| profile.phase_keys[key].name == *name);
        let names = |key| of_key(key).map_or(&[][..], |(_, names)| names);
        let weights = |key| names(key).iter().map(|name| (op(profile, name), 1.0)).collect();
        profile.phase_keys.ids().map(|key| (key, weights(key))).collect()
    }

    /// The names that a table lets start, by each way to ask for it.
    fn starting(profile: &Profile, keys: &[(&str, &[&str])], start: Start<'_>) -> Vec<String> {
        let table = table_of(profile, keys);
        let search = Search::new(profile, &table, start);
        let ops: Vec<OpId> = profile.ops.ids().collect();
        let causes = Causes::new(&search, &ops);
        let starts = |verdict: Verdict| !matches!(verdict, Verdict::Unreachable(_));
        let quick = can_start(profile, &table, start, &ops, MOST_TRIED);
        let found: Vec<OpId> = ops.iter().copied().filter(|&op| starts(causes.at_all(op))).collect();
        for (&op, verdict) in ops.iter().zip(quick) {
            assert_eq!(starts(verdict), found.contains(&op), "{}", profile.ops[op].name);
            assert_eq!(
                search.can_run(op) && search.model.has_share(op),
                found.contains(&op),
                "{}",
                profile.ops[op].name
            );
        }
        found.into_iter().map(|op| profile.ops[op].name.clone()).collect()
    }

    #[test]
    fn what_only_itself_would_bring_up_never_starts() {
        let profile = device("Status: 1", "");
        let plain = Start::default();
        let own: &[(&str, &[&str])] =
            &[("DEFAULT", &["Status"]), ("ERASE.END", &["EraseA"]), ("STATUS.END", &["EraseA"])];
        assert_eq!(starting(&profile, own, plain), ["Status"]);
        let quick = never_provided(&profile, &table_of(&profile, own), plain);
        assert_eq!(quick[op(&profile, "EraseA").index()], Some(Reason::NoHook));
        let circle: &[(&str, &[&str])] =
            &[("DEFAULT", &["EraseA"]), ("READ.END", &["Program"]), ("PROG.END", &["Read"])];
        assert_eq!(starting(&profile, circle, plain), ["EraseA"]);
        let begun: &[(&str, &[&str])] =
            &[("DEFAULT", &["EraseA"]), ("ERASE.END", &["Program"]), ("PROG.END", &["Read"]), ("READ.END", &["Out"])];
        assert_eq!(starting(&profile, begun, plain), ["EraseA", "Program", "Read", "Out"]);
    }

    #[test]
    fn a_name_that_is_never_accepted_under_its_key_brings_nothing_up() {
        let profile = device("Status: 1", "");
        // The erase occupies all planes of its die while it is busy.
        let busy: &[(&str, &[&str])] =
            &[("DEFAULT", &["EraseA"]), ("ERASE.CORE_BUSY", &["Program"]), ("PROG.END", &["Program", "Read"])];
        assert_eq!(starting(&profile, busy, Start::default()), ["EraseA"]);
    }

    #[test]
    fn a_delay_starts_as_a_step_of_a_chain_alone() {
        let table: &[(&str, &[&str])] = &[("DEFAULT", &["Status", "Wait"])];
        assert_eq!(starting(&device("Status: 1", ""), table, Start::default()), ["Status"]);
        let profile = chained("Status: 1", "PAUSE: 1", "chains: {PAUSE: {steps: [WAIT]}}\n");
        assert_eq!(starting(&profile, table, Start::default()), ["Wait", "Status"]);
    }

    #[test]
    fn the_bootstrap_brings_up_what_follows_it() {
        let bootstrap = "bootstrap: {erase_blocks: 2, program_blocks: 1, read_blocks: 1}\n";
        let profile = device("Status: 1", bootstrap);
        let after: &[(&str, &[&str])] = &[("ERASE.END", &["EraseA"])];
        assert_eq!(starting(&profile, after, Start::default()), [""; 0]);
        let table = table_of(&profile, after);
        let search = Search::new(&profile, &table, Start { bootstrap: true, ..Start::default() });
        assert!(matches!(
            search.verdict(key(&profile, "ERASE.END"), op(&profile, "EraseA")),
            Verdict::Reachable | Verdict::Coincidence
        ));
    }

    #[test]
    fn refills_with_end_keys_leave_default_to_a_blank_device() {
        let mut profile = device("Status: 1", "");
        profile.policies.refill_uses_end_key = true;
        let table: &[(&str, &[&str])] =
            &[("DEFAULT", &["EraseA"]), ("ERASE.END", &["Program"]), ("PROG.END", &["Read"])];
        assert_eq!(starting(&profile, table, Start::default()), ["EraseA", "Program", "Read"]);
    }
}
