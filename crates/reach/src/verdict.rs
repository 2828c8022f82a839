//! The verdict on an operation under a phase key, from the states in which a hook may fall there.

use std::cell::LazyCell;
use std::ops::Deref;

use nandseq_profile::PhaseKey;

use crate::explore::Graph;
use crate::hooks::{GroupedHooks, HookGroup, HookGroups, Hooks, NO_GROUP, RunHooks};
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
    /// end and its hook, where a run boundary has completed everything before the hook, or during the last operations of a bootstrap.
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
    /// For each class, where the reason of its verdict was found: the number of the state among all that were judged.
    found_at: Vec<usize>,
    /// The classes that have a share there and are still open.
    open: Vec<NameClassId>,
    /// How many states were judged.
    passed: usize,
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
        let possible = |class| model.possible[usize::from(class)] && model.key_comes_up(key, &model.possible);
        let verdict = |class: NameClassId| match open.contains(&class) {
            true if possible(class) => Verdict::Undecided,
            true => Verdict::Unreachable(model.reason_against(class, &model.possible).unwrap_or(Reason::NoHook)),
            false => none,
        };
        return (0..model.classes.len() as NameClassId).map(verdict).collect();
    }
    let (verdicts, found_at) = (vec![none; model.classes.len()], vec![0; model.classes.len()]);
    let mut findings = OpenVerdicts { verdicts, found_at, open, passed: 0 };
    if !findings.open.is_empty() {
        let hooks = Hooks::certain(model, graph, key, &findings.open);
        findings.look(model, graph, &hooks.certain, Verdict::Reachable);
    }
    // Most of the other hooks are coincidences, and most classes do not need them.
    if !findings.open.is_empty() {
        let hooks = Hooks::others(model, graph, key, &findings.open);
        findings.look(model, graph, &hooks.certain_for_instants, Verdict::Reachable);
        findings.look(model, graph, &hooks.chance, Verdict::Coincidence);
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
    fn look(&mut self, model: &Model<'_>, graph: &Graph, hooks: &HookGroups<'_>, found: Verdict) {
        if !hooks.runs.is_empty() {
            self.settle(model);
        }
        let mut group_of = vec![NO_GROUP; graph.dies.items.len()];
        for run in &hooks.runs {
            let grouped = LazyCell::new(|| run.groups(graph, &mut group_of));
            let mut at = 0;
            while let Some(&class) = self.open.get(at) {
                if hooks.judged[usize::from(class)] && self.judge(model, graph, (run, &grouped), class) {
                    self.verdicts[usize::from(class)] = found;
                    self.open.swap_remove(at);
                } else {
                    at += 1;
                }
            }
        }
        self.passed += hooks.added;
    }

    /// Whether a class may be accepted in a state with one operation on the hook's plane.
    fn judge(
        &mut self,
        model: &Model<'_>,
        graph: &Graph,
        (run, grouped): (&RunHooks, &impl Deref<Target = GroupedHooks>),
        class: NameClassId,
    ) -> bool {
        let here = match model.judge_run(run.run, class) {
            Ok(here) => here,
            Err(reason) => {
                self.note(class, reason, run.first);
                return false;
            }
        };
        grouped.groups.iter().any(|group| match judge_all(model, graph, (grouped, group, here), class) {
            Ok(()) => true,
            Err(reason) => {
                self.note(class, reason, group.first);
                false
            }
        })
    }

    /// Keeps the reason that came closest, and of several the one of the first state.
    fn note(&mut self, class: NameClassId, reason: Reason, first: usize) {
        let at = self.passed + first;
        let (verdict, found_at) = (&mut self.verdicts[usize::from(class)], &mut self.found_at[usize::from(class)]);
        let Verdict::Unreachable(known) = *verdict else { return };
        let closer = reason.specificity().cmp(&known.specificity()).then((*found_at).cmp(&at));
        if closer.is_gt() {
            (*verdict, *found_at) = (Verdict::Unreachable(reason), at);
        }
    }
}

/// Whether a class may be accepted in one of some states. The error is the reason that came closest.
fn judge_all(
    model: &Model<'_>,
    graph: &Graph,
    (grouped, group, here): (&GroupedHooks, &HookGroup, Result<(), Reason>),
    class: NameClassId,
) -> Result<(), Reason> {
    let fit = model.judge_beside(&group.common, class, here)?;
    let mut closest = Reason::NoHook;
    for &plane in grouped.planes(group) {
        let context = HookContext { plane: graph.planes.items[plane as usize], ..group.common };
        match model.judge_plane(graph, &context, class, &fit) {
            Ok(()) => return Ok(()),
            Err(reason) if reason.specificity() > closest.specificity() => closest = reason,
            Err(_) => {}
        }
    }
    Err(closest)
}
