//! Features of an operation at its start, conditions on them, and suspects, which are sets of conditions.

use nandseq_profile::model::{Axis, Topology};
use nandseq_profile::{CellTypeId, Profile};
use nandseq_trace::rows::StateId;

use crate::bins::{Scale, TENTHS, us_text};
use crate::names::{NameTable, OpName};

/// How an earlier operation lies to a later one on its die.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Relation {
    /// On the die, wherever.
    Die,
    OtherPlane,
    SamePlane,
    SameBlock,
    /// The page before in the same block.
    PageBefore,
    /// The page after in the same block.
    PageAfter,
    SamePage,
}

impl Relation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Die,
        Self::OtherPlane,
        Self::SamePlane,
        Self::SameBlock,
        Self::PageBefore,
        Self::PageAfter,
        Self::SamePage,
    ];

    /// Whether two operations in the relation `special` are always in this one too.
    pub(crate) fn holds(self, special: Self) -> bool {
        match self {
            Self::Die => true,
            Self::SamePlane => !matches!(special, Self::Die | Self::OtherPlane),
            Self::SameBlock => !matches!(special, Self::Die | Self::OtherPlane | Self::SamePlane),
            Self::OtherPlane | Self::PageBefore | Self::PageAfter | Self::SamePage => self == special,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Die => "on the die",
            Self::OtherPlane => "on another plane",
            Self::SamePlane => "on the same plane",
            Self::SameBlock => "in the same block",
            Self::PageBefore => "on the page before",
            Self::PageAfter => "on the page after",
            Self::SamePage => "on the same page",
        }
    }
}

/// What is true of an operation, or is not. Sites are numbered as they are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Fact {
    Site(u32),
    Die(u8),
    Plane(u8, u8),
    Block(u8, u32),
    SitePlane(u32, u8, u8),
    SiteBlock(u32, u8, u32),
    Page(u32),
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
            Self::Die(_) => Some("die"),
            Self::Plane(..) => Some("plane"),
            Self::Block(..) => Some("block"),
            Self::SitePlane(..) => Some("plane of a site"),
            Self::SiteBlock(..) => Some("block of a site"),
            Self::Page(_)
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
        matches!(self, Self::Site(_) | Self::SitePlane(..) | Self::SiteBlock(..))
    }

    /// Whether it names one of many: there may be as many as addresses.
    pub(crate) const fn is_of_many(self) -> bool {
        self.is_of_site() || matches!(self, Self::Block(..) | Self::Page(_))
    }

    /// Whether what `special` says implies this.
    fn holds(self, special: Self) -> bool {
        match (self, special) {
            (Self::Site(site), Self::SitePlane(of, ..) | Self::SiteBlock(of, ..)) => site == of,
            (Self::Die(die), Self::Plane(of, _) | Self::Block(of, _))
            | (Self::Die(die), Self::SitePlane(_, of, _) | Self::SiteBlock(_, of, _)) => die == of,
            (Self::Plane(die, plane), Self::SitePlane(_, of, on)) => (die, plane) == (of, on),
            (Self::Block(die, block), Self::SiteBlock(_, of, number)) => (die, block) == (of, number),
            _ => self == special,
        }
    }

    fn text(self, words: &ConditionWords<'_>) -> String {
        let site = |site: u32| words.sites.get(site as usize).map_or("", String::as_str);
        match self {
            Self::Site(number) => site(number).to_owned(),
            Self::Die(die) => format!("die {die}"),
            Self::Plane(die, plane) => format!("die {die} plane {plane}"),
            Self::Block(die, block) => format!("die {die} block {block}"),
            Self::SitePlane(number, die, plane) => format!("{} die {die} plane {plane}", site(number)),
            Self::SiteBlock(number, die, block) => format!("{} die {die} block {block}", site(number)),
            Self::Page(page) => format!("page {page}"),
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

/// The bin of a feature on each of its scales.
pub(crate) type Bins = [u8; 3];

impl Feature {
    /// The scales in which it is measured.
    pub(crate) fn scales(self, topology: Topology) -> [Option<Scale>; 3] {
        let one = |scale| [Some(scale), None, None];
        match self {
            Self::Name(_) | Self::Fact(_) => one(Scale::Whole),
            Self::Number(Quantity::Tenth(_) | Quantity::ThatTenth(_)) => one(Scale::Tenth),
            Self::Number(Quantity::Erases | Quantity::Reads) => one(Scale::Count),
            Self::Number(Quantity::Block) => one(Scale::Blocks(topology.blocks_per_die)),
            Self::Number(Quantity::Page) => one(Scale::Pages(topology.pages_per_block)),
            Self::After(..) | Self::AfterThat(..) => MEASURES.map(Some),
        }
    }
}

/// A feature in some of its bins, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Condition {
    pub(crate) feature: Feature,
    /// Which of its scales.
    pub(crate) measure: u8,
    pub(crate) from: u8,
    pub(crate) to: u8,
}

impl Condition {
    pub(crate) const fn whole(feature: Feature) -> Self {
        Self { feature, measure: 0, from: 0, to: 0 }
    }

    pub(crate) fn scale(&self, topology: Topology) -> Scale {
        self.feature.scales(topology)[usize::from(self.measure)].unwrap_or(Scale::Whole)
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

    /// Whether `special` implies this.
    fn holds(&self, special: &Self, names: &NameTable) -> bool {
        let is_within = self.measure == special.measure && self.from <= special.from && special.to <= self.to;
        match (self.feature, special.feature) {
            (Feature::Name(general), Feature::Name(special)) => names.holds(general, special),
            (Feature::Fact(general), Feature::Fact(special)) => general.holds(special),
            (Feature::Fact(Fact::State(state)), Feature::Number(Quantity::Tenth(of))) => state == of,
            (Feature::After(general, wide), Feature::After(narrow, near))
            | (Feature::AfterThat(general, wide), Feature::AfterThat(narrow, near)) => {
                let is_whole = self.from == 0 && usize::from(self.to) + 1 == usize::from(MEASURES[0].bins());
                names.holds(general, narrow) && wide.holds(near) && (is_within || (is_whole && self.measure == 0))
            }
            (one, other) => one == other && is_within,
        }
    }

    fn text(&self, words: &ConditionWords<'_>) -> String {
        let scale = self.scale(words.profile.topology);
        let (least, most) = scale.range(self.from, self.to);
        let numbers = |unit: &dyn Fn(u64) -> String| match most {
            Some(most) if least == 0 => format!("at most {}", unit(most)),
            Some(most) if least == most => unit(most),
            Some(most) => format!("{} to {}", unit(least), unit(most)),
            None => format!("{} or more", unit(least)),
        };
        let plain = |number: u64| number.to_string();
        let places = || most.map_or_else(|| plain(least), |most| format!("{least} to {most}"));
        match self.feature {
            Feature::Name(name) => words.names.text(name).to_owned(),
            Feature::Fact(fact) => fact.text(words),
            Feature::Number(Quantity::Tenth(state)) => {
                format!("at {least}-{} % of {}", most.unwrap_or(100), state.text(words.profile))
            }
            Feature::Number(Quantity::ThatTenth(state))
                if (self.from, self.to) == (0, TENTHS - 1)
                    || state.parts().is_none_or(|(_, phase)| phase.is_none()) =>
            {
                format!("that in {}", state.text(words.profile))
            }
            Feature::Number(Quantity::ThatTenth(state)) => {
                format!("that at {least}-{} % of {}", most.unwrap_or(100), state.text(words.profile))
            }
            Feature::Number(Quantity::Erases) => format!("block erased {} times", numbers(&plain)),
            Feature::Number(Quantity::Reads) => format!("block read {} times since its erase", numbers(&plain)),
            Feature::Number(Quantity::Block) => format!("blocks {}", places()),
            Feature::Number(Quantity::Page) => format!("pages {}", places()),
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

    /// Whether `special` implies all that this says.
    pub(crate) fn holds(&self, special: &Self, names: &NameTable) -> bool {
        self.0.iter().all(|own| special.0.iter().any(|other| own.holds(other, names)))
    }

    /// Whether both are about the same features, in whatever bins.
    pub(crate) fn has_same_features(&self, other: &Self) -> bool {
        let has = |list: &Self, feature: Feature| list.0.iter().any(|one| one.feature == feature);
        self.0.len() == other.0.len() && self.0.iter().all(|one| has(other, one.feature))
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
