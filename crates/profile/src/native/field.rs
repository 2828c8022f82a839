//! Fields that several stanzas may state, such as a base and its class.

use crate::diagnostic::Span;
use crate::yaml::Node;

/// A field of a stanza.
#[derive(Clone, Copy, Default)]
pub(super) enum StatedField<T> {
    /// The stanza does not state the field.
    #[default]
    Absent,
    /// The field has a wrong value, which was reported.
    Wrong,
    /// The field has a value.
    Is(T, Span),
}

impl<T: Clone> StatedField<T> {
    /// The field of a node. `read` returns `None` after it has reported a mistake.
    pub(super) fn read<'n>(node: Option<&'n Node>, read: impl FnOnce(&'n Node) -> Option<T>) -> Self {
        node.map_or(Self::Absent, |node| read(node).map_or(Self::Wrong, |value| Self::Is(value, node.span)))
    }

    /// This field, or the other field if this one is absent.
    pub(super) fn or(&self, other: &Self) -> Self {
        if matches!(self, Self::Absent) { other.clone() } else { self.clone() }
    }

    /// The value, if there is one.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Is(value, _) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }

    /// The value, or the default if the field is absent; `None` if it is wrong.
    pub(super) fn value_or(self, default: T) -> Option<T> {
        if matches!(self, Self::Absent) { Some(default) } else { self.value() }
    }

    pub(super) fn span(&self) -> Option<Span> {
        match self {
            Self::Is(_, span) => Some(*span),
            Self::Absent | Self::Wrong => None,
        }
    }
}
