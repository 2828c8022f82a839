//! Judges the rulebook's examples by the engine's judging function, as a second opinion on the same pages.
//!
//! The engine refuses an illegal operation and cannot go on from there, so an example is judged up to its first break. Pages
//! about the written form (rows, columns) are left out.

use std::path::Path;

use nandseq_device::{Device, FlightId, Place, Rule, Tables};
use nandseq_input::Addressed;
use nandseq_profile::diagnostic::SourceFile;
use nandseq_profile::model::PayloadField;
use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, PlaneSet, Profile, ReadOptions, Target, Ticks};
use nandseq_trace::Status;
use nandseq_verify::RuleCode;
use nandseq_verify::notation::{Script, ScriptLine, ScriptStep};
use nandseq_verify::rulebook::{ExampleContent, examples};

struct Engine<'p> {
    profile: &'p Profile,
    tables: Tables,
    device: Device,
    flights: Vec<FlightId>,
}

impl<'p> Engine<'p> {
    fn new(profile: &'p Profile, script: &Script) -> Self {
        let tables = Tables::new(profile);
        let device = Device::new(&tables, &script.bad);
        Self { profile, tables, device, flights: Vec::new() }
    }

    /// Applies every end up to and at `time`.
    fn at(&mut self, time: Ticks) {
        loop {
            self.flights.retain(|&id| self.device.flight(id).is_some());
            let next = self.flights.iter().filter_map(|&id| Some((self.device.flight(id)?.end, id)));
            let Some((end, id)) = next.min_by_key(|&(end, _)| end).filter(|&(end, _)| end <= time) else { return };
            let flight = self.device.finish(&self.tables, id);
            let info = self.tables.base(self.tables.op(flight.op).base);
            if let Some(axis) = info.effects.resume {
                self.flights.push(self.device.resume(&self.tables, flight.place.die, axis, end));
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
        let expected = self.device.expected_status(self.tables.op(step.op), &place, step.time);
        let said = step.targets.first().and_then(|target| target.status);
        if said != expected.map(into_trace) {
            return Err(RuleCode::StatusValue);
        }
        self.flights.extend(self.device.start(&self.tables, step.op, &place, step.time));
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
    let mut refused = Vec::new();
    for rule in RuleCode::ALL {
        let page = read(&folder.join(format!("{}.md", rule.name())));
        for example in examples(&profile, &page).expect("pages that the verifier reads") {
            let ExampleContent::Sequence(script) = &example.content else { continue };
            refused.extend(follow(&profile, script, &format!("{}.md:{}", rule.name(), example.line)));
        }
    }
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
        if form_only && !step.breaks.contains(&RuleCode::StatusValue) {
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
