//! Structural rules of a base: the parts of a base that must fit one another.
//!
//! In a base without problems, the engine finds every part of the address that an effect needs: a block for a program, a die for
//! a suspend. Leaves out exclusion tables and chains: see [`check`](crate::check).

use crate::model::{AddressNeed, AddressSource, Base, Effect, PayloadField, PhaseKind, Scope};

/// A structural mistake of a base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseProblem {
    /// The part of the base that it is about.
    pub part: BasePart,
    /// The message, which follows "the base `X`: ".
    pub message: String,
    /// What the user can do.
    pub help: &'static str,
}

/// A part of a base.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BasePart {
    /// The phases.
    Phases,
    /// The payload fields.
    Payload,
    /// The address source.
    Address,
    /// The scope: the planes that its operations occupy.
    Scope,
}

fn problem(part: BasePart, message: String, help: &'static str) -> BaseProblem {
    BaseProblem { part, message, help }
}

/// All structural mistakes of a base.
#[must_use]
pub fn problems(base: &Base) -> Vec<BaseProblem> {
    let mut found = Vec::new();
    phases(base, &mut found);
    payload(base, &mut found);
    effects(base, &mut found);
    found
}

/// Whether an address source gives a block and a page.
#[must_use]
pub const fn names_a_page(address: AddressSource) -> bool {
    match address {
        AddressSource::None | AddressSource::Hook => false,
        AddressSource::AnyBlock
        | AddressSource::NextPage
        | AddressSource::ReadablePage
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => true,
    }
}

fn phases(base: &Base, found: &mut Vec<BaseProblem>) {
    const ORDER: &str = "ISSUE comes first, then at most CORE_BUSY, then at most one of DATA_IN and DATA_OUT";
    let kinds: Vec<PhaseKind> = base.phases.iter().map(|phase| phase.kind).collect();
    let wrong = |message: &str| problem(BasePart::Phases, message.to_owned(), ORDER);
    match kinds.as_slice() {
        [PhaseKind::Issue] | [PhaseKind::Issue, PhaseKind::CoreBusy] => {}
        [PhaseKind::Issue, PhaseKind::CoreBusy, window] if window.is_window() => {}
        [PhaseKind::Issue, window] if window.is_window() => {
            found.push(wrong("it has a window but no CORE_BUSY after which the window could open"));
        }
        [] => found.push(wrong("it has no phase")),
        [first, ..] if *first != PhaseKind::Issue => found.push(wrong("its first phase is not ISSUE")),
        _ => found.push(wrong("its phases are not in the order an operation has them, or stand there twice")),
    }
}

fn payload(base: &Base, found: &mut Vec<BaseProblem>) {
    const ADDRESS: [PayloadField; 4] =
        [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page];
    for (at, field) in base.payload.iter().enumerate() {
        if base.payload[..at].contains(field) {
            let message = format!("its payload names {} twice", field.name());
            found.push(problem(BasePart::Payload, message, "name each field once"));
        }
    }
    let has = |field| base.payload_has(field);
    if names_a_page(base.address) {
        let missing: Vec<&str> = ADDRESS.into_iter().filter(|field| !has(*field)).map(PayloadField::name).collect();
        if !missing.is_empty() {
            let message = format!("it has an address, but its payload lacks {}", missing.join(", "));
            found.push(problem(BasePart::Payload, message, "an address is die, plane, block and page"));
        }
    } else if has(PayloadField::Block) || has(PayloadField::Page) {
        let message = "its payload names a block or page, but there is no source of the address".to_owned();
        found.push(problem(BasePart::Address, message, "say where the address comes from (`address`)"));
    } else if base.address == AddressSource::None && has(PayloadField::Plane) {
        let message = "its payload names a plane, but it has no address".to_owned();
        found.push(problem(BasePart::Address, message, "`address: hook` uses the die and plane of the hook"));
    }
    if has(PayloadField::ExpectedStatus) != base.has(Effect::StatusRead) {
        let message = "the payload field exp_val and the effect status_read go together".to_owned();
        found.push(problem(BasePart::Payload, message, "add the one that is missing, or take the other out"));
    }
    found.extend(superfluous_data(base));
    match base.scope {
        Scope::PlaneSet if !has(PayloadField::Plane) => {
            let message = "it occupies planes, but its payload names none".to_owned();
            found.push(problem(BasePart::Scope, message, "add plane to the payload, or choose another scope"));
        }
        Scope::Die if !has(PayloadField::Die) => {
            let message = "it occupies a die, but its payload does not say which".to_owned();
            found.push(problem(BasePart::Scope, message, "add die to the payload, or use `scope: target`"));
        }
        Scope::None | Scope::PlaneSet | Scope::Die | Scope::Target => {}
    }
}

fn effects(base: &Base, found: &mut Vec<BaseProblem>) {
    let needs = |any: &[AddressNeed]| base.effects.iter().any(|effect| any.contains(&effect.properties().address));
    if needs(&[AddressNeed::Page]) && !names_a_page(base.address) {
        let message = "its effects act on a page, but it has no address".to_owned();
        found.push(problem(BasePart::Address, message, "say where the address comes from (`address`)"));
    }
    if needs(&[AddressNeed::Die, AddressNeed::NamedDie]) && !base.payload_has(PayloadField::Die) {
        let message = "its effects act on a die, but its payload does not say which".to_owned();
        found.push(problem(BasePart::Payload, message, "add die to the payload"));
    }
    found.extend(unoccupied(base));
    if base.scope == Scope::Target && needs(&[AddressNeed::Die, AddressNeed::Page]) {
        let message = "its effects work on one die, but it occupies all".to_owned();
        found.push(problem(BasePart::Scope, message, "`scope: die`; `target` is for operations on every die"));
    }
}

/// The mistake of a base whose payload names data although its operations pass none on the bus.
#[must_use]
pub fn superfluous_data(base: &Base) -> Option<BaseProblem> {
    let message = "its payload names data, but its operations pass none on the bus".to_owned();
    let help = "take data out: it belongs to programs and loads that are no copyback, and to data output";
    let found = problem(BasePart::Payload, message, help);
    (base.payload_has(PayloadField::Data) && base.data_transfer().is_none()).then_some(found)
}

/// The mistake of a base that keeps the array of its planes busy but does not occupy planes.
#[must_use]
pub fn unoccupied(base: &Base) -> Option<BaseProblem> {
    let occupies = !base.instant && base.scope != Scope::None;
    let message = "its effects keep the array of its planes busy, but it occupies none".to_owned();
    let found = problem(BasePart::Scope, message, "let it occupy planes or the die, and not be instant");
    (!occupies && base.effects.iter().any(|effect| effect.properties().keeps_array_busy)).then_some(found)
}
