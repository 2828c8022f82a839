//! What is bad, in a sentence: a place or a combination; and how unevenly the fails lie over places and parts.

use crate::evidence::EvidenceOfAll;
use crate::feature::{Combination, Condition, ConditionWords, Fact, Feature, Quantity};
use crate::search::SuspectSearch;
use crate::statistics::{UnitCount, chance};
use crate::suspect::{DiagnosisKind, PlaceSpread, Suspect};
use crate::walk::{PartRuns, TestedRuns};

/// What happens by chance more rarely needs another reason.
const LEAST_CHANCE: f64 = 0.01;

/// The most uneven place of each kind. Of sites, runs are compared; of other places, operations.
pub(crate) fn spread(search: &SuspectSearch, evidence: &EvidenceOfAll, words: ConditionWords<'_>) -> Vec<PlaceSpread> {
    let mut worst: Vec<(Fact, PlaceSpread)> = Vec::new();
    let sites = evidence.sites.iter().zip(0..).map(|(counted, site)| (Fact::Site(site), *counted, evidence.runs));
    let others = search.places.iter().filter(|(fact, _)| !matches!(fact, Fact::Site(_)));
    let all: Vec<_> = sites.chain(others.map(|(fact, counted)| (*fact, *counted, search.whole))).collect();
    for &(fact, part, whole) in &all {
        let Some(kind) = fact.kind_of_place().filter(|_| part.fails > 0 && part.all < whole.all) else { continue };
        // Those without fails are places too, but they are not listed: there are as many as their mean share says.
        let of_kind = all.iter().filter(|(other, part, _)| other.kind_of_place() == Some(kind) && part.all > 0).count();
        let share = part.all as f64 / whole.all as f64;
        let tries = (of_kind as f64).max(1.0 / share);
        let one = PlaceSpread {
            kind,
            place: Combination(vec![Condition::whole(Feature::Fact(fact))]).text(&words).replace("any operation, ", ""),
            fails: part.fails,
            of: whole.fails,
            share: (share * 1e6).round() / 1e4,
            chance: significant((chance(part.fails, whole.fails, share) * tries).min(1.0)),
        };
        match worst.iter_mut().find(|(other, _)| other.kind_of_place() == Some(kind)) {
            Some(known) if (one.chance, known.1.fails) < (known.1.chance, one.fails) => *known = (fact, one),
            Some(_) => {}
            None => worst.push((fact, one)),
        }
    }
    worst.sort_by_key(|(fact, _)| *fact);
    worst.into_iter().map(|(_, one)| one).collect()
}

/// The parts of sites at which several were tested.
pub(crate) fn parts<'a>(runs: &TestedRuns<'a>) -> Vec<&'a PartRuns> {
    let has_several = |of: &&PartRuns| runs.parts.iter().filter(|part| part.site == of.site).count() > 1;
    runs.parts.iter().filter(has_several).collect()
}

fn part_name(site_names: &[String], part: &PartRuns) -> String {
    format!("{} part {}", site_names[part.site], part.part)
}

/// The most uneven part. Runs of parts are compared.
pub(crate) fn worst_part(runs: &TestedRuns<'_>, parts: &[&PartRuns]) -> Option<PlaceSpread> {
    let whole = runs.parts.iter().fold(UnitCount::default(), |sum, part| sum.with(part.runs));
    let chance_of = |part: &PartRuns| {
        let share = part.runs.all as f64 / whole.all as f64;
        (chance(part.runs.fails, whole.fails, share) * parts.len() as f64).min(1.0)
    };
    let worst = parts
        .iter()
        .filter(|part| part.runs.fails > 0)
        .min_by(|one, other| chance_of(one).total_cmp(&chance_of(other)).then(other.runs.fails.cmp(&one.runs.fails)))?;
    Some(PlaceSpread {
        kind: "part",
        place: part_name(runs.site_names, worst),
        fails: worst.runs.fails,
        of: whole.fails,
        share: (worst.runs.all as f64 / whole.all as f64 * 1e6).round() / 1e4,
        chance: significant(chance_of(worst)),
    })
}

/// The part of a site that has the fails of the site, if chance does not give them to one of its parts.
fn bad_part<'a>(site: usize, parts: &[&'a PartRuns]) -> Option<&'a PartRuns> {
    let own: Vec<&PartRuns> = parts.iter().copied().filter(|part| part.site == site).collect();
    let whole = own.iter().fold(UnitCount::default(), |sum, part| sum.with(part.runs));
    let is_bad = |part: &PartRuns| {
        let share = part.runs.all as f64 / whole.all as f64;
        chance(part.runs.fails, whole.fails, share) * (own.len() as f64) < LEAST_CHANCE
    };
    own.iter().copied().find(|part| is_bad(part))
}

/// Rounds to three significant digits.
fn significant(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// What the first suspect says is bad, and that as a sentence.
pub(crate) fn verdict(
    suspects: &[Suspect],
    spread: &[PlaceSpread],
    parts: &[&PartRuns],
    words: ConditionWords<'_>,
) -> (DiagnosisKind, String) {
    let Some(first) = suspects.first() else {
        let text = "nothing goes with failing more than chance gives: no place and no combination";
        return (DiagnosisKind::Nothing, text.to_owned());
    };
    let (places, others): (Vec<Condition>, Vec<Condition>) =
        first.combination.0.iter().partition(|one| kind_of_place(one).is_some());
    let place = || Combination(places.clone()).text(&words).replace("any operation, ", "");
    // The last is the narrowest.
    match (places.last().and_then(|last| Some((last, kind_of_place(last)?))), others.is_empty()) {
        (Some((last, kind)), true) => {
            let part = match last.feature {
                Feature::Fact(Fact::Site(site)) => bad_part(site as usize, parts),
                Feature::Fact(_)
                | Feature::Name(_)
                | Feature::Number(_)
                | Feature::After(..)
                | Feature::AfterThat(..) => None,
            };
            let (kind, text) = part.map_or_else(|| (kind, place()), |part| ("part", part_name(words.sites, part)));
            let text = format!("a bad {kind}, not a bad combination: {text}, whatever happens there");
            (DiagnosisKind::Place, text)
        }
        (Some(_), false) => {
            let text = format!("a bad combination in one place, {}: {}", place(), first.what);
            (DiagnosisKind::CombinationAtPlace, text)
        }
        (None, _) => {
            let uneven = spread
                .iter()
                .filter(|one| one.chance < LEAST_CHANCE)
                .map(|one| format!("{} ({})", one.kind, one.place));
            let uneven: Vec<String> = uneven.collect();
            let end = if uneven.is_empty() {
                "no site, die, plane or block has more than its share".to_owned()
            } else {
                format!("uneven besides: {}", uneven.join(", "))
            };
            (DiagnosisKind::Combination, format!("a bad combination, not a bad place: {}; {end}", first.what))
        }
    }
}

/// What kind of place a condition names, be it one or some side by side.
fn kind_of_place(condition: &Condition) -> Option<&'static str> {
    let is_one = condition.least == condition.most;
    match condition.feature {
        Feature::Fact(Fact::Page(_)) => Some("page"),
        Feature::Fact(Fact::EvenPage | Fact::OddPage) => Some("half of the pages"),
        Feature::Fact(fact) => fact.kind_of_place(),
        Feature::Number(Quantity::Block) => Some(if is_one { "block of any die" } else { "range of blocks" }),
        Feature::Number(Quantity::Page) => Some(if is_one { "page" } else { "range of pages" }),
        Feature::Number(
            Quantity::Tenth(_) | Quantity::ThatTenth(_) | Quantity::Erases | Quantity::Reads | Quantity::PatternBefore,
        )
        | Feature::Name(_)
        | Feature::After(..)
        | Feature::AfterThat(..) => None,
    }
}
