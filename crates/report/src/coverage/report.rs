//! Coverage as a report: for people as text, for machines as JSON.

use std::collections::BTreeMap;
use std::fmt;

use nandseq_profile::Profile;
use nandseq_profile::diagnostic::counted;
use serde::{Deserialize, Serialize};

use super::{
    AddressFigures, Bin, Coverage, CoverageUniverse, Figures, GAP, PairFigures, PartCounts, UncoveredBins,
    uncovered_bins,
};
use crate::page::KeyDistribution;
use crate::plan::PlanReport;

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// A part of what was counted: a run, a site, or a file of counts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CoveragePart {
    /// Its name.
    pub name: String,
    /// The name of its phase, for a run in phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Its own figures.
    pub figures: Figures,
    /// Bins of the universe that it hit and no part before it had hit.
    pub added: u64,
}

/// A report on coverage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CoverageReport {
    /// The version of this form.
    pub schema: u32,
    /// The name of the profile.
    pub profile: String,
    /// Where the universe comes from, in words.
    pub universe: String,
    /// Phase keys whose phase has no length with any operation: they have no tenths.
    pub without_length: Vec<String>,
    /// All parts together.
    pub merged: Figures,
    /// The sites, in order.
    pub sites: Vec<CoveragePart>,
    /// The runs, in order.
    pub runs: Vec<CoveragePart>,
    /// Addresses by cell type.
    pub addresses: Vec<AddressFigures>,
    /// Ordered pairs of operations.
    pub pairs: PairFigures,
    /// What was not hit, nearest first.
    #[serde(rename = "holes")]
    pub uncovered_bins: Vec<UncoveredBins>,
    /// What the runs did of a test plan, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanReport>,
}

/// The parts of a coverage as they are counted, and the sum of them all.
#[derive(Clone, Default, Debug)]
pub struct CoverageParts {
    sites: Vec<(String, Coverage)>,
    merged: Coverage,
    runs: Vec<CoveragePart>,
}

impl CoverageParts {
    /// Adds a run of a site. [`CoveragePart::added`] depends on the order of the runs; the sums do not.
    pub fn add(&mut self, universe: &CoverageUniverse, site: &str, run: &str, coverage: &Coverage) {
        let mut part = CoveragePart::new(format!("{site}{run}"), universe, coverage, &self.merged);
        part.phase = coverage.parts.values().find_map(|part| part.phase.clone());
        self.runs.push(part);
        self.merged.add_sums(coverage);
        let at = self.sites.iter().position(|(name, _)| name == site).unwrap_or_else(|| {
            self.sites.push((site.to_owned(), Coverage::default()));
            self.sites.len() - 1
        });
        self.sites[at].1.add_sums(coverage);
    }

    /// Adds stored coverage: its parts one after another, then the counts that only the sums have.
    pub fn add_stored(&mut self, universe: &CoverageUniverse, stored: &Coverage) {
        for (name, counts) in &stored.parts {
            let (PartCounts { operations, bins, .. }, parts) =
                (counts.clone(), [(name.clone(), counts.clone())].into());
            let part = Coverage { operations, bins, parts, ..Coverage::default() };
            self.add(universe, &name.site, &name.run_text(), &part);
        }
        let (operations, bins, parts) = Default::default();
        self.merged.add_sums(&Coverage { operations, bins, parts, ..stored.clone() });
    }

    /// The sum of all parts.
    #[must_use]
    pub fn merged(&self) -> &Coverage {
        &self.merged
    }

    /// The report on what was added.
    #[must_use]
    pub fn report(
        self,
        profile: &Profile,
        universe: &CoverageUniverse,
        table: Option<&[KeyDistribution]>,
    ) -> CoverageReport {
        let mut before = Coverage::default();
        let mut sites = Vec::new();
        for (name, coverage) in self.sites {
            sites.push(CoveragePart::new(name, universe, &coverage, &before));
            before.add_sums(&coverage);
        }
        CoverageReport {
            schema: SCHEMA,
            profile: profile.name.clone(),
            universe: universe.source().to_owned(),
            without_length: without_length(profile, universe),
            merged: Figures::new(&self.merged, universe),
            sites,
            runs: self.runs,
            addresses: AddressFigures::of(profile, &self.merged),
            pairs: PairFigures::of(profile, &self.merged),
            uncovered_bins: uncovered_bins(profile, &self.merged, universe, table),
            plan: None,
        }
    }
}

fn without_length(profile: &Profile, universe: &CoverageUniverse) -> Vec<String> {
    let phases = profile.phase_keys.iter_ids().filter(|(_, info)| info.phase.is_some());
    phases.filter(|(key, _)| universe.time_bin_count(*key) == 1).map(|(_, info)| info.name.clone()).collect()
}

impl CoveragePart {
    fn new(name: String, universe: &CoverageUniverse, coverage: &Coverage, before: &Coverage) -> Self {
        let is_new = |bin| universe.holds(bin) && !before.bins.contains_key(&bin);
        let added = coverage.bins.keys().filter(|&&bin| is_new(bin)).count() as u64;
        Self { name, phase: None, figures: Figures::new(coverage, universe), added }
    }
}

impl CoverageReport {
    /// The report as text, with the uncovered bins of at most `most_holes` pairs.
    #[must_use]
    pub fn to_text(&self, most_uncovered: usize) -> String {
        ReportText { report: self, most_uncovered }.to_string()
    }
}

struct ReportText<'a> {
    report: &'a CoverageReport,
    most_uncovered: usize,
}

impl fmt::Display for ReportText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CoverageReport { merged, universe, .. } = self.report;
        writeln!(f, "Coverage of {}", self.report.profile)?;
        writeln!(f, "Universe: {} (phase key × op name × time bin), {universe}.", counted(merged.bins, "bin"))?;
        let (operations, hits) = (counted(merged.operations, "operation"), counted(merged.hits, "proposal"));
        writeln!(f, "\n{operations}, {hits} counted.")?;
        let closure = |f: &mut fmt::Formatter<'_>, what: &str, bins: u64, share: f64| {
            writeln!(f, "  {what:<28} {bins:>9} {:<4}  {share:>9.3} %", if bins == 1 { "bin" } else { "bins" })
        };
        closure(f, "hit at least once", merged.hit, merged.closure)?;
        closure(f, "hit at least ten times", merged.hit_ten, merged.closure_ten)?;
        writeln!(f, "  {:<28} {:>9.4}  (1: every bin as often as every other)", "evenness (entropy)", merged.evenness)?;
        writeln!(f, "  {:<28} {:>9.1}", "effective bins", merged.effective_bins)?;
        writeln!(f, "  {:<28} {:>9.4}  (0: every bin as often as every other)", "Gini coefficient", merged.gini)?;
        writeln!(
            f,
            "One more operation proposed and started finds something new with a probability of {:.4} (Good and Turing; it \
             says nothing of --closure).",
            merged.unseen
        )?;
        if merged.outside.0 > 0 {
            let (bins, hits) = merged.outside;
            let (hits, bins) = (counted(hits, "proposal"), counted(bins, "bin"));
            writeln!(f, "Besides, {hits} hit {bins} outside the universe.")?;
        }
        self.parts(f)?;
        self.addresses(f)?;
        let pairs = &self.report.pairs;
        let share = |count: u64| if pairs.pairs == 0 { 0.0 } else { 100.0 * count as f64 / pairs.pairs as f64 };
        writeln!(
            f,
            "\nOrdered pairs of operations, of {}: {} adjacent ({:.2} %), {} within {GAP} rows ({:.2} %).",
            pairs.pairs,
            pairs.adjacent,
            share(pairs.adjacent),
            pairs.within,
            share(pairs.within)
        )?;
        self.uncovered_bins(f)?;
        self.report.plan.as_ref().map_or(Ok(()), |plan| write!(f, "\n{}", plan.to_text()))
    }
}

impl ReportText<'_> {
    fn parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, parts) in [("site", &self.report.sites), ("run", &self.report.runs)] {
            if parts.len() < 2 {
                continue;
            }
            const SHOWN: usize = 40;
            writeln!(
                f,
                "\n{what:<32} {:>10} {:>8} {:>9} {:>9} {:>9}",
                "operations", "hit", "closure", "new", "unseen"
            )?;
            for CoveragePart { name, phase, figures, added } in parts.iter().take(SHOWN) {
                let Figures { operations, hit, closure, unseen, .. } = figures;
                let name = phase.as_ref().map_or_else(|| name.clone(), |phase| format!("{name}, {phase}"));
                writeln!(f, "{name:<32} {operations:>10} {hit:>8} {closure:>7.2} % {added:>9} {unseen:>9.4}")?;
            }
            if parts.len() > SHOWN {
                writeln!(f, "… and {} more; all are in the JSON.", parts.len() - SHOWN)?;
            }
        }
        Ok(())
    }

    fn addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<12} {:>32}   {:>32}",
            "cell type", "programmed planes/blocks/pages", "read planes/blocks/pages"
        )?;
        for AddressFigures { cell_type, programmed, read } in &self.report.addresses {
            let places =
                |one: &super::figures::TouchedPlaces| format!("{} / {} / {}", one.planes, one.blocks, one.pages);
            writeln!(f, "{cell_type:<12} {:>32}   {:>32}", places(programmed), places(read))?;
        }
        Ok(())
    }

    fn uncovered_bins(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uncovered_bins = &self.report.uncovered_bins;
        if uncovered_bins.is_empty() {
            return writeln!(f, "\nNo uncovered bins.");
        }
        writeln!(
            f,
            "\nUncovered bins, nearest first ({} of key and name):",
            counted(uncovered_bins.len() as u64, "pair")
        )?;
        for UncoveredBins { phase_key, op_name, time_bins, why, .. } in uncovered_bins.iter().take(self.most_uncovered)
        {
            let time_bins: Vec<String> = time_bins.iter().map(u8::to_string).collect();
            writeln!(f, "  {phase_key}  {op_name}  [{}]  {why}", time_bins.join(" "))?;
        }
        if uncovered_bins.len() > self.most_uncovered {
            writeln!(f, "  … and {} more; all are in the JSON.", uncovered_bins.len() - self.most_uncovered)?;
        }
        Ok(())
    }
}

/// The differences between two coverages of a device.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CoverageComparison {
    /// The version of this form.
    pub schema: u32,
    /// The figures of both.
    pub figures: [Figures; 2],
    /// Bins that only the first has hit: phase key, op name, tenth.
    pub lost: Vec<(String, String, u8)>,
    /// Bins that only the second has hit.
    pub gained: Vec<(String, String, u8)>,
}

impl CoverageComparison {
    /// Compares two coverages of a device.
    #[must_use]
    pub fn new(profile: &Profile, universe: &CoverageUniverse, first: &Coverage, second: &Coverage) -> Self {
        let only = |one: &BTreeMap<Bin, u64>, other: &BTreeMap<Bin, u64>| {
            let bins = one.keys().filter(|&&bin| universe.holds(bin) && !other.contains_key(&bin));
            bins.map(|bin| (profile.phase_keys[bin.key].name.clone(), profile.ops[bin.op].name.clone(), bin.time_bin))
                .collect()
        };
        Self {
            schema: SCHEMA,
            figures: [Figures::new(first, universe), Figures::new(second, universe)],
            lost: only(&first.bins, &second.bins),
            gained: only(&second.bins, &first.bins),
        }
    }

    /// The comparison as text, with at most `most` bins of each list.
    #[must_use]
    pub fn to_text(&self, most: usize) -> String {
        let [first, second] = &self.figures;
        let mut text = format!("{:<28} {:>14} {:>14}\n", "", "first", "second");
        let mut line = |what: &str, values: [String; 2]| {
            let [one, other] = values;
            text += &format!("{what:<28} {one:>14} {other:>14}\n");
        };
        line("operations", [first, second].map(|one| one.operations.to_string()));
        line("bins hit", [first, second].map(|one| one.hit.to_string()));
        line("closure, %", [first, second].map(|one| format!("{:.3}", one.closure)));
        line("closure at ten hits, %", [first, second].map(|one| format!("{:.3}", one.closure_ten)));
        line("evenness", [first, second].map(|one| format!("{:.4}", one.evenness)));
        line("unseen", [first, second].map(|one| format!("{:.4}", one.unseen)));
        for (what, bins) in [("only the first hit", &self.lost), ("only the second hit", &self.gained)] {
            text += &format!("\n{} {what}\n", counted(bins.len() as u64, "bin"));
            for (key, op, time_bin) in bins.iter().take(most) {
                text += &format!("  {key}  {op}  [{time_bin}]\n");
            }
            if bins.len() > most {
                text += &format!("  … and {} more\n", bins.len() - most);
            }
        }
        text
    }
}
