//! Standard classes: names for behaviour that every profile has, native or legacy.

use nandseq_profile::model::Effect;
use nandseq_profile::{BaseId, Profile};

/// The standard classes with what their operations do. A class of the profile with the same name comes before them.
pub const STANDARD_CLASSES: [(&str, &str); 11] = [
    ("erase", "erase blocks"),
    (
        "array_program",
        "program pages of the array: plain, one-shot, cache and copyback programs, and those that close a block",
    ),
    ("program_load", "load a page of a one-shot or copyback program into a latch"),
    ("read", "read pages into the registers; cache reads are not among them"),
    ("plane_read", "read pages, and may overlap one another on planes of one die"),
    ("cache_read", "read the next page of a cache read"),
    ("data_output", "put out the data of a register"),
    ("status_read", "read the status"),
    ("suspend", "suspend an erase or a program"),
    ("resume", "resume what is suspended"),
    ("reset", "reset a die or the target"),
];

/// The bases of a standard class; `None` if there is no such class.
fn bases_of(class: &str, profile: &Profile) -> Option<Vec<BaseId>> {
    let fits = |base: BaseId, effect: Effect| match (class, effect) {
        ("erase", Effect::Erase)
        | ("array_program", Effect::Program | Effect::CloseBlock)
        | ("program_load", Effect::LoadLatch { .. })
        | ("read", Effect::FillRegisters { .. })
        | ("cache_read", Effect::CacheRead(_))
        | ("data_output", Effect::DataOut)
        | ("status_read", Effect::StatusRead)
        | ("suspend", Effect::Suspend(_))
        | ("resume", Effect::Resume(_))
        | ("reset", Effect::ResetDie | Effect::ResetTarget) => true,
        ("plane_read", Effect::FillRegisters { .. } | Effect::CacheRead(_)) => profile.interleaved.contains(base),
        _ => false,
    };
    STANDARD_CLASSES.iter().any(|(known, _)| *known == class).then(|| {
        let of = profile.bases.iter_ids().filter(|(id, base)| base.effects.iter().any(|effect| fits(*id, *effect)));
        of.map(|(id, _)| id).collect()
    })
}

/// The classes that a plan may name: those of the profile, then the standard classes whose names it does not use.
#[must_use]
pub fn classes_of(profile: &Profile, of_profile: &[(String, Vec<BaseId>)]) -> Vec<(String, Vec<BaseId>)> {
    let mut classes = of_profile.to_vec();
    for (name, _) in STANDARD_CLASSES {
        if let Some(bases) = bases_of(name, profile).filter(|_| classes.iter().all(|one| one.0 != name)) {
            classes.push((name.to_owned(), bases));
        }
    }
    classes
}
