//! A field of a stanza, which another stanza may state as well.

use crate::diagnostic::Span;
use crate::yaml::Node;

/// A field that may be absent, or there but wrong (reported).
#[derive(Clone, Copy, Default)]
pub(super) enum StatedField<T> {
    #[default]
    Absent,
    Wrong,
    Is(T, Span),
}

impl<T: Clone> StatedField<T> {
    pub(super) fn read<'n>(node: Option<&'n Node>, read: impl FnOnce(&'n Node) -> Option<T>) -> Self {
        node.map_or(Self::Absent, |node| read(node).map_or(Self::Wrong, |value| Self::Is(value, node.span)))
    }

    /// This field, or the other one where this is absent.
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
