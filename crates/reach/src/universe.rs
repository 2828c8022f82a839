//! The verdict on every pair of phase key and op name.

use nandseq_profile::{BaseSet, IdVec, OpId, PhaseKey, Profile};

use crate::explore::Graph;
use crate::hooks::Hooks;
use crate::judge::Context;
use crate::model::{ClassId, Model, Start};
use crate::reason::Reason;
use crate::search::Search;
use crate::state::Plane;
use crate::tenths::{self, Tenths};
use crate::traps::{Supply, Trap, supply, traps};
use rustc_hash::FxHashMap as Map;

/// Whether an operation can be proposed, and accepted, under a phase key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A long enough run has it.
    Reachable,
    /// Only when a hook happens to fall into a short ISSUE of the plane's next operation, on the very tick at which a phase
    /// begins, when the key is still that of the operation before, after something that did not show between an operation's
    /// end and its hook, or where a run boundary has completed everything before the hook.
    Coincidence,
    /// The device has too many states for a search of all of them: nothing that the operation needs is missing.
    Undecided,
    /// Never.
    Unreachable(Reason),
}

impl Verdict {
    /// What [`Self::Undecided`] is, in words.
    pub const UNDECIDED: &'static str = "undecided: the device has more states than can be searched";
}

/// The verdicts on all pairs of a profile and its probability table.
#[derive(Clone, Debug)]
pub struct Universe {
    verdicts: IdVec<PhaseKey, Vec<Verdict>>,
    /// By key.
    tenths: Vec<Tenths>,
    /// By name: whether it is an instant.
    instants: Vec<bool>,
    /// Whether operations of this name can run at all.
    runs: Vec<bool>,
    traps: Vec<Trap>,
    supply: Supply,
    states: usize,
    is_complete: bool,
}

/// What is known of the classes under one key.
struct Findings {
    verdicts: Vec<Verdict>,
    /// The classes that have a share there.
    open: Vec<ClassId>,
}

impl Universe {
    /// Searches the states of the device; `table` is the probability table in force.
    #[must_use]
    pub fn new(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        Self::with_start(profile, table, Start::default())
    }

    /// The same for a device that does not start blank.
    #[must_use]
    pub fn with_start(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)], start: Start<'_>) -> Self {
        let search = Search::new(profile, table, start);
        let by_key = search.of_keys(&vec![true; search.model.classes.len()]);
        let of_op = |key, op: OpId| {
            let class = usize::from(search.model.of_op[op.index()]);
            search.of_pair(key, op, by_key[key.index()][class])
        };
        let of_key = |key| profile.ops.ids().map(|op| of_op(key, op)).collect();
        let verdicts = profile.phase_keys.ids().map(of_key).collect();
        let Search { model, graph } = search;
        let instants = model.tables.ops().map(|(_, own)| model.tables.base(own.base).instant).collect();
        let tenths = tenths(&model, &graph, &verdicts);
        let runs = model.of_op.iter().map(|&class| graph.runs[usize::from(class)]).collect();
        let (traps, supply) = (traps(&model, &graph), supply(&model, &graph, table));
        Self {
            verdicts,
            tenths,
            instants,
            runs,
            traps,
            supply,
            states: graph.nodes.len(),
            is_complete: graph.is_complete(),
        }
    }

    /// The verdict on a pair.
    #[must_use]
    pub fn verdict(&self, key: PhaseKey, op: OpId) -> Verdict {
        self.verdicts[key][op.index()]
    }

    /// The tenths of the key's phase in which a pair that can be reached can start, a bit each; the first alone for a phase without
    /// length.
    #[must_use]
    pub fn tenths(&self, key: PhaseKey, op: OpId) -> u16 {
        let tenths = self.tenths[key.index()];
        if self.instants[op.index()] { tenths.instants } else { tenths.others }
    }

    /// All pairs with their verdicts, by key and name.
    pub fn pairs(&self) -> impl Iterator<Item = (PhaseKey, OpId, Verdict)> + '_ {
        let of_key = |(key, list): (PhaseKey, &'_ Vec<Verdict>)| {
            list.clone().into_iter().enumerate().map(move |(op, verdict)| (key, OpId::from(op), verdict))
        };
        self.verdicts.iter_ids().flat_map(of_key)
    }

    /// Whether an operation can run at all: proposed under some phase key, or as a step of a chain.
    #[must_use]
    pub fn can_run(&self, op: OpId) -> bool {
        self.runs[op.index()]
    }

    /// States that the device can enter and that no operation of the table ends.
    #[must_use]
    pub fn traps(&self) -> &[Trap] {
        &self.traps
    }

    /// What refills can propose in the poorest state.
    #[must_use]
    pub const fn supply(&self) -> &Supply {
        &self.supply
    }

    /// Whether the search came to its end: see [`Verdict::Undecided`].
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How many states of a die and a plane the search has found.
    #[must_use]
    pub const fn states(&self) -> usize {
        self.states
    }
}

fn tenths(model: &Model<'_>, graph: &Graph, verdicts: &IdVec<PhaseKey, Vec<Verdict>>) -> Vec<Tenths> {
    let mut proposed = BaseSet::EMPTY;
    for list in verdicts.iter() {
        for (op, _) in
            list.iter().enumerate().filter(|(_, verdict)| matches!(verdict, Verdict::Reachable | Verdict::Undecided))
        {
            proposed.insert(model.tables.op(OpId::from(op)).base);
        }
    }
    model.profile.phase_keys.ids().map(|key| tenths::of_key(model, graph, key, proposed)).collect()
}

/// The verdicts under a phase key, by class. A class that is not wanted, or has no share there, gets a placeholder, [`Reason::NoHook`].
pub(crate) fn classes_under(model: &Model<'_>, graph: &Graph, key: PhaseKey, wanted: &[bool]) -> Vec<Verdict> {
    let shares = &model.shares[key.index()];
    let mut open: Vec<ClassId> = shares.iter().map(|op| model.of_op[op.index()]).collect();
    open.retain(|&class| wanted[usize::from(class)]);
    open.sort_unstable();
    open.dedup();
    let none = Verdict::Unreachable(Reason::NoHook);
    if !graph.is_complete() {
        let possible = |class| model.possible[usize::from(class)] && model.keys_come_up(key);
        let verdict = |class: ClassId| match open.contains(&class) {
            true if possible(class) => Verdict::Undecided,
            true => Verdict::Unreachable(model.in_the_way(class, &model.possible).unwrap_or(Reason::NoHook)),
            false => none,
        };
        return (0..model.classes.len() as ClassId).map(verdict).collect();
    }
    let mut findings = Findings { verdicts: vec![none; model.classes.len()], open };
    let all = |_| true;
    if !findings.open.is_empty() {
        let hooks = Hooks::certain(model, graph, key);
        findings.look(model, graph, &hooks.certain.items, Verdict::Reachable, all);
    }
    // Most of the others are coincidences, and most classes need none.
    if !findings.open.is_empty() {
        let hooks = Hooks::others(model, graph, key);
        let instants = |class| model.base(class).instant;
        findings.look(model, graph, &hooks.certain_for_instants.items, Verdict::Reachable, instants);
        findings.look(model, graph, &hooks.chance.items, Verdict::Coincidence, all);
    }
    findings.verdicts
}

impl Findings {
    /// Judges what is still open in some contexts.
    fn look(
        &mut self,
        model: &Model<'_>,
        graph: &Graph,
        contexts: &[Context],
        found: Verdict,
        wanted: impl Fn(ClassId) -> bool,
    ) {
        for alike in by_die(contexts) {
            let mut at = 0;
            while let Some(&class) = self.open.get(at) {
                let outcome = if wanted(class) { judge_all(model, graph, &alike, class) } else { Err(Reason::NoHook) };
                let verdict = &mut self.verdicts[usize::from(class)];
                match (outcome, *verdict) {
                    (Ok(()), _) => {
                        *verdict = found;
                        self.open.swap_remove(at);
                        continue;
                    }
                    (Err(reason), Verdict::Unreachable(known)) if reason.specificity() > known.specificity() => {
                        *verdict = Verdict::Unreachable(reason);
                    }
                    (Err(_), _) => {}
                }
                at += 1;
            }
            if self.open.is_empty() {
                return;
            }
        }
    }
}

/// The contexts that differ in their planes alone, together.
fn by_die(contexts: &[Context]) -> Vec<Vec<&Context>> {
    let mut groups: Vec<Vec<&Context>> = Vec::new();
    let mut known: Map<Context, usize> = Map::default();
    for context in contexts {
        let group = *known.entry(Context { plane: Plane::default(), ..*context }).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(context);
    }
    groups
}

/// Whether a class may be accepted in one of some contexts that differ in their planes alone; else the reason of that which comes
/// closest.
fn judge_all(model: &Model<'_>, graph: &Graph, alike: &[&Context], class: ClassId) -> Result<(), Reason> {
    let Some(first) = alike.first() else { return Err(Reason::NoHook) };
    let fit = model.judge_die(first, class)?;
    let mut closest = Reason::NoHook;
    for context in alike {
        match model.judge_plane(graph, context, class, &fit) {
            Ok(()) => return Ok(()),
            Err(reason) if reason.specificity() > closest.specificity() => closest = reason,
            Err(_) => {}
        }
    }
    Err(closest)
}
