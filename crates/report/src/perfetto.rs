//! A timeline for the Perfetto trace viewer, in its native format.
//!
//! Each site is a group of tracks: the IO bus, each die, and for each plane its operations and its op_state. Flows join the
//! stretches of suspended operations and the operations of a chain, and operations that pass data on the bus with the one that brought it
//! in. Times are rounded down to ns, the format's unit; the exact
//! times are among the arguments of each slice. Slices that overlap on a track go to further tracks of the same name.

mod proto;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use nandseq_profile::model::PayloadField;
use nandseq_profile::{Die, PhaseKey, Plane, Profile, Ticks};
use nandseq_trace::rows::TimelineRow;

use crate::load::{PassedData, SiteTables};
use crate::{chains, phases};
use proto::Message;

/// Field numbers of the format's messages, by message.
mod field {
    pub(super) mod trace {
        pub(in super::super) const PACKET: u32 = 1;
    }
    pub(super) mod packet {
        pub(in super::super) const TIMESTAMP: u32 = 8;
        pub(in super::super) const SEQUENCE: u32 = 10;
        pub(in super::super) const TRACK_EVENT: u32 = 11;
        pub(in super::super) const INTERNED: u32 = 12;
        pub(in super::super) const SEQUENCE_FLAGS: u32 = 13;
        pub(in super::super) const TRACK_DESCRIPTOR: u32 = 60;
    }
    pub(super) mod descriptor {
        pub(in super::super) const UUID: u32 = 1;
        pub(in super::super) const NAME: u32 = 2;
        pub(in super::super) const PARENT: u32 = 5;
        pub(in super::super) const CHILD_ORDERING: u32 = 11;
        pub(in super::super) const RANK: u32 = 12;
        /// The value for children in the order of their ranks.
        pub(in super::super) const EXPLICIT: u64 = 3;
    }
    pub(super) mod event {
        pub(in super::super) const ANNOTATION: u32 = 4;
        pub(in super::super) const TYPE: u32 = 9;
        pub(in super::super) const NAME_IID: u32 = 10;
        pub(in super::super) const TRACK: u32 = 11;
        pub(in super::super) const FLOW: u32 = 47;
        pub(in super::super) const BEGIN: u64 = 1;
        pub(in super::super) const END: u64 = 2;
    }
    pub(super) mod annotation {
        pub(in super::super) const NAME_IID: u32 = 1;
        pub(in super::super) const UINT: u32 = 3;
        pub(in super::super) const STRING_IID: u32 = 17;
    }
    pub(super) mod interned {
        pub(in super::super) const EVENT_NAMES: u32 = 2;
        pub(in super::super) const ANNOTATION_NAMES: u32 = 3;
        pub(in super::super) const ANNOTATION_STRINGS: u32 = 29;
        pub(in super::super) const IID: u32 = 1;
        pub(in super::super) const TEXT: u32 = 2;
    }
}

/// Flags of a packet: the state of the sequence is cleared before it; it needs that state.
const FLAGS: [u64; 2] = [1, 2];
/// What the number of a flow of data holds beside the plane.
const DATA_FLOW: u64 = 1 << 51;
/// The id of the only sequence of packets.
const SEQUENCE: u64 = 1;

/// The names of arguments.
const ARGUMENTS: [&str; 14] = [
    "op_uid",
    "die",
    "plane",
    "block",
    "page",
    "op_base",
    "op_state",
    "phase_key_used",
    "phase_key_virtual",
    "stretch",
    "start_ps",
    "duration_ps",
    "phase",
    "data",
];

/// Which argument, by its place in [`ARGUMENTS`].
#[derive(Clone, Copy)]
enum Argument {
    Uid,
    Die,
    Plane,
    Block,
    Page,
    Base,
    State,
    KeyUsed,
    KeyVirtual,
    Stretch,
    Start,
    Duration,
    Phase,
    Data,
}

/// A track of a site. The order is that of the viewer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Track {
    Bus,
    Device,
    Die(u64),
    State(u64, u64),
    Plane(u64, u64),
}

/// A slice before it is written.
struct Slice {
    start: Ticks,
    end: Ticks,
    name: u64,
    flows: Vec<u64>,
    arguments: Vec<(Argument, ArgumentValue)>,
}

enum ArgumentValue {
    Number(u64),
    Name(u64),
}

/// Texts and their numbers.
#[derive(Default)]
struct InternedNames {
    numbers: HashMap<String, u64>,
    texts: Vec<String>,
}

impl InternedNames {
    fn of(&mut self, text: &str) -> u64 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        self.texts.push(text.to_owned());
        let number = self.texts.len() as u64;
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

/// Writes the sites as one trace; needs the timelines, the proposals for chains, and the operations for flows of data.
///
/// # Errors
/// The errors of `out`.
pub fn write(profile: &Profile, sites: &[SiteTables], out: impl Write) -> io::Result<()> {
    let mut names = InternedNames::default();
    let mut planned: Vec<(&SiteTables, BTreeMap<Track, Vec<Slice>>)> = Vec::new();
    for (site, number) in sites.iter().zip(0..) {
        planned.push((site, SiteTracks { profile, site, number, names: &mut names }.tracks()));
    }
    let mut writer = PacketWriter { out, uuid: 0, packet: Message::default(), wrap: Message::default() };
    writer.names(&names)?;
    for (site, tracks) in planned {
        let top = writer.track(&site.name, None, 0)?;
        let mut dies: HashMap<u64, u64> = HashMap::new();
        for (track, slices) in tracks {
            let die = match track {
                Track::Bus | Track::Device => None,
                Track::Die(die) | Track::State(die, _) | Track::Plane(die, _) => Some(die),
            };
            let parent = match die {
                None => top,
                Some(die) => match dies.get(&die) {
                    Some(&uuid) => uuid,
                    None => {
                        let uuid = writer.track(&format!("die {die}"), Some(top), die + 2)?;
                        dies.insert(die, uuid);
                        uuid
                    }
                },
            };
            writer.slices(track, parent, slices)?;
        }
    }
    writer.out.flush()
}

/// Where data that passes on the bus comes from, and where it goes to. A flow joins two operations that are both in the trace: a part of the
/// runs may have one of them alone.
struct DataFlows {
    /// For an operation and plane, the operation that brought in what passes.
    passed: HashMap<(u64, Plane), u64>,
    /// For an operation and plane, the later operations that flows lead to.
    goes_to: HashMap<(u64, Plane), Vec<u64>>,
    /// The operations and planes that flows lead to.
    reached: HashSet<(u64, Plane)>,
}

impl DataFlows {
    fn of(site: &SiteTables) -> Self {
        let mut flows = Self { passed: HashMap::new(), goes_to: HashMap::new(), reached: HashSet::new() };
        let rows = site.stretches.iter().filter(|row| !row.resumed && !site.data.is_empty());
        let shown: HashSet<(u64, Plane)> = rows.map(|row| (row.uid, row.plane)).collect();
        for &PassedData { uid, plane, from } in &site.data {
            flows.passed.insert((uid, plane), from);
            if from != uid && shown.contains(&(uid, plane)) && shown.contains(&(from, plane)) {
                flows.goes_to.entry((from, plane)).or_default().push(uid);
                flows.reached.insert((uid, plane));
            }
        }
        flows
    }
}

/// Puts the rows of a site on tracks.
struct SiteTracks<'a> {
    profile: &'a Profile,
    site: &'a SiteTables,
    number: u64,
    names: &'a mut InternedNames,
}

impl SiteTracks<'_> {
    fn tracks(mut self) -> BTreeMap<Track, Vec<Slice>> {
        let mut tracks: BTreeMap<Track, Vec<Slice>> = BTreeMap::new();
        let chains = chains::of(self.profile, self.site);
        let suspended: HashSet<u64> = self.site.stretches.iter().filter(|row| row.resumed).map(|row| row.uid).collect();
        let mut seen: HashMap<(u64, Die, Plane), u64> = HashMap::new();
        let mut data = DataFlows::of(self.site);
        let mut last_uid = None;
        for row in &self.site.stretches {
            let mut flows = Vec::new();
            let stretch = seen.entry((row.uid, row.die, row.plane)).or_default();
            *stretch += 1;
            // The number of a flow holds the site, the uid, and what is joined: the stretches of a suspended operation on a
            // plane, a chain, or an operation that passes data on a plane with the one that brought it in.
            let flow = |uid: u64, what: u64| (self.number << 52) ^ (uid << 4) ^ what;
            if suspended.contains(&row.uid) {
                flows.push(flow(row.uid, row.plane.0.into()));
            }
            let first_target = last_uid != Some(row.uid);
            if let Some(&head) = chains.get(&row.uid).filter(|_| first_target && !row.resumed) {
                flows.push(flow(head, 15));
            }
            let stretch = *stretch;
            let passed = data.passed.get(&(row.uid, row.plane)).copied();
            if !row.resumed {
                let of_data = |uid: u64| flow(uid, DATA_FLOW | u64::from(row.plane.0));
                flows.extend(data.reached.contains(&(row.uid, row.plane)).then(|| of_data(row.uid)));
                flows.extend(data.goes_to.remove(&(row.uid, row.plane)).into_iter().flatten().map(of_data));
            }
            if !row.resumed && first_target {
                self.on_bus(row, tracks.entry(Track::Bus).or_default());
            }
            let mut slice = self.stretch(row, stretch, flows);
            slice.arguments.extend(passed.map(|from| (Argument::Data, ArgumentValue::Number(from))));
            tracks.entry(self.track(row)).or_default().push(slice);
            last_uid = Some(row.uid);
        }
        for row in &self.site.segments {
            let name = self.names.of(&row.state.text(self.profile));
            let times = [(Argument::Start, row.start.0), (Argument::Duration, row.end.0 - row.start.0)];
            let arguments = times.into_iter().map(|(what, value)| (what, ArgumentValue::Number(value))).collect();
            let slice = Slice { start: row.start, end: row.end, name, flows: Vec::new(), arguments };
            tracks.entry(Track::State(row.die.0.into(), row.plane.0.into())).or_default().push(slice);
        }
        tracks
    }

    fn track(&self, row: &TimelineRow) -> Track {
        let base = &self.profile.bases[self.profile.ops[row.op].base];
        if base.payload_has(PayloadField::Plane) {
            Track::Plane(row.die.0.into(), row.plane.0.into())
        } else if base.payload_has(PayloadField::Die) {
            Track::Die(row.die.0.into())
        } else {
            Track::Device
        }
    }

    fn key(&mut self, key: PhaseKey) -> ArgumentValue {
        ArgumentValue::Name(self.names.of(&self.profile.phase_keys[key].name))
    }

    fn stretch(&mut self, row: &TimelineRow, stretch: u64, flows: Vec<u64>) -> Slice {
        let base = &self.profile.bases[self.profile.ops[row.op].base];
        let mut arguments = vec![(Argument::Uid, ArgumentValue::Number(row.uid))];
        let address = [
            (PayloadField::Die, Argument::Die, u64::from(row.die.0)),
            (PayloadField::Plane, Argument::Plane, u64::from(row.plane.0)),
            (PayloadField::Block, Argument::Block, u64::from(row.block.0)),
            (PayloadField::Page, Argument::Page, u64::from(row.page.0)),
        ];
        let given = address.into_iter().filter(|(field, ..)| base.payload_has(*field));
        arguments.extend(given.map(|(_, argument, value)| (argument, ArgumentValue::Number(value))));
        arguments.push((Argument::Base, ArgumentValue::Name(self.names.of(&base.name))));
        arguments.push((Argument::State, ArgumentValue::Name(self.names.of(&row.state.text(self.profile)))));
        arguments.push((Argument::KeyUsed, self.key(row.key_used)));
        arguments.push((Argument::KeyVirtual, self.key(row.key_virtual)));
        arguments.push((Argument::Stretch, ArgumentValue::Number(stretch)));
        arguments.push((Argument::Start, ArgumentValue::Number(row.start.0)));
        arguments.push((Argument::Duration, ArgumentValue::Number(row.end.0 - row.start.0)));
        let name = self.names.of(&self.profile.ops[row.op].name);
        Slice { start: row.start, end: row.end, name, flows, arguments }
    }

    /// The phases of an operation that hold the bus.
    fn on_bus(&mut self, row: &TimelineRow, slices: &mut Vec<Slice>) {
        let name = self.names.of(&self.profile.ops[row.op].name);
        for (kind, start, end) in phases::on_bus(self.profile, row) {
            let arguments = vec![
                (Argument::Uid, ArgumentValue::Number(row.uid)),
                (Argument::Phase, ArgumentValue::Name(self.names.of(kind.name()))),
                (Argument::Start, ArgumentValue::Number(start.0)),
                (Argument::Duration, ArgumentValue::Number(end.0 - start.0)),
            ];
            slices.push(Slice { start, end, name, flows: Vec::new(), arguments });
        }
    }
}

/// Writes packets.
struct PacketWriter<W> {
    out: W,
    /// The id of the last track made.
    uuid: u64,
    packet: Message,
    wrap: Message,
}

impl<W: Write> PacketWriter<W> {
    /// Writes the packet that was put together.
    fn emit(&mut self) -> io::Result<()> {
        self.wrap.clear().message(field::trace::PACKET, &self.packet);
        self.out.write_all(&self.wrap.0)
    }

    /// Writes the table of all names, once.
    fn names(&mut self, names: &InternedNames) -> io::Result<()> {
        let mut interned = Message::default();
        let mut add = |into: u32, text: &str, iid: u64| {
            let mut entry = Message::default();
            entry.number(field::interned::IID, iid).text(field::interned::TEXT, text);
            interned.message(into, &entry);
        };
        for (text, iid) in names.texts.iter().zip(1..) {
            add(field::interned::EVENT_NAMES, text, iid);
            add(field::interned::ANNOTATION_STRINGS, text, iid);
        }
        for (text, iid) in ARGUMENTS.into_iter().zip(1..) {
            add(field::interned::ANNOTATION_NAMES, text, iid);
        }
        let packet = self.packet.clear();
        packet.number(field::packet::SEQUENCE, SEQUENCE);
        packet.number(field::packet::SEQUENCE_FLAGS, FLAGS[0]);
        packet.message(field::packet::INTERNED, &interned);
        self.emit()
    }

    /// Makes a track.
    fn track(&mut self, name: &str, parent: Option<u64>, rank: u64) -> io::Result<u64> {
        self.uuid += 1;
        let mut track = Message::default();
        track.number(field::descriptor::UUID, self.uuid).text(field::descriptor::NAME, name);
        if let Some(parent) = parent {
            track.number(field::descriptor::PARENT, parent);
        }
        track.number(field::descriptor::CHILD_ORDERING, field::descriptor::EXPLICIT);
        track.number(field::descriptor::RANK, rank);
        let packet = self.packet.clear();
        packet.number(field::packet::SEQUENCE, SEQUENCE);
        packet.message(field::packet::TRACK_DESCRIPTOR, &track);
        self.emit()?;
        Ok(self.uuid)
    }

    /// Writes the slices of a track, on as many tracks of its name as it takes for none to overlap.
    fn slices(&mut self, track: Track, parent: u64, mut slices: Vec<Slice>) -> io::Result<()> {
        let (name, rank) = match track {
            Track::Bus => ("IO bus".to_owned(), 0),
            Track::Device => ("device".to_owned(), 1),
            Track::Die(_) => ("operations of the die".to_owned(), 0),
            Track::State(_, plane) => (format!("plane {plane} op_state"), 1 + 2 * plane),
            Track::Plane(_, plane) => (format!("plane {plane}"), 2 + 2 * plane),
        };
        slices.sort_by_key(|slice| (slice.start, slice.end));
        let mut tracks: Vec<(u64, Ticks)> = Vec::new();
        for slice in slices {
            let track = match tracks.iter().position(|&(_, end)| end <= slice.start) {
                Some(track) => track,
                None => {
                    let uuid = self.track(&name, Some(parent), rank)?;
                    tracks.push((uuid, Ticks::ZERO));
                    tracks.len() - 1
                }
            };
            tracks[track].1 = slice.end;
            self.slice(tracks[track].0, &slice)?;
        }
        Ok(())
    }

    fn slice(&mut self, track: u64, slice: &Slice) -> io::Result<()> {
        let mut event = Message::default();
        event.number(field::event::TYPE, field::event::BEGIN).number(field::event::TRACK, track);
        event.number(field::event::NAME_IID, slice.name);
        for &flow in &slice.flows {
            event.fixed64(field::event::FLOW, flow);
        }
        for (argument, value) in &slice.arguments {
            let mut annotation = Message::default();
            annotation.number(field::annotation::NAME_IID, *argument as u64 + 1);
            match *value {
                ArgumentValue::Number(number) => annotation.number(field::annotation::UINT, number),
                ArgumentValue::Name(iid) => annotation.number(field::annotation::STRING_IID, iid),
            };
            event.message(field::event::ANNOTATION, &annotation);
        }
        self.event(slice.start, &event)?;
        event.clear().number(field::event::TYPE, field::event::END).number(field::event::TRACK, track);
        self.event(slice.end, &event)
    }

    fn event(&mut self, at: Ticks, event: &Message) -> io::Result<()> {
        const PS_PER_NS: u64 = 1000;
        let packet = self.packet.clear();
        packet.number(field::packet::TIMESTAMP, at.0 / PS_PER_NS);
        packet.number(field::packet::SEQUENCE, SEQUENCE);
        packet.number(field::packet::SEQUENCE_FLAGS, FLAGS[1]);
        packet.message(field::packet::TRACK_EVENT, event);
        self.emit()
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::{Block, OpId, Page};
    use nandseq_trace::rows::StateId;

    use super::*;

    #[test]
    fn a_flow_joins_two_operations_that_are_both_in_the_trace() {
        let row = |uid, resumed| TimelineRow {
            uid,
            start: Ticks(uid),
            end: Ticks(uid + 1),
            block: Block(0),
            page: Page(0),
            die: Die(0),
            plane: Plane(1),
            op: OpId(0),
            resumed,
            state: StateId::DEFAULT,
            key_used: PhaseKey(0),
            key_virtual: PhaseKey(0),
        };
        let data = [(3, 3), (4, 3), (5, 1), (6, 2), (7, 3)];
        let site = SiteTables {
            // Operation 1 is of an earlier run, 2 began before the part, 7 comes after it.
            stretches: vec![row(2, true), row(3, false), row(4, false), row(5, false), row(6, false)],
            data: data.map(|(uid, from)| PassedData { uid, plane: Plane(1), from }).to_vec(),
            ..SiteTables::default()
        };
        let flows = DataFlows::of(&site);
        assert_eq!(flows.reached, HashSet::from([(4, Plane(1))]));
        assert_eq!(flows.goes_to, HashMap::from([((3, Plane(1)), vec![4])]));
        assert_eq!(flows.passed.len(), data.len());
    }
}
