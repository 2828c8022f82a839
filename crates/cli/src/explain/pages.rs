//! The pages of the rulebook, as part of the program, and short pages on refusal reasons that are not rules of the device.

/// Pages by code.
const PAGES: &[(&str, &str)] = &[
    ("bad_block", include_str!("../../../../rulebook/bad_block.md")),
    ("bounds", include_str!("../../../../rulebook/bounds.md")),
    ("bus", include_str!("../../../../rulebook/bus.md")),
    ("cache", include_str!("../../../../rulebook/cache.md")),
    ("cache_sequence", include_str!("../../../../rulebook/cache_sequence.md")),
    ("copyback_source", include_str!("../../../../rulebook/copyback_source.md")),
    ("data_value", include_str!("../../../../rulebook/data_value.md")),
    ("dout_source", include_str!("../../../../rulebook/dout_source.md")),
    ("in_flight", include_str!("../../../../rulebook/in_flight.md")),
    ("input_time_count", include_str!("../../../../rulebook/input_time_count.md")),
    ("latch", include_str!("../../../../rulebook/latch.md")),
    ("multi_plane_exclusive", include_str!("../../../../rulebook/multi_plane_exclusive.md")),
    ("multi_plane_group", include_str!("../../../../rulebook/multi_plane_group.md")),
    ("odt", include_str!("../../../../rulebook/odt.md")),
    ("oneshot_order", include_str!("../../../../rulebook/oneshot_order.md")),
    ("op_state", include_str!("../../../../rulebook/op_state.md")),
    ("op_state_segment", include_str!("../../../../rulebook/op_state_segment.md")),
    ("payload_fields", include_str!("../../../../rulebook/payload_fields.md")),
    ("plane_busy", include_str!("../../../../rulebook/plane_busy.md")),
    ("program_before_erase", include_str!("../../../../rulebook/program_before_erase.md")),
    ("program_celltype", include_str!("../../../../rulebook/program_celltype.md")),
    ("program_order", include_str!("../../../../rulebook/program_order.md")),
    ("proposal_count", include_str!("../../../../rulebook/proposal_count.md")),
    ("read_before_program", include_str!("../../../../rulebook/read_before_program.md")),
    ("read_celltype", include_str!("../../../../rulebook/read_celltype.md")),
    ("recovery_target", include_str!("../../../../rulebook/recovery_target.md")),
    ("resume_target", include_str!("../../../../rulebook/resume_target.md")),
    ("row_format", include_str!("../../../../rulebook/row_format.md")),
    ("seq_order", include_str!("../../../../rulebook/seq_order.md")),
    ("status_value", include_str!("../../../../rulebook/status_value.md")),
    ("suspend", include_str!("../../../../rulebook/suspend.md")),
    ("suspend_target", include_str!("../../../../rulebook/suspend_target.md")),
    ("time_order", include_str!("../../../../rulebook/time_order.md")),
    ("timeline_row", include_str!("../../../../rulebook/timeline_row.md")),
    ("touch_count", include_str!("../../../../rulebook/touch_count.md")),
    ("unknown_op", include_str!("../../../../rulebook/unknown_op.md")),
    ("unread_data", include_str!("../../../../rulebook/unread_data.md")),
    ("write_protect", include_str!("../../../../rulebook/write_protect.md")),
];

/// Pages of refusal reasons that are not rules.
const REASONS: &[(&str, &str)] = &[
    (
        "no_address",
        "# `no_address`\n\nA refusal reason of the proposer log, not a rule of the device. The operation was drawn, and no block, page or register of the \
         die satisfied every rule of addresses at that moment: no block was erased for its cell type, say, or all of them were in use.\n",
    ),
    (
        "no_chain",
        "# `no_chain`\n\nA refusal reason of the proposer log, not a rule of the device. The operation begins a chain, and none of its chains could run \
         to the end from there: a step has no address, or a state that the chain itself brings about forbids it.\n",
    ),
    (
        "chain_under_way",
        "# `chain_under_way`\n\nA refusal reason of the proposer log, not a rule of the device. The operation would have taken from a chain under way what \
         that chain still needs: a block, a latch, a register, or its place in the order on the die.\n",
    ),
    (
        "bus_window",
        "# `bus_window`\n\nA refusal reason of the proposer log, not a rule of the device. The bus did not come free within the admission window \
         (`policies.admission_window`, `--admission-window`).\n",
    ),
    (
        "limit",
        "# `limit`\n\nA refusal reason of the proposer log, not a rule of the device. A limit of the test plan (`addresses`) leaves no room for the \
         operation, or for any chain after it: it would erase a block, or read a block or a page, more often than the plan allows, or open one block \
         too many.\n",
    ),
    (
        "scenario",
        "# `scenario`\n\nA refusal reason of the proposer log, not a rule of the device. An attempt at a scenario of the test plan has the die for \
         itself: `between: nothing`.\n",
    ),
];

/// The page of a rule or a refusal reason, by its code.
pub(super) fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().chain(REASONS).find(|(known, _)| *known == code).map(|&(_, page)| page)
}

/// The codes that have a page.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().chain(REASONS).map(|&(code, _)| code)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use nandseq_generate::RefusalReason;
    use nandseq_verify::RuleCode;

    use super::*;

    #[test]
    fn every_code_has_its_page() {
        let rules = RuleCode::ALL.iter().map(|code| code.name());
        let device = nandseq_device::Rule::ALL.iter().map(|rule| RefusalReason::Rule(*rule).code());
        use RefusalReason::{BusWindow, ChainUnderWay, Limit, NoAddress, NoChain, Scenario};
        let own = [NoAddress, NoChain, ChainUnderWay, BusWindow, Limit, Scenario];
        for code in rules.chain(device).chain(own.iter().map(|reason| reason.code())) {
            let page = page(code).unwrap_or_else(|| panic!("{code} has no page"));
            assert!(page.starts_with(&format!("# `{code}`\n")), "the page of {code} is another's");
        }
    }

    #[test]
    fn every_page_of_the_rulebook_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.extension().is_some_and(|end| end == "md") && name != "README" {
                assert_eq!(page(name), Some(&*std::fs::read_to_string(&path).unwrap()), "{name}");
            }
        }
    }
}
