//! A type's name means one thing in the whole workspace.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Ident, Visibility};

use crate::none;
use crate::source::{self, is_for_tests};

#[test]
fn no_two_types_that_other_files_see_share_a_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in source::all().iter().filter(|source| source.is_shipped()) {
        for name in seen_types(&source.syntax()) {
            places.entry(name).or_default().push(source.path.clone());
        }
    }
    places.retain(|_, files| files.len() > 1);
    let breaches: Vec<String> = places.iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    none("types with the same name:", &breaches);
}

/// The types of a file that are not private to it.
fn seen_types(file: &syn::File) -> Vec<String> {
    let mut types = SeenTypes(Vec::new());
    types.visit_file(file);
    types.0
}

struct SeenTypes(Vec<String>);

impl SeenTypes {
    fn add(&mut self, visibility: &Visibility, name: &Ident) {
        if !matches!(visibility, Visibility::Inherited) {
            self.0.push(name.to_string());
        }
    }
}

impl<'a> Visit<'a> for SeenTypes {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.add(&item.vis, &item.ident);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.add(&item.vis, &item.ident);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.add(&item.vis, &item.ident);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.add(&item.vis, &item.ident);
    }
}

#[test]
fn types_of_every_kind_are_found_but_not_private_ones_nor_those_of_tests() {
    let text = "pub struct A; pub(crate) enum B {} pub(super) trait C {} pub type D = A; struct E;\n\
                #[cfg(test)]\nmod tests { pub struct F; }\nmod inner { pub struct G; }";
    assert_eq!(seen_types(&syn::parse_str(text).unwrap()), ["A", "B", "C", "D", "G"]);
}
