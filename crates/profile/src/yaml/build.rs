//! Building the tree of nodes from the events of the parser.
//!
//! The builder has a stack of open collections and does not recurse. Every node has its size and height with aliases resolved, so
//! the limits hold for the tree that readers walk.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as ParserSpan, Tag};

use super::syntax;
use super::{Entry, MAX_DEPTH, MAX_NODES, Node, Scalar, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span, nearest, quoted};

/// A finished node, with its size in nodes and its height.
#[derive(Clone)]
struct Built {
    node: Node,
    size: usize,
    height: usize,
}

/// A mapping or sequence that has not ended.
struct OpenNode {
    start: Span,
    anchor: usize,
    size: usize,
    height: usize,
    content: OpenContent,
}

enum OpenContent {
    Sequence(Vec<Node>),
    Mapping(OpenMapping),
}

#[derive(Default)]
struct OpenMapping {
    entries: Vec<Entry>,
    /// The place of each key, to find duplicates.
    seen: HashMap<Rc<str>, Span>,
    /// The key whose value comes next.
    key: Option<EntryKey>,
    merges: Vec<Merge>,
}

/// A merge key `<<` with its value.
struct Merge {
    at: Span,
    value: Node,
    size: usize,
}

enum EntryKey {
    Merge(Span),
    Name(Rc<str>, Span),
    /// A wrong key, which was reported. Its value is left out.
    Wrong,
}

struct Builder<'a> {
    source: &'a SourceFile,
    diagnostics: &'a mut Diagnostics,
    stack: Vec<OpenNode>,
    anchors: HashMap<usize, Built>,
    /// The names of anchors, for suggestions.
    names: BTreeMap<String, usize>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
}

/// The end of building after an error, which has been reported.
struct Stop;

/// Parses a text with one YAML document.
///
/// Returns `None` after a syntax error, for an empty text, above a limit, or for more than one document. Other errors (duplicate
/// keys, unknown anchors, keys that are not scalars) are reported, and the tree is returned without the wrong parts.
pub fn parse(source: &SourceFile, diagnostics: &mut Diagnostics) -> Option<Node> {
    if let Some(at) = source.text.bytes().position(|byte| byte == 0) {
        let diagnostic =
            Diagnostic::error("not-text", "the file is not a text file").at(source.span(at, at + 1), "a NUL byte");
        diagnostics.push(diagnostic);
        return None;
    }
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.emit_anchor_events = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut builder = Builder {
        source,
        diagnostics,
        stack: Vec::new(),
        anchors: HashMap::new(),
        names: BTreeMap::new(),
        root: None,
        documents: 0,
        nodes: 0,
    };
    for event in Parser::new_from_str_with_options(&source.text, options) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(wrong) => builder.syntax_error(&wrong),
        };
        if outcome.is_err() {
            return None;
        }
    }
    builder.finish()
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: &ParserSpan) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => self.document(self.span(span)),
            Event::Alias(anchor) => self.alias(anchor, self.span(span)),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, self.span(span)),
            Event::Anchor(anchor, name) => {
                self.names.insert(name.into_owned(), anchor);
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.span(span);
                let broken = self.tag(tag.as_deref(), place);
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| !tag.is_yaml_core_schema_tag("str"));
                let value = Value::Scalar(Scalar { text: text.into(), plain });
                self.count(1, place)?;
                self.add(
                    Built { node: Node { span: place, end: place.end, value, broken }, size: 1, height: 0 },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(self.span(span), anchor, tag.as_deref(), OpenContent::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(self.span(span), anchor, tag.as_deref(), OpenContent::Mapping(OpenMapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(self.span(span).end),
            // These events are not nodes. The parser may have further ones in later versions.
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | _ => Ok(()),
        }
    }

    fn syntax_error(&mut self, wrong: &ScanError) -> Result<(), Stop> {
        let marker = wrong.marker();
        let text = &*self.source.text;
        let at = marker.byte_offset().unwrap_or(text.len());
        let mut span = Span { start: at, end: at, line: marker.line(), column: marker.col() + 1 };
        if *wrong.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(span);
        }
        // The parser stops behind the tab, or where the text begins that the tab is in.
        let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let rest = text.get(start..).unwrap_or_default();
        if let Some(offset) = syntax::is_of_tab(wrong.kind()).then(|| syntax::tab_in(rest)).flatten() {
            let passed = &rest[..offset];
            span.line += passed.matches('\n').count();
            span.column = 1 + passed.rsplit('\n').next().unwrap_or_default().chars().count();
            (span.start, span.end) = (start + offset, start + offset);
        }
        let line = text.get(..span.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        let (what, help) = syntax::describe(wrong.kind(), line);
        let message = format!("this is not YAML: {what}");
        self.diagnostics.push(Diagnostic::error("yaml-syntax", message).at(span, "").help(help));
        Err(Stop)
    }

    fn span(&self, span: &ParserSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let length = self.source.text.len();
        Span {
            start: range.start.min(length),
            end: range.end.min(length).max(range.start.min(length)),
            line: span.start.line(),
            column: span.start.col() + 1,
        }
    }

    fn document(&mut self, at: Span) -> Result<(), Stop> {
        self.documents += 1;
        self.anchors.clear();
        self.names.clear();
        if self.documents == 1 {
            return Ok(());
        }
        let diagnostic = Diagnostic::error("several-documents", "the file has more than one YAML document")
            .at(at, "the second one starts here")
            .help("take out everything from `---` on, or make it a file of its own");
        self.diagnostics.push(diagnostic);
        Err(Stop)
    }

    /// Reports a tag that is not of the core schema. Returns whether there is one.
    fn tag(&mut self, tag: Option<&Tag>, at: Span) -> bool {
        let Some(tag) = tag else { return false };
        if tag.is_yaml_core_schema() || tag.original() == "!" {
            return false;
        }
        let message = format!("the tag {} means nothing here", quoted(&tag.original()));
        self.diagnostics.push(Diagnostic::error("unexpected-tag", message).at(at, "").help("take the tag out"));
        true
    }

    fn open(&mut self, start: Span, anchor: usize, tag: Option<&Tag>, content: OpenContent) -> Result<(), Stop> {
        self.tag(tag, start);
        self.count(1, start)?;
        if self.stack.len() >= MAX_DEPTH {
            return self.too_deep(start);
        }
        self.stack.push(OpenNode { start, anchor, size: 1, height: 0, content });
        Ok(())
    }

    fn too_deep(&mut self, at: Span) -> Result<(), Stop> {
        let message = format!("mappings and lists are nested more than {MAX_DEPTH} deep");
        self.diagnostics.push(Diagnostic::error("too-deep", message).at(at, ""));
        Err(Stop)
    }

    fn close(&mut self, end: usize) -> Result<(), Stop> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let OpenNode { start, anchor, mut size, mut height, content } = open;
        let value = match content {
            OpenContent::Sequence(items) => Value::Sequence(items.into()),
            OpenContent::Mapping(mut mapping) => {
                for merge in std::mem::take(&mut mapping.merges) {
                    mapping.merge(&merge, self.diagnostics);
                    size = size.saturating_add(merge.size);
                    self.count(merge.size, merge.at)?;
                }
                Value::Mapping(mapping.entries.into())
            }
        };
        height += 1;
        let end = end.max(start.start);
        let span = Span { end: self.first_line_end(start.start, end), ..start };
        self.add(Built { node: Node { span, end, value, broken: false }, size, height }, anchor)
    }

    /// The end of the first line of `start..end`, without trailing blanks.
    fn first_line_end(&self, start: usize, end: usize) -> usize {
        let text = self.source.text.get(start..end).unwrap_or_default();
        start + text.lines().next().unwrap_or_default().trim_end().len()
    }

    fn count(&mut self, nodes: usize, at: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the file has more than {MAX_NODES} values, aliases resolved");
        self.diagnostics.push(Diagnostic::error("too-large", message).at(at, "the limit is reached here"));
        Err(Stop)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Stop> {
        let Some(mut built) = self.anchors.get(&anchor).cloned() else {
            let message = "this alias is inside the value that it refers to";
            self.diagnostics.push(Diagnostic::error("recursive-alias", message).at(at, ""));
            return self.add(broken(at), 0);
        };
        built.node.span = at;
        built.node.end = at.end;
        self.count(built.size, at)?;
        self.add(built, 0)
    }

    fn unknown_alias(&mut self, name: &str, at: Span) -> Result<(), Stop> {
        let near = if self.diagnostics.is_full() { None } else { nearest(name, self.names.keys().map(String::as_str)) };
        let message = format!("no anchor `&{}` stands before this alias", quoted(name).trim_matches('`'));
        let near = near.map(|near| format!("*{near}"));
        self.diagnostics.push(Diagnostic::error("unknown-anchor", message).at(at, "").suggest(near.as_deref()));
        self.add(broken(at), 0)
    }

    /// Puts a finished node into the innermost open collection.
    fn add(&mut self, built: Built, anchor: usize) -> Result<(), Stop> {
        if self.stack.len() + built.height > MAX_DEPTH {
            return self.too_deep(built.node.span);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Built { node, size, height } = built;
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size = open.size.saturating_add(size);
        open.height = open.height.max(height);
        match &mut open.content {
            OpenContent::Sequence(items) => items.push(node),
            OpenContent::Mapping(mapping) => match mapping.key.take() {
                None => mapping.key = Some(key_of(&node, self.diagnostics)),
                Some(key) => mapping.insert(key, node, size, self.diagnostics),
            },
        }
        Ok(())
    }

    fn finish(self) -> Option<Node> {
        match self.root {
            Some(root) if !root.is_null() => Some(root),
            _ => {
                self.diagnostics.push(Diagnostic::error("empty-file", "the file is empty"));
                None
            }
        }
    }
}

/// A substitute for a node with an error that has been reported.
fn broken(at: Span) -> Built {
    let value = Value::Scalar(Scalar { text: "".into(), plain: true });
    Built { node: Node { span: at, end: at.end, value, broken: true }, size: 1, height: 0 }
}

fn key_of(node: &Node, diagnostics: &mut Diagnostics) -> EntryKey {
    match &node.value {
        _ if node.broken => EntryKey::Wrong,
        Value::Scalar(scalar) if scalar.plain && &*scalar.text == "<<" => EntryKey::Merge(node.span),
        Value::Scalar(scalar) => EntryKey::Name(Rc::clone(&scalar.text), node.span),
        Value::Sequence(_) | Value::Mapping(_) => {
            let message = format!("a key must be a single value, not {}", node.describe());
            diagnostics.push(Diagnostic::error("key-not-scalar", message).at(node.span, ""));
            EntryKey::Wrong
        }
    }
}

impl OpenMapping {
    fn insert(&mut self, key: EntryKey, value: Node, size: usize, diagnostics: &mut Diagnostics) {
        match key {
            EntryKey::Wrong => {}
            EntryKey::Merge(at) => self.merges.push(Merge { at, value, size }),
            EntryKey::Name(name, at) => match self.seen.get(&name) {
                Some(&first) => {
                    let message = format!("the key {} occurs twice", quoted(&name));
                    let diagnostic = Diagnostic::error("duplicate-key", message)
                        .at(at, "again here")
                        .also(first, "first here")
                        .help("keep one of them");
                    diagnostics.push(diagnostic);
                }
                None => {
                    self.seen.insert(Rc::clone(&name), at);
                    self.entries.push(Entry { key: name, key_span: at, value });
                }
            },
        }
    }

    /// Adds the entries of a merge key whose keys the mapping does not have itself.
    fn merge(&mut self, merge: &Merge, diagnostics: &mut Diagnostics) {
        let single = std::slice::from_ref(&merge.value);
        for source in merge.value.as_sequence().unwrap_or(single) {
            let Some(entries) = source.as_mapping() else {
                if !source.broken {
                    let message =
                        format!("a merge key takes a mapping or a list of mappings, not {}", source.describe());
                    diagnostics.push(Diagnostic::error("merge-not-mapping", message).at(source.span, ""));
                }
                continue;
            };
            for entry in entries {
                if !self.seen.contains_key(&entry.key) {
                    self.seen.insert(Rc::clone(&entry.key), entry.key_span);
                    self.entries.push(entry.clone());
                }
            }
        }
    }
}
