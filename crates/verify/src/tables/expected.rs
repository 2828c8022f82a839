//! Expected rows, compact while they wait, and the names that are written in them.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, Die, OpId, Plane, Profile, Ticks};

/// The code of an op_state, or of one that is not known.
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

/// A row of operation_timeline, without the columns that its operation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) start: Ticks,
    pub(super) end: Ticks,
    /// Die, plane, block, page, as written.
    pub(super) place: [i32; 4],
    pub(super) state: StateCode,
    pub(super) resumed: bool,
}

/// A row of op_state_timeline, without the columns that its operation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SegmentRow {
    pub(super) start: Ticks,
    pub(super) end: Ticks,
    pub(super) die: Die,
    pub(super) plane: Plane,
    pub(super) kind: PhaseKind,
}

/// Bytes of a [`Stretch`] on disk.
pub(super) const STRETCH: usize = 35;
/// Bytes of a [`SegmentRow`] on disk.
pub(super) const SEGMENT: usize = 19;

/// Takes `N` bytes off the front; zeros if there are fewer.
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

impl SegmentRow {
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

/// The key of a touched page, which sorts as the rows of the table do: programs before reads, then by the name of the cell type,
/// die, block and page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct TouchedPage(pub(super) u64);

impl TouchedPage {
    pub(super) const fn is_program(self) -> bool {
        self.0 >> 47 == 0
    }

    /// Die, block, page.
    pub(super) const fn place(self) -> [u64; 3] {
        [self.0 >> 36 & 0xFF, self.0 >> 16 & 0xF_FFFF, self.0 & 0xFFFF]
    }
}

/// The bits of the first bytes of 16, by the number of bytes.
const FIRST: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut len = 0;
    while len < 16 {
        masks[len] = (1 << (8 * len)) - 1;
        len += 1;
    }
    masks
};

/// What follows a text of `len` bytes at the beginning of `line`, if it is there, as `Some`. `None` if the text or the line is of
/// another size than this can tell: one comparison of constant size costs less than one of the exact length.
#[inline]
pub(super) fn behind_short<'a>(text: &[u8; 16], len: usize, line: &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (mask, next) = (FIRST.get(len)?, line.first_chunk()?);
    let differ = (u128::from_le_bytes(*next) ^ u128::from_le_bytes(*text)) & mask;
    Some(if differ == 0 { line.get(len..) } else { None })
}

/// Bytes of a word that are copied at once.
const CHUNK: usize = 64;

/// A text that is written often. A short text is copied in one piece of constant size, which costs a third of a copy of its exact
/// length.
#[derive(Debug)]
pub(super) struct PaddedText {
    /// Filled up with zeros.
    chunk: [u8; CHUNK],
    text: Box<[u8]>,
}

impl PaddedText {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut chunk = [0; CHUNK];
        let short = text.len().min(CHUNK);
        chunk[..short].copy_from_slice(&text[..short]);
        Self { chunk, text: text.into() }
    }

    /// What follows the text at the beginning of `line`, if it is there.
    #[inline]
    pub(super) fn behind<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let short = behind_short(self.chunk.first_chunk()?, self.text.len(), line);
        short.unwrap_or_else(|| line.strip_prefix(&*self.text))
    }

    /// Appends the text to `out`.
    #[inline]
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.text.len();
        if self.text.len() > CHUNK {
            out.extend_from_slice(&self.text);
        } else {
            out.extend_from_slice(&self.chunk);
            out.truncate(end);
        }
    }
}

/// Names as they are written in rows, with the commas around them.
#[derive(Debug)]
pub(crate) struct WrittenNames {
    /// `,op_name,op_base,` of every operation.
    ops: Vec<PaddedText>,
    /// `,BASE,`
    bases: Vec<PaddedText>,
    /// `BASE.PHASE,`
    states: Vec<PaddedText>,
    /// `,0,2,` and `d0-p2`, by die, then by plane.
    die_planes: Vec<[PaddedText; 2]>,
    planes: usize,
    /// Names of cell types, sorted by their bytes.
    cell_types: Vec<PaddedText>,
    cell_type_ranks: Vec<u8>,
}

/// A name as a CSV field, in quotes if it needs them.
fn field(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

impl WrittenNames {
    pub(crate) fn new(profile: &Profile) -> Self {
        let word = |text: String| PaddedText::new(text.as_bytes());
        let state = |name: &str| word(format!("{},", field(name)));
        let mut states = vec![state("DEFAULT")];
        for base in profile.bases.iter() {
            states.extend(PhaseKind::ALL.map(|kind| state(&format!("{}.{}", base.name, kind.name()))));
            states.push(state(&format!("{}.END", base.name)));
        }
        let op = |op: &nandseq_profile::model::Op| {
            word(format!(",{},{},", field(&op.name), field(&profile.bases[op.base].name)))
        };
        let names: Vec<&str> = profile.cell_types.iter().map(|one| one.name.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let rank = |name: &&str| sorted.iter().position(|other| other == name).unwrap_or_default() as u8;
        let (dies, planes) = (profile.topology.dies, profile.topology.planes);
        let die_plane = |die, plane| [word(format!(",{die},{plane},")), word(format!("d{die}-p{plane}"))];
        Self {
            ops: profile.ops.iter().map(op).collect(),
            bases: profile.bases.iter().map(|base| word(format!(",{},", field(&base.name)))).collect(),
            states,
            die_planes: (0..dies).flat_map(|die| (0..planes).map(move |plane| die_plane(die, plane))).collect(),
            planes: planes as usize,
            cell_type_ranks: names.iter().map(rank).collect(),
            cell_types: sorted.iter().map(|name| word(field(name))).collect(),
        }
    }

    /// `,op_name,op_base,` of an operation.
    pub(super) fn op(&self, op: OpId) -> &PaddedText {
        &self.ops[op.index()]
    }

    /// `BASE.PHASE,`
    pub(super) fn state(&self, state: StateCode) -> &PaddedText {
        &self.states[usize::from(state.0)]
    }

    /// `,BASE,`
    pub(super) fn base(&self, base: BaseId) -> &PaddedText {
        &self.bases[base.index()]
    }

    /// `,0,2,` and `d0-p2` of a plane, if the device has it.
    pub(super) fn die_plane(&self, die: usize, plane: usize) -> Option<&[PaddedText; 2]> {
        if plane < self.planes {
            self.die_planes.get(die.saturating_mul(self.planes).saturating_add(plane))
        } else {
            None
        }
    }

    /// The name of the cell type of a touched page.
    pub(super) fn cell_type(&self, touch: TouchedPage) -> Option<&PaddedText> {
        self.cell_types.get((touch.0 >> 44 & 7) as usize)
    }

    /// The key of a page that is programmed (`program`) or read.
    pub(super) fn touch(&self, program: bool, at: &nandseq_profile::Target) -> TouchedPage {
        let rank = self.cell_type_ranks.get(at.cell_type.index()).copied().unwrap_or_default();
        let kind = u64::from(!program) << 3 | u64::from(rank);
        TouchedPage(
            kind << 44 | u64::from(at.die.0) << 36 | u64::from(at.block.0 & 0xF_FFFF) << 16 | u64::from(at.page.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            SegmentRow { start: Ticks(5), end: Ticks(6), die: Die(63), plane: Plane(7), kind: PhaseKind::DataOut };
        let mut bytes = Vec::new();
        stretch.encode(&mut bytes);
        assert_eq!(bytes.len(), STRETCH);
        segment.encode(&mut bytes);
        assert_eq!(bytes.len(), STRETCH + SEGMENT);
        let mut rest = bytes.as_slice();
        assert_eq!(Stretch::decode(&mut rest), stretch);
        assert_eq!(SegmentRow::decode(&mut rest), segment);
        assert!(rest.is_empty());
    }
}
