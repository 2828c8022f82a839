//! Features of an operation at its start, conditions on them, and suspects, which are sets of conditions.

use nandseq_profile::model::Axis;
use nandseq_profile::{CellTypeId, Profile};
use nandseq_trace::rows::StateId;

use crate::bins::{Scale, us_text};
use crate::names::{NameTable, OpName};

/// How an earlier operation lies to a later one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Relation {
    /// On the die, wherever.
    Die,
    OtherPlane,
    SamePlane,
    SameBlock,
    /// A block before or after on the same plane.
    BlockBeside,
    /// The page before in the same block.
    PageBefore,
    /// The page after in the same block.
    PageAfter,
    /// One of the two.
    PageBeside,
    SamePage,
    OtherDie,
}

impl Relation {
    pub(crate) const ALL: [Self; 10] = [
        Self::Die,
        Self::OtherPlane,
        Self::SamePlane,
        Self::SameBlock,
        Self::BlockBeside,
        Self::PageBefore,
        Self::PageAfter,
        Self::PageBeside,
        Self::SamePage,
        Self::OtherDie,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::Die => "on the die",
            Self::OtherPlane => "on another plane",
            Self::SamePlane => "on the same plane",
            Self::SameBlock => "in the same block",
            Self::BlockBeside => "in a block beside it",
            Self::PageBefore => "on the page before",
            Self::PageAfter => "on the page after",
            Self::PageBeside => "on a page beside it",
            Self::SamePage => "on the same page",
            Self::OtherDie => "on another die",
        }
    }
}

/// What is true of an operation, or is not. Sites are numbered as they are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Fact {
    Site(u32),
    /// One of several sites, one bit each.
    Sites(u64),
    Die(u8),
    Plane(u8, u8),
    /// The plane of this number on any die.
    PlaneOfAny(u8),
    Block(u8, u32),
    SitePlane(u32, u8, u8),
    SiteBlock(u32, u8, u32),
    Page(u32),
    EvenPage,
    OddPage,
    CellType(CellTypeId),
    /// The number of planes that the operation names.
    Planes(u8),
    /// The op_state of its plane just before it.
    State(StateId),
    Suspended(AxisOf),
    /// A cache operation is under way on the die.
    Cache,
    /// A latch of the die is loaded.
    Latch,
}

/// An axis of suspension, with an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum AxisOf {
    Erase,
    Program,
}

impl From<Axis> for AxisOf {
    fn from(axis: Axis) -> Self {
        match axis {
            Axis::Erase => Self::Erase,
            Axis::Program => Self::Program,
        }
    }
}

impl From<AxisOf> for Axis {
    fn from(axis: AxisOf) -> Self {
        match axis {
            AxisOf::Erase => Self::Erase,
            AxisOf::Program => Self::Program,
        }
    }
}

impl Fact {
    /// Whether it says where the operation is.
    pub(crate) const fn is_place(self) -> bool {
        self.kind_of_place().is_some()
    }

    /// What kind of place it names.
    pub(crate) const fn kind_of_place(self) -> Option<&'static str> {
        match self {
            Self::Site(_) => Some("site"),
            Self::Sites(_) => Some("group of sites"),
            Self::Die(_) => Some("die"),
            Self::Plane(..) => Some("plane"),
            Self::PlaneOfAny(_) => Some("plane of any die"),
            Self::Block(..) => Some("block"),
            Self::SitePlane(..) => Some("plane of a site"),
            Self::SiteBlock(..) => Some("block of a site"),
            Self::Page(_)
            | Self::EvenPage
            | Self::OddPage
            | Self::CellType(_)
            | Self::Planes(_)
            | Self::State(_)
            | Self::Suspended(_)
            | Self::Cache
            | Self::Latch => None,
        }
    }

    /// Whether it names a site.
    pub(crate) const fn is_of_site(self) -> bool {
        matches!(self, Self::Site(_) | Self::Sites(_) | Self::SitePlane(..) | Self::SiteBlock(..))
    }

    /// Whether it names one of many: there may be as many as addresses.
    pub(crate) const fn is_of_many(self) -> bool {
        self.is_of_site() || matches!(self, Self::Block(..) | Self::Page(_))
    }

    fn text(self, words: &ConditionWords<'_>) -> String {
        let site = |number: u32| words.sites.get(number as usize).map_or("", String::as_str);
        match self {
            Self::Site(number) => site(number).to_owned(),
            Self::Sites(sites) => {
                let of_group = (0..u64::BITS).filter(|number| sites >> number & 1 == 1);
                let numbers: Vec<&str> = of_group.map(|number| site(number).trim_start_matches("site ")).collect();
                format!("sites {}", numbers.join("+"))
            }
            Self::Die(die) => format!("die {die}"),
            Self::Plane(die, plane) => format!("die {die} plane {plane}"),
            Self::PlaneOfAny(plane) => format!("plane {plane} of any die"),
            Self::Block(die, block) => format!("die {die} block {block}"),
            Self::SitePlane(number, die, plane) => format!("{} die {die} plane {plane}", site(number)),
            Self::SiteBlock(number, die, block) => format!("{} die {die} block {block}", site(number)),
            Self::Page(page) => format!("page {page}"),
            Self::EvenPage => "even pages".to_owned(),
            Self::OddPage => "odd pages".to_owned(),
            Self::CellType(of) => format!("cell type {}", words.profile.cell_types[of].name),
            Self::Planes(1) => "one plane".to_owned(),
            Self::Planes(count) => format!("{count} planes at once"),
            Self::State(state) => format!("in {}", state.text(words.profile)),
            Self::Suspended(AxisOf::Erase) => "while an erase is suspended".to_owned(),
            Self::Suspended(AxisOf::Program) => "while a program is suspended".to_owned(),
            Self::Cache => "while a cache operation is under way".to_owned(),
            Self::Latch => "while a latch is loaded".to_owned(),
        }
    }
}

/// A number that is known of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Quantity {
    /// How far its plane is in an op_state.
    Tenth(StateId),
    /// How far the plane of the operation that the suspect names before it was in an op_state when that started; 0 in an op_state that
    /// is no phase.
    ThatTenth(StateId),
    /// Erases of its block before it.
    Erases,
    /// Reads of its block since the last erase.
    Reads,
    Block,
    Page,
    /// The pattern that the page before one of its pages holds.
    PatternBefore,
}

/// Something that may go with failing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Feature {
    /// The operation has this name.
    Name(OpName),
    Fact(Fact),
    Number(Quantity),
    /// An operation of this name started before it, in this relation to it. The last such operation counts.
    After(OpName, Relation),
    /// The same of the operation before it that the suspect names.
    AfterThat(OpName, Relation),
}

/// The measures of how far an earlier operation lies back, by their number: from its start, from its end, in operations.
pub(crate) const MEASURES: [Scale; 3] = [Scale::Gap, Scale::Gap, Scale::Distance];

/// The value of a feature on each of its scales.
pub(crate) type DistanceValues = [u64; 3];

/// The bin of a feature on each of its scales.
pub(crate) type Bins = [u8; 3];

impl Feature {
    /// The scales in which it is measured.
    pub(crate) const fn scales(self) -> [Option<Scale>; 3] {
        let scale = match self {
            Self::Name(_) | Self::Fact(_) => Scale::Whole,
            Self::Number(Quantity::Tenth(_) | Quantity::ThatTenth(_)) => Scale::Tenth,
            Self::Number(Quantity::Erases | Quantity::Reads) => Scale::Count,
            Self::Number(Quantity::Block) => Scale::Block,
            Self::Number(Quantity::Page) => Scale::Page,
            Self::Number(Quantity::PatternBefore) => Scale::Pattern,
            Self::After(..) | Self::AfterThat(..) => {
                let [start, end, distance] = MEASURES;
                return [Some(start), Some(end), Some(distance)];
            }
        };
        [Some(scale), None, None]
    }
}

/// A feature with some of its values, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Condition {
    pub(crate) feature: Feature,
    /// On which of its scales.
    pub(crate) measure: u8,
    pub(crate) least: u64,
    /// [`u64::MAX`] stands for any.
    pub(crate) most: u64,
}

impl Condition {
    /// A feature, whatever its value.
    pub(crate) const fn whole(feature: Feature) -> Self {
        Self { feature, measure: 0, least: 0, most: u64::MAX }
    }

    /// Whether it takes every value.
    pub(crate) const fn is_whole(&self) -> bool {
        self.least == 0 && self.most == u64::MAX
    }

    /// Whether it is measured as a time, if it is about an earlier operation.
    pub(crate) const fn is_time(&self) -> bool {
        self.measure < 2
    }

    /// Whether a value is among its values.
    pub(crate) fn takes(&self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }

    /// The least and the greatest value, if it has one.
    pub(crate) fn range(&self) -> (u64, Option<u64>) {
        (self.least, Some(self.most).filter(|&most| most != u64::MAX))
    }

    /// The least and the greatest part of a phase, in percent.
    pub(crate) fn percent(&self) -> (u64, u64) {
        let (least, most) = self.range();
        (least / 10_000, most.map_or(100, |most| (most + 1) / 10_000))
    }

    /// Whether it says where the operation is.
    pub(crate) const fn place(&self) -> Option<Fact> {
        match self.feature {
            Feature::Fact(fact) if fact.is_place() => Some(fact),
            Feature::Fact(_) | Feature::Name(_) | Feature::Number(_) | Feature::After(..) | Feature::AfterThat(..) => {
                None
            }
        }
    }

    pub(crate) fn text(&self, words: &ConditionWords<'_>) -> String {
        let (least, most) = self.range();
        let numbers = |unit: &dyn Fn(u64) -> String| match most {
            Some(most) if least == 0 => format!("at most {}", unit(most)),
            Some(most) if least == most => unit(most),
            Some(most) => format!("{} to {}", unit(least), unit(most)),
            None => format!("{} or more", unit(least)),
        };
        let plain = |number: u64| number.to_string();
        let topology = words.profile.topology;
        let places = |of: u32| match most.unwrap_or_else(|| u64::from(of).saturating_sub(1)) {
            most if most == least => plain(least),
            most => format!("{least} to {most}"),
        };
        let (from, to) = self.percent();
        match self.feature {
            Feature::Name(name) => words.names.text(name).to_owned(),
            Feature::Fact(fact) => fact.text(words),
            Feature::Number(Quantity::Tenth(state)) => format!("at {from}-{to} % of {}", state.text(words.profile)),
            Feature::Number(Quantity::ThatTenth(state))
                if self.is_whole() || state.parts().is_none_or(|(_, phase)| phase.is_none()) =>
            {
                format!("that in {}", state.text(words.profile))
            }
            Feature::Number(Quantity::ThatTenth(state)) => {
                format!("that at {from}-{to} % of {}", state.text(words.profile))
            }
            Feature::Number(Quantity::Erases | Quantity::Reads) if self.is_whole() => "on a block".to_owned(),
            Feature::Number(Quantity::Erases) => format!("block erased {} times", numbers(&plain)),
            Feature::Number(Quantity::Reads) => format!("block read {} times since its erase", numbers(&plain)),
            Feature::Number(Quantity::Block) => format!("blocks {}", places(topology.blocks_per_die)),
            Feature::Number(Quantity::Page) => format!("pages {}", places(topology.pages_per_block)),
            Feature::Number(Quantity::PatternBefore) => {
                format!("page before with a pattern from {least} to {}", most.unwrap_or(u64::from(u8::MAX)))
            }
            Feature::After(name, relation) | Feature::AfterThat(name, relation) => {
                let (name, is_any) = (words.names.text(name), least == 0 && most.is_none());
                let gap = match self.measure {
                    _ if is_any => String::new(),
                    0 => format!(", {} after its start", numbers(&|ticks| format!("{} µs", us_text(ticks)))),
                    1 if most == Some(0) => ", before its end".to_owned(),
                    1 => format!(", {} after its end", numbers(&|ticks| format!("{} µs", us_text(ticks)))),
                    _ if most == Some(1) => ", the next operation".to_owned(),
                    _ => format!(", {} operations later", numbers(&plain)),
                };
                format!("after {name} {}{gap}", relation.text())
            }
        }
    }
}

/// What the texts of conditions are made of.
#[derive(Clone, Copy)]
pub(crate) struct ConditionWords<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) names: &'a NameTable,
    /// The sites as they are called.
    pub(crate) sites: &'a [String],
}

/// Conditions that hold of one operation together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub(crate) struct Combination(pub(crate) Vec<Condition>);

impl Combination {
    /// The combination with one more condition. A name goes before a more general one.
    pub(crate) fn with(&self, condition: Condition) -> Self {
        let is_name = |one: &Condition| matches!(one.feature, Feature::Name(_));
        let mut conditions = self.0.clone();
        conditions.retain(|one| !(is_name(one) && is_name(&condition)));
        conditions.push(condition);
        conditions.sort_unstable();
        Self(conditions)
    }

    /// The combinations with one condition less, each with the condition. What is said of the operation before goes with it.
    pub(crate) fn with_one_less(&self) -> impl Iterator<Item = (Condition, Self)> {
        self.0.iter().map(|left_out| {
            let goes = |one: &Condition| match (left_out.feature, one.feature) {
                (Feature::After(..), Feature::AfterThat(..) | Feature::Number(Quantity::ThatTenth(_))) => true,
                _ => one == left_out,
            };
            (*left_out, Self(self.0.iter().copied().filter(|one| !goes(one)).collect()))
        })
    }

    /// The name of the operation, the most specific one if it has several.
    pub(crate) fn name(&self) -> Option<OpName> {
        self.0.iter().find_map(|condition| match condition.feature {
            Feature::Name(name) => Some(name),
            Feature::Fact(_) | Feature::Number(_) | Feature::After(..) | Feature::AfterThat(..) => None,
        })
    }

    /// The condition on the operation before.
    pub(crate) fn after(&self) -> Option<&Condition> {
        self.0.iter().find(|condition| matches!(condition.feature, Feature::After(..)))
    }

    /// The condition on the operation before that one.
    pub(crate) fn after_that(&self) -> Option<&Condition> {
        self.0.iter().find(|condition| matches!(condition.feature, Feature::AfterThat(..)))
    }

    /// The conditions in words.
    pub(crate) fn text(&self, words: &ConditionWords<'_>) -> String {
        let mut parts: Vec<String> = Vec::new();
        for condition in &self.0 {
            let text = condition.text(words);
            match condition.feature {
                Feature::AfterThat(..) => parts.push(format!("that {text}")),
                Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) | Feature::After(..) => parts.push(text),
            }
        }
        if self.name().is_none() {
            parts.insert(0, "any operation".to_owned());
        }
        parts.join(", ")
    }
}
