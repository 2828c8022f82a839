//! What a site has reached of the shares of its mix, and why not.

use crate::shares::{ShareReached, Shares};
use crate::site::Site;

impl Site<'_> {
    /// The shares of the setup's mix and what was reached of them since the phase began, between runs; empty without a mix.
    #[must_use]
    pub fn shares(&self) -> Vec<ShareReached> {
        let (Some(controller), Some(mix)) = (&self.mix, &self.setup.mix) else { return Vec::new() };
        let (setup, kinds) = (self.setup, self.used_up_kinds());
        let is_used_up = |share: usize| {
            let ops = setup.tables.ops().filter(|&(op, _)| mix.share_of(op) == Some(share));
            let mut of_blocks = ops.filter_map(|(_, op)| self.is_used_up(op, &kinds)).peekable();
            of_blocks.peek().is_some() && of_blocks.all(|is_used_up| is_used_up)
        };
        Shares { setup, mix, state: &controller.state }.reached(is_used_up)
    }
}
