//! Rows as a table must have them: in a few bytes while they wait, and as they are written.

use std::io::{self, Write as _};

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, Die, Plane, Profile, Ticks};
use nandseq_trace::read::table::StateName;

use crate::finding::Origin;

/// An op_state, or that nobody can know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StateCode(u16);

/// Codes of a base: its phases, then its end.
const PER_BASE: u16 = 5;

impl StateCode {
    pub(super) const DEFAULT: Self = Self(0);
    pub(super) const UNKNOWN: Self = Self(u16::MAX);

    pub(super) const fn phase(base: BaseId, kind: PhaseKind) -> Self {
        Self(1 + base.0 * PER_BASE + kind as u16)
    }

    pub(super) const fn end(base: BaseId) -> Self {
        Self(1 + base.0 * PER_BASE + PER_BASE - 1)
    }
}

/// A row of operation_timeline but for what its operation says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) start: Ticks,
    pub(super) end: Ticks,
    /// Die, plane, block, page, as written.
    pub(super) place: [i32; 4],
    pub(super) state: StateCode,
    pub(super) resumed: bool,
}

/// A row of op_state_timeline but for what its operation says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) start: Ticks,
    pub(super) end: Ticks,
    pub(super) die: Die,
    pub(super) plane: Plane,
    pub(super) kind: PhaseKind,
}

/// Bytes of a [`Stretch`] on disk.
pub(super) const STRETCH: usize = 35;
/// Bytes of a [`Segment`] on disk.
pub(super) const SEGMENT: usize = 19;

/// Takes `N` bytes off the front; zeros when there are no more.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = bytes.split_first_chunk::<N>().map_or(([0; N], &[][..]), |(taken, rest)| (*taken, rest));
    *bytes = rest;
    taken
}

impl Stretch {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.start.0.to_le_bytes());
        out.extend_from_slice(&self.end.0.to_le_bytes());
        for number in self.place {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.state.0.to_le_bytes());
        out.push(u8::from(self.resumed));
    }

    pub(super) fn decode(bytes: &mut &[u8]) -> Self {
        Self {
            start: Ticks(u64::from_le_bytes(take(bytes))),
            end: Ticks(u64::from_le_bytes(take(bytes))),
            place: std::array::from_fn(|_| i32::from_le_bytes(take(bytes))),
            state: StateCode(u16::from_le_bytes(take(bytes))),
            resumed: take::<1>(bytes) == [1],
        }
    }
}

impl Segment {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.start.0.to_le_bytes());
        out.extend_from_slice(&self.end.0.to_le_bytes());
        out.extend_from_slice(&[self.die.0, self.plane.0, self.kind as u8]);
    }

    pub(super) fn decode(bytes: &mut &[u8]) -> Self {
        let (start, end) = (u64::from_le_bytes(take(bytes)), u64::from_le_bytes(take(bytes)));
        let [die, plane, kind] = take(bytes);
        let kind = PhaseKind::ALL.get(usize::from(kind)).copied().unwrap_or(PhaseKind::Issue);
        Self { start: Ticks(start), end: Ticks(end), die: Die(die), plane: Plane(plane), kind }
    }
}

/// A page that is touched: programs before reads, then by the name of the cell type, die, block and page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Touch(pub(super) u64);

/// Names as they are written.
#[derive(Debug)]
pub(crate) struct Words {
    /// `op_name,op_base,` of every operation.
    ops: Vec<Vec<u8>>,
    bases: Vec<Vec<u8>>,
    states: Vec<Vec<u8>>,
    /// Names of cell types in the order of their bytes, and the place of each in it.
    cell_types: Vec<Vec<u8>>,
    cell_type_ranks: Vec<u8>,
}

/// A name as a field, in quotes where it needs them.
fn field(name: &str) -> Vec<u8> {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\"")).into_bytes()
    } else {
        name.as_bytes().to_vec()
    }
}

/// Appends a number.
fn number(value: i64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _: io::Result<()> = write!(out, "{value}");
}

/// Appends digits of a number that is not negative, faster than formatting does.
fn digits(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a time in µs: exact, with at least one digit behind the point.
fn time(value: Ticks, out: &mut Vec<u8>) {
    const UNIT: u64 = nandseq_profile::units::TICKS_PER_US;
    digits(value.0 / UNIT, out);
    let point = out.len();
    // The digit 1 before the fraction keeps its zeros, and gives way to the point.
    digits(UNIT + value.0 % UNIT, out);
    out[point] = b'.';
    while out.len() > point + 2 && out.last() == Some(&b'0') {
        out.pop();
    }
}

impl Words {
    pub(crate) fn new(profile: &Profile) -> Self {
        let bases: Vec<Vec<u8>> = profile.bases.iter().map(|base| field(&base.name)).collect();
        let mut states = vec![field(&StateName::Default.text(profile))];
        for base in profile.bases.ids() {
            for kind in PhaseKind::ALL {
                states.push(field(&StateName::Phase(base, kind).text(profile)));
            }
            states.push(field(&StateName::End(base).text(profile)));
        }
        let op = |op: &nandseq_profile::model::Op| {
            [field(&op.name), bases[op.base.index()].clone(), Vec::new()].join(&b','.to_owned())
        };
        let names: Vec<&str> = profile.cell_types.iter().map(|one| one.name.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let rank = |name: &&str| sorted.iter().position(|other| other == name).unwrap_or_default() as u8;
        Self {
            ops: profile.ops.iter().map(op).collect(),
            cell_type_ranks: names.iter().map(rank).collect(),
            cell_types: sorted.iter().map(|name| field(name)).collect(),
            bases,
            states,
        }
    }

    /// A row of operation_timeline up to, and without, what is not known of it; how many columns that leaves.
    pub(super) fn stretch(&self, origin: &Origin, row: &Stretch, out: &mut Vec<u8>) -> usize {
        time(row.start, out);
        out.push(b',');
        time(row.end, out);
        out.push(b',');
        for part in row.place {
            match u64::try_from(part) {
                Ok(part) => digits(part, out),
                Err(_) => number(i64::from(part), out),
            }
            out.push(b',');
        }
        out.extend_from_slice(&self.ops[origin.op.index()]);
        out.extend_from_slice(if row.resumed { b"RESUME_CHAIN," } else { b"," });
        digits(origin.uid, out);
        out.push(b',');
        if row.state == StateCode::UNKNOWN {
            return 3;
        }
        out.extend_from_slice(&self.states[usize::from(row.state.0)]);
        out.push(b',');
        2
    }

    /// A row of op_state_timeline.
    pub(super) fn segment(&self, base: BaseId, row: &Segment, out: &mut Vec<u8>) {
        time(row.start, out);
        out.push(b',');
        time(row.end, out);
        out.push(b',');
        digits(u64::from(row.die.0), out);
        out.push(b',');
        digits(u64::from(row.plane.0), out);
        out.push(b',');
        out.extend_from_slice(&self.states[usize::from(StateCode::phase(base, row.kind).0)]);
        out.extend_from_slice(b",d");
        digits(u64::from(row.die.0), out);
        out.extend_from_slice(b"-p");
        digits(u64::from(row.plane.0), out);
        out.push(b',');
        out.extend_from_slice(&self.bases[base.index()]);
        out.push(b',');
        time(Ticks(row.end.0.saturating_sub(row.start.0)), out);
    }

    /// The key of a page: it sorts as the rows do.
    pub(super) fn touch(&self, program: bool, at: &nandseq_profile::Target) -> Touch {
        let rank = self.cell_type_ranks.get(at.cell_type.index()).copied().unwrap_or_default();
        let kind = u64::from(!program) << 3 | u64::from(rank);
        Touch(kind << 44 | u64::from(at.die.0) << 36 | u64::from(at.block.0 & 0xF_FFFF) << 16 | u64::from(at.page.0))
    }

    /// A row of address_touch_count.
    pub(super) fn touched(&self, touch: Touch, count: u64, out: &mut Vec<u8>) {
        let kind = touch.0 >> 44;
        out.extend_from_slice(if kind >> 3 == 0 { b"PROGRAM," } else { b"READ," });
        if let Some(name) = self.cell_types.get((kind & 7) as usize) {
            out.extend_from_slice(name);
        }
        for part in [touch.0 >> 36 & 0xFF, touch.0 >> 16 & 0xF_FFFF, touch.0 & 0xFFFF, count] {
            out.push(b',');
            digits(part, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ps: u64) -> String {
        let mut out = Vec::new();
        time(Ticks(ps), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn times_are_exact_decimals() {
        assert_eq!(text(0), "0.0");
        assert_eq!(text(500_000_000), "500.0");
        assert_eq!(text(7_500_085_000), "7500.085");
        assert_eq!(text(1), "0.000001");
        assert_eq!(text(u64::MAX), "18446744073709.551615");
    }

    #[test]
    fn rows_come_back_from_disk_as_they_were() {
        let stretch = Stretch {
            start: Ticks(1),
            end: Ticks(u64::MAX),
            place: [0, -1, i32::MAX, 7],
            state: StateCode::end(BaseId(127)),
            resumed: true,
        };
        let segment =
            Segment { start: Ticks(5), end: Ticks(6), die: Die(63), plane: Plane(7), kind: PhaseKind::DataOut };
        let mut bytes = Vec::new();
        stretch.encode(&mut bytes);
        assert_eq!(bytes.len(), STRETCH);
        segment.encode(&mut bytes);
        assert_eq!(bytes.len(), STRETCH + SEGMENT);
        let mut rest = bytes.as_slice();
        assert_eq!(Stretch::decode(&mut rest), stretch);
        assert_eq!(Segment::decode(&mut rest), segment);
        assert!(rest.is_empty());
    }
}
