//! The verdict on every pair of phase key and op name.

use nandseq_profile::{BaseSet, IdVec, OpId, PhaseKey, Profile};

use crate::explore::Graph;
use crate::model::{Model, Start};
use crate::search::Search;
use crate::time_bins::{self, TimeBins};
use crate::traps::{Supply, Trap, supply, traps};
use crate::verdict::Verdict;

/// The verdicts on all pairs of a profile and its probability table.
#[derive(Clone, Debug)]
pub struct Universe {
    verdicts: IdVec<PhaseKey, Vec<Verdict>>,
    /// For each phase key.
    time_bins: Vec<TimeBins>,
    /// For each operation, whether it is an instant one.
    instants: Vec<bool>,
    /// For each operation, whether it can run at all.
    runs: Vec<bool>,
    traps: Vec<Trap>,
    supply: Supply,
    states: usize,
    is_complete: bool,
}

impl Universe {
    /// Searches the states of the device; `table` is the probability table in force.
    #[must_use]
    pub fn new(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        Self::with_start(profile, table, Start::default())
    }

    /// Searches as [`Self::new`] does, for a device with another start.
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
        let Search { model, graph, .. } = search;
        let instants = model.tables.ops().map(|(_, own)| model.tables.base(own.base).instant).collect();
        let time_bins = time_bins(&model, &graph, &verdicts);
        let runs = model.of_op.iter().map(|&class| graph.runs[usize::from(class)]).collect();
        let (traps, supply) = (traps(&model, &graph), supply(&model, &graph, table));
        Self {
            verdicts,
            time_bins,
            instants,
            runs,
            traps,
            supply,
            states: graph.len(),
            is_complete: graph.is_complete(),
        }
    }

    /// The verdict on a pair.
    #[must_use]
    pub fn verdict(&self, key: PhaseKey, op: OpId) -> Verdict {
        self.verdicts[key][op.index()]
    }

    /// The tenths of the key's phase in which a reachable pair can start, one bit each. A phase without length has the first bit
    /// alone.
    #[must_use]
    pub fn time_bins(&self, key: PhaseKey, op: OpId) -> u16 {
        let time_bins = self.time_bins[key.index()];
        if self.instants[op.index()] { time_bins.instants } else { time_bins.others }
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

fn time_bins(model: &Model<'_>, graph: &Graph, verdicts: &IdVec<PhaseKey, Vec<Verdict>>) -> Vec<TimeBins> {
    let mut proposed = BaseSet::EMPTY;
    for list in verdicts.iter() {
        for (op, _) in
            list.iter().enumerate().filter(|(_, verdict)| matches!(verdict, Verdict::Reachable | Verdict::Undecided))
        {
            proposed.insert(model.tables.op(OpId::from(op)).base);
        }
    }
    model.profile.phase_keys.ids().map(|key| time_bins::of_key(model, graph, key, proposed)).collect()
}
