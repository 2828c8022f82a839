//! The verdict on an operation under a phase key, from the states in which a hook may fall there.

use nandseq_profile::PhaseKey;

use crate::explore::Graph;
use crate::hooks::{HookGroup, HookGroups, Hooks};
use crate::judge::HookContext;
use crate::model::{Model, NameClassId};
use crate::reason::Reason;

/// Whether an operation can be proposed, and accepted, under a phase key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A long enough run has it.
    Reachable,
    /// Only when a hook happens to fall into a short ISSUE of the plane's next operation, on the very tick at which a phase
    /// begins, when the key is still that of the operation before, after something that did not show between an operation's
    /// end and its hook, or where a run boundary has completed everything before the hook.
    Coincidence,
    /// The device has too many states for a search of all of them: nothing that the operation needs is missing.
    Undecided,
    /// Never.
    Unreachable(Reason),
}

impl Verdict {
    /// The meaning of [`Self::Undecided`], in words.
    pub const UNDECIDED: &'static str = "undecided: the device has more states than can be searched";
}

/// The verdicts on the classes under one key, as far as they are found.
struct OpenVerdicts {
    verdicts: Vec<Verdict>,
    /// The classes that have a share there and are still open.
    open: Vec<NameClassId>,
}

/// The verdicts under a phase key, by class. A class that is not wanted, or has no share there, gets a placeholder,
/// [`Reason::NoHook`].
pub(crate) fn classes_under(model: &Model<'_>, graph: &Graph, key: PhaseKey, wanted: &[bool]) -> Vec<Verdict> {
    let shares = &model.shares[key.index()];
    let mut open: Vec<NameClassId> = shares.iter().map(|op| model.of_op[op.index()]).collect();
    open.retain(|&class| wanted[usize::from(class)]);
    open.sort_unstable();
    open.dedup();
    let none = Verdict::Unreachable(Reason::NoHook);
    if !graph.is_complete() {
        let possible = |class| model.possible[usize::from(class)] && model.key_comes_up(key);
        let verdict = |class: NameClassId| match open.contains(&class) {
            true if possible(class) => Verdict::Undecided,
            true => Verdict::Unreachable(model.reason_against(class, &model.possible).unwrap_or(Reason::NoHook)),
            false => none,
        };
        return (0..model.classes.len() as NameClassId).map(verdict).collect();
    }
    let mut findings = OpenVerdicts { verdicts: vec![none; model.classes.len()], open };
    let all = |_| true;
    if !findings.open.is_empty() {
        let hooks = Hooks::certain(model, graph, key);
        findings.look(model, graph, &hooks.certain, Verdict::Reachable, all);
    }
    // Most of the other hooks are coincidences, and most classes do not need them.
    if !findings.open.is_empty() {
        let hooks = Hooks::others(model, graph, key);
        let instants = |class| model.base(class).instant;
        findings.look(model, graph, &hooks.certain_for_instants, Verdict::Reachable, instants);
        findings.look(model, graph, &hooks.chance, Verdict::Coincidence, all);
    }
    findings.verdicts
}

impl OpenVerdicts {
    /// Decides the open classes that are refused in every state, for a key on which hooks fall.
    fn settle(&mut self, model: &Model<'_>) {
        self.open.retain(|&class| {
            let refused = model.judge_anywhere(class).err();
            if let Some(reason) = refused {
                self.verdicts[usize::from(class)] = Verdict::Unreachable(reason);
            }
            refused.is_none()
        });
    }

    /// Judges the open classes in some states. A class that is accepted in one of them gets the verdict `found`.
    fn look(
        &mut self,
        model: &Model<'_>,
        graph: &Graph,
        hooks: &HookGroups,
        found: Verdict,
        wanted: impl Fn(NameClassId) -> bool,
    ) {
        if !hooks.groups.is_empty() {
            self.settle(model);
        }
        for group in &hooks.groups {
            let mut at = 0;
            while let Some(&class) = self.open.get(at) {
                let outcome = if wanted(class) { judge_all(model, graph, group, class) } else { Err(Reason::NoHook) };
                let verdict = &mut self.verdicts[usize::from(class)];
                match (outcome, *verdict) {
                    (Ok(()), _) => {
                        *verdict = found;
                        self.open.swap_remove(at);
                        continue;
                    }
                    (Err(reason), Verdict::Unreachable(known)) if reason.specificity() > known.specificity() => {
                        *verdict = Verdict::Unreachable(reason);
                    }
                    (Err(_), _) => {}
                }
                at += 1;
            }
            if self.open.is_empty() {
                return;
            }
        }
    }
}

/// Whether a class may be accepted in one of some states. The error is the reason that came closest.
fn judge_all(model: &Model<'_>, graph: &Graph, group: &HookGroup, class: NameClassId) -> Result<(), Reason> {
    let fit = model.judge_die(&group.common, class)?;
    let mut closest = Reason::NoHook;
    for &plane in &group.planes {
        let context = HookContext { plane: graph.planes.items[plane as usize], ..group.common };
        match model.judge_plane(graph, &context, class, &fit) {
            Ok(()) => return Ok(()),
            Err(reason) if reason.specificity() > closest.specificity() => closest = reason,
            Err(_) => {}
        }
    }
    Err(closest)
}
