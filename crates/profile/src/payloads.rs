//! What a profile and the flags `--expect` and `--status` together put into payloads: data and the fields of an expected status.
//!
//! Whoever reads or writes sequences looks at the profile alone. Leaves out whose data it is.

use crate::ids::CellTypeId;
use crate::model::{Base, DataTransfer, Effect, Expectations, Export, PayloadField, Profile, StatusField};

impl Base {
    /// Whether its operations pass data on the bus, and in which direction. Copyback moves data inside the device.
    #[must_use]
    pub fn data_transfer(&self) -> Option<DataTransfer> {
        let moves = |wanted| self.effects.iter().any(|effect| effect.properties().data == Some(wanted));
        let comes_in = moves(DataTransfer::In) && !self.has(Effect::CopybackSource);
        comes_in.then_some(DataTransfer::In).or_else(|| moves(DataTransfer::Out).then_some(DataTransfer::Out))
    }
}

impl Export {
    /// The form of a profile that states none.
    pub const DEFAULT: Self =
        Self { time_scale: 1.0, round_decimals: 3, skip_resume_chained_ops: true, status: Vec::new() };
}

impl Profile {
    /// Adds to the payloads what flags ask for.
    pub fn expect(&mut self, Expectations { data, full_status }: Expectations) {
        if full_status {
            self.export.status = StatusField::ALL.to_vec();
        }
        if data {
            for base in self.bases.iter_mut() {
                if base.data_transfer().is_some() && !base.payload_has(PayloadField::Data) {
                    base.payload.push(PayloadField::Data);
                }
            }
        }
    }

    /// Whether some payloads say whose data passes on the bus.
    #[must_use]
    pub fn expects_data(&self) -> bool {
        self.bases.iter().any(|base| base.payload_has(PayloadField::Data))
    }

    /// Whether pages of a cell type are loaded level by level, so that a page holds the data of several operations.
    #[must_use]
    pub fn has_levels(&self, cell_type: CellTypeId) -> bool {
        let loads = |effect: &Effect| effect.properties().loads_level;
        self.ops.iter().any(|op| op.cell_type == cell_type && self.bases[op.base].effects.iter().any(loads))
    }
}
