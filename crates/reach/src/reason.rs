//! Why an operation is never proposed under a phase key, in words.

use nandseq_profile::model::{AddressSource, Axis, DeviceState, LatchKind, Profile};
use nandseq_profile::{BaseId, BaseSet, GroupId, OpId, PhaseKey};

/// The meaning of [`crate::Verdict::Coincidence`], in words.
pub const COINCIDENCE: &str = "by coincidence only: while the next operation is issued, at the tick at which a phase begins, \
     after something that does not show, at a run boundary, or at the end of the bootstrap";

/// Why an operation is never proposed under a phase key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The exclusions of the phase key leave it out of the table.
    Excluded,
    /// The table gives it no weight there.
    NoWeight,
    /// No phase key gives it a weight, and no chain that draws it ever begins.
    NoHead,
    /// No hook ever falls on the phase key.
    NoHook,
    /// It is a delay, which proposes nothing.
    Delay,
    /// It addresses a die, or several planes, that the device lacks.
    Missing,
    /// It is multi-plane, but a proposal takes its address from one register or from the hook.
    OnePlane,
    /// Every block that it could address is bad.
    BadBlocks,
    /// No region of a test plan that is ever in force has an address for it.
    NoRegion,
    /// No block is erased, or no page programmed, for its cell type.
    CellType,
    /// An op_state of the plane forbids it.
    OpState(PhaseKey),
    /// The planes it needs are occupied by an operation of this base.
    Occupied(BaseId),
    /// No operation of this axis that could be suspended is in CORE_BUSY.
    NoSuspendTarget(Axis),
    /// Nothing that the table proposes would resume this axis.
    NoResume(Axis),
    /// Nothing of this axis is suspended.
    NotSuspended(Axis),
    /// The suspended program must be resumed first.
    ProgramFirst,
    /// No program of its cell type and plane count is suspended.
    SuspendedProgram,
    /// A state of the die, or of the plane, forbids it.
    State(DeviceState),
    /// The latch it needs is not loaded.
    Latch(LatchKind),
    /// No page register holds a page of its cell type.
    PageRegister,
    /// No page register was filled by a copyback read.
    CopybackRegister,
    /// The output register holds nothing of its cell type.
    OutputRegister,
    /// It would overwrite data that has not been put out.
    UnreadData,
    /// The latch, or the cache program, belongs to a chain that goes on by itself.
    ChainUnderWay,
    /// None of its chains can run there to the end.
    NoChain,
}

impl Reason {
    /// How far a judgement came before it failed. Of several failures the highest explains most.
    pub(crate) const fn specificity(self) -> u8 {
        match self {
            Self::Excluded | Self::NoWeight | Self::NoHead => 0,
            Self::NoHook => 1,
            Self::Delay | Self::Missing | Self::OnePlane | Self::BadBlocks | Self::NoRegion | Self::CellType => 2,
            Self::OpState(_) => 3,
            Self::Occupied(_) => 4,
            Self::NoSuspendTarget(_) => 5,
            Self::NoResume(_) => 13,
            Self::State(_) => 6,
            Self::NotSuspended(_) | Self::ProgramFirst | Self::SuspendedProgram => 7,
            Self::Latch(_) => 8,
            Self::PageRegister | Self::CopybackRegister | Self::OutputRegister => 9,
            Self::UnreadData => 10,
            Self::ChainUnderWay => 11,
            Self::NoChain => 12,
        }
    }

    /// The snake_case word for this kind of reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::NoWeight => "no_weight",
            Self::NoHead => "no_chain_begins",
            Self::NoHook => "no_hook",
            Self::Delay => "delay",
            Self::Missing => "not_on_device",
            Self::OnePlane => "one_plane",
            Self::BadBlocks => "bad_blocks",
            Self::NoRegion => "no_region",
            Self::CellType => "cell_type",
            Self::OpState(_) => "op_state",
            Self::Occupied(_) => "occupied",
            Self::NoSuspendTarget(_) => "nothing_to_suspend",
            Self::NoResume(_) => "no_resume",
            Self::NotSuspended(_) => "not_suspended",
            Self::ProgramFirst => "program_first",
            Self::SuspendedProgram => "suspended_program",
            Self::State(_) => "state",
            Self::Latch(_) => "latch",
            Self::PageRegister => "page_register",
            Self::CopybackRegister => "copyback_register",
            Self::OutputRegister => "output_register",
            Self::UnreadData => "unread_data",
            Self::ChainUnderWay => "chain_under_way",
            Self::NoChain => "no_chain",
        }
    }

    /// The reason in words, for an operation under a key of this profile.
    #[must_use]
    pub fn text(self, profile: &Profile, key: PhaseKey, op: OpId) -> String {
        let base = profile.ops[op].base;
        let axis = |axis| match axis {
            Axis::Erase => "erase",
            Axis::Program => "program",
        };
        match self {
            Self::Excluded => {
                format!("{} forbids it{}", profile.phase_keys[key].name, group(profile, of_key(profile, key), base))
            }
            Self::NoWeight => "its weight is 0".to_owned(),
            Self::NoHead => "no phase key gives it a weight, and no chain that draws it ever begins".to_owned(),
            Self::NoHook => "no hook ever falls on this phase key".to_owned(),
            Self::Delay => "it is a delay: it proposes nothing".to_owned(),
            Self::Missing => "the device lacks what it addresses".to_owned(),
            Self::OnePlane => "it is multi-plane, but a proposal of it takes its address from one plane".to_owned(),
            Self::BadBlocks if profile.ops[op].multi => "no two blocks of a block group are good".to_owned(),
            Self::BadBlocks => "every block of the device is bad".to_owned(),
            Self::NoRegion => "no region of the plan that is ever in force has an address for it".to_owned(),
            Self::CellType if profile.bases[base].address == AddressSource::ReadablePage => {
                "no page of its cell type is ever programmed".to_owned()
            }
            Self::CellType => "no block is ever erased for its cell type".to_owned(),
            Self::OpState(key) => {
                let name = &profile.phase_keys[key].name;
                format!("the plane is then in {name}, which forbids it{}", group(profile, of_key(profile, key), base))
            }
            Self::Occupied(by) => format!("{} occupies the planes it needs", profile.bases[by].name),
            Self::NoSuspendTarget(suspend_target) => {
                format!("no {} is in CORE_BUSY then that could be suspended", axis(suspend_target))
            }
            Self::NoResume(suspend_target) => {
                format!(
                    "nothing that is ever proposed would resume the {}: it would stay suspended",
                    axis(suspend_target)
                )
            }
            Self::NotSuspended(suspend_target) => format!("no {} is suspended then", axis(suspend_target)),
            Self::ProgramFirst => "the suspended program must be resumed first".to_owned(),
            Self::SuspendedProgram => "no program of its cell type and plane count is suspended then".to_owned(),
            Self::State(state) => {
                let name = state.name();
                format!("{name} forbids it{}", group(profile, of_state(profile, state), base))
            }
            Self::Latch(_) => "the latch it needs is not loaded then".to_owned(),
            Self::PageRegister => "no page register holds a page of its cell type then".to_owned(),
            Self::CopybackRegister => "no page register is filled by a copyback read then".to_owned(),
            Self::OutputRegister => "the output register holds nothing then".to_owned(),
            Self::UnreadData => "it would overwrite data that has not been put out".to_owned(),
            Self::ChainUnderWay => {
                "the latch or cache program it would go on with belongs to a chain under way".to_owned()
            }
            Self::NoChain => "none of its chains can run from there to the end".to_owned(),
        }
    }
}

fn of_key(profile: &Profile, key: PhaseKey) -> Vec<GroupId> {
    let entries = profile.exclusions.by_op_state.iter().filter(|(known, _)| *known == key);
    entries.flat_map(|(_, groups)| groups).copied().collect()
}

fn of_state(profile: &Profile, state: DeviceState) -> Vec<GroupId> {
    let entries = profile.exclusions.by_state.iter().filter(|(known, _)| *known == state);
    entries.flat_map(|(_, groups)| groups).copied().collect()
}

/// The exclusion group that forbids a base, as ` (group on_busy)`; empty if none does.
fn group(profile: &Profile, groups: Vec<GroupId>, base: BaseId) -> String {
    let forbids = |group: &GroupId| -> bool {
        let set: BaseSet = profile.exclusions.groups[*group].forbids;
        set.contains(base)
    };
    let found = groups.into_iter().find(forbids);
    found.map_or_else(String::new, |group| format!(" (group {})", profile.exclusions.groups[group].name))
}
