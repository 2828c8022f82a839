//! Whose data registers, latches and pages hold, in a site whose payloads name it.

use nandseq_device::{Flight, FlightId};
use nandseq_profile::model::Axis;
use nandseq_trace::Cut;

use crate::kernel::Step;
use crate::site::Site;

impl Site<'_> {
    /// An operation starts next: finds whose data it passes on the bus.
    #[inline(never)]
    pub(crate) fn start_with_data(&mut self, step: &Step, uid: u64) {
        let (Some(contents), Some(rules)) = (&mut self.data, &self.setup.data) else { return };
        let (reporter, parts) = (&mut self.reporter, (rules, &self.setup.tables, &self.kernel.device));
        reporter.passing = contents.start(parts, (step.op, &step.place), uid, &mut reporter.data);
    }

    /// The last start has cut operations. What is suspended keeps its data.
    #[inline(never)]
    pub(crate) fn cut_with_data(&mut self) {
        let Some(contents) = &mut self.data else { return };
        for &(uid, cut) in self.kernel.cut_by_last_start() {
            match cut {
                Cut::Suspended => {}
                Cut::Reset => contents.reset(uid),
            }
        }
    }

    /// An operation that was not cut has ended.
    #[inline(never)]
    pub(crate) fn end_with_data(&mut self, id: FlightId, flight: &Flight) {
        let (Some(contents), Some(rules)) = (&mut self.data, &self.setup.data) else { return };
        let suspended = self.kernel.suspended[flight.place.die.index()][Axis::Program];
        let uids = (self.kernel.uid_of(id), suspended.map(|started| started.origin.uid));
        contents.end((rules, &self.setup.tables), flight, uids);
    }
}
