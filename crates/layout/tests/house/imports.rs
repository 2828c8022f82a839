//! Finds which files of a crate import from which: paths in code are resolved to the files that define the items.
//!
//! A file imports from the files that it needs to be understood and compiled. These are the files of every item that it has a
//! path to, followed through re-exports, and the files that add methods to its types which it calls. A re-export and the
//! declaration of a child module are no imports. Unit tests do not count. Paths in attributes are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::{Source, is_for_tests};

/// Names from the root of a crate, or the names of a path.
type Names = Vec<String>;

/// One file of a crate, as imports see it.
struct File<'a> {
    source: &'a Source,
    /// Its place in the tree of modules; empty for the root.
    module: Names,
    /// The names that `use` items bind at its top: the name, its path, and whether the binding is visible outside.
    bound: Vec<(String, Names, bool)>,
    /// The paths of its glob imports.
    globs: Vec<Names>,
    /// Types, functions, modules and the like that it defines at its top.
    defined: BTreeSet<String>,
    /// Paths in its code, each with the names of the inline modules around it.
    paths: Vec<(Names, Names)>,
    /// Names of methods that it calls.
    calls: BTreeSet<String>,
    /// Methods that its `impl` blocks give to types: the path of the type, the methods.
    given: Vec<(Names, BTreeSet<String>)>,
}

/// The files of a crate.
pub(crate) struct Crate<'a> {
    files: Vec<File<'a>>,
    by_module: BTreeMap<Names, usize>,
}

impl<'a> Crate<'a> {
    /// Reads the shipped files of one crate.
    pub(crate) fn new(sources: impl IntoIterator<Item = &'a Source>) -> Self {
        let files: Vec<File<'a>> = sources.into_iter().map(File::read).collect();
        let by_module = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
        Self { files, by_module }
    }

    /// The paths of the files.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|file| file.source.path.as_str()).collect()
    }

    /// For each file, the indices of the files that it imports from.
    pub(crate) fn imports(&self) -> Vec<BTreeSet<usize>> {
        let mut all: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|at| self.imports_of(at)).collect();
        for (at, file) in self.files.iter().enumerate() {
            for (of, methods) in &file.given {
                let owner = self.resolve(at, &[], of, 0).filter(|&owner| owner != at);
                let calls = |&owner: &usize| !self.files[owner].calls.is_disjoint(methods);
                if let Some(owner) = owner.filter(calls) {
                    all[owner].insert(at);
                }
            }
        }
        all
    }

    fn imports_of(&self, at: usize) -> BTreeSet<usize> {
        let file = &self.files[at];
        let hidden = file.bound.iter().filter(|(.., visible)| !visible).map(|(_, path, _)| path);
        let used = hidden.chain(&file.globs).filter_map(|path| self.resolve(at, &[], path, 0));
        let named = file.paths.iter().filter_map(|(inside, path)| self.resolve(at, inside, path, 0));
        used.chain(named).filter(|&other| other != at).collect()
    }

    /// The file that defines the item of a path in a file; `None` if no file of this crate does, or if the path names a module.
    fn resolve(&self, at: usize, inside: &[String], path: &[String], depth: usize) -> Option<usize> {
        let own: Names = self.files[at].module.iter().chain(inside).cloned().collect();
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (own, &path[1..]),
            "super" => (own, path),
            first => {
                let child: Names = own.iter().cloned().chain([first.to_owned()]).collect();
                if !self.by_module.contains_key(&child) {
                    return self.follow(at, path, depth);
                }
                (own, path)
            }
        };
        while let Some((first, after)) = rest.split_first() {
            let child: Names = module.iter().cloned().chain([first.clone()]).collect();
            if first == "super" {
                module.pop();
            } else if self.by_module.contains_key(&child) {
                module = child;
            } else {
                break;
            }
            rest = after;
        }
        while !self.by_module.contains_key(&module) {
            module.pop().expect("a crate has a root");
        }
        let file = self.by_module[&module];
        if rest.is_empty() { None } else { self.follow(file, rest, depth).or(Some(file)) }
    }

    /// The file that the path leads to if its first name is one that the file binds.
    fn follow(&self, at: usize, path: &[String], depth: usize) -> Option<usize> {
        let file = &self.files[at];
        let first = path.first()?;
        if depth > 8 || file.defined.contains(first) {
            return None;
        }
        if let Some((_, of, _)) = file.bound.iter().find(|(name, ..)| name == first) {
            let whole: Names = of.iter().chain(&path[1..]).cloned().collect();
            return self.resolve(at, &[], &whole, depth + 1);
        }
        let found = file.globs.iter().filter_map(|glob| {
            let whole: Names = glob[..glob.len() - 1].iter().chain(path).cloned().collect();
            self.resolve(at, &[], &whole, depth + 1)
        });
        found.into_iter().find(|&found| self.files[found].defined.contains(first))
    }
}

impl<'a> File<'a> {
    fn read(source: &'a Source) -> Self {
        let syntax = source.syntax();
        let mut file = Self {
            source,
            module: module_of(&source.path),
            bound: Vec::new(),
            globs: Vec::new(),
            defined: syntax.items.iter().filter_map(name_of).collect(),
            paths: Vec::new(),
            calls: BTreeSet::new(),
            given: Vec::new(),
        };
        Reader { file: &mut file, inside: Vec::new() }.visit_file(&syntax);
        file
    }
}

/// The place of a file in its crate's tree of modules.
fn module_of(path: &str) -> Names {
    let inside = path.split("/src/").nth(1).unwrap_or_default().trim_end_matches(".rs").trim_end_matches("/mod");
    inside.split('/').filter(|part| !["lib", "main"].contains(part)).map(str::to_owned).collect()
}

/// The name that an item defines; `None` for a module in a file of its own.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may know more kinds of item later")]
fn name_of(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Mod(item) if item.content.is_some() => &item.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(ident.to_string())
}

struct Reader<'f, 'a> {
    file: &'f mut File<'a>,
    inside: Names,
}

impl Reader<'_, '_> {
    fn is_test(&self, spanned: &impl Spanned) -> bool {
        self.file.source.is_test_line(spanned.span().start().line)
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String], visible: bool) {
        let and = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Names>();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &and(&path.ident), visible),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before, visible)),
            syn::UseTree::Glob(_) => self.file.globs.push(before.iter().cloned().chain(["*".to_owned()]).collect()),
            syn::UseTree::Name(name) if name.ident == "self" => {
                let bound = before.last().cloned().unwrap_or_default();
                self.file.bound.push((bound, before.to_vec(), visible));
            }
            syn::UseTree::Name(name) => self.file.bound.push((name.ident.to_string(), and(&name.ident), visible)),
            syn::UseTree::Rename(name) => self.file.bound.push((name.rename.to_string(), and(&name.ident), visible)),
        }
    }

    /// Finds paths among the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let (mut colons, mut dot) = (0, false);
        for token in tokens {
            let after_dot =
                std::mem::replace(&mut dot, matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '.'));
            match token {
                TokenTree::Ident(word) => {
                    if after_dot {
                        self.file.calls.insert(word.to_string());
                        continue;
                    }
                    if colons != 2 {
                        self.add(std::mem::take(&mut path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += usize::from(mark.spacing() == Spacing::Joint || colons == 1);
                    continue;
                }
                TokenTree::Group(group) if group.delimiter() != Delimiter::None => self.tokens(group.stream()),
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.add(std::mem::take(&mut path));
            colons = 0;
        }
        self.add(path);
    }

    fn add(&mut self, path: Names) {
        if !path.is_empty() {
            self.file.paths.push((self.inside.clone(), path));
        }
    }
}

fn names_of(path: &syn::Path) -> Names {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

impl<'s> Visit<'s> for Reader<'_, '_> {
    fn visit_item_use(&mut self, item: &'s syn::ItemUse) {
        if !self.is_test(item) && !is_for_tests(&item.attrs) {
            self.use_tree(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_item_mod(&mut self, item: &'s syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.inside.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.inside.pop();
        }
    }

    fn visit_item_impl(&mut self, item: &'s syn::ItemImpl) {
        if let (None, syn::Type::Path(of)) = (&item.trait_, &*item.self_ty) {
            let methods = item.items.iter().filter_map(|item| {
                let syn::ImplItem::Fn(method) = item else { return None };
                (!is_for_tests(&method.attrs)).then(|| method.sig.ident.to_string())
            });
            self.file.given.push((names_of(&of.path), methods.collect()));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'s syn::ExprMethodCall) {
        if !self.is_test(call) {
            self.file.calls.insert(call.method.to_string());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &'s syn::Path) {
        if !self.is_test(path) && path.leading_colon.is_none() {
            let names = names_of(path);
            if let [first, method] = &names[..]
                && first == "Self"
            {
                self.file.calls.insert(method.clone());
            }
            self.add(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'s syn::Macro) {
        if !self.is_test(item) {
            self.tokens(item.tokens.clone());
        }
    }

    fn visit_attribute(&mut self, _: &'s syn::Attribute) {}
}
