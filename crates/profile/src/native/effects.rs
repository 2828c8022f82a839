//! Reading the effects of a base: `effects: [program, cache_program_end: slc]`.

use super::names::{expect_word, unknown_word};
use super::words::{EFFECTS_WITH_PARAMETER, Word};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::model::{Effect, LatchLevel, LatchNeed};
use crate::yaml::{Entry, Fields, Node};

/// The effects of a list; `None` if one is wrong, which is reported.
pub(super) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<Effect>> {
    let mark = diagnostics.mark();
    let mut effects = Vec::new();
    for item in node.expect_sequence("effects", diagnostics)? {
        let Some(effect) = read_one(item, diagnostics) else { continue };
        if effects.contains(&effect) {
            let diagnostic = Diagnostic::error("duplicate-item", "the effect is listed twice").at(item.span, "");
            diagnostics.push(diagnostic);
        }
        effects.push(effect);
    }
    (!diagnostics.errors_since(mark)).then_some(effects)
}

fn read_one(node: &Node, diagnostics: &mut Diagnostics) -> Option<Effect> {
    if let Some(entries) = node.as_mapping() {
        let [entry] = entries else {
            let message = "an effect with a parameter is one `effect: parameter`";
            diagnostics.push(Diagnostic::error("wrong-type", message).at(node.span, ""));
            return None;
        };
        return read_with_parameter(entry, diagnostics);
    }
    let word = node.expect_str("effect", diagnostics)?;
    if let Some(effect) = Effect::of(word) {
        return Some(effect);
    }
    if EFFECTS_WITH_PARAMETER.contains(&word) {
        let message = format!("the effect {} needs a parameter", quoted(word));
        let help = format!("write `{word}: …`; docs/profile-format.md lists what it may be");
        diagnostics.push(Diagnostic::error("missing-field", message).at(node.span, "").help(help));
        return None;
    }
    let words: Vec<&str> =
        Effect::WORDS.iter().map(|(known, _)| *known).chain(EFFECTS_WITH_PARAMETER.iter().copied()).collect();
    unknown_word(Effect::KIND, word, node.span, &words, diagnostics);
    None
}

fn read_with_parameter(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Effect> {
    let value = &entry.value;
    match &*entry.key {
        "load_latch" => {
            let mut fields = Fields::new(value, "load_latch", diagnostics)?;
            let latch = fields.require("latch", diagnostics).and_then(|node| expect_word(node, "latch", diagnostics));
            let level = fields.require("level", diagnostics).and_then(|node| expect_word(node, "level", diagnostics));
            let needs = read_needs(&mut fields, diagnostics);
            fields.finish(diagnostics);
            Some(Effect::LoadLatch { latch: latch?, level: level?, needs: needs? })
        }
        "consume_latch" => {
            let mut fields = Fields::new(value, "consume_latch", diagnostics)?;
            let latch = fields.require("latch", diagnostics).and_then(|node| expect_word(node, "latch", diagnostics));
            let needs = read_needs(&mut fields, diagnostics);
            fields.finish(diagnostics);
            Some(Effect::ConsumeLatch { latch: latch?, needs: needs? })
        }
        "fill_registers" => {
            let word = value.expect_str("fill_registers", diagnostics)?;
            if word == "copyback" {
                return Some(Effect::FillRegisters { copyback: true });
            }
            unknown_word("purpose of a register", word, value.span, &["copyback"], diagnostics);
            None
        }
        "cache_read" => expect_word(value, "cache_read", diagnostics).map(Effect::CacheRead),
        "cache_read_end" => expect_word(value, "cache_read_end", diagnostics).map(Effect::CacheReadEnd),
        "cache_program_start" => expect_word(value, "cache_program_start", diagnostics).map(Effect::CacheProgramStart),
        "cache_program_end" => expect_word(value, "cache_program_end", diagnostics).map(Effect::CacheProgramEnd),
        "suspend" => expect_word(value, "suspend", diagnostics).map(Effect::Suspend),
        "resume" => expect_word(value, "resume", diagnostics).map(Effect::Resume),
        word => {
            if Effect::of(word).is_some() {
                let message = format!("the effect {} has no parameter", quoted(word));
                diagnostics.push(Diagnostic::error("wrong-type", message).at(value.span, "take this out"));
            } else {
                unknown_word(Effect::KIND, word, entry.key_span, &EFFECTS_WITH_PARAMETER, diagnostics);
            }
            None
        }
    }
}

/// Reads the latch levels at which an operation may start: `needs: [csb, msb]`.
fn read_needs(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<LatchNeed> {
    let mut needs = LatchNeed::default();
    let Some(node) = fields.take("needs") else { return Some(needs) };
    for item in node.expect_sequence("needs", diagnostics)? {
        match expect_word(item, "latch level", diagnostics)? {
            LatchLevel::Lsb => needs.lsb = true,
            LatchLevel::Csb => needs.csb = true,
            LatchLevel::Msb => needs.msb = true,
        }
    }
    Some(needs)
}
