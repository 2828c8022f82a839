//! Judges the rulebook's examples by the engine's judging function, as a second opinion on the same pages.
//!
//! The engine refuses an illegal operation and cannot go on from there, so an example is judged up to its first break. Pages
//! about the written form (rows, columns) are left out.

#[path = "../../device/tests/rules/followed_data.rs"]
mod followed_data;

use std::path::Path;

use followed_data::FollowedData;
use nandseq_device::{Device, FlightId, Place, Rule, Tables};
use nandseq_input::Addressed;
use nandseq_profile::diagnostic::SourceFile;
use nandseq_profile::model::{Expectations, PayloadField};
use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, PlaneSet, Profile, ReadOptions, Target, Ticks};
use nandseq_trace::{Operation, Status};
use nandseq_verify::RuleCode;
use nandseq_verify::notation::{Script, ScriptLine, ScriptStep};
use nandseq_verify::rulebook::{ExampleContent, examples, expected_examples};

struct Engine<'p> {
    profile: &'p Profile,
    tables: Tables,
    device: Device,
    flights: Vec<FlightId>,
    data: Option<FollowedData>,
}

impl<'p> Engine<'p> {
    fn new(profile: &'p Profile, script: &Script) -> Self {
        let tables = Tables::new(profile);
        let device = Device::new(&tables, &script.bad);
        let data = FollowedData::new(profile, &tables);
        Self { profile, tables, device, flights: Vec::new(), data }
    }

    /// Applies every end up to and at `time`.
    fn at(&mut self, time: Ticks) {
        loop {
            self.flights.retain(|&id| self.device.flight(id).is_some());
            let next = self.flights.iter().filter_map(|&id| Some((self.device.flight(id)?.end, id)));
            let Some((end, id)) = next.min_by_key(|&(end, _)| end).filter(|&(end, _)| end <= time) else { return };
            let flight = self.device.finish(&self.tables, id);
            if let Some(data) = &mut self.data {
                data.ended(&self.tables, id, &flight);
            }
            let info = self.tables.base_of(flight.op);
            if let Some(axis) = info.effects.resume {
                let resumed = self.device.resume(&self.tables, flight.place.die, axis, end);
                self.flights.push(resumed);
                if let Some(data) = &mut self.data {
                    data.resumed((flight.place.die, axis), resumed);
                }
            }
        }
    }

    /// The place an example's targets name; the rule that forbids any place for them.
    fn place(&self, step: &ScriptStep) -> Result<Place, Rule> {
        let base = &self.profile.bases[self.profile.ops[step.op].base];
        let first = step.targets.first().copied();
        let die = first.map_or(Die(0), |target| Die(target.die as u8));
        if !base.payload_has(PayloadField::Die) {
            return Ok(Place::default());
        }
        if !base.payload_has(PayloadField::Plane) {
            return Ok(Place::die(die));
        }
        if !base.payload_has(PayloadField::Block) {
            let plane = first.map_or(0, |target| target.plane);
            return if plane < i64::from(self.tables.size.planes) {
                Ok(Place { die, planes: PlaneSet::one(Plane(plane as u8)), ..Place::default() })
            } else {
                Err(Rule::Bounds)
            };
        }
        let targets: Vec<Target> = step.targets.iter().map(target).collect();
        Place::from_targets(&self.tables.size, &targets)
    }

    /// Starts a step, or says which rule forbids it.
    fn step(&mut self, step: &ScriptStep) -> Result<(), RuleCode> {
        self.at(step.time);
        let code = |rule: Rule| RuleCode::from_name(rule.code()).expect("both know the same codes");
        let place = self.place(step).map_err(code)?;
        self.device.judge(&self.tables, step.op, &place, step.time).map_err(code)?;
        if let Some(data) = &mut self.data {
            data.start(&self.tables, &self.device, step.op, &place);
        }
        self.payload_is_right(step, &place)?;
        let flight = self.device.start(&self.tables, step.op, &place, step.time);
        if let Some(data) = &mut self.data {
            data.started(&self.tables, &self.device, (step.op, place.die), flight);
        }
        self.flights.extend(flight);
        Ok(())
    }

    /// Whether a step says the status and the data that the engine would write, target by target.
    fn payload_is_right(&self, step: &ScriptStep, place: &Place) -> Result<(), RuleCode> {
        let op = self.tables.op(step.op);
        let targets: Vec<Target> = step.targets.iter().map(target).collect();
        let operation = Operation {
            op: step.op,
            targets: &targets,
            status: self.device.expected_status(op, place, step.time).map(into_trace),
            suspended: self.device.expected_suspension(&self.tables, op, place),
            data: self.data.as_ref().map_or(&[][..], |data| &data.passed),
            ..Operation::default()
        };
        for (at, said) in step.targets.iter().enumerate() {
            let written = Addressed::of(self.profile, &operation, at);
            if (said.status, said.suspended) != (written.status, written.suspended) {
                return Err(RuleCode::StatusValue);
            }
            if said.fields.contains(PayloadField::Data) && said.data != written.data {
                return Err(RuleCode::DataValue);
            }
        }
        Ok(())
    }
}

fn target(written: &Addressed) -> Target {
    Target {
        die: Die(written.die.try_into().unwrap_or(u8::MAX)),
        plane: Plane(written.plane.try_into().unwrap_or(u8::MAX)),
        block: Block(written.block.try_into().unwrap_or(u32::MAX)),
        page: Page(written.page.try_into().unwrap_or(u16::MAX)),
        cell_type: written.cell_type.unwrap_or(CellTypeId(0)),
    }
}

const fn into_trace(status: nandseq_device::SeenStatus) -> Status {
    match status {
        nandseq_device::SeenStatus::Busy => Status::Busy,
        nandseq_device::SeenStatus::ExtReady => Status::ExtReady,
        nandseq_device::SeenStatus::Ready => Status::Ready,
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_engine_judges_every_page_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    let source = SourceFile::new("device.yaml", read(&folder.join("device.yaml")));
    let (profile, _) = nandseq_profile::read(&source, ReadOptions::default());
    let profile = profile.expect("the rulebook's device is valid");
    let mut expecting = profile.clone();
    expecting.expect(Expectations { data: true, full_status: true });
    let mut refused = Vec::new();
    for rule in RuleCode::ALL {
        let page = read(&folder.join(format!("{}.md", rule.name())));
        let plain = examples(&profile, &page).expect("pages that the verifier reads");
        let more = expected_examples(&expecting, &page).expect("pages that the verifier reads");
        let all = plain.iter().map(|one| (one, &profile)).chain(more.iter().map(|one| (one, &expecting)));
        for (example, device) in all {
            let ExampleContent::Sequence(script) = &example.content else { continue };
            refused.extend(follow(device, script, &format!("{}.md:{}", rule.name(), example.line)));
        }
    }
    assert!(refused.contains(&RuleCode::DataValue) && refused.contains(&RuleCode::StatusValue));
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.code())
        .filter(|code| !refused.iter().any(|rule| rule.name() == *code))
        .collect();
    assert!(missing.is_empty(), "no page made the engine refuse under {missing:?}");
}

/// Follows an example up to its first break, which the engine must refuse under one of the codes it breaks; returns those.
fn follow(profile: &Profile, script: &Script, place: &str) -> Vec<RuleCode> {
    let mut engine = Engine::new(profile, script);
    for line in &script.lines {
        let ScriptLine::Operation(step) = line else { continue };
        let form_only = step.breaks.iter().any(|rule| Rule::ALL.iter().all(|known| known.code() != rule.name()));
        let of_payload = [RuleCode::StatusValue, RuleCode::DataValue];
        if form_only && !step.breaks.iter().any(|rule| of_payload.contains(rule)) {
            return Vec::new(); // about the written form: nothing the engine could do
        }
        match engine.step(step) {
            Ok(()) => assert!(step.breaks.is_empty(), "{place}, line {}: not refused: {:?}", step.line, step.breaks),
            Err(rule) => {
                assert!(step.breaks.contains(&rule), "{place}, line {}: {rule:?}, not {:?}", step.line, step.breaks);
                return step.breaks.clone();
            }
        }
    }
    Vec::new()
}
