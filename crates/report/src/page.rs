//! The page: one HTML file that shows the operations of runs, without a network.
//!
//! A page holds its own script, style and data. Its content security policy refuses every other source. It depends on its inputs
//! alone, and shows only what the files say. Data is packed into columns (`pack`); the script draws only what is visible.

mod counts;
mod fails;
mod pack;
mod plan;
mod suspects;
mod tracks;
mod violations;

use std::io::{self, Write};

use nandseq_profile::model::{Op, PhaseKind};
use nandseq_profile::{OpId, PhaseKey, Profile};
use nandseq_trace::rows::StateId;
use nandseq_trace::table::TableKind;
use serde::Serialize;

use crate::family::Family;
use crate::load::{RunInfo, SiteTables};
use crate::plan::PlanReport;
use counts::PackedCounts;
use fails::ShownFails;
pub use fails::{MOST_FAILS, PageFail, PageFails};
pub use plan::{ListedMatches, MOST_MATCHES, PageOfPlan};
use plan::{MatchesOfSite, RunTimes, run_times};
pub use suspects::{PageOfSuspects, ShownCount, ShownSuspect, SuspectExcerpt, UnevenPlace};
use tracks::{StateNumbers, Timelines};
pub use violations::VerifierVerdict;
use violations::Violations;

/// The most rows of timelines that a page shows by default. More rows make it slow to open, but not slow to use.
pub const MOST_ROWS: usize = 1_000_000;

const TEMPLATE: &str = include_str!("../page/page.html");
/// The parts of the page, by their marks in the template.
const PARTS: [(&str, &str); 10] = [
    ("style.css", include_str!("../page/style.css")),
    ("data.js", include_str!("../page/data.js")),
    ("theme.js", include_str!("../page/theme.js")),
    ("gantt.js", include_str!("../page/gantt.js")),
    ("gantt_input.js", include_str!("../page/gantt_input.js")),
    ("plan.js", include_str!("../page/plan.js")),
    ("suspects.js", include_str!("../page/suspects.js")),
    ("heatmap.js", include_str!("../page/heatmap.js")),
    ("charts.js", include_str!("../page/charts.js")),
    ("main.js", include_str!("../page/main.js")),
];

/// Weights of op names under a phase key.
pub type KeyDistribution = (PhaseKey, Vec<(OpId, f64)>);

/// The inputs of a page.
#[derive(Clone, Copy, Debug)]
pub struct PageSubject<'a> {
    /// The device.
    pub profile: &'a Profile,
    /// The sites, in order.
    pub sites: &'a [SiteTables],
    /// The probability table in force, if known: weights of op names by phase key.
    pub table: Option<&'a [KeyDistribution]>,
    /// The verdict of the verifier, if there is one.
    pub verdict: Option<&'a VerifierVerdict>,
    /// What a tester reported, if that is known.
    pub fails: Option<&'a PageFails>,
    /// The name and version of the tool.
    pub tool: &'a str,
    /// Further figures for the summary: name, value and meaning.
    pub figures: &'a [(String, String, String)],
    /// A sentence that says which part of the runs the page shows; empty for all of them.
    pub cut: &'a str,
    /// What the runs did of a test plan, if there is one.
    pub plan: Option<PageOfPlan<'a>>,
    /// What goes with failing, if the sites are excerpts that show it.
    pub suspects: Option<&'a PageOfSuspects>,
}

#[derive(Serialize)]
struct Data<'a> {
    tool: &'a str,
    device: PageDevice<'a>,
    unit_ps: u64,
    ops: Vec<PageOp<'a>>,
    bases: Vec<&'a str>,
    families: Vec<&'static str>,
    cell_types: Vec<&'a str>,
    /// The fields of an expected status that is a list; none if it is a word.
    status_fields: Vec<&'static str>,
    states: Vec<StateInfo>,
    keys: Vec<&'a str>,
    sites: Vec<SiteData<'a>>,
    /// For each phase key: number of the operation, share.
    configured: Option<Vec<Vec<(usize, f64)>>>,
    violations: Option<Violations>,
    fails: Option<ShownFails>,
    figures: &'a [(String, String, String)],
    cut: &'a str,
    plan: Option<PlanReport>,
    suspects: Option<&'a PageOfSuspects>,
}

#[derive(Serialize)]
struct PageDevice<'a> {
    name: &'a str,
    dies: u32,
    planes: u32,
    blocks: u32,
    pages: u32,
}

#[derive(Serialize)]
struct PageOp<'a> {
    name: &'a str,
    base: usize,
    family: usize,
    cell_type: usize,
    /// The fields of its payload.
    fields: Vec<&'static str>,
}

#[derive(Serialize)]
struct StateInfo {
    name: String,
    family: Option<usize>,
    /// How it is drawn: `issue`, `busy`, `window`, or `end` for an op_state without a phase.
    phase: &'static str,
}

#[derive(Serialize)]
struct SiteData<'a> {
    name: &'a str,
    runs: Vec<RunData<'a>>,
    /// The number of operations of each name.
    operations: Vec<u64>,
    missing: Vec<&'static str>,
    left_out: u64,
    timelines: Timelines,
    counts: PackedCounts,
    matches: Vec<MatchesOfSite>,
}

#[derive(Serialize)]
struct RunData<'a> {
    run: u64,
    /// The name of its phase.
    phase: Option<&'a str>,
    #[serde(flatten)]
    times: RunTimes,
    operations: u64,
    first_uid: u64,
    last_uid: u64,
}

/// Writes a page.
///
/// # Errors
/// The errors of `out`.
pub fn write(subject: &PageSubject<'_>, mut out: impl Write) -> io::Result<()> {
    let data = serde_json::to_string(&data(subject)).map_err(io::Error::other)?;
    // Only `<` could end the script element that the data is in.
    let data = data.replace('<', "\\u003c");
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        out.write_all(before.as_bytes())?;
        let Some((mark, after)) = after.split_once("}}") else { break };
        let part = PARTS.iter().find(|(name, _)| *name == mark).map(|(_, text)| *text);
        out.write_all(part.unwrap_or(&data).as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn data<'a>(subject: &PageSubject<'a>) -> Data<'a> {
    let profile = subject.profile;
    let names: Vec<StateId> = StateId::all(profile).collect();
    let states = StateNumbers::new(&names);
    let unit = tracks::time_unit(subject.sites);
    let op = |op: &'a Op| PageOp {
        name: &op.name,
        base: op.base.index(),
        family: Family::of(&profile.bases[op.base]) as usize,
        cell_type: op.cell_type.index(),
        fields: profile.bases[op.base].payload.iter().map(|field| field.name()).collect(),
    };
    let topology = profile.topology;
    Data {
        tool: subject.tool,
        device: PageDevice {
            name: &profile.name,
            dies: topology.dies,
            planes: topology.planes,
            blocks: topology.blocks_per_die,
            pages: topology.pages_per_block,
        },
        unit_ps: unit,
        ops: profile.ops.iter().map(op).collect(),
        bases: profile.bases.iter().map(|base| &*base.name).collect(),
        families: Family::ALL.iter().map(|family| family.name()).collect(),
        cell_types: profile.cell_types.iter().map(|cell| &*cell.name).collect(),
        status_fields: profile.export.status.iter().map(|field| field.name()).collect(),
        states: names.iter().map(|&name| state_info(profile, name)).collect(),
        keys: profile.phase_keys.iter().map(|key| &*key.name).collect(),
        sites: (0..subject.sites.len()).map(|at| site_data(subject, at, &states, unit)).collect(),
        configured: subject.table.map(|table| configured(profile, table)),
        violations: subject.verdict.map(|verdict| verdict.of(subject.sites, unit)),
        fails: subject.fails.map(|fails| fails.shown(profile, subject.sites, unit)),
        figures: subject.figures,
        cut: subject.cut,
        plan: subject.plan.map(|plan| plan.shown()),
        suspects: subject.suspects,
    }
}

fn state_info(profile: &Profile, name: StateId) -> StateInfo {
    let phase = match name.parts().and_then(|(_, phase)| phase) {
        None => "end",
        Some(PhaseKind::Issue) => "issue",
        Some(PhaseKind::CoreBusy) => "busy",
        Some(PhaseKind::DataIn | PhaseKind::DataOut) => "window",
    };
    let family = name.parts().map(|(base, _)| Family::of(&profile.bases[base]) as usize);
    StateInfo { name: name.text(profile), family, phase }
}

fn site_data<'a>(subject: &PageSubject<'a>, at: usize, states: &StateNumbers, unit: u64) -> SiteData<'a> {
    let (profile, site) = (subject.profile, &subject.sites[at]);
    let mut operations = vec![0; profile.ops.len()];
    for row in &site.operations {
        operations[row.op.index()] += 1;
    }
    let run = |(info, times): (&'a RunInfo, RunTimes)| {
        let (first_uid, last_uid) = info.uids.unwrap_or_default();
        let phase = info.phase.as_deref();
        RunData { run: info.run, phase, times, operations: info.operations, first_uid, last_uid }
    };
    let lacks = |kind: &TableKind| site.runs.iter().any(|run| run.missing.contains(kind));
    SiteData {
        name: &site.name,
        runs: site.runs.iter().zip(run_times(site, unit)).map(run).collect(),
        operations,
        missing: TableKind::ALL.into_iter().filter(lacks).map(TableKind::name).collect(),
        left_out: site.left_out,
        timelines: Timelines::new(profile, site, states, unit),
        counts: PackedCounts::new(site, states),
        matches: subject.plan.map(|plan| plan.of_site(profile, at, unit)).unwrap_or_default(),
    }
}

/// The share of each name under a key: its weight divided by the sum of all. Empty if the sum is 0.
pub(crate) fn shares(weights: &[(OpId, f64)]) -> impl Iterator<Item = (OpId, f64)> {
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.iter().filter(move |_| total > 0.0).map(move |&(op, weight)| (op, weight / total))
}

/// The shares of names under each key.
fn configured(profile: &Profile, table: &[KeyDistribution]) -> Vec<Vec<(usize, f64)>> {
    let mut configured = vec![Vec::new(); profile.phase_keys.len()];
    for (key, weights) in table {
        if let Some(of_key) = configured.get_mut(key.index()) {
            // Six decimals are more than a picture shows.
            *of_key = shares(weights).map(|(op, share)| (op.index(), (share * 1e6).round() / 1e6)).collect();
        }
    }
    configured
}
