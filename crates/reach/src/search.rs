//! The states that a device can enter under its table, and verdicts on single operations.
//!
//! A [`crate::Universe`] is made of them: it judges every pair, which takes most of its time. For a few operations a [`Search`]
//! is enough.

use std::{fmt, thread};

use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};

use crate::courses::may_be_proposed;
use crate::explore::{Graph, MOST_TRIED};
use crate::model::{Model, NameClassId, Start};
use crate::plan::SearchState;
use crate::reason::Reason;
use crate::verdict::{Verdict, classes_under};

/// The states that the search has found.
pub struct Search<'p> {
    pub(crate) model: Model<'p>,
    pub(crate) graph: Graph,
    /// How many operations were carried out, in all searches that led to this one.
    pub(crate) tried: u64,
}

/// Verdicts on some operations under every phase key.
pub struct Verdicts {
    /// By class, then by key; `None` for a class that was not asked for.
    by_class: Vec<Option<Vec<Verdict>>>,
}

impl fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("tried", &self.tried).finish_non_exhaustive()
    }
}

impl<'p> Search<'p> {
    /// Searches the states of the device; `table` is the probability table in force.
    #[must_use]
    pub fn new(profile: &'p Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)], start: Start<'_>) -> Self {
        Self::within(Model::new(profile, table, start), MOST_TRIED)
    }

    /// Searches until more than `most` operations were carried out.
    pub(crate) fn within(mut model: Model<'p>, most: u64) -> Self {
        let mut tried = 0;
        loop {
            model.begin();
            let mut graph = Graph::new(&model, most);
            tried += graph.tried();
            while graph.is_complete() && model.grow(&graph) {
                drop(graph);
                graph = Graph::new(&model, most);
                tried += graph.tried();
            }
            if !graph.is_complete() {
                model.assume_all();
                return Self { model, graph, tried };
            }
            // What lacks something that states do not show does not run, nor does what waits for it.
            let possible = model.provided(&graph.runs);
            let is_settled = possible == graph.runs;
            model.possible = possible;
            if is_settled {
                return Self { model, graph, tried };
            }
        }
    }

    /// Whether an operation can run at all: proposed under some phase key, or as a step of a chain.
    #[must_use]
    pub fn can_run(&self, op: OpId) -> bool {
        self.graph.runs[usize::from(self.model.of_op[op.index()])]
    }

    /// Whether the search came to its end. If not, the device has too many states, and operations that lack nothing are
    /// [`Verdict::Undecided`].
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.graph.is_complete()
    }

    /// The chains in which an operation can be a step, by index into the profile's chains, each with the bases that run and begin
    /// it. Whether the chain can run with the operation is another question.
    #[must_use]
    pub fn steps_of(&self, op: OpId) -> Vec<(usize, Vec<BaseId>)> {
        let mut found: Vec<(usize, Vec<BaseId>)> = Vec::new();
        for (head, chain) in self.running_chains(op) {
            let of = self.model.class(head).base;
            match found.iter_mut().find(|(known, _)| *known == chain) {
                Some((_, heads)) if heads.contains(&of) => {}
                Some((_, heads)) => heads.push(of),
                None => found.push((chain, vec![of])),
            }
        }
        found
    }

    /// The chains that draw an operation as a step, each with a class that runs and begins it.
    pub(crate) fn running_chains(&self, op: OpId) -> Vec<(NameClassId, usize)> {
        let mut chains = self.model.chains_with(op);
        chains.retain(|&(head, _)| self.model.is_proposed(head) && self.graph.runs[usize::from(head)]);
        chains
    }

    /// Whether a class begins a chain in some state, with an operation as a step.
    pub(crate) fn begins_with(&self, (head, chain): (NameClassId, usize), op: OpId) -> bool {
        let (model, graph, class) = (&self.model, &self.graph, self.model.of_op[op.index()]);
        let can_run = |state: &SearchState| model.chain_can_run(state, head, chain, Some(class));
        if model.base(head).effects.suspend.is_some() {
            let mut cuts = graph.cuts.items.iter().filter(|(_, by, _)| *by == head);
            return cuts.any(|&(_, _, flight)| {
                let node = graph.flights[usize::from(head)].items[flight as usize];
                can_run(&SearchState { die: *graph.die(node), plane: *graph.plane(node) })
            });
        }
        let may_start = |state: &SearchState| {
            let on_plane = !model.has_targets(head) || model.plane_allows(&state.plane, head).is_ok();
            let tables = !model.looks_at_die(head) || model.plane_tables(&state.plane, head).is_ok();
            let is_chained = state.die.chain.is_some();
            // As in the search, a chain that it follows does not begin while another one is under way.
            let may_begin = !is_chained || !model.tracked[chain] && may_be_proposed(model, &state.die, true, head);
            may_begin && on_plane && tables && model.die_allows(&state.die, head).is_ok()
        };
        let mut states = graph.states().map(|(die, plane)| SearchState { die, plane });
        states.any(|state| may_start(&state) && can_run(&state))
    }

    /// The verdicts on the operations that are wanted, and on those that are possible in the same states.
    #[must_use]
    pub fn verdicts(&self, wanted: impl Fn(OpId) -> bool) -> Verdicts {
        let mut classes = vec![false; self.model.classes.len()];
        for (op, &class) in self.model.of_op.iter().enumerate() {
            classes[usize::from(class)] |= wanted(OpId::from(op));
        }
        let by_key = self.of_keys(&classes);
        let of_class = |class: usize| by_key.iter().map(|verdicts| verdicts[class]).collect();
        let by_class = classes.iter().enumerate().map(|(class, wanted)| wanted.then(|| of_class(class))).collect();
        Verdicts { by_class }
    }

    /// The verdict on a pair.
    #[must_use]
    pub fn verdict(&self, key: PhaseKey, op: OpId) -> Verdict {
        let class = usize::from(self.model.of_op[op.index()]);
        let mut classes = vec![false; self.model.classes.len()];
        classes[class] = true;
        self.of_pair(key, op, classes_under(&self.model, &self.graph, key, &classes)[class])
    }

    /// For every phase key, the verdicts by class. The verdict on a class that is not `wanted`, or that has no share under the
    /// key, means nothing.
    pub(crate) fn of_keys(&self, wanted: &[bool]) -> Vec<Vec<Verdict>> {
        let keys: Vec<PhaseKey> = self.model.profile.phase_keys.ids().collect();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(keys.len().max(1));
        let of_key = |&key: &PhaseKey| classes_under(&self.model, &self.graph, key, wanted);
        if threads < 2 {
            return keys.iter().map(of_key).collect();
        }
        // Each thread takes every n-th key, since neighbouring keys take about the same time.
        let mut found: Vec<Vec<Verdict>> = vec![Vec::new(); keys.len()];
        thread::scope(|scope| {
            let shares: Vec<_> = (0..threads)
                .map(|first| {
                    let (keys, of_key) = (&keys, &of_key);
                    scope.spawn(move || keys.iter().skip(first).step_by(threads).map(of_key).collect::<Vec<_>>())
                })
                .collect();
            for (first, share) in shares.into_iter().enumerate() {
                let done = share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                for (at, verdicts) in done.into_iter().enumerate() {
                    found[first + at * threads] = verdicts;
                }
            }
        });
        found
    }

    /// The verdict on a pair; `of_class` is the verdict on its class, which holds if the name has a share under the key.
    pub(crate) fn of_pair(&self, key: PhaseKey, op: OpId, of_class: Verdict) -> Verdict {
        if self.model.shares[key.index()].contains(&op) {
            of_class
        } else if self.model.profile.exclusions.in_op_state(key).contains(self.model.profile.ops[op].base) {
            Verdict::Unreachable(Reason::Excluded)
        } else {
            Verdict::Unreachable(Reason::NoWeight)
        }
    }
}

impl Verdicts {
    /// The verdict on a pair; `None` if it was not asked for.
    #[must_use]
    pub fn of(&self, search: &Search<'_>, key: PhaseKey, op: OpId) -> Option<Verdict> {
        let of_class = self.by_class[usize::from(search.model.of_op[op.index()])].as_ref()?;
        Some(search.of_pair(key, op, of_class[key.index()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Universe;
    use crate::sample::{device, op, table};

    #[test]
    fn only_what_was_asked_for_has_a_verdict() {
        let profile = device("EraseA: 0.5, Program: 0.3, Status: 0.2", "");
        let search = Search::new(&profile, table(&profile), Start::default());
        let program = op(&profile, "Program");
        let verdicts = search.verdicts(|op| op == program);
        assert_eq!(verdicts.of(&search, PhaseKey::DEFAULT, program), Some(Verdict::Reachable));
        assert_eq!(verdicts.of(&search, PhaseKey::DEFAULT, op(&profile, "Status")), None);
        // Not even where it has no weight.
        assert_eq!(verdicts.of(&search, PhaseKey::DEFAULT, op(&profile, "Read")), None);
    }

    #[test]
    fn a_pair_has_the_same_verdict_alone_and_among_all() {
        let nothing_erases = "exclusion_groups: {er: [ERASE]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [er]}}\n";
        for sections in ["", nothing_erases] {
            let profile = device("EraseA: 0.5, Program: 0.3, Read: 0.1, Status: 0.1", sections);
            let universe = Universe::new(&profile, table(&profile));
            let search = Search::new(&profile, table(&profile), Start::default());
            for (key, op, verdict) in universe.pairs() {
                assert_eq!(
                    search.verdict(key, op),
                    verdict,
                    "{} {}",
                    profile.phase_keys[key].name,
                    profile.ops[op].name
                );
            }
            assert!(profile.ops.ids().all(|op| search.can_run(op) == universe.can_run(op)));
        }
    }

    #[test]
    fn what_never_runs_is_no_source_of_pages() {
        let nothing_programs = "exclusion_groups: {pg: [PROG]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [pg]}}\n";
        for (sections, runs) in [("", true), (nothing_programs, false)] {
            let profile = device("EraseA: 0.5, Program: 0.3, Read: 0.2", sections);
            let search = Search::new(&profile, table(&profile), Start::default());
            assert_eq!(search.can_run(op(&profile, "Read")), runs);
            assert!(search.can_run(op(&profile, "EraseA")));
        }
    }

    #[test]
    fn what_a_search_that_was_cut_short_does_not_know_is_undecided() {
        let profile = device("EraseA: 0.5, Read: 0.3, Status: 0.2", "");
        for (most, expected) in [(1, Verdict::Undecided), (MOST_TRIED, Verdict::Reachable)] {
            let search = Search::within(Model::new(&profile, table(&profile), Start::default()), most);
            assert_eq!(search.is_complete(), expected == Verdict::Reachable);
            assert_eq!(search.verdict(PhaseKey::DEFAULT, op(&profile, "EraseA")), expected);
            // Nothing programs: that needs no search.
            let read = search.verdict(PhaseKey::DEFAULT, op(&profile, "Read"));
            assert_eq!(read, Verdict::Unreachable(Reason::CellType));
            let program = search.verdict(PhaseKey::DEFAULT, op(&profile, "Program"));
            assert_eq!(program, Verdict::Unreachable(Reason::NoWeight));
        }
    }

    #[test]
    fn what_only_the_bootstrap_erases_can_be_programmed_after_it() {
        let bootstrap = "bootstrap: {erase_blocks: 2, program_blocks: 1, read_blocks: 1}\n";
        let profile = device("Program: 0.8, Read: 0.1, Status: 0.1", bootstrap);
        let verdict = |bootstrap: bool, key, name: &str| {
            let search = Search::new(&profile, table(&profile), Start { bootstrap, ..Start::default() });
            search.verdict(crate::sample::key(&profile, key), op(&profile, name))
        };
        for key in ["DEFAULT", "PROG.END"] {
            assert_eq!(verdict(true, key, "Program"), Verdict::Reachable, "{key}");
            assert!(matches!(verdict(false, key, "Program"), Verdict::Unreachable(_)), "{key}");
        }
        // The last erase of the bootstrap is busy when the table is in force.
        assert_eq!(verdict(true, "ERASE.CORE_BUSY", "Status"), Verdict::Coincidence);
        // So is what comes just after it.
        assert_eq!(verdict(true, "ERASE.END", "Status"), Verdict::Coincidence);
        assert_eq!(verdict(true, "READ.END", "Status"), Verdict::Reachable);
        assert_eq!(verdict(false, "ERASE.CORE_BUSY", "Status"), Verdict::Unreachable(Reason::NoHook));
    }

    #[test]
    fn weights_under_keys_that_never_come_up_let_nothing_run() {
        let profile = device("Program: 1", "");
        let (erase, program) = (op(&profile, "EraseA"), op(&profile, "Program"));
        let under = |key: &str| (crate::sample::key(&profile, key), vec![(erase, 1.0)]);
        let mut table = vec![(PhaseKey::DEFAULT, vec![(program, 1.0)]), under("PROG.END")];
        assert!(!Search::new(&profile, &table, Start::default()).can_run(erase));
        table[0].1.push((erase, 1.0));
        assert!(Search::new(&profile, &table, Start::default()).can_run(program));
    }
}
