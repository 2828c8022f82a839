//! `data_value`: whose data operations bring in and put out.

use nandseq_input::Addressed;
use nandseq_profile::Target;
use nandseq_profile::model::PayloadField;

use super::breaches::{Judge, page_text, plane_text};
use crate::finding::StartedOperation;
use crate::model::{FilledRegister, HeldDatum};
use crate::rule::RuleCode;

impl Judge<'_> {
    /// `data_value`, and `payload_fields` where a data output has the field although nobody can tell, or lacks it.
    pub(super) fn data(&mut self) {
        let operation = self.operation;
        if !operation.kind.has_data || operation.written.len() != operation.targets.iter().count() {
            // Without a target that exists, another rule is broken.
            return;
        }
        for (said, at) in operation.written.iter().zip(operation.targets.iter()) {
            if operation.kind.outputs {
                let held = self.device.plane(at.die, at.plane).output;
                if let Some(held) = held.filter(|held| self.says(at, held)) {
                    self.put_out(said, at, &held);
                }
            } else if said.fields.contains(PayloadField::Data) {
                let is = self.device.brought_in(operation, at);
                self.compare(said, is, None, |uid| {
                    if uid == operation.origin.uid {
                        format!("It brings in data of its own, {uid}")
                    } else {
                        format!("The MSB was loaded with the data of {uid}")
                    }
                });
            }
        }
    }

    fn put_out(&mut self, said: &Addressed, at: &Target, held: &FilledRegister) {
        let has_field = said.fields.contains(PayloadField::Data);
        if has_field && held.datum == HeldDatum::UNTOLD {
            self.breaks(RuleCode::PayloadFields, Some(held.by), |_| {
                "Nobody can tell which level was read, so payload field 'data' does not belong to this output."
                    .to_owned()
            });
        } else if has_field {
            self.compare(said, held.datum, Some(held.by), |uid| {
                let place = plane_text(at.die, at.plane);
                format!("The output register of {place} holds {} with the data of {uid}", page_text(&held.at))
            });
        } else if held.datum != HeldDatum::UNTOLD {
            self.breaks(RuleCode::PayloadFields, Some(held.by), |_| "Payload field 'data' is missing.".to_owned());
        }
    }

    fn compare(
        &mut self,
        said: &Addressed,
        is: HeldDatum,
        by: Option<StartedOperation>,
        message: impl FnOnce(u64) -> String,
    ) {
        if let Some(uid) = is.uid().filter(|uid| u64::try_from(said.data) != Ok(*uid)) {
            self.breaks(RuleCode::DataValue, by, |_| format!("{}, not of {}.", message(uid), said.data));
        }
    }
}
