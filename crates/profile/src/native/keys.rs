//! The names of phase keys in a file: `BASE.PHASE`, `CLASS.PHASE` for every base of a class, `BASE.END`, `DEFAULT`.

use std::collections::HashMap;

use super::context::Context;
use super::names::suggestion;
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::ids::{IdVec, PhaseKey};
use crate::model::PhaseKeyInfo;
use crate::yaml::Entry;

/// The phase keys of a profile by name.
pub(super) struct Keys<'k> {
    by_name: HashMap<&'k str, PhaseKey>,
    names: Vec<&'k str>,
    /// For each name `CLASS.PHASE`, the keys of the bases that have the phase.
    of_classes: Vec<(String, Vec<PhaseKey>)>,
}

impl<'k> Keys<'k> {
    pub(super) fn new(phase_keys: &'k IdVec<PhaseKey, PhaseKeyInfo>, context: &Context<'_>) -> Self {
        let by_name = phase_keys.iter_ids().map(|(key, info)| (info.name.as_str(), key)).collect();
        let names = phase_keys.iter().map(|info| info.name.as_str()).collect();
        let mut of_classes: Vec<(String, Vec<PhaseKey>)> = Vec::new();
        for (class, class_name) in context.classes.iter().enumerate() {
            let first = of_classes.len();
            for base in context.members(class) {
                for (key, info) in phase_keys.iter_ids().filter(|(_, info)| info.base == Some(base)) {
                    let phase = info.phase.map_or("END", |phase| phase.name());
                    let name = format!("{class_name}.{phase}");
                    match of_classes[first..].iter_mut().find(|(known, _)| *known == name) {
                        Some((_, keys)) => keys.push(key),
                        None => of_classes.push((name, vec![key])),
                    }
                }
            }
        }
        Self { by_name, names, of_classes }
    }

    /// Reads a table by phase key. An entry of a base has precedence over an entry of its class.
    pub(super) fn read_table<T: Clone>(
        &self,
        entries: &[Entry],
        diagnostics: &mut Diagnostics,
        mut read: impl FnMut(&Entry, &mut Diagnostics) -> T,
    ) -> Vec<(PhaseKey, T)> {
        let mut table: Vec<(PhaseKey, T)> = Vec::new();
        let mut place: HashMap<PhaseKey, usize> = HashMap::new();
        for entry in entries {
            let value = read(entry, diagnostics);
            if let Some(&key) = self.by_name.get(&*entry.key) {
                // A mapping has a key once, so an earlier value is that of the class.
                if let Some(&at) = place.get(&key) {
                    table[at].1 = value;
                } else {
                    place.insert(key, table.len());
                    table.push((key, value));
                }
            } else if let Some((_, keys)) = self.of_classes.iter().find(|(name, _)| *name == *entry.key) {
                for &key in keys {
                    place.entry(key).or_insert_with(|| {
                        table.push((key, value.clone()));
                        table.len() - 1
                    });
                }
            } else {
                self.report(entry, diagnostics);
            }
        }
        table
    }

    fn report(&self, entry: &Entry, diagnostics: &mut Diagnostics) {
        let message = format!("there is no phase key {}", quoted(&entry.key));
        let diagnostic = Diagnostic::error("unknown-name", message).at(entry.key_span, "");
        if entry.key.ends_with(".ISSUE") {
            let help = "ISSUE is no phase key: during it the key is that of the operation before, `BASE.END`";
            diagnostics.push(diagnostic.help(help));
            return;
        }
        let candidates = self.names.iter().copied().chain(self.of_classes.iter().map(|(name, _)| name.as_str()));
        let near = suggestion(&entry.key, candidates, diagnostics);
        diagnostics.push(match near {
            Some(_) => diagnostic.suggest(near),
            None => {
                diagnostic.help("it is `BASE.PHASE` or `CLASS.PHASE` of a phase the base has, `BASE.END` or `DEFAULT`")
            }
        });
    }
}
