//! Files of coverage. They hold names instead of ids, so that they do not depend on the numbering of the profile.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nandseq_profile::model::{Expectations, Topology};
use nandseq_profile::{Block, CellTypeId, Die, OpId, PhaseKey, Profile};
use nandseq_trace::json_fault;
use serde::{Deserialize, Serialize};

use super::{Bin, Coverage, Following, PartCounts, PartName, TIME_BINS, Touched, add_count};
use crate::page::KeyDistribution;

/// The version of the form that is written.
const SCHEMA: u32 = 2;
/// The version that has sums only: neither parts nor the probability table.
const SUMS_ONLY: u32 = 1;
/// The word for the probability table that the profile gives.
const OF_PROFILE: &str = "profile";

/// Why a file cannot be read as coverage of a device.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is no JSON of this form.
    #[error("no coverage: {}", json_fault::describe(.0))]
    Form(#[from] serde_json::Error),
    /// The file is of another version.
    #[error("coverage of version {0}; this program reads versions {SUMS_ONLY} and {SCHEMA}")]
    Version(u32),
    /// The file was counted for another profile.
    #[error("counted for another profile, `{name}`")]
    Profile {
        /// The name of the other profile.
        name: String,
        /// The SHA-256 of the other profile when resolved, as in manifests.
        resolved_sha256: String,
        /// The folders of the sites that were counted.
        sites: BTreeSet<String>,
    },
    /// The file was altered.
    #[error("its parts do not add up to its sums")]
    Sums,
    /// The file names something that the profile does not have.
    #[error("the profile has no {what} `{name}`")]
    Unknown {
        /// The kind of the thing, in words.
        what: &'static str,
        /// Its name in the file.
        name: String,
    },
}

/// The conditions under which runs were made, as far as they are known. The bins that can be hit depend on them.
#[derive(Clone, PartialEq, Debug)]
pub struct Conditions {
    /// The probability table.
    pub table: TableInForce,
    /// The bad blocks, in ascending order; `None` if they are not known.
    pub bad_blocks: Option<Vec<(Die, Block)>>,
    /// Whether some of the runs began with the bootstrap of the profile.
    pub bootstrap: bool,
}

impl Conditions {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { table: TableInForce::Unknown, bad_blocks: None, bootstrap: false };
}

/// The probability table in force while runs were made.
#[derive(Clone, PartialEq, Debug)]
pub enum TableInForce {
    /// It is not known.
    Unknown,
    /// The table that the profile gives.
    OfProfile,
    /// Another table.
    Given(Vec<KeyDistribution>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema: u32,
    profile: String,
    profile_sha256: String,
    #[serde(default)]
    table: Option<StoredTable>,
    /// Die and block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bad_blocks: Vec<(u8, u32)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bootstrap: bool,
    operations: u64,
    runs: BTreeSet<(String, u64)>,
    /// Phase key, op name, time bin, count.
    #[serde(rename = "cells")]
    bins: Vec<(String, String, u8, u64)>,
    #[serde(default)]
    parts: Vec<StoredPart>,
    /// Whether programmed, cell type, die, block, page, count.
    touches: Vec<(bool, String, u64, u64, u64, u64)>,
    /// First, second, adjacent, within the gap.
    pairs: Vec<(String, String, u64, u64)>,
    /// Phase key, op name, reason, count.
    refusals: Vec<(String, String, String, u64)>,
}

/// A table: [`OF_PROFILE`], or for each phase key the weights of op names. Weights are text, so that no digit is lost.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredTable {
    Named(String),
    Given(Vec<(String, Vec<(String, String)>)>),
}

/// The counts of a run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPart {
    site: String,
    run: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    operations: u64,
    /// Place of the bin in the list of all, from 0, and count.
    #[serde(rename = "cells")]
    bins: Vec<(usize, u64)>,
}

/// The SHA-256 of the resolved profile that a file of coverage was counted for, and the folders of the counted sites. `None` if the
/// text is no such file.
#[must_use]
pub fn counted_for(text: &[u8]) -> Option<(String, BTreeSet<String>)> {
    let stored: Stored = serde_json::from_slice(text).ok()?;
    Some((stored.profile_sha256, stored.runs.into_iter().map(|(site, _)| site).collect()))
}

/// The text of a file of coverage.
#[must_use]
pub fn write(profile: &Profile, coverage: &Coverage, conditions: &Conditions) -> String {
    let key = |key: PhaseKey| profile.phase_keys[key].name.clone();
    let op = |op: OpId| profile.ops[op].name.clone();
    let stored = Stored {
        schema: SCHEMA,
        profile: profile.name.clone(),
        profile_sha256: profile.hash(),
        table: match &conditions.table {
            TableInForce::Unknown => None,
            TableInForce::OfProfile => Some(StoredTable::Named(OF_PROFILE.to_owned())),
            TableInForce::Given(table) => {
                let weight = |&(of, weight): &(OpId, f64)| (op(of), weight.to_string());
                let of_key = |(of, weights): &KeyDistribution| (key(*of), weights.iter().map(weight).collect());
                Some(StoredTable::Given(table.iter().map(of_key).collect()))
            }
        },
        bad_blocks: conditions.bad_blocks.iter().flatten().map(|(die, block)| (die.0, block.0)).collect(),
        bootstrap: conditions.bootstrap,
        operations: coverage.operations,
        runs: coverage.runs.clone(),
        bins: coverage.bins.iter().map(|(bin, &count)| (key(bin.key), op(bin.op), bin.time_bin, count)).collect(),
        parts: coverage.parts.iter().map(|(name, counts)| stored_part(name, counts, &coverage.bins)).collect(),
        touches: coverage
            .touches
            .iter()
            .map(|(at, &count)| {
                (at.program, profile.cell_types[at.cell_type].name.clone(), at.die, at.block, at.page, count)
            })
            .collect(),
        pairs: coverage
            .pairs
            .iter()
            .map(|(&(first, second), pair)| (op(first), op(second), pair.adjacent, pair.within))
            .collect(),
        refusals: coverage
            .refusals
            .iter()
            .map(|((of, name, reason), &count)| (key(*of), op(*name), reason.clone(), count))
            .collect(),
    };
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(&stored).unwrap_or_default() + "\n"
}

fn stored_part(name: &PartName, counts: &PartCounts, all: &BTreeMap<Bin, u64>) -> StoredPart {
    // Both are in order: one walk finds every place.
    let mut places = all.keys().enumerate();
    let mut place = |bin: &Bin| places.by_ref().find(|(_, one)| *one == bin).map_or(usize::MAX, |(place, _)| place);
    let bins = counts.bins.iter().map(|(bin, &count)| (place(bin), count)).collect();
    let (site, phase) = (name.site.clone(), counts.phase.clone());
    StoredPart { site, run: name.run, phase, operations: counts.operations, bins }
}

/// Reads a file that [`write()`] wrote for the same profile. `name` is the name of the file. In a file that has sums only, it
/// names the one part.
///
/// # Errors
/// [`FileError`] if the text is no such file.
pub fn read(profile: &Profile, text: &[u8], name: &str) -> Result<(Coverage, Conditions), FileError> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(text)?;
    if ![SUMS_ONLY, SCHEMA].contains(&version.schema) {
        return Err(FileError::Version(version.schema));
    }
    let stored: Stored = serde_json::from_slice(text)?;
    if !profile.has_hash(&stored.profile_sha256, &stored.profile, Expectations::default()) {
        let sites = stored.runs.into_iter().map(|(site, _)| site).collect();
        let (name, resolved_sha256) = (stored.profile, stored.profile_sha256);
        return Err(FileError::Profile { name, resolved_sha256, sites });
    }
    let names = NameLookup::new(profile);
    let mut coverage = Coverage { operations: stored.operations, runs: stored.runs, ..Coverage::default() };
    let mut bins = Vec::new();
    for (key, op, time_bin, count) in stored.bins {
        let bin = Bin { key: names.key(key)?, op: names.op(op)?, time_bin: time_bin.min(TIME_BINS - 1) };
        add_count(&mut coverage.bins, bin, count);
        bins.push(bin);
    }
    if version.schema == SUMS_ONLY {
        let counts = PartCounts { operations: coverage.operations, bins: coverage.bins.clone(), phase: None };
        coverage.parts.insert(PartName { site: name.to_owned(), run: None }, counts);
    } else {
        coverage.parts = parts(stored.parts, &bins, &coverage)?;
    }
    for (program, cell_type, die, block, page, count) in stored.touches {
        let touched = Touched { program, cell_type: names.cell_type(cell_type)?, die, block, page };
        add_count(&mut coverage.touches, touched, count);
    }
    for (first, second, adjacent, within) in stored.pairs {
        let pair = (names.op(first)?, names.op(second)?);
        coverage.pairs.insert(pair, Following { adjacent, within });
    }
    for (key, op, reason, count) in stored.refusals {
        add_count(&mut coverage.refusals, (names.key(key)?, names.op(op)?, reason), count);
    }
    let bad_blocks = bad_blocks(&stored.bad_blocks, profile.topology)?;
    let table = names.table(stored.table)?;
    // A file with a table has the bad blocks too: no entry means that there are none.
    let is_known = !bad_blocks.is_empty() || table != TableInForce::Unknown;
    let conditions = Conditions { table, bad_blocks: is_known.then_some(bad_blocks), bootstrap: stored.bootstrap };
    Ok((coverage, conditions))
}

/// The bad blocks of a file, in ascending order, each once. The device must have them.
fn bad_blocks(stored: &[(u8, u32)], topology: Topology) -> Result<Vec<(Die, Block)>, FileError> {
    let strange = |&&(die, block): &&(u8, u32)| u32::from(die) >= topology.dies || block >= topology.blocks_per_die;
    if let Some((die, block)) = stored.iter().find(strange) {
        return Err(FileError::Unknown { what: "block", name: format!("{die},{block}") });
    }
    let blocks: BTreeSet<_> = stored.iter().map(|&(die, block)| (Die(die), Block(block))).collect();
    Ok(blocks.into_iter().collect())
}

/// The parts of a file, which must add up to its sums.
fn parts(
    stored: Vec<StoredPart>,
    bins: &[Bin],
    coverage: &Coverage,
) -> Result<BTreeMap<PartName, PartCounts>, FileError> {
    let mut parts: BTreeMap<PartName, PartCounts> = BTreeMap::new();
    let mut sums = PartCounts::default();
    for StoredPart { site, run, phase, operations, bins: counts } in stored {
        let part = parts.entry(PartName { site, run }).or_default();
        part.phase = part.phase.take().or(phase);
        part.operations = part.operations.saturating_add(operations);
        sums.operations = sums.operations.saturating_add(operations);
        for (place, count) in counts {
            let bin = *bins.get(place).ok_or(FileError::Sums)?;
            add_count(&mut part.bins, bin, count);
            add_count(&mut sums.bins, bin, count);
        }
    }
    if sums.operations == coverage.operations && sums.bins == coverage.bins { Ok(parts) } else { Err(FileError::Sums) }
}

/// The ids of a profile by their names.
struct NameLookup<'p> {
    keys: HashMap<&'p str, PhaseKey>,
    ops: HashMap<&'p str, OpId>,
    cell_types: BTreeMap<&'p str, CellTypeId>,
}

impl<'p> NameLookup<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self {
            keys: profile.phase_keys.iter_ids().map(|(id, key)| (&*key.name, id)).collect(),
            ops: profile.ops.iter_ids().map(|(id, op)| (&*op.name, id)).collect(),
            cell_types: profile.cell_types.iter_ids().map(|(id, cell_type)| (&*cell_type.name, id)).collect(),
        }
    }

    fn table(&self, stored: Option<StoredTable>) -> Result<TableInForce, FileError> {
        let table = match stored {
            None => return Ok(TableInForce::Unknown),
            Some(StoredTable::Named(name)) if name == OF_PROFILE => return Ok(TableInForce::OfProfile),
            Some(StoredTable::Named(name)) => return Err(FileError::Unknown { what: "probability table", name }),
            Some(StoredTable::Given(table)) => table,
        };
        let weight = |(op, weight): (String, String)| {
            let number = weight.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
            Ok((self.op(op)?, number.ok_or(FileError::Unknown { what: "weight", name: weight })?))
        };
        let of_key = |(key, weights): (String, Vec<(String, String)>)| {
            Ok((self.key(key)?, weights.into_iter().map(weight).collect::<Result<_, FileError>>()?))
        };
        Ok(TableInForce::Given(table.into_iter().map(of_key).collect::<Result<_, FileError>>()?))
    }

    fn key(&self, name: String) -> Result<PhaseKey, FileError> {
        self.keys.get(&*name).copied().ok_or(FileError::Unknown { what: "phase key", name })
    }

    fn op(&self, name: String) -> Result<OpId, FileError> {
        self.ops.get(&*name).copied().ok_or(FileError::Unknown { what: "operation", name })
    }

    fn cell_type(&self, name: String) -> Result<CellTypeId, FileError> {
        self.cell_types.get(&*name).copied().ok_or(FileError::Unknown { what: "cell type", name })
    }
}
