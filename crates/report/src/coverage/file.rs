//! Coverage in a file: names instead of numbers, so that it outlives the profile's numbering.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nandseq_profile::model::Topology;
use nandseq_profile::{Block, CellTypeId, Die, OpId, PhaseKey, Profile};
use nandseq_trace::json_fault;
use serde::{Deserialize, Serialize};

use super::{Bin, Coverage, Following, PartCounts, PartName, TIME_BINS, Touched, add_count};
use crate::page::KeyDistribution;

/// The version of the form that is written.
const SCHEMA: u32 = 2;
/// The version that knows sums only: neither parts nor the probability table.
const SUMS_ONLY: u32 = 1;
/// What stands for the table that the profile gives.
const OF_PROFILE: &str = "profile";

/// Why a file holds no coverage of a device.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no JSON of this form.
    #[error("no coverage: {}", json_fault::describe(.0))]
    Form(#[from] serde_json::Error),
    /// It is of another version.
    #[error("coverage of version {0}; this program reads versions {SUMS_ONLY} and {SCHEMA}")]
    Version(u32),
    /// It was counted for another profile.
    #[error("counted for another profile, `{name}`")]
    Profile {
        /// What that is called.
        name: String,
        /// The SHA-256 of what it resolves to, as manifests say it.
        resolved_sha256: String,
        /// The folders of the sites that were counted.
        sites: BTreeSet<String>,
    },
    /// It was altered.
    #[error("its parts do not add up to its sums")]
    Sums,
    /// It names what the profile does not have.
    #[error("the profile has no {what} `{name}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// What runs were made under, as far as it is known: what can be covered depends on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Conditions {
    /// The probability table.
    pub table: TableInForce,
    /// The bad blocks, in ascending order; `None` where nobody knows them.
    pub bad_blocks: Option<Vec<(Die, Block)>>,
    /// Whether the bootstrap of the profile came first in some of them: what it leaves is a state to go on from.
    pub bootstrap: bool,
}

impl Conditions {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { table: TableInForce::Unknown, bad_blocks: None, bootstrap: false };
}

/// The probability table in force while runs were made.
#[derive(Clone, PartialEq, Debug)]
pub enum TableInForce {
    /// Nobody knows.
    Unknown,
    /// The one that the profile gives.
    OfProfile,
    /// This one.
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

/// A table: [`OF_PROFILE`], or for each phase key the weights of op names, as text so that not a bit is lost.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredTable {
    Named(String),
    Given(Vec<(String, Vec<(String, String)>)>),
}

/// What a run counted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPart {
    site: String,
    run: Option<u64>,
    operations: u64,
    /// Place of the bin in the list of all, from 0, and count.
    #[serde(rename = "cells")]
    bins: Vec<(usize, u64)>,
}

/// The text of a file.
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
    StoredPart { site: name.site.clone(), run: name.run, operations: counts.operations, bins }
}

/// Reads what [`write()`] wrote for the same profile. `name` is what the file is called: the one part of a file that does not tell its
/// parts apart.
///
/// # Errors
/// [`FileError`] when it is something else.
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
    if !profile.has_hash(&stored.profile_sha256, &stored.profile) {
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
        let counts = PartCounts { operations: coverage.operations, bins: coverage.bins.clone() };
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
    // Where the table is known, so were the bad blocks, if only that there are none.
    let is_known = !bad_blocks.is_empty() || table != TableInForce::Unknown;
    let conditions = Conditions { table, bad_blocks: is_known.then_some(bad_blocks), bootstrap: stored.bootstrap };
    Ok((coverage, conditions))
}

/// Bad blocks that the device has, in ascending order, each once.
fn bad_blocks(stored: &[(u8, u32)], topology: Topology) -> Result<Vec<(Die, Block)>, FileError> {
    let strange = |&&(die, block): &&(u8, u32)| u32::from(die) >= topology.dies || block >= topology.blocks_per_die;
    if let Some((die, block)) = stored.iter().find(strange) {
        return Err(FileError::Unknown { what: "block", name: format!("{die},{block}") });
    }
    let blocks: BTreeSet<_> = stored.iter().map(|&(die, block)| (Die(die), Block(block))).collect();
    Ok(blocks.into_iter().collect())
}

/// The parts of a file, which together are its sums.
fn parts(
    stored: Vec<StoredPart>,
    bins: &[Bin],
    coverage: &Coverage,
) -> Result<BTreeMap<PartName, PartCounts>, FileError> {
    let mut parts: BTreeMap<PartName, PartCounts> = BTreeMap::new();
    let mut sums = PartCounts::default();
    for StoredPart { site, run, operations, bins: counts } in stored {
        let part = parts.entry(PartName { site, run }).or_default();
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

/// The names of a profile.
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
