//! An explanation as data, and as text.

use std::fmt::Write as _;

use nandseq_profile::diagnostic::{counted, grouped};
use serde::Serialize;

use super::of_plan::SaidByPlan;
use super::plan_trial::{PhaseEnd, TrialPhase};
use super::trial::Expected;
use super::words::Link;

/// Number of operations of a base or class that are listed; the rest are only counted.
const LISTED_OPS: usize = 20;
/// Number of phase keys that are listed; the rest are only counted.
const LISTED_KEYS: usize = 8;
/// Number of chains of causes that are shown for one operation.
const CHAINS: usize = 3;

/// Said of changes that were searched for no longer.
const CUT: &str = "The search for what to change was cut short: some of it may not be needed.\n";

/// The answer of `explain` as data.
#[derive(Serialize, Debug)]
pub(super) struct Explanation {
    /// The version of this form.
    pub(super) schema: u32,
    pub(super) command: &'static str,
    pub(super) version: &'static str,
    pub(super) name: String,
    /// `operation`, `base` or `class`
    pub(super) kind: &'static str,
    pub(super) profile: String,
    /// Where the table comes from.
    pub(super) table: String,
    pub(super) bad_blocks: usize,
    /// The list of bad blocks, if there is one.
    pub(super) badlist: Option<String>,
    /// Lines about the table and the bad blocks.
    #[serde(skip)]
    pub(super) in_force: String,
    /// The phase key of `--under`.
    pub(super) under: Option<String>,
    /// Whether the bootstrap comes first.
    pub(super) bootstrap: bool,
    pub(super) trial: TrialEnd,
    pub(super) operations: Vec<Explained>,
    /// Whether the search for changes was cut short, so that they may be more than it takes.
    pub(super) change_is_cut: bool,
}

/// How the trial ended.
#[derive(Serialize, Debug)]
pub(super) struct TrialEnd {
    /// Operations of the trial.
    pub(super) operations: u64,
    /// Whether the bootstrap came before it.
    pub(super) after_bootstrap: bool,
    /// Operations of the bootstrap.
    pub(super) bootstrap_operations: u64,
    /// Whether all dies were dead at its end.
    pub(super) is_over: bool,
    /// The dead dies at its end, in words.
    pub(super) dead: Option<String>,
    /// The trap in which every die was at its end, in words.
    pub(super) trapped: Option<String>,
    /// The phases of the test plan in the trial.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) phases: Vec<TrialPhaseRow>,
}

/// A phase of the test plan in the trial.
#[derive(Serialize, Debug)]
pub(super) struct TrialPhaseRow {
    phase: String,
    /// Operations in the trial.
    operations: u64,
    /// Operations of the phase, as far as the trial says.
    of: u64,
    end: PhaseEnd,
}

/// The explanation of one operation.
#[derive(Serialize, Debug)]
pub(super) struct Explained {
    pub(super) op_name: String,
    pub(super) base: String,
    pub(super) cell_type: String,
    pub(super) multi_plane: bool,
    pub(super) appears: Appears,
    /// How often it should start; `null` if nothing can be generated.
    pub(super) expected: Option<Expected>,
    /// The same in each phase of the test plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) expected_by_phase: Vec<PhaseExpected>,
    /// What the test plan says of it; nothing without a plan.
    #[serde(flatten)]
    pub(super) plan: SaidByPlan,
    /// Its needs, with the operations that fulfil each, in words.
    pub(super) needs: Vec<String>,
    /// The phases of the test plan that give it a weight, and those that do not. Without tables of their own there is no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) phases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) weightless_phases: Vec<String>,
    /// The phase keys that give it a weight, among those that were asked for.
    pub(super) phase_keys: Vec<KeyRow>,
    /// Number of phase keys that give it no weight, among those that were asked for.
    pub(super) weightless_keys: usize,
    /// The chains of which it can be a step.
    pub(super) chains: Vec<ChainRow>,
    /// Chains of causes, the shortest first.
    pub(super) causes: Vec<Vec<Link>>,
    /// The advice for each chain of causes, no advice twice.
    pub(super) change: Vec<String>,
}

/// Whether an operation appears.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Appears {
    /// It is proposed.
    Proposed,
    /// The device has too many states to decide.
    Undecided,
    /// Only as a step of chains.
    InChains,
    /// Only as a step of scenarios.
    InScenarios,
    /// Only to bring about what a step of a scenario lacks.
    AsHelp,
    /// It is proposed by coincidence only.
    ByCoincidence,
    /// Never.
    Never,
}

/// A phase key that gives an operation a weight.
#[derive(Serialize, Debug)]
pub(super) struct KeyRow {
    pub(super) phase_key: String,
    /// Its share of the proposals under the key, before operations that are not eligible are left out.
    pub(super) share: f64,
    /// `reachable`, `coincidence`, `undecided` or `never`
    pub(super) verdict: &'static str,
    pub(super) reason: String,
    /// Number of its proposals that started in the trial.
    pub(super) started: u64,
}

/// A chain that an operation can be a step of.
#[derive(Serialize, Debug)]
pub(super) struct ChainRow {
    pub(super) chain: String,
    /// The bases that begin it.
    pub(super) after: Vec<String>,
}

/// What is expected in a phase of a test plan.
#[derive(Serialize, Debug)]
pub(super) struct PhaseExpected {
    phase: String,
    #[serde(flatten)]
    expected: Expected,
    /// How the phase ended in the trial.
    end: PhaseEnd,
}

impl PhaseExpected {
    /// What is expected in each phase that has a name.
    pub(super) fn all(expected: &[Expected], phases: &[TrialPhase]) -> Vec<Self> {
        let of_phase = |(&expected, phase): (&Expected, &TrialPhase)| {
            Some(Self { phase: phase.name.clone()?, expected, end: phase.end })
        };
        expected.iter().zip(phases).filter_map(of_phase).collect()
    }
}

impl TrialPhaseRow {
    /// A phase; `None` if it has no name.
    pub(super) fn new(phase: &TrialPhase) -> Option<Self> {
        let (phase, TrialPhase { ops, of, end, .. }) = (phase.name.clone()?, phase);
        Some(Self { phase, operations: *ops, of: *of, end: *end })
    }

    fn text(&self) -> String {
        let Self { phase, operations, of, end } = self;
        let operations = grouped(*operations);
        match end {
            PhaseEnd::Cut => format!("{phase} {operations} of about {}", counted(*of, "operation")),
            PhaseEnd::CutBeforeUntil => format!("{phase} {operations} operations, broken off before `until`"),
            PhaseEnd::Whole => format!("{phase} all {operations}"),
        }
    }
}

impl TrialEnd {
    /// The words for the state that the trial began with.
    fn from(&self) -> String {
        match self.bootstrap_operations {
            0 if self.after_bootstrap => "after the bootstrap".to_owned(),
            0 => "from a blank device".to_owned(),
            some => format!("after the bootstrap of {}", grouped(some)),
        }
    }
}

impl Explanation {
    /// The explanation as text.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = match self.operations.as_slice() {
            [one] => self.write_one(&mut text, one),
            many => self.write_many(&mut text, many),
        };
        if self.change_is_cut {
            text.push_str(CUT);
        }
        text
    }

    fn write_one(&self, text: &mut String, op: &Explained) -> std::fmt::Result {
        let planes = if op.multi_plane { "several planes" } else { "one plane" };
        writeln!(text, "{}: base {}, cell type {}, {planes}", op.op_name, op.base, op.cell_type)?;
        self.write_in_force(text)?;
        self.write_verdict(text, op)?;
        match (op.phases.as_slice(), op.weightless_phases.as_slice()) {
            ([], []) => {}
            ([], _) => writeln!(text, "No phase of the plan gives it a weight.")?,
            (_, []) => writeln!(text, "Every phase of the plan gives it a weight.")?,
            (with, without) => {
                let (with, without) = (with.join(", "), without.join(", "));
                writeln!(text, "Phases of the plan that give it a weight: {with}; that do not: {without}.")?;
            }
        }
        for need in &op.needs {
            writeln!(text, "It needs {need}.")?;
        }
        for ChainRow { chain, after } in op.chains.iter().take(LISTED_KEYS) {
            writeln!(text, "It is a step of the chain {chain}, after {}.", after.join(", "))?;
        }
        let is_help = op.appears == Appears::AsHelp;
        op.plan.write(text, is_help)?;
        write_phases(text, op)?;
        write_causes(text, op)?;
        write_keys(text, op, self.under.is_some())
    }

    fn write_verdict(&self, text: &mut String, op: &Explained) -> std::fmt::Result {
        let under = self.under.as_ref().map_or_else(String::new, |key| format!(" under {key}"));
        let counted = op.expected.map_or(0, |expected| expected.counted);
        let how = match op.appears {
            Appears::InChains => " as a step of chains only",
            Appears::InScenarios => " as a step of scenarios only",
            Appears::AsHelp => " as a help to scenarios only",
            Appears::ByCoincidence => " by coincidence only",
            Appears::Never | Appears::Proposed | Appears::Undecided => "",
        };
        let trial = grouped(self.trial.operations);
        if op.never() {
            writeln!(text, "It never appears{under}.")?;
        } else if counted > 0 && self.trial.is_over {
            let of = format!("{}, after which nothing could ever start again", self.trial.from());
            writeln!(text, "It appears{under}{how}: {} of the {trial} operations of a trial {of}.", grouped(counted))?;
        } else if let Some(expected) = op.expected.filter(|_| counted > 0) {
            writeln!(text, "It appears{under}{how}: {}.", frequency(expected, &self.trial.from()))?;
        } else if self.trial.is_over && self.trial.operations > 0 {
            let of = format!("none of the {trial} operations of a trial {} was one", self.trial.from());
            writeln!(text, "It could appear{under}{how}, but {of}; after them nothing could ever start again.")?;
        } else if let Some(expected) = op.expected {
            writeln!(text, "It could appear{under}{how}, but did not: {}.", frequency(expected, &self.trial.from()))?;
        } else {
            let why = if self.trial.is_over { "nothing could start in a trial" } else { "there was no trial" };
            writeln!(text, "It did not appear{under}: {why}.")?;
        }
        self.write_end(text, op.appears != Appears::Never)
    }

    /// Writes what is in force, and how far the trial of a plan went.
    fn write_in_force(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "{}", self.in_force)?;
        if self.trial.phases.is_empty() {
            return Ok(());
        }
        let phases: Vec<String> = self.trial.phases.iter().map(TrialPhaseRow::text).collect();
        writeln!(text, "Trial of the phases: {}.", phases.join("; "))
    }

    /// Writes about the dead dies, and the trap, at the end of the trial.
    fn write_end(&self, text: &mut String, of_trial: bool) -> std::fmt::Result {
        if let Some(dead) = self.trial.dead.as_ref().filter(|_| of_trial) {
            writeln!(text, "At the end of the trial {dead}")?;
        }
        if let Some(trapped) = self.trial.trapped.as_ref().filter(|_| of_trial) {
            writeln!(text, "At the end of the trial {trapped}.")?;
        }
        Ok(())
    }

    fn write_many(&self, text: &mut String, ops: &[Explained]) -> std::fmt::Result {
        let never: Vec<&Explained> = ops.iter().filter(|op| op.never()).collect();
        let (kind, name, operations) = (self.kind, &self.name, counted(ops.len() as u64, "operation"));
        let unseen = ops.iter().filter(|op| !op.never() && !op.is_seen()).count();
        let never_appear = match (never.len(), unseen) {
            (0, 0) => "all of which appear".to_owned(),
            (1, _) => "1 of which never appears".to_owned(),
            (count, _) => format!("{count} of which never appear"),
        };
        write!(text, "{name}: {kind} of {operations}, {never_appear}")?;
        match (unseen, self.trial.operations) {
            (0, _) => writeln!(text)?,
            (some, 0) => writeln!(text, " and {some} did not")?,
            (some, of) => writeln!(text, " and {some} did not in a trial of {}", counted(of, "operation"))?,
        }
        self.write_in_force(text)?;
        self.write_end(text, never.len() < ops.len())?;
        let mut seen: Vec<&Explained> = ops.iter().filter(|op| !op.never()).collect();
        let mean = |op: &Explained| op.expected.map_or(0.0, |expected| expected.mean);
        seen.sort_by(|a, b| mean(b).total_cmp(&mean(a)).then_with(|| a.op_name.cmp(&b.op_name)));
        if let Some(expected) = seen.iter().find_map(|op| op.expected) {
            let (of, trial) = (counted(expected.of, "operation"), of_trial(expected, &self.trial.from()));
            match self.trial.is_over {
                true => writeln!(text, "In the trial, after which nothing could ever start again:")?,
                false => {
                    writeln!(text, "Expected in {of}, by a trial of {trial} (odds 19 to 1):")?;
                }
            }
        }
        let width = seen.iter().take(LISTED_OPS).map(|op| op.op_name.chars().count()).max().unwrap_or(0);
        for op in seen.iter().take(LISTED_OPS) {
            let name = &op.op_name;
            match op.expected {
                Some(expected) if self.trial.is_over => {
                    writeln!(text, "  {name:width$}  {:>8}", grouped(expected.counted))?;
                }
                Some(expected) => writeln!(text, "  {name:width$}  {}", estimate(expected))?,
                None => writeln!(text, "  {name:width$}")?,
            }
        }
        if seen.len() > LISTED_OPS {
            writeln!(text, "  {} more: --format json lists all", seen.len() - LISTED_OPS)?;
        }
        self.write_never(text, &never)
    }

    /// Writes the operations that never appear, grouped by cause.
    fn write_never(&self, text: &mut String, never: &[&Explained]) -> std::fmt::Result {
        let mut groups: Vec<(Vec<String>, Vec<&Explained>)> = Vec::new();
        for op in never {
            let first =
                op.causes.first().map(|chain| chain.iter().skip(1).map(|link| link.text.clone()).collect::<Vec<_>>());
            let mut key = first.unwrap_or_default();
            key.extend(op.causes.first().and_then(|chain| chain.first()).map(|link| link.reason(&op.op_name)));
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, ops)) => ops.push(op),
                None => groups.push((key, vec![op])),
            }
        }
        for (_, ops) in &groups {
            let names: Vec<&str> = ops.iter().take(LISTED_OPS).map(|op| &*op.op_name).collect();
            let more = ops.len().saturating_sub(LISTED_OPS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(text, "Never: {}{more}", names.join(", "))?;
            if let Some(op) = ops.first() {
                write_causes(text, op)?;
            }
        }
        Ok(())
    }
}

impl Explained {
    /// Whether it never appears by the search, nor in the trial.
    fn never(&self) -> bool {
        self.appears == Appears::Never && !self.is_seen()
    }

    /// Whether it started in the trial.
    fn is_seen(&self) -> bool {
        self.expected.is_some_and(|expected| expected.counted > 0)
    }
}

/// Writes how often an operation starts in each phase of a plan.
fn write_phases(text: &mut String, op: &Explained) -> std::fmt::Result {
    let phases = &op.expected_by_phase;
    if phases.is_empty() || op.never() {
        return Ok(());
    }
    writeln!(text, "By phase of the plan (odds 19 to 1):")?;
    let width = phases.iter().take(LISTED_OPS).map(|row| row.phase.chars().count()).max().unwrap_or(0);
    for PhaseExpected { phase, expected, end } in phases.iter().take(LISTED_OPS) {
        let more = if *end == PhaseEnd::CutBeforeUntil { " or more" } else { "" };
        writeln!(text, "  {phase:width$}  {} of {}{more}", estimate(*expected).trim_start(), grouped(expected.of))?;
    }
    let more = phases.len().saturating_sub(LISTED_OPS);
    if more > 0 { writeln!(text, "  {more} more: --format json lists all") } else { Ok(()) }
}

/// Writes the causes of one operation, and what to change.
fn write_causes(text: &mut String, op: &Explained) -> std::fmt::Result {
    for (at, chain) in op.causes.iter().take(CHAINS).enumerate() {
        let first = if op.appears == Appears::Never { "Why:" } else { "Why it is rare:" };
        writeln!(text, "{}", if at == 0 { first } else { "Also:" })?;
        for (number, link) in chain.iter().enumerate() {
            writeln!(text, "  {}. {}", number + 1, link.text)?;
            for stated in &link.stated {
                writeln!(text, "     {}", stated.text)?;
            }
        }
    }
    let more = op.causes.len().saturating_sub(CHAINS);
    if more > 0 {
        writeln!(text, "{} of causes: --format json lists all", counted(more as u64, "longer chain"))?;
    }
    for change in op.change.iter().take(CHAINS) {
        writeln!(text, "To change that: {change}")?;
    }
    Ok(())
}

/// Writes the phase keys that give an operation a weight.
fn write_keys(text: &mut String, op: &Explained, one_key: bool) -> std::fmt::Result {
    if op.phase_keys.is_empty() {
        return Ok(());
    }
    if !one_key {
        let some = counted(op.phase_keys.len() as u64, "phase key");
        writeln!(text, "It has a weight under {some}, none under {}:", op.weightless_keys)?;
    }
    let shown = &op.phase_keys[..op.phase_keys.len().min(LISTED_KEYS)];
    let width = shown.iter().map(|row| row.phase_key.chars().count()).max().unwrap_or(0).max(9);
    writeln!(text, "  {:width$}  {:>8}  {:>7}  verdict", "phase key", "share", "started")?;
    for row in shown {
        let verdict = match row.verdict {
            verdict if row.reason.is_empty() => verdict.to_owned(),
            // The reason includes the verdict.
            "coincidence" | "undecided" => row.reason.clone(),
            verdict => format!("{verdict}: {}", row.reason),
        };
        writeln!(text, "  {:width$}  {:>6.3} %  {:>7}  {verdict}", row.phase_key, 100.0 * row.share, row.started)?;
    }
    let more = op.phase_keys.len() - shown.len();
    if more > 0 {
        writeln!(text, "  {more} more: --under KEY shows one of them, --format json all")?;
    }
    Ok(())
}

/// What the trial began with and ended in: " from a blank device, in a trap after 23".
fn of_trial(expected: Expected, from: &str) -> String {
    let trap = expected.trapped_after.map_or_else(String::new, |after| format!(", in a trap after {}", grouped(after)));
    format!("{} {from}{trap}", grouped(expected.trial))
}

/// How often an operation should start: "about 12 of 1,000 operations (9.9 to 15 with odds 19 to 1, by a trial of …)".
fn frequency(expected: Expected, from: &str) -> String {
    let (of, trial) = (counted(expected.of, "operation"), of_trial(expected, from));
    let Expected { mean, least, most, .. } = expected;
    match (expected.counted, expected.has_bounds()) {
        (_, true) if expected.limited => format!(
            "{} to {} of {of} (what came in a trial of {trial}, in which its limit was reached, to what the limit allows)",
            figure(mean),
            figure(most)
        ),
        (_, false) if expected.limited => format!("about {} of {of}, which is all that its limit allows", figure(mean)),
        (0, false) => format!("none came in a trial of {trial}"),
        (0, true) => format!("at most {} of {of}; none came in a trial of {trial} (odds 19 to 1)", figure(most)),
        (_, false) => format!("about {} of {of} (by a trial of {trial})", figure(mean)),
        (_, true) => format!(
            "about {} of {of} ({} to {} with odds 19 to 1, by a trial of {trial})",
            figure(mean),
            figure(least),
            figure(most)
        ),
    }
}

/// The same, short, for a table.
fn estimate(expected: Expected) -> String {
    let range = match (expected.limited, expected.has_bounds()) {
        (true, _) => "  (limit reached: not scaled)".to_owned(),
        (false, true) => format!("  ({} to {})", figure(expected.least), figure(expected.most)),
        (false, false) => String::new(),
    };
    format!("{:>8}{range}", figure(expected.mean))
}

/// A number of operations: from 10 on without decimals, below with one, or with two digits that are not zeros in front.
pub(crate) fn figure(number: f64) -> String {
    match number {
        number if number >= 10.0 => grouped(number.round() as u64),
        number if number >= 0.1 || number <= 0.0 => format!("{number:.1}"),
        number if number >= 0.01 => format!("{number:.3}"),
        number if number >= 0.001 => format!("{number:.4}"),
        number => format!("{number:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn small_figures_have_two_digits_and_none_is_rounded_to_nothing() {
        for (number, expected) in [
            (0.0, "0.0"),
            (0.00012, "1.2e-4"),
            (0.0034, "0.0034"),
            (0.034, "0.034"),
            (0.34, "0.3"),
            (3.71, "3.7"),
            (1234.5, "1,235"),
        ] {
            assert_eq!(figure(number), expected);
        }
    }
}
