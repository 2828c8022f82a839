//! Reading the fields of tables into rows.

use std::cmp::Ordering;
use std::collections::HashMap;

use nandseq_profile::units::{MAX_US, TimeError};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, Profile, Ticks};
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, StateId, TimelineRow, Touch, TouchRow};
use nandseq_trace::table::TableKind;
use rustc_hash::FxBuildHasher;

use super::fields::{FieldFault, LineFields, TableFault};
use crate::line::{self, in_field, number};

type IdsByName<T> = HashMap<Box<[u8]>, T, FxBuildHasher>;

/// The names of a profile, by which the lines of its tables become rows.
#[derive(Clone, Debug)]
pub struct TableForm {
    ops: IdsByName<OpId>,
    bases: IdsByName<BaseId>,
    states: IdsByName<StateId>,
    keys: IdsByName<PhaseKey>,
    cell_types: IdsByName<CellTypeId>,
    /// The position of each op name, by id, if all op names are sorted by their bytes.
    op_ranks: Vec<u32>,
    key_ranks: Vec<u32>,
    state_ranks: Vec<u32>,
}

/// The position of each name if all `names` are sorted by their bytes.
fn ranks<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let names: Vec<&str> = names.collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&at| names[at]);
    let mut ranks = vec![0; names.len()];
    for (&at, rank) in order.iter().zip(0..) {
        ranks[at] = rank;
    }
    ranks
}

/// A field with its table and its column, counted from 0.
struct NamedField<'a> {
    table: TableKind,
    at: usize,
    text: &'a [u8],
}

impl LineFields<'_> {
    fn field(&self, at: usize) -> NamedField<'_> {
        NamedField { table: self.table, at, text: self.texts[at] }
    }
}

impl NamedField<'_> {
    fn fault(&self, what: FieldFault) -> TableFault {
        TableFault::Field { number: self.at + 1, column: self.table.columns()[self.at], what }
    }

    fn shown(&self) -> String {
        line::shown(self.text, 100)
    }

    fn number(&self) -> Result<u64, TableFault> {
        let plain = self.text.len() == 1 || self.text.first() != Some(&b'0');
        number(self.text).filter(|_| plain).ok_or_else(|| self.fault(FieldFault::NotANumber))
    }

    /// A part of an address.
    fn part<T: TryFrom<u64>>(&self) -> Result<T, TableFault> {
        T::try_from(self.number()?).map_err(|_| self.fault(FieldFault::NoSuchAddress))
    }

    fn time(&self) -> Result<Ticks, TableFault> {
        decimal(self.text, 6, MAX_US).map(Ticks).map_err(|what| self.fault(what))
    }

    fn known<T: Copy>(&self, names: &IdsByName<T>, what: &'static str) -> Result<T, TableFault> {
        let unknown = || self.fault(FieldFault::Unknown { what, name: self.shown() });
        names.get(self.text).copied().ok_or_else(unknown)
    }

    /// Whether the field is the second of two texts. Any other text than the two is a fault.
    fn either(&self, texts: [&str; 2], expected: &'static str) -> Result<bool, TableFault> {
        if self.text == texts[0].as_bytes() {
            Ok(false)
        } else if self.text == texts[1].as_bytes() {
            Ok(true)
        } else {
            Err(self.fault(FieldFault::Text { expected, found: self.shown() }))
        }
    }
}

/// A decimal number in units of decimal number `decimals`. Its whole part is at most `most`. Only the exact form without
/// superfluous zeros is accepted.
fn decimal(text: &[u8], decimals: usize, most: u64) -> Result<u64, FieldFault> {
    let wrong = |error| Err(FieldFault::Time(error));
    if text.first() == Some(&b'-') {
        return wrong(TimeError::Negative);
    }
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = text.split_at(point.unwrap_or(text.len()));
    let fraction = fraction.get(1..).unwrap_or_default();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return wrong(TimeError::NotANumber);
    }
    if fraction.len() > decimals {
        return wrong(TimeError::TooFine);
    }
    let whole_number = number(whole).filter(|&whole| whole <= most);
    let Some(whole_number) = whole_number else { return wrong(TimeError::TooLong) };
    let mut unit = 10_u64.pow(decimals as u32);
    let mut value = whole_number * unit;
    for &digit in fraction {
        unit /= 10;
        value += u64::from(digit - b'0') * unit;
    }
    let padded = (whole.len() > 1 && whole[0] == b'0') || (fraction.len() > 1 && fraction.last() == Some(&b'0'));
    if fraction.is_empty() || padded {
        let kept = String::from_utf8_lossy(fraction).trim_end_matches('0').to_owned();
        let fraction = if kept.is_empty() { "0".to_owned() } else { kept };
        return Err(FieldFault::Inexact(format!("{whole_number}.{fraction}")));
    }
    Ok(value)
}

impl TableForm {
    /// The form of tables written for `profile`.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let states: Vec<String> = StateId::numbers(profile).map(|id| id.text(profile)).collect();
        let bytes = in_field;
        Self {
            ops: profile.ops.iter_ids().map(|(id, op)| (bytes(&op.name), id)).collect(),
            bases: profile.bases.iter_ids().map(|(id, base)| (bytes(&base.name), id)).collect(),
            keys: profile.phase_keys.iter_ids().map(|(id, key)| (bytes(&key.name), id)).collect(),
            cell_types: profile.cell_types.iter_ids().map(|(id, one)| (bytes(&one.name), id)).collect(),
            op_ranks: ranks(profile.ops.iter().map(|op| op.name.as_str())),
            key_ranks: ranks(profile.phase_keys.iter().map(|key| key.name.as_str())),
            state_ranks: ranks(states.iter().map(String::as_str)),
            states: StateId::all(profile).map(|id| (bytes(&states[id.index()]), id)).collect(),
        }
    }

    /// The operation with this name; quotes in the name are doubled.
    pub(super) fn op(&self, name: &[u8]) -> Option<OpId> {
        self.ops.get(name).copied()
    }

    /// A row of operation_timeline.
    ///
    /// # Errors
    /// [`TableFault`] for the first column with a fault.
    pub fn stretch(&self, line: &[u8]) -> Result<TimelineRow, TableFault> {
        let fields = LineFields::of(TableKind::OperationTimeline, line)?;
        Ok(TimelineRow {
            start: fields.field(0).time()?,
            end: fields.field(1).time()?,
            die: Die(fields.field(2).part()?),
            plane: Plane(fields.field(3).part()?),
            block: Block(fields.field(4).part()?),
            page: Page(fields.field(5).part()?),
            op: fields.field(6).known(&self.ops, "operation")?,
            resumed: {
                fields.field(7).known(&self.bases, "base")?;
                fields.field(8).either(["", "RESUME_CHAIN"], "nothing or RESUME_CHAIN")?
            },
            uid: fields.field(9).number()?,
            state: fields.field(10).known(&self.states, "op_state")?,
            key_used: fields.field(11).known(&self.keys, "phase key")?,
            key_virtual: fields.field(12).known(&self.keys, "phase key")?,
        })
    }

    /// A row of op_state_timeline.
    ///
    /// # Errors
    /// As [`Self::stretch`].
    pub fn segment(&self, line: &[u8]) -> Result<OpStateRow, TableFault> {
        let fields = LineFields::of(TableKind::OpStateTimeline, line)?;
        let row = OpStateRow {
            uid: 0,
            start: fields.field(0).time()?,
            end: fields.field(1).time()?,
            die: Die(fields.field(2).part()?),
            plane: Plane(fields.field(3).part()?),
            state: fields.field(4).known(&self.states, "op_state")?,
        };
        fields.field(6).known(&self.bases, "base")?;
        fields.field(7).time()?;
        let lane = fields.field(5);
        if lane.text.first() == Some(&b'd') {
            return Ok(row);
        }
        Err(lane.fault(FieldFault::Text { expected: "a lane such as d0-p2", found: lane.shown() }))
    }

    /// A row of address_touch_count.
    ///
    /// # Errors
    /// As [`Self::stretch`].
    pub fn touch(&self, line: &[u8]) -> Result<TouchRow, TableFault> {
        let fields = LineFields::of(TableKind::AddressTouchCount, line)?;
        Ok(TouchRow {
            touch: if fields.field(0).either([Touch::Program, Touch::Read].map(Touch::name), "PROGRAM or READ")? {
                Touch::Read
            } else {
                Touch::Program
            },
            cell_type: fields.field(1).known(&self.cell_types, "cell type")?,
            die: Die(fields.field(2).part()?),
            block: Block(fields.field(3).part()?),
            page: Page(fields.field(4).part()?),
            count: fields.field(5).number()?,
        })
    }

    /// A row of op_state_name_input_time_count.
    ///
    /// # Errors
    /// As [`Self::stretch`].
    pub fn input_time(&self, line: &[u8]) -> Result<InputTimeRow, TableFault> {
        let fields = LineFields::of(TableKind::InputTimeCount, line)?;
        Ok(InputTimeRow {
            state: fields.field(0).known(&self.states, "op_state")?,
            key_used: fields.field(1).known(&self.keys, "phase key")?,
            key_virtual: fields.field(2).known(&self.keys, "phase key")?,
            op: fields.field(3).known(&self.ops, "operation")?,
            hundredths: decimal(fields.texts[4], 2, 1_000_000)
                .and_then(|hundredths| u32::try_from(hundredths).map_err(|_| FieldFault::NotANumber))
                .map_err(|what| fields.field(4).fault(what))?,
            count: fields.field(5).number()?,
        })
    }

    /// A row of phase_proposal_counts.
    ///
    /// # Errors
    /// As [`Self::stretch`].
    pub fn proposal(&self, line: &[u8]) -> Result<ProposalRow, TableFault> {
        let fields = LineFields::of(TableKind::ProposalCounts, line)?;
        Ok(ProposalRow {
            key_used: fields.field(0).known(&self.keys, "phase key")?,
            key_virtual: fields.field(1).known(&self.keys, "phase key")?,
            die: Die(fields.field(2).part()?),
            plane: Plane(fields.field(3).part()?),
            time: fields.field(4).time()?,
            op: fields.field(5).known(&self.ops, "operation")?,
            count: fields.field(6).number()?,
        })
    }

    /// The order of two rows of op_state_name_input_time_count, by all columns but the count.
    #[must_use]
    pub fn compare_input_times(&self, a: &InputTimeRow, b: &InputTimeRow) -> Ordering {
        let key = |row: &InputTimeRow| {
            let state = self.state_ranks[row.state.index()];
            let keys = (self.key_ranks[row.key_used.index()], self.key_ranks[row.key_virtual.index()]);
            (state, keys, self.op_ranks[row.op.index()], row.hundredths)
        };
        key(a).cmp(&key(b))
    }

    /// The order of two rows of phase_proposal_counts, by all columns but the count.
    #[must_use]
    pub fn compare_proposals(&self, a: &ProposalRow, b: &ProposalRow) -> Ordering {
        let key = |row: &ProposalRow| {
            let keys = (self.key_ranks[row.key_used.index()], self.key_ranks[row.key_virtual.index()]);
            (keys, row.die, row.plane, row.time, self.op_ranks[row.op.index()])
        };
        key(a).cmp(&key(b))
    }
}
