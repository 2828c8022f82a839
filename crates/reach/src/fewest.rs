//! Few weights that meet all needs of an operation.
//!
//! An operation needs others, which have needs themselves. The cost of an operation is a sum: of the weights that it lacks, and of the costs of
//! the cheapest operations that meet its needs. An operation that meets two needs counts twice in that sum, so the result is not always the
//! smallest; and only needs that hold in every state count. A search decides whether the result is enough.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};

use crate::model::{Model, NameClassId, Start};
use crate::reason::Reason;

/// Few weights that a table lacks and that meet all needs of an operation; `None` if no weights do. Of operations that would do as well,
/// those of `preferred` count.
#[must_use]
pub fn few_weights(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    (op, preferred): (OpId, &[OpId]),
) -> Option<Vec<(PhaseKey, OpId)>> {
    let model = Model::compiled(profile, table, start);
    let costs = Costs::new(&model, preferred);
    let mut chosen = Chosen { done: vec![false; model.classes.len()], weights: Vec::new() };
    costs.choose_op(op, &mut chosen)?;
    Some(chosen.weights)
}

/// The cost of what cannot be had.
const ENDLESS: u32 = u32::MAX;

/// How a class comes to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Draw {
    /// By a weight that the table has, or that it gets, under a phase key of this base; `None` for DEFAULT and for the bootstrap.
    Under { base: Option<BaseId>, gets: Option<PhaseKey> },
    /// As a step of a chain that this class begins.
    After(NameClassId),
}

/// The costs of the classes of a model.
struct Costs<'m, 'p> {
    model: &'m Model<'p>,
    /// For each class the operation that gets a weight for it.
    names: Vec<Option<OpId>>,
    /// For each class the ways in which it comes to be drawn.
    draws: Vec<Vec<Draw>>,
    /// For each class its needs, each with the classes that meet it.
    needs: Vec<Vec<Vec<NameClassId>>>,
    of: Vec<u32>,
}

/// What was chosen so far.
struct Chosen {
    done: Vec<bool>,
    weights: Vec<(PhaseKey, OpId)>,
}

impl<'m, 'p> Costs<'m, 'p> {
    fn new(model: &'m Model<'p>, preferred: &[OpId]) -> Self {
        let all = || 0..model.classes.len() as NameClassId;
        let first = |class: NameClassId| {
            let of_class = |op: &OpId| model.of_op[op.index()] == class;
            let known = preferred.iter().position(&of_class);
            (
                known.unwrap_or(usize::MAX),
                known.map_or_else(|| model.profile.ops.ids().find(of_class), |at| Some(preferred[at])),
            )
        };
        let (rank, names): (Vec<usize>, Vec<Option<OpId>>) = all().map(first).unzip();
        let can_run = |class: NameClassId| {
            let has_address = !matches!(model.address_exists(class), Err(Reason::BadBlocks | Reason::NoRegion));
            model.class(class).exists && has_address
        };
        let needs = |class: NameClassId| -> Vec<Vec<NameClassId>> {
            // A SUSPEND and its RESUME need each other.
            let waits = |reason: &Reason| !matches!(reason, Reason::NoResume(_));
            let reasons = model.constant_needs(class).into_iter().filter(waits);
            let met_by = |mut classes: Vec<NameClassId>| {
                classes.sort_by_key(|&class| (rank[usize::from(class)], model.class(class).multi, class));
                classes
            };
            reasons.flat_map(|reason| model.needs(class, reason, &[])).map(|(_, classes)| met_by(classes)).collect()
        };
        let draws = |class: NameClassId| if can_run(class) { draws_of(model, class) } else { Vec::new() };
        let (draws, needs) = (all().map(draws).collect(), all().map(needs).collect());
        let mut costs = Self { model, names, draws, needs, of: vec![ENDLESS; model.classes.len()] };
        loop {
            let before = costs.of.clone();
            for class in all() {
                costs.of[usize::from(class)] = costs.of_class(class).min(before[usize::from(class)]);
            }
            if costs.of == before {
                return costs;
            }
        }
    }

    fn of_class(&self, class: NameClassId) -> u32 {
        let draw = self.draws[usize::from(class)].iter().map(|draw| self.of_draw(*draw)).min().unwrap_or(ENDLESS);
        let cheapest =
            |classes: &Vec<NameClassId>| self.cheapest(classes).map_or(ENDLESS, |class| self.of[usize::from(class)]);
        self.needs[usize::from(class)].iter().map(cheapest).fold(draw, u32::saturating_add)
    }

    fn of_draw(&self, draw: Draw) -> u32 {
        match draw {
            Draw::Under { base, gets } => {
                let of_base =
                    base.map_or(0, |base| self.of_base(base).map_or(ENDLESS, |class| self.of[usize::from(class)]));
                of_base.saturating_add(u32::from(gets.is_some()))
            }
            Draw::After(head) => self.of[usize::from(head)],
        }
    }

    /// The class that brings the phase keys of a base up for the least.
    fn of_base(&self, base: BaseId) -> Option<NameClassId> {
        self.cheapest(&self.model.of_base[base.index()])
    }

    fn cheapest(&self, classes: &[NameClassId]) -> Option<NameClassId> {
        classes.iter().copied().min_by_key(|&class| self.of[usize::from(class)])
    }

    /// Chooses what lets an operation start; `None` if nothing does.
    fn choose_op(&self, op: OpId, chosen: &mut Chosen) -> Option<()> {
        let model = self.model;
        let class = model.of_op[op.index()];
        // Weights of other names of its class are of no use to it, and it is no step of every chain of its class.
        let of_op = |draw: &&Draw| match **draw {
            Draw::Under { gets: Some(_), .. } => true,
            Draw::Under { base, gets: None } => model.profile.phase_keys.iter_ids().any(|(key, info)| {
                info.base == base && model.shares[key.index()].contains(&op)
                    || base.is_none() && (model.class(class).in_bootstrap || model.is_scripted(op))
            }),
            Draw::After(head) => model.chains_with(op).iter().any(|(of, _)| *of == head),
        };
        let draw = self.draws[usize::from(class)].iter().filter(of_op).min_by_key(|draw| self.of_draw(**draw))?;
        self.choose_with(class, (*draw, op), chosen)
    }

    /// Chooses what lets a class start.
    fn choose(&self, class: NameClassId, chosen: &mut Chosen) -> Option<()> {
        if std::mem::replace(&mut chosen.done[usize::from(class)], true) {
            return Some(());
        }
        let draw = self.draws[usize::from(class)].iter().min_by_key(|draw| self.of_draw(**draw))?;
        self.choose_with(class, (*draw, self.names[usize::from(class)]?), chosen)
    }

    fn choose_with(&self, class: NameClassId, (draw, op): (Draw, OpId), chosen: &mut Chosen) -> Option<()> {
        if self.of_draw(draw) == ENDLESS {
            return None;
        }
        chosen.done[usize::from(class)] = true;
        match draw {
            Draw::Under { base, gets } => {
                chosen.weights.extend(gets.map(|key| (key, op)));
                if let Some(base) = base {
                    self.choose_one(&self.model.of_base[base.index()], chosen)?;
                }
            }
            Draw::After(head) => self.choose(head, chosen)?,
        }
        self.needs[usize::from(class)].iter().try_for_each(|classes| self.choose_one(classes, chosen))?;
        // A SUSPEND starts only where a name with a weight resumes its axis.
        let axis = self.model.base(class).effects.suspend.filter(|axis| !self.model.can_resume(*axis));
        let resumes =
            axis.map(|axis| self.model.classes_that(|class| self.model.base(class).effects.resume == Some(axis)));
        resumes.map_or(Some(()), |resumes| self.choose_one(&resumes, chosen))
    }

    /// Chooses one of some classes, if none is chosen yet.
    fn choose_one(&self, classes: &[NameClassId], chosen: &mut Chosen) -> Option<()> {
        if classes.iter().any(|&class| chosen.done[usize::from(class)]) {
            return Some(());
        }
        self.choose(self.cheapest(classes)?, chosen)
    }
}

/// The ways in which a class comes to be drawn. Chains come last, since what begins one may have needs of its own.
fn draws_of(model: &Model<'_>, class: NameClassId) -> Vec<Draw> {
    let own = model.class(class).base;
    let heads = model.heads_of(class, |head| head != class).into_iter().map(Draw::After);
    if model.base(class).effects.delay {
        return heads.collect();
    }
    let there = model.proposed_under[usize::from(class)].iter().map(|&base| Draw::Under { base, gets: None });
    let excludes = |key: PhaseKey| model.profile.exclusions.in_op_state(key).contains(own);
    let comes_up = |base: BaseId| model.tables.base(base).becomes_op_state();
    // Under DEFAULT an operation waits for nothing.
    let gets = model.profile.phase_keys.iter_ids().filter(|(key, info)| {
        !excludes(*key) && (*key == PhaseKey::DEFAULT || excludes(PhaseKey::DEFAULT) && info.base.is_some_and(comes_up))
    });
    let mut gets: Vec<_> = gets.collect();
    // Most operations wait for planes that are free, a SUSPEND for an array at work.
    let at_work = model.base(class).effects.suspend.is_some();
    gets.sort_by_key(|(_, info)| match info.phase {
        None => at_work,
        Some(PhaseKind::CoreBusy) => !at_work,
        Some(PhaseKind::Issue | PhaseKind::DataIn | PhaseKind::DataOut) => true,
    });
    let gets = gets.into_iter().map(|(key, info)| Draw::Under { base: info.base, gets: Some(key) });
    there.chain(gets).chain(heads).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{chained, device, op, table};

    fn few(profile: &Profile, name: &str) -> Option<Vec<(String, String)>> {
        let found = few_weights(profile, table(profile), Start::default(), (op(profile, name), &[]));
        let names = |(key, op): (PhaseKey, OpId)| (profile.phase_keys[key].name.clone(), profile.ops[op].name.clone());
        found.map(|found| found.into_iter().map(names).collect())
    }

    fn under_default(names: &[&str]) -> Option<Vec<(String, String)>> {
        Some(names.iter().map(|name| ("DEFAULT".to_owned(), (*name).to_owned())).collect())
    }

    #[test]
    fn everything_that_is_missing_down_to_the_root_gets_a_weight_and_nothing_else() {
        let profile = device("Status: 1", "");
        assert_eq!(few(&profile, "Read"), under_default(&["Read", "Program", "EraseA"]));
        assert_eq!(few(&profile, "Status"), under_default(&[]));
        // Of a class any name will do, but the one that is asked about needs its own weight.
        let profile = device("EraseA: 1, Status: 1", "");
        assert_eq!(few(&profile, "EraseB"), under_default(&["EraseB"]));
        assert_eq!(few(&profile, "Out"), under_default(&["Out", "Read", "Program"]));
        // The device lacks what it addresses.
        assert_eq!(few(&profile, "StatusLun3"), None);
    }

    #[test]
    fn a_step_of_a_chain_needs_what_begins_it_and_no_weight() {
        let chains = "chains: {SEQ: {steps: [READ, OUT]}}\n";
        let profile = chained("EraseA: 1", "NONE: 1, SEQ: 1", chains);
        assert_eq!(few(&profile, "Out"), under_default(&["Out", "Read", "Program"]));
        let profile = chained("EraseA: 1, Status: 1", "NONE: 1, SEQ: 1", chains);
        assert_eq!(few(&profile, "Wait"), None);
        // The status read begins the chain, in which a page is read and put out.
        assert_eq!(few(&profile, "Out"), under_default(&["Program"]));
    }

    #[test]
    fn what_default_excludes_gets_its_weight_under_a_key_that_comes_up() {
        let excluded = "exclusion_groups: {pg: [PROG]}\nexclusions: {op_state: {DEFAULT: [pg]}}\n";
        let profile = device("EraseA: 1", excluded);
        assert_eq!(few(&profile, "Program"), Some(vec![("ERASE.END".to_owned(), "Program".to_owned())]));
    }
}
