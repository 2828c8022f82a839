//! How long files and functions may be, unit tests not counted.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::none;
use crate::source::{self, Source, is_for_tests};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
/// A third of what the predecessor's file needs for the same device.
const PROFILE_LINES: usize = 1_500;

#[test]
fn files_stay_below_500_lines() {
    let long = |source: &Source| source.is_shipped() && source.shipped_lines() > FILE_LINES;
    let breaches: Vec<String> = source::all()
        .iter()
        .filter(|source| long(source))
        .map(|source| format!("{}: {} lines", source.path, source.shipped_lines()))
        .collect();
    none("files longer than 500 lines:", &breaches);
}

#[test]
fn the_built_in_device_stays_readable() {
    let text = std::fs::read_to_string(source::root().join("profiles/reference.yaml")).unwrap();
    let lines = text.lines().count();
    assert!(lines < PROFILE_LINES, "{lines} lines: are families written as variants, lists as classes?");
}

#[test]
fn functions_stay_below_70_lines() {
    let mut breaches = Vec::new();
    for source in source::all().iter().filter(|source| source.is_shipped()) {
        let mut functions = Functions(Vec::new());
        functions.visit_file(&source.syntax());
        let long = functions.0.into_iter().filter(|(_, _, lines)| *lines > FUNCTION_LINES);
        breaches.extend(long.map(|(name, line, lines)| format!("{}:{line}: `{name}`, {lines} lines", source.path)));
    }
    none("functions longer than 70 lines:", &breaches);
}

/// Name, first line and length from the signature to the closing brace.
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), first, last - first + 1));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn a_function_is_measured_from_its_signature_to_its_closing_brace() {
    let text = "/// Doc.\n#[inline]\nfn a(\n    b: u8,\n) {\n    let _ = b;\n}\nimpl C {\n    fn d() {}\n}\n";
    let mut functions = Functions(Vec::new());
    functions.visit_file(&syn::parse_file(text).unwrap());
    assert_eq!(functions.0, [("a".to_owned(), 3, 5), ("d".to_owned(), 9, 1)]);
}
