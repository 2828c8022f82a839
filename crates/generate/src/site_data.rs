//! Whose data registers, latches and pages hold, for a site whose payloads name it.

use nandseq_device::{DataContents, DataRules, Flight, FlightId};
use nandseq_profile::model::Axis;
use nandseq_trace::Cut;

use crate::kernel::{Kernel, Step};
use crate::reporting::Reporter;
use crate::setup::Setup;

/// The data of a site's device.
#[derive(Debug)]
pub(crate) struct SiteData<'s> {
    rules: &'s DataRules,
    pub(crate) contents: DataContents,
}

impl<'s> SiteData<'s> {
    /// That of a fresh device; `None` if no payload names data.
    pub(crate) fn of(setup: &'s Setup) -> Option<Box<Self>> {
        let rules = setup.data.as_ref()?;
        Some(Box::new(Self { rules, contents: DataContents::new(&setup.tables.size) }))
    }

    /// An operation starts next: tells the reporter whose data it passes on the bus.
    #[inline(never)]
    pub(crate) fn start(
        &mut self,
        setup: &Setup,
        kernel: &Kernel<'_>,
        (step, uid): (&Step, u64),
        reporter: &mut Reporter,
    ) {
        let parts = (self.rules, &setup.tables, &kernel.device);
        reporter.passing = self.contents.start(parts, (step.op, &step.place), uid, &mut reporter.data);
    }

    /// The last start has cut operations. What is suspended keeps its data.
    #[inline(never)]
    pub(crate) fn cut(&mut self, kernel: &Kernel<'_>) {
        for &(uid, cut) in kernel.cut_by_last_start() {
            match cut {
                Cut::Suspended => {}
                Cut::Reset => self.contents.reset(uid),
            }
        }
    }

    /// An operation that was not cut has ended.
    #[inline(never)]
    pub(crate) fn end(&mut self, setup: &Setup, kernel: &Kernel<'_>, (id, flight): (FlightId, &Flight)) {
        let suspended = kernel.suspended[flight.place.die.index()][Axis::Program];
        let uids = (kernel.uid_of(id), suspended.map(|started| started.origin.uid));
        self.contents.end((self.rules, &setup.tables), flight, uids);
    }
}
