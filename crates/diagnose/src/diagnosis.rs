//! The diagnosis: what goes with failing, the best explanation first.
//!
//! Combinations of about the same operations are one suspect. A combination goes if its further conditions have no reason among the
//! operations of a simpler one, or if one before it holds all of its fails that chance does not give.

use serde::Serialize;

use crate::equivalents::{SaidOf, listed, said};
use crate::evidence::{Evidence, EvidenceOfAll, ExampleOperation};
use crate::feature::{Combination, ConditionWords};
use crate::found::{FoundCombination, SURE};
use crate::names::NameTable;
use crate::sample::OperationSample;
use crate::search::{CountedUnits, SuspectSearch};
use crate::statistics::{Metric, UnitCount};
use crate::suspect::{DiagnosisKind, PlaceSpread, Suspect, SuspectExample};
use crate::verdict::{parts, spread, verdict, worst_part};
use crate::walk::{DiagnoseError, RunOutcome, TestedRuns};

/// The most suspects that a diagnosis lists.
pub const MOST_SUSPECTS: usize = 20;
/// The most combinations with the same number of conditions whose evidence is looked at.
const MOST_LOOKED_AT: usize = 40;
/// The most of them that count the same and say something of the same.
const MOST_WORDINGS: usize = 3;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DiagnoseOptions {
    /// How suspects are scored.
    pub metric: Metric,
    /// The seed of the bootstrap.
    pub seed: u64,
}

/// What the outcomes of the runs are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct OutcomeCounts {
    /// Runs that passed.
    pub passed: u64,
    /// Runs that failed at a known operation.
    pub failed: u64,
    /// Runs that failed somewhere.
    pub failed_somewhere: u64,
    /// Runs of which nothing is known.
    pub unknown: u64,
}

/// What goes with failing.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Diagnosis {
    /// The version of this form.
    pub schema: u32,
    /// The outcomes of the runs.
    pub outcomes: OutcomeCounts,
    /// How suspects are scored.
    pub metric: Metric,
    /// Whether runs were compared rather than operations.
    pub by_run: bool,
    /// The number of features that were counted.
    pub features: usize,
    /// What was compared: operations, or runs.
    pub compared: UnitCount,
    /// What is bad.
    pub kind: DiagnosisKind,
    /// The same as a sentence.
    pub verdict: String,
    /// Where fails lie.
    pub spread: Vec<PlaceSpread>,
    /// The suspects, the best first.
    pub suspects: Vec<Suspect>,
}

/// Says what goes with failing.
///
/// Operations are compared if the failing operations of at least half of the failing runs are known, and runs if they are not, or if
/// nothing goes with failing among operations.
///
/// # Errors
/// [`DiagnoseError`] when a run cannot be read, or has not the operation at which it is said to fail.
pub fn diagnose(runs: &TestedRuns<'_>, options: DiagnoseOptions) -> Result<Diagnosis, DiagnoseError> {
    let names = NameTable::new(runs.profile, runs.classes);
    let outcomes = outcomes(runs);
    let operations_known = outcomes.failed > 0 && outcomes.failed >= outcomes.failed_somewhere;
    let mut by_run = !operations_known;
    let mut search = if by_run {
        SuspectSearch::new(CountedUnits::Runs(runs), &names)?
    } else {
        SuspectSearch::new(CountedUnits::Operations(&OperationSample::new(runs, &names)?), &names)?
    };
    if !by_run && search.found.is_empty() {
        let whole = SuspectSearch::new(CountedUnits::Runs(runs), &names)?;
        if !whole.found.is_empty() {
            (by_run, search) = (true, whole);
        }
    }
    let found = chosen(&search, options.metric);
    let combinations: Vec<&Combination> = found.iter().map(|one| &one.combination).collect();
    let evidence = EvidenceOfAll::new(runs, &names, by_run, options.seed, &combinations)?;
    let words = ConditionWords { profile: runs.profile, names: &names, sites: runs.site_names };
    let costs = combinations.iter().map(|combination| search.cost(combination)).collect();
    let further = search.further;
    let ranking = Ranking { runs, words, by_run, options, found: &found, further, costs, evidence: &evidence };
    let suspects = ranking.suspects();
    let parts = parts(runs);
    let spread: Vec<PlaceSpread> =
        spread(&search, &evidence, words).into_iter().chain(worst_part(runs, &parts)).collect();
    let (kind, verdict) = verdict(&suspects, &spread, &parts, words);
    Ok(Diagnosis {
        schema: 1,
        outcomes,
        metric: options.metric,
        by_run,
        features: search.features,
        compared: evidence.units(by_run),
        kind,
        verdict,
        spread,
        suspects,
    })
}

fn outcomes(runs: &TestedRuns<'_>) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for (site, files) in runs.sites.iter().enumerate() {
        for run in &files.runs {
            let count = match (runs.outcome)(site, run.run) {
                RunOutcome::Passed => &mut counts.passed,
                RunOutcome::Failed(uids) if uids.is_empty() => &mut counts.failed_somewhere,
                RunOutcome::Failed(_) => &mut counts.failed,
                RunOutcome::Unknown => &mut counts.unknown,
            };
            *count += 1;
        }
    }
    counts
}

/// The combinations whose evidence is looked at: the best by score and the best by likelihood in turn, but few that count the same and say
/// something of the same: wordings of one suspect would leave no room for others.
fn chosen(search: &SuspectSearch, metric: Metric) -> Vec<FoundCombination> {
    let score = |one: &FoundCombination| metric.score(one.counted, search.whole);
    let mut by_score: Vec<&FoundCombination> = search.found.iter().collect();
    by_score.sort_by(|one, other| {
        score(other).total_cmp(&score(one)).then_with(|| one.combination.cmp(&other.combination))
    });
    let mut by_gain = by_score.clone();
    by_gain.sort_by(|one, other| other.gain.total_cmp(&one.gain));
    let mut chosen: Vec<FoundCombination> = Vec::new();
    let mut known: Vec<(UnitCount, Vec<SaidOf>)> = Vec::new();
    for (one, other) in by_score.into_iter().zip(by_gain) {
        for one in [one, other] {
            let (conditions, wording) = (one.combination.0.len(), (one.counted, said(&one.combination)));
            let alike = chosen.iter().filter(|known| known.combination.0.len() == conditions).count();
            let is_known = chosen.iter().any(|known| known.combination == one.combination);
            let wordings = known.iter().filter(|known| **known == wording).count();
            if alike < MOST_LOOKED_AT && wordings < MOST_WORDINGS && !is_known {
                chosen.push(one.clone());
                known.push(wording);
            }
        }
    }
    chosen
}

/// Whether a combination names an operation and another one does not.
fn names_more(general: &Combination, special: &Combination) -> bool {
    general.name().is_none() && special.name().is_some()
}

/// What suspects are made of.
struct Ranking<'a> {
    runs: &'a TestedRuns<'a>,
    words: ConditionWords<'a>,
    by_run: bool,
    options: DiagnoseOptions,
    found: &'a [FoundCombination],
    /// How much likelier a further condition must make the fails.
    further: f64,
    /// What it costs to state each of them.
    costs: Vec<f64>,
    evidence: &'a EvidenceOfAll,
}

impl Ranking<'_> {
    fn counted(&self, at: usize) -> UnitCount {
        let Evidence { operations, runs, .. } = &self.evidence.of[at];
        if self.by_run { *runs } else { *operations }
    }

    fn score(&self, at: usize) -> f64 {
        self.options.metric.score(self.counted(at), self.evidence.units(self.by_run))
    }

    /// The units of a combination in which another was seen too.
    fn both(&self, one: usize, other: usize) -> UnitCount {
        self.evidence.both(one, other)
    }

    /// Whether two combinations were seen in about the same units.
    fn is_alike(&self, one: usize, other: usize) -> bool {
        let both = self.both(one, other);
        let either = self.counted(one).with(self.counted(other)).without(both);
        let is_most = |part: u64, whole: u64| part * 10 >= whole * 9;
        is_most(both.fails, either.fails) && is_most(both.all, either.all)
    }

    /// How much likelier the fails of a combination are where another was seen too.
    fn gain_within(&self, of: usize, other: usize) -> f64 {
        self.counted(of).gain(self.both(of, other))
    }

    /// Whether a combination with fewer conditions holds all of its units, and explains its fails as well. A name that nearly all of them
    /// have needs no reason: a suspect says which operation it is.
    fn has_no_reason(&self, special: usize) -> bool {
        let conditions = |at: usize| self.found[at].combination.0.len();
        (0..self.found.len()).any(|general| {
            conditions(general) < conditions(special)
                && self.both(general, special) == self.counted(special)
                && self.counted(general) != self.counted(special)
                && !(names_more(&self.found[general].combination, &self.found[special].combination)
                    && self.is_alike(general, special))
                && self.gain_within(general, special) < self.further
        })
    }

    /// Whether another combination explains the fails of one: there are no more than chance gives where the other was not seen, nor
    /// are there more where both were seen.
    fn is_explained(&self, of: usize, by: usize) -> bool {
        let without = |all: UnitCount| all.without(self.both(of, by));
        let rest = self.evidence.units(self.by_run).without(self.counted(by));
        rest.gain(without(self.counted(of))) < self.further && self.gain_within(by, of) < self.further
    }

    /// Whether the evidence does not tell a combination from one that is worth more: each explains the fails of the other, and about as well.
    fn is_not_told_from(&self, one: usize, better: usize) -> bool {
        self.worth(better) - self.worth(one) < SURE && self.is_explained(one, better) && self.is_explained(better, one)
    }

    /// What a combination explains: how much likelier it makes the fails, less what it costs to state it.
    fn worth(&self, at: usize) -> f64 {
        self.gain(at) - self.costs[at]
    }

    fn gain(&self, at: usize) -> f64 {
        self.evidence.units(self.by_run).gain(self.counted(at))
    }

    /// Suspects are chosen by their worth, each if those before it do not explain it, and listed by their score.
    fn suspects(&self) -> Vec<Suspect> {
        let is_sure = |at: &usize| self.gain(*at) >= self.found[*at].needed && !self.has_no_reason(*at);
        let mut order: Vec<usize> = (0..self.found.len()).filter(is_sure).collect();
        order.sort_by(|&one, &other| {
            let by_worth = self.worth(other).total_cmp(&self.worth(one));
            let [first, second] = [one, other].map(|at| &self.found[at].combination);
            by_worth.then(first.0.len().cmp(&second.0.len())).then_with(|| first.cmp(second))
        });
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in order {
            let is_alike = |group: &&mut Vec<usize>| self.is_alike(group[0], at);
            let is_same = |group: &&mut Vec<usize>| self.is_not_told_from(at, group[0]);
            if let Some(group) = groups.iter_mut().find(is_alike) {
                group.push(at);
            } else if let Some(group) = groups.iter_mut().find(is_same) {
                group.push(at);
            } else if !groups.iter().any(|group| self.is_explained(at, group[0])) {
                groups.push(vec![at]);
            }
        }
        groups.truncate(MOST_SUSPECTS);
        self.in_order(groups).into_iter().zip(1..).map(|(group, rank)| self.suspect(rank, &group)).collect()
    }

    /// The groups by their score. What holds of a part of another's operations and is worth less comes after it.
    fn in_order(&self, mut groups: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        let is_part = |of: usize, whole: usize| self.both(of, whole).fails * 10 >= self.counted(of).fails * 9;
        let mut order: Vec<Vec<usize>> = Vec::new();
        while !groups.is_empty() {
            // Groups are in the order of their worth.
            let is_free = |at: &usize| groups[..*at].iter().all(|other| !is_part(groups[*at][0], other[0]));
            let best = (0..groups.len())
                .filter(is_free)
                .min_by(|&one, &other| self.score(groups[other][0]).total_cmp(&self.score(groups[one][0])))
                .unwrap_or(0);
            order.push(groups.remove(best));
        }
        order
    }

    fn suspect(&self, rank: usize, group: &[usize]) -> Suspect {
        let at = group[0];
        let (evidence, whole) = (&self.evidence.of[at], self.evidence.units(self.by_run));
        let text = |at: usize| self.found[at].combination.text(&self.words);
        let combinations: Vec<&Combination> = group.iter().map(|&at| &self.found[at].combination).collect();
        let example = |example: Option<ExampleOperation>| example.map(|example| self.example(example));
        let score = |metric: Metric| (metric.name(), metric.score(self.counted(at), whole));
        Suspect {
            rank,
            what: text(at),
            score: self.score(at),
            interval: self.evidence.interval(at, self.options.metric),
            scores: Metric::ALL.into_iter().map(score).collect(),
            operations: evidence.operations,
            runs: evidence.runs,
            also_explains: listed(&combinations).into_iter().map(|equivalent| text(group[equivalent])).collect(),
            fails_at: example(evidence.failing),
            passes_at: example(evidence.passing),
            combination: self.found[at].combination.clone(),
            examples: [evidence.failing, evidence.passing],
        }
    }

    fn example(&self, example: ExampleOperation) -> SuspectExample {
        let place = example.place;
        let run = &self.runs.sites[place.site].runs[place.run];
        SuspectExample {
            site: self.runs.site_names[place.site].clone(),
            run: run.run,
            file: nandseq_trace::recorded::recorded(&run.path),
            row: place.row,
            op_uid: place.uid,
            time_us: place.start.to_us_text(),
        }
    }
}
