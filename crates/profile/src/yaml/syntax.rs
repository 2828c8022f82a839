//! What is wrong with a text that is not YAML, in words for people.
//!
//! Promises a message and a help for every mistake that the parser knows, without the parser's own words, which are of its grammar.

use granit_parser::ErrorKind;

/// What to do where the parser says no more than that something is wrong.
const LOOK_HERE: &str = "look at this line and the one before it: indentation, quotes, brackets, the space behind `:`";
const QUOTE: &str = "put the text in quotes if this character belongs to it, or take the character out";
const CLOSE_BRACKET: &str = "close every `[` by `]` and every `{` by `}`, with a comma between two entries";
const CLOSE_QUOTE: &str = "close the quote in the line where it begins; within single quotes a quote is written twice (`''`), within double quotes `\\\"`";
const INDENT: &str = "indent all keys of a mapping alike, and what belongs to a key deeper than the key";
const SPACES: &str = "use spaces in place of the tab: for indentation, and behind `-` and `:`";

/// Whether a mistake is a tab that stands where the parser stopped, or behind that.
pub(super) const fn is_of_tab(kind: &ErrorKind) -> bool {
    use ErrorKind as Kind;
    matches!(
        kind,
        Kind::TabNotAllowed
            | Kind::TabInBlockIndentation
            | Kind::TabInIndentation
            | Kind::TabInPlainScalar
            | Kind::TabAtBlockScalarStart
            | Kind::InvalidBlockEntryWhitespace
            | Kind::InvalidMappingValueWhitespace
    )
}

/// The first tab that indents a line of a text, or stands at its beginning; else the first one of all.
pub(super) fn tab_in(text: &str) -> Option<usize> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1));
    let mut indenting = starts.filter_map(|start| {
        let spaces = text[start..].len() - text[start..].trim_start_matches(' ').len();
        text[start + spaces..].starts_with('\t').then_some(start + spaces)
    });
    indenting.next().or_else(|| text.find('\t'))
}

/// What is wrong, and what to do; `line` is what stands before the place in its line.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's kinds of error are many, and more are added")]
pub(super) fn describe(kind: &ErrorKind, line: &str) -> (String, &'static str) {
    let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
    if is_of_tab(kind) || line[..indentation].contains('\t') {
        return ("a tab stands where only spaces may".to_owned(), SPACES);
    }
    match kind {
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            (format!("there is the control character U+{:04X}", u32::from(*character)), "take it out")
        }
        ErrorKind::UnexpectedCharacter { character } => (format!("a text cannot begin with `{character}`"), QUOTE),
        ErrorKind::UnclosedFlowCollection { open } => (format!("the bracket `{open}` is never closed"), CLOSE_BRACKET),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("the bracket `{open}` is closed by `{close}`"), CLOSE_BRACKET)
        }
        other => {
            let (what, help) =
                of_mappings_and_lists(other, line).or_else(|| of_texts(other)).unwrap_or_else(|| rest(other));
            (what.to_owned(), help)
        }
    }
}

/// Keys, list items and brackets.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's kinds of error are many, and more are added")]
fn of_mappings_and_lists(kind: &ErrorKind, line: &str) -> Option<(&'static str, &'static str)> {
    use ErrorKind as Kind;
    Some(match kind {
        Kind::MappingValueNotAllowed if line.contains(": ") => (
            "there is a second `:` in the value of a key",
            "put the value in quotes if the `:` belongs to it, or begin a new line with the second key",
        ),
        Kind::MappingValueNotAllowed | Kind::MappingKeyNotAllowed => (
            "this key stands where the line before it goes on: that line lacks a `:`, or this one is indented too far",
            INDENT,
        ),
        Kind::InvalidColonPlacement => {
            ("a `:` stands where it ends no key: a bracket before it is perhaps not closed", CLOSE_BRACKET)
        }
        Kind::FlowMappingValueAdjacentCollection => ("there is no space behind `:`", "put a space behind `:`"),
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => (
            "this line is no `key: value`",
            "put `:` and a space behind the key; a text of several lines is indented deeper than its key",
        ),
        Kind::ExpectedBlockMappingKey if line.trim() == "-" => {
            ("a list item stands among the keys of a mapping", INDENT)
        }
        Kind::ExpectedBlockMappingKey if line.trim().is_empty() => {
            ("this line is no key of the mapping before it, by its indentation", INDENT)
        }
        Kind::ExpectedBlockMappingKey => {
            ("something follows a value that has ended", "put the whole value in quotes, or begin a new line")
        }
        Kind::ExpectedBlockSequenceEntry => (
            "this line stands in a list and does not begin with `- `",
            "begin every item of a list with `- `, all indented alike, and indent what belongs to an item deeper",
        ),
        Kind::BlockSequenceEntryNotAllowed => (
            "a list item stands where no list can begin",
            "begin the list in a new line or write it as `[a, b]`; put the text in quotes if the `-` belongs to it",
        ),
        Kind::BlockEntryInFlowCollection => {
            ("a `- ` stands within brackets", "leave it out: commas alone are between entries within brackets")
        }
        Kind::ExpectedFlowMappingSeparator => ("a `,` or `}` is missing", CLOSE_BRACKET),
        Kind::ExpectedFlowSequenceSeparator => ("a `,` or `]` is missing", CLOSE_BRACKET),
        Kind::MisplacedFlowCollectionEnd => ("this bracket closes none", QUOTE),
        Kind::UnexpectedEofFlowSequence | Kind::UnexpectedEofFlowMapping | Kind::UnexpectedEofImplicitFlowMapping => {
            ("an entry within brackets is empty, or the bracket is never closed", CLOSE_BRACKET)
        }
        Kind::InvalidIndentation | Kind::InvalidFlowScalarIndent => ("this line is not indented far enough", INDENT),
        _ => return None,
    })
}

/// Quoted texts, plain ones, and blocks of text.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's kinds of error are many, and more are added")]
fn of_texts(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as Kind;
    Some(match kind {
        Kind::UnclosedQuotedScalar | Kind::InvalidQuotedScalarIndent | Kind::DocumentIndicatorInQuotedScalar => {
            ("a quote is not closed before this place", CLOSE_QUOTE)
        }
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
            ("something follows the quote that closes a text", CLOSE_QUOTE)
        }
        Kind::UnknownQuotedScalarEscape
        | Kind::InvalidQuotedScalarHexEscape
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::InvalidLowSurrogate
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate
        | Kind::InvalidUnicodeEscape => (
            "a text in double quotes has a `\\` with something behind it that means nothing",
            "write `\\\\` for a backslash, or put the text in single quotes",
        ),
        Kind::CommentNotSeparated => ("there is no space before `#`", "put a space before a comment"),
        Kind::CommentInterceptedScalar => ("a comment stands within a text of several lines", "put it before the text"),
        Kind::ZeroBlockScalarIndent | Kind::InvalidBlockScalarHeader => (
            "`|` or `>` begins a block of text, and something else follows it in its line",
            "begin the block in the next line, or put the text in quotes if that character belongs to it",
        ),
        Kind::InvalidBlockScalarIndent => {
            ("this line of a block of text is indented less than the empty one before it", "indent the block alike")
        }
        Kind::PlainScalarStartsWithDashFlowIndicator => ("a text begins with `-` and a bracket or comma", QUOTE),
        Kind::MissingAnchorOrAliasName => ("there is no name behind `&` or `*`", QUOTE),
        Kind::ExpectedTagBang
        | Kind::InvalidGlobalTagCharacter
        | Kind::InvalidTagTerminator
        | Kind::MissingTagUri
        | Kind::UnclosedVerbatimTag
        | Kind::InvalidTagEscape
        | Kind::InvalidTagUtf8LeadingByte
        | Kind::InvalidTagUtf8TrailingByte
        | Kind::InvalidTagUtf8
        | Kind::UndeclaredTagHandle => ("a `!` begins a tag that means nothing", QUOTE),
        _ => return None,
    })
}

/// The file as a whole, and what is rare.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's kinds of error are many, and more are added")]
fn rest(kind: &ErrorKind) -> (&'static str, &'static str) {
    use ErrorKind as Kind;
    match kind {
        Kind::ExpectedDocumentStart => {
            ("this line follows what is a whole file already, by its indentation", "indent all keys of the file alike")
        }
        Kind::InvalidDocumentEnd => ("something follows `...`, which ends the file", "take the `...` out"),
        Kind::BomInsideDocument => ("a byte order mark stands within the file", "take it out: it belongs at the start"),
        Kind::DuplicateVersionDirective
        | Kind::UnsupportedYamlMajorVersion
        | Kind::DuplicateTagDirective
        | Kind::MissingDocumentEndBeforeDirective
        | Kind::ExpectedTagDirectiveBang
        | Kind::InvalidDirectiveTerminator
        | Kind::DirectiveDisallowed
        | Kind::MissingYamlVersionSeparator
        | Kind::MissingDirectiveName
        | Kind::InvalidDirectiveName
        | Kind::DirectiveByteLimitExceeded { .. }
        | Kind::TooManyReservedDirectiveParams { .. }
        | Kind::YamlVersionTooLong
        | Kind::MissingYamlVersion
        | Kind::InvalidTagDirectiveTerminator => {
            ("a `%` at the start of a line begins a directive, and this is none that can be here", "take the line out")
        }
        _ => ("it cannot be read from here on", LOOK_HERE),
    }
}
