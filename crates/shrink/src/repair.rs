//! Makes a legal sequence of a recipe, or finds that there is none.
//!
//! [`carry_out`] starts the kept operations one after another, each at its distance in time from the one before or, where a rule forbids
//! that, at the next legal instant. Where an operation stays forbidden, it puts back operations of the history that the rule asks for: an
//! erase, the program of a page, the output of data, the RESUME of what is suspended, the load of a latch. Or it leaves out what is
//! forbidden, if it is told to. At the end everything in flight has ended, and no chain is left half done that the history completed. How
//! often it tries again is bounded.

use std::collections::BTreeSet;

use nandseq_device::{Device, Effects, Place, Rule};
use nandseq_profile::model::CacheReadKind;
use nandseq_profile::{Die, OpId, Ticks};

use crate::blocks::{BlocksSoFar, NotReady, lacking};
use crate::history::SequenceHistory;
use crate::player::Player;
use crate::recipe::{Recipe, SequenceSize};

/// How often a sequence is begun again before it is given up.
const MOST_TRIES: usize = 48;
/// How far back an operation is looked for that a rule of the lasting state asks for.
const MOST_LOOKED_AT: usize = 20_000;

/// What is done about an operation that a rule forbids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Repair {
    /// Nothing: the sequence is not legal.
    Nothing,
    /// What the rule asks for is put back.
    PutBack,
    /// The operation is left out too.
    LeaveOut,
}

/// An operation of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeptOperation {
    /// Its position in the history.
    pub item: u32,
    /// The op name.
    pub op: OpId,
    /// Its address.
    pub place: Place,
    /// When it starts.
    pub start: Ticks,
}

/// A legal sequence.
#[derive(Clone, Debug)]
pub struct LegalSequence {
    /// Its recipe, with what was put back.
    pub recipe: Recipe,
    /// Its operations in order.
    pub operations: Vec<KeptOperation>,
    /// Its size.
    pub size: SequenceSize,
}

/// Why a recipe gives no legal sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLegal {
    /// The operation that is forbidden or that lacks, as a position in the history.
    pub item: u32,
    /// The rule that forbids it; `None` if a chain is left half done without it.
    pub rule: Option<Rule>,
}

/// Makes the sequence of a recipe. What is put back comes from `parent` if it has it. It is given up if that makes more than `most`
/// operations.
///
/// # Errors
/// The first operation that could not be made legal.
pub(crate) fn carry_out(
    history: &SequenceHistory<'_>,
    parent: &Recipe,
    mut recipe: Recipe,
    repair: Repair,
    most: usize,
) -> Result<LegalSequence, NotLegal> {
    let mut last = None;
    for _ in 0..MOST_TRIES {
        let attempt =
            with_places(history, &recipe).and_then(|places| play(history, &recipe, &places).map_err(Lacking::only));
        let Lacking { first: wrong, forbidden, missing } = match attempt {
            Ok((operations, device)) => match unfinished(history, parent, &recipe, &device) {
                missing if missing.is_empty() => return Ok(sequence(history, recipe, operations)),
                missing => {
                    Lacking { missing: missing.clone(), ..Lacking::only(NotLegal { item: missing[0], rule: None }) }
                }
            },
            Err(wrong) => wrong,
        };
        last = Some(wrong);
        let more = match repair {
            Repair::Nothing => break,
            Repair::LeaveOut if wrong.rule.is_none() => break,
            Repair::LeaveOut => {
                recipe = recipe.without(&forbidden);
                continue;
            }
            Repair::PutBack if missing.is_empty() => asked_for(history, parent, &recipe, wrong),
            Repair::PutBack => missing,
        };
        let back = more.into_iter().flat_map(|item| unit_of(history, parent, item));
        let back: BTreeSet<u32> = back.filter(|item| !recipe.keeps(*item)).collect();
        if back.is_empty() || recipe.keep.len() + back.len() > most {
            break;
        }
        let mut keep = recipe.keep.clone();
        keep.extend(back);
        keep.sort_unstable();
        recipe = recipe.keeping(keep);
    }
    Err(last.unwrap_or(NotLegal { item: 0, rule: None }))
}

/// The operations that come back together with one: those of its unit that the parent has, or all of them if the parent lacks it.
fn unit_of<'h>(history: &'h SequenceHistory<'_>, parent: &'h Recipe, item: u32) -> impl Iterator<Item = u32> {
    let is_of_parent = parent.keeps(item);
    history.unit_of(item).iter().copied().filter(move |member| !is_of_parent || parent.keeps(*member))
}

/// Why a sequence is not legal, as far as is known at once.
struct Lacking {
    /// The first operation that is forbidden.
    first: NotLegal,
    /// All of them.
    forbidden: BTreeSet<u32>,
    /// The operations that they lack.
    missing: Vec<u32>,
}

impl Lacking {
    /// One operation is forbidden.
    fn only(first: NotLegal) -> Self {
        Self { first, forbidden: BTreeSet::from([first.item]), missing: Vec::new() }
    }
}

/// The kept operations with their addresses, as far as blocks decide them.
fn with_places(history: &SequenceHistory<'_>, recipe: &Recipe) -> Result<Vec<(u32, Place)>, Lacking> {
    let mut blocks = BlocksSoFar::new(history, recipe);
    let mut places = Vec::with_capacity(recipe.keep.len());
    let mut wrong: Option<Lacking> = None;
    for &item in &recipe.keep {
        match blocks.place_of(item) {
            Ok(place) => places.push((item, place)),
            Err(not_ready @ NotReady { rule, .. }) => {
                let wrong = wrong.get_or_insert_with(|| Lacking::only(NotLegal { item, rule: Some(rule) }));
                wrong.forbidden.insert(item);
                wrong
                    .missing
                    .extend(lacking(history, (item, recipe.model(item)), not_ready, |item| recipe.keeps(item)));
            }
        }
    }
    wrong.map_or(Ok(places), Err)
}

/// Operations with their starts, and the device after them.
type Played = (Vec<KeptOperation>, Device);

fn play(history: &SequenceHistory<'_>, recipe: &Recipe, places: &[(u32, Place)]) -> Result<Played, NotLegal> {
    let mut player = Player::of(history.tables, history.fresh.clone());
    let mut operations: Vec<KeptOperation> = Vec::with_capacity(places.len());
    for (item, place) in places {
        let (past, op) = (&history.past[*item as usize], history.past[recipe.model(*item) as usize].op);
        let wanted = operations.last().map_or(Ticks::ZERO, |before| {
            let gap = Ticks(past.start.0.saturating_sub(history.past[before.item as usize].start.0));
            if recipe.tight.contains(item) { before.start } else { before.start + gap }
        });
        player.happened.clear();
        let started = player.start_from(*item, (op, place), wanted);
        let (start, place) = started.map_err(|rule| NotLegal { item: *item, rule: Some(rule) })?;
        operations.push(KeptOperation { item: *item, op, place, start });
    }
    player.complete();
    Ok((operations, player.device))
}

/// What a sequence lacks at its end: the operations of chains that are left half done, as far as the parent has them. A chain that the
/// history left half done stays so.
fn unfinished(history: &SequenceHistory<'_>, parent: &Recipe, recipe: &Recipe, device: &Device) -> Vec<u32> {
    let mut dies = (0..history.tables.size.dies).map(|die| device.logic(Die(die)));
    let is_whole = dies.all(|logic| {
        let planes = &logic.planes;
        planes.unread().is_empty()
            && planes.in_cache_read(CacheReadKind::Cache).is_empty()
            && planes.in_cache_read(CacheReadKind::PlaneCache).is_empty()
            && logic.one_shot.is_none()
            && logic.copyback.is_none()
            && logic.cache_program.is_none()
    });
    if is_whole {
        return Vec::new();
    }
    let begun: BTreeSet<u32> = recipe.keep.iter().map(|item| history.unit[*item as usize]).collect();
    let members = begun.iter().flat_map(|unit| history.unit_of(*unit));
    members.copied().filter(|item| parent.keeps(*item) && !recipe.keeps(*item)).collect()
}

/// The operations that a rule asks for when it forbids one: the rest of its unit, or the last one before it that is of the kind.
fn asked_for(history: &SequenceHistory<'_>, parent: &Recipe, recipe: &Recipe, wrong: NotLegal) -> Vec<u32> {
    let Some(rule) = wrong.rule else { return Vec::new() };
    let own: Vec<u32> = unit_of(history, parent, wrong.item).filter(|item| !recipe.keeps(*item)).collect();
    if !own.is_empty() {
        return own;
    }
    let die = history.past[wrong.item as usize].place.die;
    let mut earlier = (0..wrong.item).rev().take(MOST_LOOKED_AT).filter(|item| !recipe.keeps(*item));
    let found = earlier.find(|&item| {
        let past = &history.past[item as usize];
        let effects = &history.tables.base(history.tables.op(past.op).base).effects;
        let is_near = past.place.die == die || effects.changes_target || effects.reset_target;
        is_near && settles(rule, effects)
    });
    found.into_iter().collect()
}

/// Whether an operation may be what a rule asks for.
fn settles(rule: Rule, effects: &Effects) -> bool {
    let moves = effects.suspend.is_some() || effects.resume.is_some() || effects.resets();
    match rule {
        Rule::Suspend | Rule::ResumeTarget | Rule::InFlight => moves,
        Rule::SuspendTarget | Rule::RecoveryTarget => moves || effects.changes_block(),
        Rule::Odt | Rule::WriteProtect => effects.changes_target,
        Rule::OneshotOrder
        | Rule::Latch
        | Rule::Cache
        | Rule::CacheSequence
        | Rule::CopybackSource
        | Rule::DoutSource
        | Rule::UnreadData => effects.changes().next().is_some() && !effects.changes_target,
        Rule::Bounds
        | Rule::MultiPlaneGroup
        | Rule::Bus
        | Rule::PlaneBusy
        | Rule::MultiPlaneExclusive
        | Rule::OpState
        | Rule::BadBlock
        | Rule::ProgramBeforeErase
        | Rule::ProgramOrder
        | Rule::ProgramCellType
        | Rule::ReadBeforeProgram
        | Rule::ReadCellType
        | Rule::StatusValue => false,
    }
}

fn sequence(history: &SequenceHistory<'_>, recipe: Recipe, operations: Vec<KeptOperation>) -> LegalSequence {
    let dies: BTreeSet<Die> = operations.iter().map(|kept| kept.place.die).collect();
    let has_block = |kept: &&KeptOperation| history.tables.base(history.tables.op(kept.op).base).has_block;
    let groups = operations.iter().filter(has_block).map(|kept| (kept.place.die, kept.place.group));
    let places = dies.len() + groups.collect::<BTreeSet<_>>().len();
    let span = operations.first().zip(operations.last()).map_or(0, |(first, last)| last.start.0 - first.start.0);
    let size = SequenceSize { operations: operations.len(), places, time: Ticks(span) };
    LegalSequence { recipe, operations, size }
}
