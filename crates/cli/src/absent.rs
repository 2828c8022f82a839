//! Why an operation of the profile did not start: it was refused, has no weight, is never eligible, was not drawn before the
//! device was dead or trapped, or was not drawn by chance.
//!
//! Summary and proposer log both take the reasons from here. What is said of an operation does not depend on who asks
//! ([`CanStart`]). An operation counts as able to start unless something rules that out.

use std::collections::BTreeMap;
use std::sync::Arc;

use nandseq_generate::dead::LastingState;
use nandseq_generate::{Rejections, Site};
use nandseq_plan::model::{PhaseUntil, WHOLE};
use nandseq_profile::OpId;
use nandseq_profile::model::DeviceState;
use nandseq_reach::{Reason, Verdict};

use crate::campaign::Campaign;
use crate::can_start::{CanStart, TrappedDies};
use crate::explain::{Expected, Trial, figure, most_of_none};

/// Why an operation did not start.
#[derive(Clone, Debug)]
pub(crate) enum Absence {
    /// It was drawn and never started: the number of refusals, and the code of the most frequent reason.
    Refused(u64, &'static str),
    /// No phase key gives it a weight, and no chain that draws it ever begins.
    NoWeight,
    /// It can never start, for this reason.
    NeverEligible(Reason),
    /// It was not drawn before the device was dead.
    Dead,
    /// It was not drawn before every die was in states that nothing ends, in which it cannot start: the names of the states.
    Trapped(String),
    /// It was not drawn by chance: it can start. The number of starts to be expected, if the trial says so.
    NotDrawn(Option<Expected>),
    /// It was not drawn, and nothing rules it out, on a device with too many states to decide whether it can start.
    Undecided(Option<Expected>),
    /// It was not drawn, although by the trial it is next to impossible that none starts.
    UnlikeTrial(Expected),
}

/// The starts and refusals of some runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartCounts<'s> {
    /// Operations started, by [`OpId`].
    pub(crate) by_op: &'s [u64],
    /// Refused proposals.
    pub(crate) rejections: &'s Rejections,
    /// Operations started.
    pub(crate) ops: u64,
    /// Of these, the operations of bootstraps, which are drawn by other weights.
    pub(crate) bootstrap_ops: u64,
    /// The number of sites that started them.
    pub(crate) sites: u64,
    /// The lasting states of each die at the end; none if they are not known.
    pub(crate) at_end: &'s [Vec<DeviceState>],
    /// The phase of the last of these runs.
    pub(crate) phase: usize,
    /// Whether the device was dead at the end, so that nothing could ever start again.
    pub(crate) all_dead: bool,
}

impl Absence {
    /// The number of refusals.
    pub(crate) const fn times(&self) -> u64 {
        match self {
            Self::Refused(times, _) => *times,
            Self::NoWeight
            | Self::NeverEligible(_)
            | Self::Dead
            | Self::Trapped(_)
            | Self::NotDrawn(_)
            | Self::Undecided(_)
            | Self::UnlikeTrial(_) => 0,
        }
    }

    /// The code of the reason in the proposer log.
    pub(crate) fn code(&self) -> String {
        match self {
            Self::Refused(..) => "never_started".to_owned(),
            Self::NoWeight => "no_weight".to_owned(),
            Self::NeverEligible(reason) => format!("never_eligible:{}", reason.code()),
            Self::Dead => "dead_device".to_owned(),
            Self::Trapped(state) => format!("trapped:{state}"),
            Self::UnlikeTrial(expected) => format!("unlike_trial:{}", figure(expected.mean)),
            Self::NotDrawn(expected) => format!("never_drawn{}", estimate(expected.as_ref())),
            Self::Undecided(expected) => format!("undecided{}", estimate(expected.as_ref())),
        }
    }
}

/// An estimate in the proposer log: `:12`, or `:<3.7` if the trial had none.
fn estimate(expected: Option<&Expected>) -> String {
    match expected {
        None => String::new(),
        Some(expected) if expected.counted == 0 => format!(":<{}", figure(expected.most)),
        Some(expected) => format!(":{}", figure(expected.mean)),
    }
}

/// Why operations of a campaign did not start.
#[derive(Debug)]
pub(crate) struct Absences<'p> {
    /// The campaign.
    pub(crate) campaign: &'p Campaign,
    can_start: CanStart<'p>,
    /// The same with the addresses and the scenarios of the plan, if there is one.
    of_plan: Option<CanStart<'p>>,
}

impl<'p> Absences<'p> {
    /// Finds nothing yet.
    pub(crate) const fn new(campaign: &'p Campaign) -> Self {
        let in_force = &campaign.in_force;
        let of_plan = if in_force.plan.is_some() { Some(CanStart::of_plan(in_force)) } else { None };
        Self { campaign, can_start: CanStart::new(in_force), of_plan }
    }

    /// Why each operation that is missing did not start.
    pub(crate) fn of(&self, started: &StartCounts<'_>) -> Vec<(OpId, Absence)> {
        let mut refused: BTreeMap<OpId, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (&(_, op, reason), count) in started.rejections {
            *refused.entry(op).or_default().entry(reason.code()).or_default() += count;
        }
        let trap = (!started.all_dead).then(|| self.can_start.trap(started.at_end, Some(started.phase))).flatten();
        let absent = started.by_op.iter().enumerate().filter(|&(_, &count)| count == 0).map(|(op, _)| OpId::from(op));
        let absence = |op| match refused.get(&op) {
            Some(reasons) => most_frequent(reasons),
            None => self.without_refusal(op, started, trap.as_deref()),
        };
        absent.map(|op| (op, absence(op))).collect()
    }

    /// The trap in which all dies are at the end of the last phase; `None` if there is none.
    pub(crate) fn trap(&self, at_end: &[Vec<DeviceState>]) -> Option<Arc<TrappedDies>> {
        self.can_start.trap(at_end, Some(last_phase(self.campaign)))
    }

    /// The coverage, in bins, at which a site ends, or at which a phase does.
    fn until(&self, phase: usize) -> Option<u64> {
        let closure = self.campaign.closure.as_ref()?;
        // Scenarios start operations that have no weight, so they know a way out that the table does not.
        let has_scenarios = || self.campaign.plan.as_ref().is_some_and(|plan| !plan.scenarios(phase).is_empty());
        let bins = u128::from(closure.model.bin_count());
        let of_phase = match self.campaign.phases.all()[phase].until {
            Some(PhaseUntil::Covered(share)) if !has_scenarios() => {
                u64::try_from((bins * u128::from(share)).div_ceil(u128::from(WHOLE))).ok()
            }
            Some(
                PhaseUntil::Covered(_) | PhaseUntil::Programmed(_) | PhaseUntil::Erased(_) | PhaseUntil::ScenariosDone,
            )
            | None => None,
        };
        closure.until().or(of_phase)
    }

    /// Whether some coverage ends a site, or a phase, so that a trap may keep it from that.
    pub(crate) fn has_until(&self, phase: usize) -> bool {
        self.until(phase).is_some()
    }

    /// The trap that keeps a site from the coverage at which it, or a phase, ends; `None` if it may still reach it.
    pub(crate) fn trap_before_until(&self, site: &Site<'_>, phase: usize) -> Option<Arc<TrappedDies>> {
        let until = self.until(phase)?;
        let states: Vec<Vec<DeviceState>> = site.lasting_states().iter().map(LastingState::device_states).collect();
        let trap = self.can_start.trap(&states, Some(phase))?;
        let left = {
            let may_come = self.can_start.left_in(&trap, &site.shown_keys());
            site.uncovered().into_iter().filter(|bin| may_come(bin.key, bin.op)).count() as u64
        };
        let hit = site.reached().map_or(0, |reached| reached.hit);
        (hit + left < until).then_some(trap)
    }

    fn without_refusal(&self, op: OpId, started: &StartCounts<'_>, trap: Option<&TrappedDies>) -> Absence {
        // What scenarios alone may start has no weight all the same.
        let by_table = self.can_start.verdict(op);
        let has_none = matches!(by_table, Verdict::Unreachable(Reason::NoWeight | Reason::Excluded | Reason::NoHead));
        let of_plan = self.of_plan.as_ref().filter(|_| !has_none);
        let verdict = of_plan.map_or(by_table, |of_plan| of_plan.verdict(op));
        match verdict {
            Verdict::Unreachable(Reason::NoWeight | Reason::Excluded | Reason::NoHead) => return Absence::NoWeight,
            Verdict::Unreachable(reason) => return Absence::NeverEligible(reason),
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => {}
        }
        if started.all_dead {
            return Absence::Dead;
        }
        if let Some(trap) = trap.filter(|trap| trap.lost.contains(&op)) {
            return Absence::Trapped(trap.states_against(&self.campaign.profile, op));
        }
        let drawn = started.ops.saturating_sub(started.bootstrap_ops);
        // Directed generation, and plans, draw in another way than the trial.
        let plain = self.campaign.closure.as_ref().is_none_or(|closure| !closure.directed)
            && self.campaign.plan.as_ref().is_none_or(|plan| plan.table(0).is_none() && plan.is_of_tables());
        let trial = plain.then(|| self.can_start.trial()).filter(|trial| !trial.is_over);
        let expected = trial
            .filter(|_| Trial::is_like(drawn, started.sites))
            .and_then(|trial| trial.expected(op, (drawn, started.sites), self.can_start.lost_in_trial()))
            .filter(|expected| expected.counted > 0 || expected.has_bounds());
        let expected = expected.map(|expected| {
            // That the runs had none is evidence too.
            let most = if expected.counted == 0 { expected.most.min(most_of_none()) } else { expected.most };
            Expected { most, ..expected }
        });
        match expected {
            Some(expected) if trial.is_some_and(|trial| trial.is_unlike(op, drawn, started.sites)) => {
                Absence::UnlikeTrial(expected)
            }
            expected if verdict == Verdict::Undecided => Absence::Undecided(expected),
            expected => Absence::NotDrawn(expected),
        }
    }
}

/// The last phase of a campaign.
pub(crate) fn last_phase(campaign: &Campaign) -> usize {
    campaign.phases.all().len() - 1
}

/// The refusals with their most frequent reason; of equally frequent reasons, the first by code.
fn most_frequent(reasons: &BTreeMap<&'static str, u64>) -> Absence {
    let times = reasons.values().sum();
    let most = reasons.iter().max_by_key(|&(code, count)| (count, std::cmp::Reverse(code)));
    Absence::Refused(times, most.map_or("", |(code, _)| code))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::io;

    use nandseq_generate::{RunLimits, Setup};
    use nandseq_profile::{PhaseKey, Ticks};
    use nandseq_trace::{Operation, Sink};

    use super::*;
    use crate::arguments::flags_of_manifest;
    use crate::campaign::resolve;

    /// A device that erases only while on-die termination is on. What turns it on again has no weight in the second phase.
    const DEVICE: &str = "schema: 1
name: termination
topology: {dies: 1, planes: 2, blocks_per_die: 8, pages_per_block: 4}
cell_types: {NONE: [], SLC: []}
policies: {queue_refill_period: 50}
bases:
  ERASE: {scope: die, affects_state: true, phases: [ISSUE, CORE_BUSY], address: any_block, payload: [die, plane, block, page, celltype], effects: [erase]}
  STATUS: {scope: none, instant: true, phases: [ISSUE], payload: [die, exp_val], effects: [status_read]}
  ODT_OFF: {scope: target, instant: true, phases: [ISSUE], effects: [odt_disable]}
  ODT_ON: {scope: target, instant: true, phases: [ISSUE], effects: [odt_enable]}
ops:
  Erase: {base: ERASE, celltype: SLC, ISSUE: 0.1, CORE_BUSY: 100}
  Status: {base: STATUS, ISSUE: 0.1, status_of: die}
  Other_Status: {base: STATUS, ISSUE: 0.1, status_of: die}
  Off: {base: ODT_OFF, ISSUE: 0.1}
  Enable: {base: ODT_ON, ISSUE: 0.1}
exclusion_groups: {er: [ERASE]}
exclusions: {state: {ODT_DISABLE: [er]}}
phase_conditional: {DEFAULT: {Erase: 0.3, Status: 0.2, Other_Status: 0.1, Off: 0.2, Enable: 0.2}}
";
    const PLAN: &str = "schema: 1
phases:
  - {name: open, runs: 1, ops: 50, until: {covered: 100 %}}
  - {name: trapped, runs: 1, ops: 50, until: {covered: 100 %}, probabilities: {global: {Enable: 0, Other_Status: 0}}}
";

    struct Ignored;

    impl Sink for Ignored {
        fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
            Ok(())
        }
    }

    fn campaign() -> (tempfile::TempDir, Campaign) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (device, plan, out) = (path("device.yaml"), path("plan.yaml"), path("out"));
        std::fs::write(&device, DEVICE).unwrap();
        std::fs::write(&plan, PLAN).unwrap();
        let arguments = ["generate", "--config", &device, "--plan", &plan, "--out-dir", &out].map(str::to_owned);
        let mut remarks = String::new();
        let campaign = resolve(&flags_of_manifest(&arguments).unwrap(), &mut remarks);
        (folder, campaign.unwrap_or_else(|failure| panic!("{} {remarks}", failure.plain_text())))
    }

    fn named(campaign: &Campaign, key: &str, op: &str) -> (PhaseKey, OpId) {
        let profile = &campaign.profile;
        let key = profile.phase_keys.ids().find(|&of| profile.phase_keys[of].name == key).unwrap();
        (key, profile.ops.ids().find(|&of| profile.ops[of].name == op).unwrap())
    }

    #[test]
    fn what_may_come_in_a_trap_is_drawn_by_the_table_of_the_phase_under_keys_that_come_up() {
        let (_folder, campaign) = campaign();
        let can_start = CanStart::new(&campaign.in_force);
        let off = [vec![DeviceState::OdtDisabled]];
        assert!(can_start.trap(&off, Some(0)).is_none() && can_start.trap(&off, None).is_none());
        let trap = can_start.trap(&off, Some(1)).unwrap();
        let lost: Vec<&str> = trap.lost.iter().map(|&op| &*campaign.profile.ops[op].name).collect();
        assert_eq!(lost, ["Erase"]);
        let may_come = |shown: &[&str], key: &str, op: &str| {
            let shown: Vec<PhaseKey> = shown.iter().map(|key| named(&campaign, key, op).0).collect();
            let (key, op) = named(&campaign, key, op);
            can_start.left_in(&trap, &shown)(key, op)
        };
        assert!(may_come(&[], "DEFAULT", "Status") && may_come(&[], "DEFAULT", "Off"));
        assert!(!may_come(&[], "DEFAULT", "Erase") && !may_come(&[], "ERASE.CORE_BUSY", "Status"));
        // A plane still shows an erase.
        assert!(may_come(&["ERASE.CORE_BUSY"], "ERASE.CORE_BUSY", "Status"));
        assert!(!may_come(&["ERASE.CORE_BUSY"], "ERASE.CORE_BUSY", "Erase"));
        // The phase gives them no weight.
        assert!(!may_come(&[], "DEFAULT", "Other_Status") && !may_come(&[], "DEFAULT", "Enable"));
        let described = trap.described(&campaign.in_force);
        assert!(described.ends_with("ODT_ON would end that: give it a weight in the phase `trapped`"), "{described}");
    }

    #[test]
    fn a_trap_keeps_a_site_from_the_until_of_the_phase_whose_table_does_not_end_it() {
        let (_folder, campaign) = campaign();
        let absences = Absences::new(&campaign);
        let table = campaign.plan.as_ref().unwrap().table(1).unwrap();
        let model = campaign.closure.as_ref().unwrap().model.clone();
        let setup = Setup::new(&campaign.profile, table, &[]).unwrap().with_coverage_model(&campaign.profile, model);
        let mut site = Site::new(&setup, campaign.sites[0].seeds);
        assert!(absences.trap_before_until(&site, 1).is_none(), "the device is blank");
        let limits = RunLimits { run_until: Ticks::from_us(1_000_000), max_ops: Some(200), ..RunLimits::default() };
        site.run(&limits, &mut Ignored).unwrap();
        let states: Vec<_> = site.lasting_states().iter().map(LastingState::device_states).collect();
        assert!(states[0].contains(&DeviceState::OdtDisabled), "{states:?}");
        assert!(absences.trap_before_until(&site, 1).is_some());
        assert!(absences.trap_before_until(&site, 0).is_none(), "the table of the other phase ends it");
    }
}
