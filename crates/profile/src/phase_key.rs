//! The names of phases and phase keys in legacy files and tables, with their other spellings.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest, quoted};
use crate::ids::PhaseKey;
use crate::model::{PhaseKeyInfo, PhaseKind};

/// The phase of a name. The predecessor's other spellings (`DOUT`, `DOUT4K`, `DATAIN`) are accepted.
pub(crate) fn phase_named(name: &str) -> Option<PhaseKind> {
    match name {
        "DOUT" | "DOUT4K" => Some(PhaseKind::DataOut),
        "DATAIN" => Some(PhaseKind::DataIn),
        _ => PhaseKind::ALL.into_iter().find(|kind| kind.name() == name),
    }
}

/// The phase keys by name.
pub(crate) struct PhaseKeyNames<'p> {
    by_name: HashMap<&'p str, PhaseKey>,
    names: Vec<&'p str>,
}

impl<'p> PhaseKeyNames<'p> {
    pub(crate) fn new(infos: impl IntoIterator<Item = (PhaseKey, &'p PhaseKeyInfo)>) -> Self {
        let mut by_name = HashMap::new();
        let mut names = Vec::new();
        for (key, info) in infos {
            by_name.insert(info.name.as_str(), key);
            names.push(info.name.as_str());
        }
        Self { by_name, names }
    }

    /// The phase key of a name.
    ///
    /// A phase that the base does not have gives a warning and `None`, because no plane is ever in that state. Any other unknown
    /// name is reported as an error.
    pub(crate) fn resolve(&self, name: &str, at: Span, diagnostics: &mut Diagnostics) -> Option<PhaseKey> {
        if let Some(&key) = self.by_name.get(name) {
            return Some(key);
        }
        let split = name.rsplit_once('.');
        let base_exists = split.is_some_and(|(base, _)| self.by_name.contains_key(format!("{base}.END").as_str()));
        let phase = split.and_then(|(_, phase)| phase_named(phase));
        match (split, phase) {
            (Some((base, _)), Some(phase)) if base_exists => {
                let proper = format!("{base}.{}", phase.name());
                if let Some(&key) = self.by_name.get(proper.as_str()) {
                    return Some(key);
                }
                let message = match phase {
                    PhaseKind::Issue => "ISSUE is not a phase key: the entry has no effect".to_owned(),
                    PhaseKind::CoreBusy | PhaseKind::DataIn | PhaseKind::DataOut => {
                        format!("{} has no phase {}: the entry has no effect", quoted(base), phase.name())
                    }
                };
                diagnostics.push(Diagnostic::warning("state-never-reached", message).at(at, ""));
            }
            _ => {
                let near = if diagnostics.is_full() { None } else { nearest(name, self.names.iter().copied()) };
                let message = format!("there is no phase key {}", quoted(name));
                let help = "a phase key is `BASE.PHASE`, `BASE.END` or `DEFAULT`";
                let diagnostic = Diagnostic::error("unknown-phase-key", message).at(at, "").help(help);
                diagnostics.push(diagnostic.suggest(near));
            }
        }
        None
    }
}
