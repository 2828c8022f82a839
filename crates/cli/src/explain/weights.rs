//! Why the table gives an operation no weight: the entries of profile and table file that say so, with their places.

use nandseq_plan::places::PlanPlaces;
use nandseq_profile::model::OverrideOf;
use nandseq_profile::places::{Places, StatedPlace};
use nandseq_profile::{OpId, PhaseKey, Profile, SourceFile};

use crate::campaign::table::ResolvedTable;
use crate::test_plan::PlanInForce;

/// Why a name has no weight under a phase key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Weightless {
    /// A mass of 0 is stated for it, or for its base.
    Stated(FoundEntry),
    /// The distribution of the key does not list it.
    NotListed(FoundEntry),
    /// There is no distribution for the key, and that of DEFAULT does not list it.
    NotInDefault(Option<FoundEntry>),
    /// The preset for DEFAULT leaves it out.
    Preset,
    /// The masses stated for other operations take everything.
    Crowded,
}

/// An entry and the file it stands in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FoundEntry {
    pub(super) file: String,
    pub(super) place: StatedPlace,
}

impl FoundEntry {
    /// `file:line:column`
    pub(super) fn at(&self) -> String {
        format!("{}:{}:{}", self.file, self.place.span.line, self.place.span.column)
    }
}

/// The texts in which weights are stated.
pub(super) struct Texts<'p> {
    profile: &'p Profile,
    file: String,
    /// The places of entries in the profile.
    pub(super) places: Places<'p>,
    table: Option<(String, Places<'p>)>,
    /// Whether the table is the profile's own, not a built one.
    explicit: bool,
    preset: bool,
    /// The plan and its places, if its phases have tables of their own.
    plan: Option<(&'p PlanInForce, PlanPlaces)>,
}

impl<'p> Texts<'p> {
    /// The texts in force.
    pub(super) fn new(
        profile: &'p Profile,
        source: &SourceFile,
        table: &ResolvedTable,
        plan: Option<&'p PlanInForce>,
    ) -> Self {
        let of_file = table.source.as_ref().map(|source| (source.name.clone(), Places::new(source, profile)));
        Self {
            profile,
            file: source.name.clone(),
            places: Places::new(source, profile),
            explicit: of_file.is_none() && table.is_of_profile(profile),
            table: of_file,
            preset: table.has_preset(),
            plan: plan.filter(|plan| plan.table(0).is_some()).map(|plan| (plan, PlanPlaces::new(&plan.source))),
        }
    }

    /// An entry of the profile.
    pub(super) fn of_profile(&self, place: StatedPlace) -> FoundEntry {
        FoundEntry { file: self.file.clone(), place }
    }

    /// Why an operation has no weight under a key that does not exclude it.
    pub(super) fn why(&self, key: PhaseKey, op: OpId) -> Weightless {
        if let Some(found) = self.zero_of_plan(key, op) {
            return Weightless::Stated(found);
        }
        if self.preset && key == PhaseKey::DEFAULT {
            return Weightless::Preset;
        }
        let name = &*self.profile.ops[op].name;
        if !self.explicit
            && let Some(found) = self.zero_override(key, op)
        {
            return Weightless::Stated(found);
        }
        let Some((file, places)) = self.listing() else { return Weightless::Crowded };
        let found = |place: StatedPlace| FoundEntry { file: file.to_owned(), place };
        if let Some(place) = places.weight_under(key, name) {
            return Weightless::Stated(found(place));
        }
        match places.distribution(key) {
            Some(place) => Weightless::NotListed(found(place)),
            None if self.preset => Weightless::Preset,
            None => match places.weight_under(PhaseKey::DEFAULT, name) {
                Some(place) => Weightless::Stated(found(place)),
                None => Weightless::NotInDefault(places.distribution(PhaseKey::DEFAULT).map(found)),
            },
        }
    }

    /// The text that lists weights; `None` if the weights are built.
    fn listing(&self) -> Option<(&str, &Places<'p>)> {
        let own = self.explicit.then_some((&self.file, &self.places));
        self.table.as_ref().map(|(file, places)| (file, places)).or(own).map(|(file, places)| (&**file, places))
    }

    /// The entry that lists the weights of a phase key.
    pub(super) fn distribution(&self, key: PhaseKey) -> Option<FoundEntry> {
        let (file, places) = self.listing().filter(|_| !(self.preset && key == PhaseKey::DEFAULT))?;
        places.distribution(key).map(|place| FoundEntry { file: file.to_owned(), place })
    }

    /// The first entry of a phase of the plan whose mass is 0 and counts for an operation under a key.
    fn zero_of_plan(&self, key: PhaseKey, op: OpId) -> Option<FoundEntry> {
        let (plan, places) = self.plan.as_ref()?;
        let (own, base) = (&self.profile.ops[op], self.profile.ops[op].base);
        let names = [(OverrideOf::Op(op), &own.name), (OverrideOf::Base(base), &self.profile.bases[base].name)];
        let key_name = &*self.profile.phase_keys[key].name;
        let (at, key, name) = plan.plan.phases.iter().enumerate().find_map(|(at, phase)| {
            let under = phase.by_key.iter().find(|(of, _)| *of == key).map_or(&[][..], |(_, masses)| masses);
            let stated = names.iter().find_map(|(of, name)| {
                let in_list =
                    |list: &[(OverrideOf, f64)]| list.iter().rfind(|(known, _)| known == of).map(|(_, mass)| *mass);
                let own = in_list(under).map(|mass| (mass, Some(key_name)));
                let (mass, key) = own.or_else(|| in_list(&phase.global).map(|mass| (mass, None)))?;
                Some((mass, key, *name))
            });
            stated.filter(|(mass, ..)| *mass <= 0.0).map(|(_, key, name)| (at, key, name))
        })?;
        let (path, span) = places.mass(at, key, name)?;
        Some(FoundEntry { file: plan.source.name.clone(), place: StatedPlace { path, span } })
    }

    /// The entry of the override in force, if its mass is 0. An override of the operation goes before one of its base; of each,
    /// the one under the key goes before the global one.
    fn zero_override(&self, key: PhaseKey, op: OpId) -> Option<FoundEntry> {
        let base = self.profile.ops[op].base;
        let probabilities = &self.profile.probabilities;
        let by_key = probabilities.by_key.iter().filter(|(of, _)| *of == key).flat_map(|(_, list)| list);
        let own: Vec<&(OverrideOf, f64)> = by_key.collect();
        for (wanted, name) in
            [(OverrideOf::Op(op), &self.profile.ops[op].name), (OverrideOf::Base(base), &self.profile.bases[base].name)]
        {
            if let Some((_, mass)) = own.iter().rfind(|(of, _)| *of == wanted) {
                let place = self.places.mass_under(key, name).filter(|_| *mass <= 0.0);
                return place.map(|place| self.of_profile(place));
            }
            if let Some((_, mass)) = probabilities.global.iter().find(|(of, _)| *of == wanted) {
                let place = self.places.global_mass(name).filter(|_| *mass <= 0.0);
                return place.map(|place| self.of_profile(place));
            }
        }
        None
    }
}
