//! The names that a suspect may give an operation: its own, that of its base, that of a class.
//!
//! A test plan knows the same names. Of names for the same operations only the first counts: an operation goes before its base, a
//! base before a class.

use nandseq_plan::classes_of;
use nandseq_profile::{BaseId, IdVec, OpId, Profile};

/// A name: an index into [`NameTable`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct OpName(pub(crate) u16);

impl OpName {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How general a name is. The key of a step in a test plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum OpNameKind {
    Op,
    Base,
    Class,
}

impl OpNameKind {
    /// The key of a step that takes such a name.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Op => "op",
            Self::Base => "base",
            Self::Class => "class",
        }
    }
}

#[derive(Debug)]
struct NamedOps {
    text: String,
    kind: OpNameKind,
    /// In ascending order.
    ops: Vec<OpId>,
}

/// All names of the operations of a profile.
#[derive(Debug)]
pub(crate) struct NameTable {
    names: Vec<NamedOps>,
    of_op: IdVec<OpId, Vec<OpName>>,
    /// By operation and name, whether the operation has the name.
    has: Vec<bool>,
}

impl NameTable {
    /// The names of a profile. `classes` are those that its text defines.
    pub(crate) fn new(profile: &Profile, classes: &[(String, Vec<BaseId>)]) -> Self {
        let of_bases = |bases: &[BaseId]| -> Vec<OpId> {
            profile.ops.iter_ids().filter(|(_, op)| bases.contains(&op.base)).map(|(id, _)| id).collect()
        };
        let ops = profile.ops.iter_ids().map(|(id, op)| (op.name.clone(), OpNameKind::Op, vec![id]));
        let bases = profile.bases.iter_ids().map(|(id, base)| (base.name.clone(), OpNameKind::Base, of_bases(&[id])));
        let classes = classes_of(profile, classes).into_iter();
        let classes = classes.map(|(name, bases)| (name, OpNameKind::Class, of_bases(&bases)));
        let mut names: Vec<NamedOps> = Vec::new();
        for (text, kind, ops) in ops.chain(bases).chain(classes) {
            if !ops.is_empty() && names.iter().all(|known| known.ops != ops) {
                names.push(NamedOps { text, kind, ops });
            }
        }
        let with = |op: &OpId| {
            let has = names.iter().zip(0..).filter(|(name, _)| name.ops.contains(op));
            has.map(|(_, at)| OpName(at)).collect()
        };
        let of_op = profile.ops.ids().map(|op| with(&op)).collect();
        let has = profile.ops.ids().flat_map(|op| names.iter().map(move |name| name.ops.contains(&op))).collect();
        Self { names, of_op, has }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The names of an operation, the most specific first.
    pub(crate) fn of(&self, op: OpId) -> &[OpName] {
        &self.of_op[op]
    }

    /// Whether an operation has a name.
    pub(crate) fn has(&self, op: OpId, name: OpName) -> bool {
        self.has[op.index() * self.names.len() + name.index()]
    }

    pub(crate) fn text(&self, name: OpName) -> &str {
        &self.names[name.index()].text
    }

    pub(crate) fn kind(&self, name: OpName) -> OpNameKind {
        self.names[name.index()].kind
    }

    pub(crate) fn ops(&self, name: OpName) -> &[OpId] {
        &self.names[name.index()].ops
    }

    /// Whether every operation of `special` is one of `general`.
    pub(crate) fn holds(&self, general: OpName, special: OpName) -> bool {
        general == special || self.ops(special).iter().all(|op| self.ops(general).contains(op))
    }
}
