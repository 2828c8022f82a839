//! Coverage in a file: names instead of numbers, so that it outlives the profile's numbering.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nandseq_profile::{CellTypeId, OpId, PhaseKey, Profile};
use nandseq_trace::json_fault;
use serde::{Deserialize, Serialize};

use super::{BINS, Cell, Coverage, Following, Touched, add_count};

/// The version of the form.
const SCHEMA: u32 = 1;

/// Why a file holds no coverage of a device.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no JSON of this form.
    #[error("no coverage: {}", json_fault::describe(.0))]
    Form(#[from] serde_json::Error),
    /// It is of another version.
    #[error("coverage of version {0}; this program reads version {SCHEMA}")]
    Version(u32),
    /// It was counted for another profile.
    #[error("counted for another profile, `{0}`")]
    Profile(String),
    /// It names what the profile does not have.
    #[error("the profile has no {what} `{name}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema: u32,
    profile: String,
    profile_sha256: String,
    operations: u64,
    runs: BTreeSet<(String, u64)>,
    /// Phase key, op name, tenth, count.
    cells: Vec<(String, String, u8, u64)>,
    /// Whether programmed, cell type, die, block, page, count.
    touches: Vec<(bool, String, u64, u64, u64, u64)>,
    /// First, second, adjacent, within the gap.
    pairs: Vec<(String, String, u64, u64)>,
    /// Phase key, op name, reason, count.
    refusals: Vec<(String, String, String, u64)>,
}

/// The text of a file.
#[must_use]
pub fn write(profile: &Profile, coverage: &Coverage) -> String {
    let key = |key: PhaseKey| profile.phase_keys[key].name.clone();
    let op = |op: OpId| profile.ops[op].name.clone();
    let stored = Stored {
        schema: SCHEMA,
        profile: profile.name.clone(),
        profile_sha256: profile.hash(),
        operations: coverage.operations,
        runs: coverage.runs.clone(),
        cells: coverage.cells.iter().map(|(cell, &count)| (key(cell.key), op(cell.op), cell.bin, count)).collect(),
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

/// Reads what [`write()`] wrote for the same profile.
///
/// # Errors
/// [`FileError`] when it is something else.
pub fn read(profile: &Profile, text: &[u8]) -> Result<Coverage, FileError> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(text)?;
    if version.schema != SCHEMA {
        return Err(FileError::Version(version.schema));
    }
    let stored: Stored = serde_json::from_slice(text)?;
    if !profile.has_hash(&stored.profile_sha256, &stored.profile) {
        return Err(FileError::Profile(stored.profile));
    }
    let names = Names::new(profile);
    let mut coverage = Coverage { operations: stored.operations, runs: stored.runs, ..Coverage::default() };
    for (key, op, bin, count) in stored.cells {
        let cell = Cell { key: names.key(key)?, op: names.op(op)?, bin: bin.min(BINS - 1) };
        add_count(&mut coverage.cells, cell, count);
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
    Ok(coverage)
}

/// The names of a profile.
struct Names<'p> {
    keys: HashMap<&'p str, PhaseKey>,
    ops: HashMap<&'p str, OpId>,
    cell_types: BTreeMap<&'p str, CellTypeId>,
}

impl<'p> Names<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self {
            keys: profile.phase_keys.iter_ids().map(|(id, key)| (&*key.name, id)).collect(),
            ops: profile.ops.iter_ids().map(|(id, op)| (&*op.name, id)).collect(),
            cell_types: profile.cell_types.iter_ids().map(|(id, cell)| (&*cell.name, id)).collect(),
        }
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
