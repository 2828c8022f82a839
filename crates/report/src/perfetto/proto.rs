//! The few parts of the Protocol Buffers wire format that a trace needs.

use crate::leb128;

/// A message under construction.
#[derive(Clone, Default, Debug)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    fn tag(&mut self, field: u32, wire_type: u32) {
        leb128::push(&mut self.0, u64::from(field << 3 | wire_type));
    }

    /// A number.
    pub(super) fn number(&mut self, field: u32, value: u64) -> &mut Self {
        self.tag(field, 0);
        leb128::push(&mut self.0, value);
        self
    }

    /// A number of eight bytes.
    pub(super) fn fixed64(&mut self, field: u32, value: u64) -> &mut Self {
        self.tag(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A text.
    pub(super) fn text(&mut self, field: u32, value: &str) -> &mut Self {
        self.bytes(field, value.as_bytes())
    }

    /// A message within this one.
    pub(super) fn message(&mut self, field: u32, value: &Self) -> &mut Self {
        self.bytes(field, &value.0)
    }

    fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Self {
        self.tag(field, 2);
        leb128::push(&mut self.0, value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// Empties it, to be used again.
    pub(super) fn clear(&mut self) -> &mut Self {
        self.0.clear();
        self
    }
}
