//! `nandseqgen explain`: why an operation never appears, or how often it does; and what a rule says.
//!
//! It looks at what `generate` with the same flags would use: profile, table, bad blocks. Causes come from `reach`, frequencies
//! from a trial, places from the texts of profile and table. This file puts them together.

mod of_plan;
mod pages;
mod plan_trial;
mod remedy;
mod report;
mod subject;
mod trial;
mod trial_site;
mod weights;
mod words;

use std::cell::RefCell;

use nandseq_profile::diagnostic::grouped;
use nandseq_profile::{OpId, PhaseKey, Profile};
use nandseq_reach::{Blocker, COINCIDENCE, Cause, Causes, Reason, Search, Verdict};

use crate::arguments::ReportFormat;
use crate::arguments::explain::{DEFAULT_OPS, ExplainArgs, NameOf};
use crate::can_start::CanStart;
use crate::failure::{Failure, Problem, note_text};
use crate::hint::Hint;
use crate::in_force::InForce;
use crate::json::{self, Of};
use crate::{dead_dies, tell, terminal};
use of_plan::{PlanWords, SaidByPlan};
use remedy::{ProfileChange, Remedies};
use report::{Appears, ChainRow, Explained, Explanation, KeyRow, PhaseExpected, TrialEnd, TrialPhaseRow};
use subject::{ExplainedName, KnownNames};

pub(crate) use report::figure;
pub(crate) use trial::{Expected, TRIAL_OPS, Trial, most_of_none};
use words::Link;
pub(crate) use words::Words;

/// What is less than one in so many operations is rare.
const RARE: u64 = 100;

/// Runs `nandseqgen explain`.
pub(crate) fn run(arguments: &ExplainArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let in_force = InForce::of_flags(&arguments.in_force, arguments.plan.as_deref(), &mut remarks);
    tell(&remarks);
    let in_force = in_force?;
    let words = Words::of(&in_force);
    let names = KnownNames::new(&in_force.profile, &words.texts.places);
    let subject = names.find(&arguments.name, arguments.kind)?;
    if arguments.kind.is_none() {
        for other in names.namesakes(subject) {
            tell(&note_text(&namesake(arguments, &in_force, subject, other)));
        }
    }
    if subject.kind == NameOf::Rule {
        return show_page(arguments, &subject.name);
    }
    let under = arguments.under.as_deref().map(|key| subject::phase_key(&in_force.profile, key)).transpose()?;
    let wanted = wanted(arguments, &in_force)?;
    let explanation = explain((wanted, &in_force), &words, subject, under);
    match arguments.format {
        ReportFormat::Text => terminal::print(&explanation.to_text()),
        ReportFormat::Json => json::print(&explanation),
    }
}

/// The number of operations for which to estimate how often something starts. The phases of a plan say that by themselves.
fn wanted(arguments: &ExplainArgs, in_force: &InForce) -> Result<u64, Failure> {
    match (&in_force.plan, arguments.ops) {
        (Some(plan), Some(_)) if !plan.plan.phases.is_empty() => {
            let message =
                format!("the phases of `{}` say how many operations there are, and -n does too", plan.input.source);
            Err(Problem::new(message).help("leave the flag out, or take `phases` out of the plan").into())
        }
        (_, ops) => Ok(ops.unwrap_or(DEFAULT_OPS)),
    }
}

/// The line that names a plan whose phases have no tables of their own; the tables are described with it otherwise.
fn plan_line(in_force: &InForce) -> String {
    let plan = in_force.plan.as_ref().filter(|plan| plan.table(0).is_none());
    plan.map_or_else(String::new, |plan| format!("Plan: `{}`.\n", plan.input.source))
}

/// Prints the page of a rule.
fn show_page(arguments: &ExplainArgs, code: &str) -> Result<(), Failure> {
    let page = pages::page(code).unwrap_or_default();
    match arguments.format {
        ReportFormat::Text => terminal::print(page),
        ReportFormat::Json => {
            let answer = serde_json::json!({ "schema": 1, "name": code, "kind": "rule", "page": page });
            json::print(&Of::command("explain", &answer))
        }
    }
}

/// The note that a name also has another meaning.
fn namesake(arguments: &ExplainArgs, in_force: &InForce, subject: &ExplainedName, other: &ExplainedName) -> String {
    let hint =
        Hint::new("explain").flags(&in_force.flags.all()).with("--as", other.kind.word()).operand(&arguments.name);
    let (this, also) = (with_article(subject.kind.word()), with_article(other.kind.word()));
    format!("`{}` is {this} here, and also {also}: `{hint}`", subject.name)
}

fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn explain(
    (wanted, in_force): (u64, &InForce),
    words: &Words<'_>,
    subject: &ExplainedName,
    under: Option<PhaseKey>,
) -> Explanation {
    let InForce { profile, table, bad_blocks, .. } = in_force;
    let search = Search::new(profile, &table.distributions, in_force.start_of_plan());
    let (causes, trial) = rayon::join(|| Causes::new(&search, &subject.ops), || Trial::of_inputs(in_force, wanted));
    // Only the verdicts that are asked for are worth long searches.
    let can_start = CanStart::after(&search, in_force);
    let last = in_force.plan.as_ref().and_then(|plan| plan.phases().last());
    // Scenarios know a way out that the table does not.
    let has_scenarios = in_force.plan.as_ref().zip(last).is_some_and(|(plan, last)| !plan.scenarios(last).is_empty());
    let may_be_trapped = !trial.is_over && !has_scenarios;
    let trap = may_be_trapped.then(|| CanStart::new(in_force).trap(&trial.at_end, last)).flatten();
    let lost = trap.as_ref().map_or(&[][..], |trap| &trap.lost);
    let work = Explainer {
        in_force,
        search: &search,
        causes: &causes,
        trial: &trial,
        lost,
        can_start: &can_start,
        words,
        of_plan: PlanWords::new(in_force, &trial.phases),
        under,
        remedies: Remedies::new(in_force).filter(|_| under.is_none()),
        known: RefCell::default(),
    };
    let operations = subject.ops.iter().map(|&op| work.operation(op, wanted)).collect();
    Explanation {
        schema: 1,
        command: "explain",
        version: env!("CARGO_PKG_VERSION"),
        name: subject.name.clone(),
        kind: subject.kind.word(),
        profile: profile.name.clone(),
        table: table.described(profile),
        bad_blocks: bad_blocks.len(),
        badlist: words.badlist.map(str::to_owned),
        in_force: in_force.described() + &plan_line(in_force),
        under: under.map(|key| profile.phase_keys[key].name.clone()),
        bootstrap: in_force.bootstrap,
        trial: TrialEnd {
            operations: trial.ops,
            after_bootstrap: in_force.bootstrap,
            bootstrap_operations: trial.bootstrap_ops,
            is_over: trial.is_over,
            dead: dead_dies::of_trial(words, &trial, in_force.bootstrap),
            trapped: trap.as_ref().map(|trap| trap.described(in_force)),
            phases: trial.phases.iter().filter_map(TrialPhaseRow::new).collect(),
        },
        operations,
        change_is_cut: work.remedies.as_ref().is_some_and(Remedies::is_cut),
    }
}

/// The sources of an explanation.
struct Explainer<'w> {
    in_force: &'w InForce,
    search: &'w Search<'w>,
    causes: &'w Causes<'w>,
    trial: &'w Trial,
    /// The operations that can no longer start in the trap in which the trial ended; none without a trap.
    lost: &'w [OpId],
    /// Decides what the search leaves open.
    can_start: &'w CanStart<'w>,
    words: &'w Words<'w>,
    /// What the plan says, if there is one.
    of_plan: Option<PlanWords<'w>>,
    /// The phase key of `--under`.
    under: Option<PhaseKey>,
    /// Finds changes that let an operation start; `None` where advice for each cause must do.
    remedies: Option<Remedies<'w>>,
    /// The changes that were found so far.
    known: RefCell<Vec<KnownRemedy>>,
}

/// Chains of causes, an operation that they keep from starting, and the changes that were found for it.
type KnownRemedy = (Vec<Vec<Blocker>>, OpId, Option<Vec<ProfileChange>>);

impl Explainer<'_> {
    fn operation(&self, op: OpId, of: u64) -> Explained {
        let profile = &self.in_force.profile;
        let info = &profile.ops[op];
        let rows: Vec<(Verdict, KeyRow)> = self.keys().filter_map(|key| self.key(key, op)).collect();
        let steps = if self.under.is_none() { self.search.steps_of(op) } else { Vec::new() };
        let decided = match self.under {
            None => self.decided(self.causes.at_all(op), || self.trial.has_started(op), op),
            Some(_) => rows.first().map_or(Verdict::Unreachable(Reason::NoWeight), |(verdict, _)| *verdict),
        };
        let (is_step, is_help) = self.of_plan.as_ref().map_or((false, false), |plan| plan.starts(op));
        let is_proposed = rows.iter().any(|(row, _)| matches!(row, Verdict::Reachable | Verdict::Undecided));
        let appears = match decided {
            Verdict::Reachable if is_proposed => Appears::Proposed,
            Verdict::Reachable if !steps.is_empty() => Appears::InChains,
            Verdict::Reachable if is_step => Appears::InScenarios,
            Verdict::Reachable if is_help => Appears::AsHelp,
            Verdict::Reachable => Appears::InChains,
            Verdict::Undecided => Appears::Undecided,
            Verdict::Coincidence => Appears::ByCoincidence,
            Verdict::Unreachable(_) => Appears::Never,
        };
        let chains = self.chains(op, decided);
        let mut causes: Vec<_> = chains.iter().map(|chain| self.words.chain(chain)).collect();
        // What other shares cannot reach falls to what no share names.
        let is_rare = self.trial.started_and_reset(&[op]).0 * RARE < self.trial.ops;
        let is_drawn = causes.is_empty() && is_proposed && self.under.is_none() && is_rare;
        let crowded_out = self.of_plan.as_ref().filter(|_| is_drawn).and_then(|plan| plan.crowded_out(op));
        causes.extend(crowded_out.map(|link| vec![link]));
        let change = self.change(op, &chains, &causes);
        // The bootstrap's operations count among those that are asked about.
        let of = of.saturating_sub(self.trial.bootstrap_ops);
        let by_phase = self.by_phase(op);
        let expected = match (Expected::sum(&by_phase), self.under) {
            (Some(sum), _) => Some(sum),
            (None, None) => self.trial.expected(op, (of, 1), self.lost).map(|expected| self.limited(expected, op, 0)),
            (None, Some(key)) => {
                let expected = self.trial.expected_under(key, op, of, self.lost);
                expected.map(|expected| self.limited(expected, op, 0))
            }
        };
        let (with_weight, without_weight) =
            self.in_force.plan.as_ref().map_or_else(Default::default, |plan| plan.phases_of(op));
        let weightless_keys = self.keys().count() - rows.len();
        Explained {
            op_name: info.name.clone(),
            base: profile.bases[info.base].name.clone(),
            cell_type: profile.cell_types[info.cell_type].name.clone(),
            multi_plane: info.multi,
            appears,
            expected,
            expected_by_phase: PhaseExpected::all(&by_phase, &self.trial.phases),
            plan: self.of_plan.as_ref().map_or_else(SaidByPlan::default, |plan| plan.of(op)),
            needs: self.needs(op, appears),
            phases: with_weight.into_iter().map(str::to_owned).collect(),
            weightless_phases: without_weight.into_iter().map(str::to_owned).collect(),
            phase_keys: sorted(rows),
            weightless_keys,
            chains: steps.into_iter().map(|(chain, heads)| chain_row(profile, chain, &heads)).collect(),
            causes,
            change,
        }
    }

    /// What is expected in each phase of the plan; nothing without phases.
    fn by_phase(&self, op: OpId) -> Vec<Expected> {
        let has_phases = self.trial.ops > 0 && self.trial.phases.iter().any(|phase| phase.name.is_some());
        if !has_phases {
            return Vec::new();
        }
        let of_phases = self.trial.expected_by_phase(op, self.under, self.lost).into_iter().enumerate();
        of_phases.map(|(phase, expected)| self.limited(expected, op, phase)).collect()
    }

    /// An estimate within what limits of the plan let through.
    fn limited(&self, expected: Expected, op: OpId, phase: usize) -> Expected {
        let bound = self.of_plan.as_ref().and_then(|plan| plan.start_bound(op, phase));
        bound.map_or(expected, |bound| expected.within(bound))
    }

    /// What to change so that an operation appears: changes after which it does, or else advice for each chain of causes.
    fn change(&self, op: OpId, chains: &[Vec<Cause>], causes: &[Vec<Link>]) -> Vec<String> {
        if let Some(found) = self.remedy(op, chains) {
            let mut advice: Vec<String> = Vec::new();
            for one in found.iter().filter_map(|&change| self.words.change(change, &found)) {
                if !advice.contains(&one) {
                    advice.push(one);
                }
            }
            return vec![advice.join(", and ")];
        }
        let mut change: Vec<String> = Vec::new();
        for chain in causes {
            // Every link of a chain of causes has to be changed.
            let mut advice: Vec<&str> = chain.iter().filter_map(|link| link.advice.as_deref()).collect();
            advice.dedup();
            let advice = advice.join(", and ");
            if !advice.is_empty() && !change.contains(&advice) {
                change.push(advice);
            }
        }
        change
    }

    /// Changes after which an operation appears, if it never does; `None` if none are found. Names that are possible in the same
    /// states, and have the same causes, are helped by the same changes.
    fn remedy(&self, op: OpId, chains: &[Vec<Cause>]) -> Option<Vec<ProfileChange>> {
        let blockers = |chain: &Vec<Cause>| chain.iter().map(|cause| cause.blocker.clone()).collect();
        let causes: Vec<Vec<Blocker>> = chains.iter().map(blockers).collect();
        if causes.is_empty() {
            return None;
        }
        let remedies = self.remedies.as_ref()?;
        let alike = self.causes.alike(op);
        let known = self.known.borrow().iter().find(|(of, like, _)| *of == causes && alike.contains(like)).cloned();
        if let Some((_, like, found)) = known {
            let of_op = |change| match change {
                ProfileChange::Weight(key, name) if name == like => ProfileChange::Weight(key, op),
                ProfileChange::Weight(..) | ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => change,
            };
            let found = found.map(|found| found.into_iter().map(of_op).collect::<Vec<_>>());
            // The weights of a chain may still tell them apart.
            if found.as_ref().is_none_or(|found| remedies.fulfil_needs(found, op)) {
                return found;
            }
        }
        let preferred: Vec<OpId> = chains.iter().flatten().flat_map(|cause| &cause.ops).copied().collect();
        let found = remedies.of(op, &preferred);
        self.known.borrow_mut().push((causes, op, found.clone()));
        found
    }

    /// What is known of an operation that the search may leave open: a start in the trial decides, then what decides for
    /// `generate`.
    fn decided(&self, by_search: Verdict, has_started: impl Fn() -> bool, op: OpId) -> Verdict {
        if by_search != Verdict::Undecided {
            return by_search;
        }
        if has_started() { Verdict::Reachable } else { self.can_start.verdict(op) }
    }

    /// The chains of causes of an operation that never appears.
    fn chains(&self, op: OpId, decided: Verdict) -> Vec<Vec<Cause>> {
        let Verdict::Unreachable(reason) = decided else { return Vec::new() };
        let chains = match self.under {
            None => self.causes.of(op),
            Some(key) => self.causes.under(key, op),
        };
        if !chains.is_empty() {
            return chains;
        }
        // A search of some states only found the reason.
        let keys = self.keys().filter(|&key| self.in_force.table.share(key, op) > 0.0).collect();
        vec![vec![Cause { ops: vec![op], blocker: Blocker::Rule { reason, keys } }]]
    }

    fn keys(&self) -> impl Iterator<Item = PhaseKey> + '_ {
        self.in_force.profile.phase_keys.ids().filter(|key| self.under.is_none_or(|under| under == *key))
    }

    /// The row of a phase key, with its verdict; `None` if the phase key gives the operation no weight.
    fn key(&self, key: PhaseKey, op: OpId) -> Option<(Verdict, KeyRow)> {
        let profile = &self.in_force.profile;
        let verdict = self.causes.verdict(key, op);
        let started = self.trial.started_under(key, op);
        // That the operation starts under some key says nothing about this one. That it never does is said of all.
        let decided = self.decided(verdict, || started > 0, op);
        let is_shown_elsewhere = verdict == Verdict::Undecided && decided == Verdict::Reachable && started == 0;
        let verdict = if is_shown_elsewhere { verdict } else { decided };
        let (name, reason) = match verdict {
            Verdict::Reachable => ("reachable", String::new()),
            Verdict::Coincidence => ("coincidence", COINCIDENCE.to_owned()),
            Verdict::Undecided => ("undecided", Verdict::UNDECIDED.to_owned()),
            Verdict::Unreachable(Reason::Excluded | Reason::NoWeight) => return None,
            Verdict::Unreachable(reason) => ("never", reason.text(profile, key, op)),
        };
        let row = KeyRow {
            phase_key: profile.phase_keys[key].name.clone(),
            share: self.in_force.table.share(key, op),
            verdict: name,
            reason,
            started,
        };
        Some((verdict, row))
    }

    /// The needs of an operation that appears, with the operations that fulfil each.
    fn needs(&self, op: OpId, appears: Appears) -> Vec<String> {
        if appears == Appears::Never {
            return Vec::new();
        }
        let needs = self.causes.needs_of(op).into_iter();
        needs
            .map(|(need, providers)| {
                let by = self.words.operations(&providers);
                let evidence = self.evidence(op, &providers);
                let by = if by.is_empty() { by } else { format!(" (brought about by {by}{evidence})") };
                format!("{}{by}", self.words.need(need))
            })
            .collect()
    }

    /// Why operations that fulfil a need did not help an operation that did not start in the trial; empty if there is nothing to
    /// say.
    fn evidence(&self, op: OpId, providers: &[OpId]) -> String {
        if self.trial.ops == 0 || self.trial.started_and_reset(&[op]).0 > 0 {
            return String::new();
        }
        match self.trial.started_and_reset(providers) {
            (0, _) => "; none of them started in the trial".to_owned(),
            // Nine of ten are enough, because operations in flight at the end of the trial complete.
            (started, reset) if reset * 10 >= started * 9 => format!(
                "; a reset ended {} of the {} that the trial started: give resets less weight while they are busy",
                grouped(reset),
                grouped(started)
            ),
            _ => String::new(),
        }
    }
}

/// The phase keys in order of verdict, then of starts in the trial, then of share.
fn sorted(mut rows: Vec<(Verdict, KeyRow)>) -> Vec<KeyRow> {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Reachable | Verdict::Undecided => 0,
        Verdict::Coincidence => 1,
        Verdict::Unreachable(_) => 2,
    };
    rows.sort_by(|(a_verdict, a), (b_verdict, b)| {
        (rank(a_verdict), u64::MAX - a.started)
            .cmp(&(rank(b_verdict), u64::MAX - b.started))
            .then_with(|| b.share.total_cmp(&a.share))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

fn chain_row(profile: &Profile, chain: usize, heads: &[nandseq_profile::BaseId]) -> ChainRow {
    ChainRow {
        chain: profile.chains[chain].name.clone(),
        after: heads.iter().map(|&head| profile.bases[head].name.clone()).collect(),
    }
}
