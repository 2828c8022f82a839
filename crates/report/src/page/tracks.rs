//! The tracks of the chart, and the rows in them, packed.
//!
//! A track shows the op_state of a plane, or the operations on a block. An operation whose payload names no block goes to the
//! track of its plane, else of its die, else of the device. Rows of a track are in the order of their starts.

use nandseq_profile::model::{Axis, Base, PayloadField};
use nandseq_profile::{Plane, Profile};
use nandseq_trace::Status;
use nandseq_trace::rows::{OpStateRow, StateId, TimelineRow};
use rustc_hash::FxHashMap as HashMap;
use serde::Serialize;

use super::pack::{Column, unsigned};
use crate::load::{OperationRow, SiteTables};

/// The subject of a track. The order is that of the page within a die.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum TrackPlace {
    /// Operations that name no die.
    Device,
    /// Operations that name only a die.
    Die(u64),
    /// The op_state of a plane.
    State(u64, u64),
    /// Operations that name a plane, but no block.
    Plane(u64, u64),
    /// Operations on a block: die, then block.
    Block(u64, u64),
}

impl TrackPlace {
    /// The track of an operation.
    fn of(base: &Base, row: &TimelineRow) -> Self {
        if !base.payload_has(PayloadField::Die) {
            Self::Device
        } else if base.payload_has(PayloadField::Block) {
            Self::Block(u64::from(row.die.0), u64::from(row.block.0))
        } else if base.payload_has(PayloadField::Plane) {
            Self::Plane(u64::from(row.die.0), u64::from(row.plane.0))
        } else {
            Self::Die(row.die.0.into())
        }
    }

    /// The place of the track on the page: by die, then by sort, then by number.
    fn rank(self) -> (u64, u8, u64) {
        match self {
            Self::Device => (0, 0, 0),
            Self::Die(die) => (die + 1, 0, 0),
            Self::State(die, plane) => (die + 1, 1, plane),
            Self::Plane(die, plane) => (die + 1, 2, plane),
            Self::Block(die, block) => (die + 1, 3, block),
        }
    }

    fn label(self) -> String {
        match self {
            Self::Device => "device".to_owned(),
            Self::Die(die) => format!("d{die}"),
            Self::State(die, plane) => format!("d{die}-p{plane} state"),
            Self::Plane(die, plane) => format!("d{die}-p{plane}"),
            Self::Block(die, block) => format!("d{die}-b{block}"),
        }
    }

    const fn sort(self) -> &'static str {
        match self {
            Self::Device | Self::Die(_) => "die",
            Self::State(..) => "state",
            Self::Plane(..) => "plane",
            Self::Block(..) => "block",
        }
    }
}

/// A track in the data of the page.
#[derive(Serialize, Debug)]
pub(super) struct PageTrack {
    label: String,
    sort: &'static str,
    /// The first of its rows, and how many there are, in the columns of its sort.
    first: usize,
    count: usize,
}

/// The columns of a site's timelines.
#[derive(Serialize, Debug)]
pub(super) struct Timelines {
    tracks: Vec<PageTrack>,
    stretches: PackedColumns,
    segments: PackedColumns,
}

/// Columns of equal length, by name.
#[derive(Serialize, Default, Debug)]
pub(super) struct PackedColumns {
    pub(super) rows: usize,
    #[serde(flatten)]
    pub(super) columns: std::collections::BTreeMap<&'static str, String>,
}

/// The unit of the stored times, in ps: all times are whole multiples of it.
pub(super) fn time_unit(sites: &[SiteTables]) -> u64 {
    let mut unit = 0;
    for site in sites {
        let stretches = site.stretches.iter().flat_map(|row| [row.start.0, row.end.0]);
        let segments = site.segments.iter().flat_map(|row| [row.start.0, row.end.0]);
        for time in stretches.chain(segments) {
            unit = divisor(unit, time);
            if unit == 1 {
                return 1;
            }
        }
    }
    unit.max(1)
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The numbers of op_states in the data of the page.
pub(super) struct StateNumbers(HashMap<StateId, usize>);

impl StateNumbers {
    pub(super) fn new(states: &[StateId]) -> Self {
        Self(states.iter().enumerate().map(|(at, &state)| (state, at)).collect())
    }

    pub(super) fn of(&self, state: StateId) -> u64 {
        self.0.get(&state).copied().unwrap_or_default() as u64
    }
}

impl Timelines {
    /// Packs the timelines of a site; `unit` divides every time.
    pub(super) fn new(profile: &Profile, site: &SiteTables, states: &StateNumbers, unit: u64) -> Self {
        let place = |row: &TimelineRow| TrackPlace::of(&profile.bases[profile.ops[row.op].base], row);
        let mut stretches: Vec<(TrackPlace, &TimelineRow)> =
            site.stretches.iter().map(|row| (place(row), row)).collect();
        sort_by_track(&mut stretches, |row| (row.start, row.uid, row.plane));
        let state_track = |row: &OpStateRow| TrackPlace::State(row.die.0.into(), row.plane.0.into());
        let mut segments: Vec<(TrackPlace, &OpStateRow)> =
            site.segments.iter().map(|row| (state_track(row), row)).collect();
        sort_by_track(&mut segments, |row| row.start);
        let mut tracks = tracks_of(stretches.iter().map(|(place, _)| *place));
        tracks.extend(tracks_of(segments.iter().map(|(place, _)| *place)));
        tracks.sort_by_key(|(place, ..)| place.rank());
        let track = |(place, first, count): (TrackPlace, usize, usize)| PageTrack {
            label: place.label(),
            sort: place.sort(),
            first,
            count,
        };
        Self {
            tracks: tracks.into_iter().map(track).collect(),
            stretches: pack_stretches((profile, site), &stretches, states, unit),
            segments: pack_segments(&segments, states, unit),
        }
    }
}

/// Sorts rows by their places, then by `key`. The rows of a track nearly are in the order of their starts already: to sort each track by
/// itself looks at each row a few times.
fn sort_by_track<R, K: Ord>(rows: &mut [(TrackPlace, &R)], key: impl Fn(&R) -> K) {
    rows.sort_by_key(|(place, _)| place.rank());
    rows.chunk_by_mut(|(one, _), (other, _)| one == other).for_each(|track| track.sort_by_key(|(_, row)| key(row)));
}

/// The tracks of rows that are sorted by place: place, first row, number of rows.
fn tracks_of(places: impl Iterator<Item = TrackPlace>) -> Vec<(TrackPlace, usize, usize)> {
    let mut tracks: Vec<(TrackPlace, usize, usize)> = Vec::new();
    for (at, place) in places.enumerate() {
        match tracks.last_mut() {
            Some((last, _, count)) if *last == place => *count += 1,
            Some(_) | None => tracks.push((place, at, 1)),
        }
    }
    tracks
}

/// The cell type and the expected status of each operation, by `op_uid`, as one number: the cell type, from 1, plus the number of the
/// status times one more than there are cell types. Both are 0 if there is none.
fn details(profile: &Profile, site: &SiteTables) -> HashMap<u64, u64> {
    let of = |row: &OperationRow| {
        let cell_type = row.cell_type.map_or(0, |cell| cell.index() as u64 + 1);
        (row.uid, cell_type + status_number(row) * (profile.cell_types.len() as u64 + 1))
    };
    site.operations.iter().map(of).collect()
}

/// 1, plus 1, 2 or 3 for its word, plus 4 if it says that an erase is suspended, plus 8 if it says so of a program; 0 without a status.
fn status_number(row: &OperationRow) -> u64 {
    let word = match row.status {
        None => 0,
        Some(Status::Busy) => 1,
        Some(Status::ExtReady) => 2,
        Some(Status::Ready) => 3,
    };
    let [erase, program] = Axis::ALL.map(|axis| row.suspended[axis]);
    if word == 0 && erase.is_none() && program.is_none() {
        return 0;
    }
    1 + word + 4 * u64::from(erase == Some(true)) + 8 * u64::from(program == Some(true))
}

/// For each row 0 if no data passes on the bus, otherwise 1 plus the unsigned form of its `op_uid` minus that of the operation that
/// brought the data in. `None` if no operation passes any.
fn pack_data(site: &SiteTables, rows: &[(TrackPlace, &TimelineRow)]) -> Option<Column> {
    if site.data.is_empty() {
        return None;
    }
    let passed: HashMap<(u64, Plane), u64> = site.data.iter().map(|one| ((one.uid, one.plane), one.from)).collect();
    let mut column = Column::default();
    for (_, row) in rows {
        match passed.get(&(row.uid, row.plane)) {
            None => column.push(0),
            Some(&from) => column.push(1 + unsigned((row.uid as i64).wrapping_sub(from as i64))),
        }
    }
    Some(column)
}

fn pack_stretches(
    (profile, site): (&Profile, &SiteTables),
    rows: &[(TrackPlace, &TimelineRow)],
    states: &StateNumbers,
    unit: u64,
) -> PackedColumns {
    let details = details(profile, site);
    let mut columns: [Column; 11] = Default::default();
    let [start, length, op, uid, plane, page, state, used, hidden, resumed, detail] = &mut columns;
    let mut before: Option<(TrackPlace, u64, u64)> = None;
    for &(place, row) in rows {
        let (last_start, last_uid) =
            before.filter(|(track, ..)| *track == place).map_or((0, 0), |(_, start, uid)| (start, uid));
        start.push((row.start.0 - last_start) / unit);
        length.push((row.end.0 - row.start.0) / unit);
        op.push(row.op.index() as u64);
        uid.push_signed((row.uid as i64).wrapping_sub(last_uid as i64));
        plane.push(row.plane.0.into());
        page.push(row.page.0.into());
        state.push(states.of(row.state));
        used.push(row.key_used.index() as u64);
        hidden.push(row.key_virtual.index() as u64);
        resumed.push(u64::from(row.resumed));
        detail.push(details.get(&row.uid).copied().unwrap_or_default());
        before = Some((place, row.start.0, row.uid));
    }
    let names = ["start", "length", "op", "uid", "plane", "page", "state", "used", "virtual", "resumed", "detail"];
    let mut packed = named(rows.len(), names, &columns);
    packed.columns.extend(pack_data(site, rows).map(|data| ("data", data.text())));
    packed
}

fn pack_segments(rows: &[(TrackPlace, &OpStateRow)], states: &StateNumbers, unit: u64) -> PackedColumns {
    let mut columns: [Column; 3] = Default::default();
    let [start, length, state] = &mut columns;
    let mut before: Option<(TrackPlace, u64)> = None;
    for &(place, row) in rows {
        let last = before.filter(|(track, _)| *track == place).map_or(0, |(_, start)| start);
        start.push((row.start.0 - last) / unit);
        length.push((row.end.0 - row.start.0) / unit);
        state.push(states.of(row.state));
        before = Some((place, row.start.0));
    }
    named(rows.len(), ["start", "length", "state"], &columns)
}

/// Gives columns their names.
pub(super) fn named<const N: usize>(rows: usize, names: [&'static str; N], columns: &[Column; N]) -> PackedColumns {
    PackedColumns { rows, columns: names.into_iter().zip(columns.iter().map(Column::text)).collect() }
}
