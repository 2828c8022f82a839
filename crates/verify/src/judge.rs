//! Judges whether an operation may start.
//!
//! A [`Judge`] compares one operation with the device at the instant of its start, and reports every rule that the start
//! breaks. Of the device it changes nothing but the note of a wrong status read. Each group of rules has a module.

mod addresses;
mod breaches;
mod data;
mod judged_operation;
mod occupation;
mod registers;
mod suspension;
mod tables;

pub(crate) use breaches::Judge;
pub(crate) use judged_operation::JudgedOperation;

impl Judge<'_> {
    /// Judges every rule of the device.
    pub(crate) fn judge(&mut self) {
        self.bounds();
        self.bus();
        self.occupation();
        self.op_state();
        self.latch();
        self.suspend();
        self.odt();
        self.write_protect();
        self.cache();
        self.group();
        self.block_rules();
        self.data_output();
        self.data();
        self.unread_data();
        self.latch_order();
        self.cache_program_sequence();
        self.cache_read_sequence();
        self.copyback_source();
        self.recovery();
        self.suspend_target();
        self.resume_target();
        self.status();
    }
}
