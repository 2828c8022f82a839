//! Coverage as a report: for people as text, for machines as JSON.

use std::collections::BTreeMap;
use std::fmt;

use nandseq_profile::Profile;
use nandseq_profile::diagnostic::counted;
use serde::{Deserialize, Serialize};

use super::{AddressFigures, Coverage, Figures, GAP, Hole, PairFigures, PartCounts, Universe, holes};
use crate::page::Distribution;

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// A part of what was counted: a run, a site, or a file of counts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CoveragePart {
    /// Its name.
    pub name: String,
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
    /// The uncovered bins, nearest first.
    pub holes: Vec<Hole>,
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
    pub fn add(&mut self, universe: &Universe, site: &str, run: &str, coverage: &Coverage) {
        let part = CoveragePart::new(format!("{site}{run}"), universe, coverage, &self.merged);
        self.runs.push(part);
        self.merged.add_sums(coverage);
        let at = self.sites.iter().position(|(name, _)| name == site).unwrap_or_else(|| {
            self.sites.push((site.to_owned(), Coverage::default()));
            self.sites.len() - 1
        });
        self.sites[at].1.add_sums(coverage);
    }

    /// Adds stored coverage: its parts one after another, then the counts that only the sums have.
    pub fn add_stored(&mut self, universe: &Universe, stored: &Coverage) {
        for (name, PartCounts { operations, cells }) in &stored.parts {
            let part = Coverage { operations: *operations, cells: cells.clone(), ..Coverage::default() };
            self.add(universe, &name.site, &name.run_text(), &part);
        }
        let (operations, cells, parts) = Default::default();
        self.merged.add_sums(&Coverage { operations, cells, parts, ..stored.clone() });
    }

    /// The sum of all parts.
    #[must_use]
    pub fn merged(&self) -> &Coverage {
        &self.merged
    }

    /// The report on what was added.
    #[must_use]
    pub fn report(self, profile: &Profile, universe: &Universe, table: Option<&[Distribution]>) -> CoverageReport {
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
            holes: holes(profile, &self.merged, universe, table),
        }
    }
}

fn without_length(profile: &Profile, universe: &Universe) -> Vec<String> {
    let phases = profile.phase_keys.iter_ids().filter(|(_, info)| info.phase.is_some());
    phases.filter(|(key, _)| universe.bins(*key) == 1).map(|(_, info)| info.name.clone()).collect()
}

impl CoveragePart {
    fn new(name: String, universe: &Universe, coverage: &Coverage, before: &Coverage) -> Self {
        let is_new = |cell| universe.holds(cell) && !before.cells.contains_key(&cell);
        let added = coverage.cells.keys().filter(|&&cell| is_new(cell)).count() as u64;
        Self { name, figures: Figures::new(coverage, universe), added }
    }
}

impl CoverageReport {
    /// The report as text, with the uncovered bins of at most `most_holes` pairs.
    #[must_use]
    pub fn to_text(&self, most_holes: usize) -> String {
        ReportText { report: self, most_holes }.to_string()
    }
}

struct ReportText<'a> {
    report: &'a CoverageReport,
    most_holes: usize,
}

impl fmt::Display for ReportText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CoverageReport { merged, universe, .. } = self.report;
        writeln!(f, "Coverage of {}", self.report.profile)?;
        writeln!(
            f,
            "Universe: {} (phase key × op name × tenth of the phase), {universe}.",
            counted(merged.cells, "cell")
        )?;
        let (operations, hits) = (counted(merged.operations, "operation"), counted(merged.hits, "proposal"));
        writeln!(f, "\n{operations}, {hits} counted.")?;
        let closure = |f: &mut fmt::Formatter<'_>, what: &str, cells: u64, share: f64| {
            writeln!(f, "  {what:<28} {cells:>9} cells  {share:>9.3} %")
        };
        closure(f, "hit at least once", merged.hit, merged.closure)?;
        closure(f, "hit at least ten times", merged.hit_ten, merged.closure_ten)?;
        writeln!(
            f,
            "  {:<28} {:>9.4}  (1: every cell as often as every other)",
            "evenness (entropy)", merged.evenness
        )?;
        writeln!(f, "  {:<28} {:>9.1}", "effective cells", merged.effective_cells)?;
        writeln!(f, "  {:<28} {:>9.4}  (0: every cell as often as every other)", "Gini coefficient", merged.gini)?;
        writeln!(
            f,
            "One more operation proposed and started finds something new with a probability of {:.4} (Good and Turing; it \
             says nothing of --closure).",
            merged.unseen
        )?;
        if merged.outside.0 > 0 {
            let (cells, hits) = merged.outside;
            let (hits, cells) = (counted(hits, "proposal"), counted(cells, "cell"));
            writeln!(f, "Besides, {hits} hit {cells} outside the universe.")?;
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
        self.holes(f)
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
            for CoveragePart { name, figures, added } in parts.iter().take(SHOWN) {
                let Figures { operations, hit, closure, unseen, .. } = figures;
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

    fn holes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holes = &self.report.holes;
        if holes.is_empty() {
            return writeln!(f, "\nNo holes.");
        }
        writeln!(f, "\nHoles, nearest first ({} of key and name):", counted(holes.len() as u64, "pair"))?;
        for Hole { phase_key, op_name, bins, why, .. } in holes.iter().take(self.most_holes) {
            let bins: Vec<String> = bins.iter().map(u8::to_string).collect();
            writeln!(f, "  {phase_key}  {op_name}  [{}]  {why}", bins.join(" "))?;
        }
        if holes.len() > self.most_holes {
            writeln!(f, "  … and {} more; all are in the JSON.", holes.len() - self.most_holes)?;
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
    pub fn new(profile: &Profile, universe: &Universe, first: &Coverage, second: &Coverage) -> Self {
        let only = |one: &BTreeMap<super::Cell, u64>, other: &BTreeMap<super::Cell, u64>| {
            let cells = one.keys().filter(|&&cell| universe.holds(cell) && !other.contains_key(&cell));
            cells
                .map(|cell| (profile.phase_keys[cell.key].name.clone(), profile.ops[cell.op].name.clone(), cell.bin))
                .collect()
        };
        Self {
            schema: SCHEMA,
            figures: [Figures::new(first, universe), Figures::new(second, universe)],
            lost: only(&first.cells, &second.cells),
            gained: only(&second.cells, &first.cells),
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
        line("cells hit", [first, second].map(|one| one.hit.to_string()));
        line("closure, %", [first, second].map(|one| format!("{:.3}", one.closure)));
        line("closure at ten hits, %", [first, second].map(|one| format!("{:.3}", one.closure_ten)));
        line("evenness", [first, second].map(|one| format!("{:.4}", one.evenness)));
        line("unseen", [first, second].map(|one| format!("{:.4}", one.unseen)));
        for (what, cells) in [("only the first hit", &self.lost), ("only the second hit", &self.gained)] {
            text += &format!("\n{} {what}\n", counted(cells.len() as u64, "cell"));
            for (key, op, bin) in cells.iter().take(most) {
                text += &format!("  {key}  {op}  [{bin}]\n");
            }
            if cells.len() > most {
                text += &format!("  … and {} more\n", cells.len() - most);
            }
        }
        text
    }
}
