//! The cost of one judgement, of an operation that may start and of one that may not.

use divan::{Bencher, black_box};
use nandseq_device::{Device, Place, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Die, OpId, Page, Plane, PlaneSet, Ticks, builtin};

fn main() {
    divan::main();
}

const NOW: Ticks = Ticks::from_us(10_000_000);

/// A device with three programmed pages, and a read.
struct Fixture {
    tables: Tables,
    device: Device,
    read: OpId,
    /// The first programmed page.
    page: Place,
}

impl Fixture {
    fn new() -> Self {
        let tables = Tables::new(&builtin::profile());
        let mut device = Device::new(&tables, &[]);
        let single = |wanted: &dyn Fn(&nandseq_device::OpInfo) -> bool| {
            tables.ops().find(|(_, op)| !op.multi && wanted(op)).expect("such a name").0
        };
        let read = single(&|op| {
            let base = tables.base(op.base);
            base.effects.fill == Some(false) && base.address == AddressSource::ReadablePage
        });
        let cell_type = tables.op(read).stated_cell_type;
        let of_cell = |op: &nandseq_device::OpInfo| op.stated_cell_type == cell_type;
        let erase = single(&|op| tables.base(op.base).effects.erase && of_cell(op));
        let program = single(&|op| tables.base(op.base).effects.program && of_cell(op));
        let page = Place { cell_type, ..Place::plane(Die(0), Plane(0)) };
        for (at, (op, number)) in [(erase, 0), (program, 0), (program, 1), (program, 2)].into_iter().enumerate() {
            let place = Place { page: Page(number), ..page };
            let now = Ticks::from_us(1_000_000 * at as u64);
            let flight = device.start(&tables, op, &place, now).expect("it takes time");
            device.finish(&tables, flight);
        }
        Self { tables, device, read, page }
    }

    fn time(&self, bencher: Bencher<'_, '_>, op: OpId, place: Place, may_start: bool) {
        assert_eq!(self.device.judge(&self.tables, op, &place, NOW).is_ok(), may_start);
        bencher.bench_local(|| black_box(self.device.judge(&self.tables, op, black_box(&place), NOW)));
    }
}

#[divan::bench]
fn a_read_that_may_start(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    fixture.time(bencher, fixture.read, fixture.page, true);
}

#[divan::bench]
fn a_read_of_an_unwritten_page(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    let place = Place { page: Page(100), ..fixture.page };
    fixture.time(bencher, fixture.read, place, false);
}

#[divan::bench]
fn a_read_of_too_many_planes(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    let place = Place { planes: PlaneSet(0b11), ..fixture.page };
    fixture.time(bencher, fixture.read, place, false);
}
