//! The sort key of the rows of the timelines, and their form in temporary files.

use nandseq_profile::{Block, Die, OpId, Page, PhaseKey, Plane, Ticks};

use nandseq_trace::rows::{OpStateRow, StateId, TimelineRow};

use crate::sort::ordered::Numbered;
use crate::sort::{ByteReader, Record};

/// The sort key of both timelines: uid, start, die and plane.
type TimelineKey = (u64, Ticks, Die, Plane);

impl<R: Record<Key = TimelineKey>> Numbered for R {
    fn number(&self) -> u64 {
        self.key().0
    }

    fn first_key(uid: u64) -> TimelineKey {
        (uid, Ticks::ZERO, Die(0), Plane(0))
    }
}

impl Record for TimelineRow {
    const SIZE: usize = 8 + 8 + 8 + 4 + 2 + 1 + 1 + 2 + 1 + 2 + 2 + 2;
    type Key = TimelineKey;

    fn key(&self) -> TimelineKey {
        (self.uid, self.start, self.die, self.plane)
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.uid.to_le_bytes());
        bytes.extend_from_slice(&self.start.0.to_le_bytes());
        bytes.extend_from_slice(&self.end.0.to_le_bytes());
        bytes.extend_from_slice(&self.block.0.to_le_bytes());
        bytes.extend_from_slice(&self.page.0.to_le_bytes());
        bytes.extend_from_slice(&[self.die.0, self.plane.0, u8::from(self.resumed)]);
        for id in [self.op.0, self.state.0, self.key_used.0, self.key_virtual.0] {
            bytes.extend_from_slice(&id.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut fields = ByteReader(bytes);
        let (uid, start, end) = (fields.u64(), Ticks(fields.u64()), Ticks(fields.u64()));
        let (block, page) = (Block(fields.u32()), Page(fields.u16()));
        let (die, plane, resumed) = (Die(fields.u8()), Plane(fields.u8()), fields.u8() == 1);
        let (op, state) = (OpId(fields.u16()), StateId(fields.u16()));
        let (key_used, key_virtual) = (PhaseKey(fields.u16()), PhaseKey(fields.u16()));
        Self { uid, start, end, block, page, die, plane, op, resumed, state, key_used, key_virtual }
    }
}

impl Record for OpStateRow {
    const SIZE: usize = 8 + 8 + 8 + 2 + 1 + 1;
    type Key = TimelineKey;

    fn key(&self) -> TimelineKey {
        (self.uid, self.start, self.die, self.plane)
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.uid.to_le_bytes());
        bytes.extend_from_slice(&self.start.0.to_le_bytes());
        bytes.extend_from_slice(&self.end.0.to_le_bytes());
        bytes.extend_from_slice(&self.state.0.to_le_bytes());
        bytes.extend_from_slice(&[self.die.0, self.plane.0]);
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut fields = ByteReader(bytes);
        let (uid, start, end) = (fields.u64(), Ticks(fields.u64()), Ticks(fields.u64()));
        Self { uid, start, end, state: StateId(fields.u16()), die: Die(fields.u8()), plane: Plane(fields.u8()) }
    }
}
