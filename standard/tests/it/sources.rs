//! Whose word each public item is: it says so itself, or what holds it does, or the `//!` of its module, in a paragraph that
//! begins with `Source:`. Both pure crates are held to it here, by their sources: `worktime` does not know the book.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use standard::Book;
use syn::{Attribute, Expr, Fields, ImplItem, Item, Lit, Meta, TraitItem, Visibility};

/// What others have published, as the paragraphs name it.
const PUBLISHED: &[&str] = &[
    "BCP 47",
    "DB4401/T 294",
    "FNV-1a",
    "IANA",
    "ISO 8601",
    "Jenkins",
    "Kubernetes",
    "POSIX",
    "Quartz",
    "RFC 5545",
    "State Council",
    "UCUM",
    "Vixie cron",
    "YAML 1.2",
    "robfig/cron",
];
const STANDARD: &str = "T/DGAG 038-2025";

/// What looks like the name of a clause: `7.4.1.6`, `4`, `B`, `A.1`.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').map(|word| word.trim_matches('.'));
    words.filter(|word| {
        word.split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) || matches!(part, "A" | "B"))
    })
}

fn is_clause(name: &str) -> bool {
    Book::shipped().clauses.get(name).is_some()
}

/// Whether one of the sources that a paragraph lists is one: a clause that the text has, something published, or us with a reason.
fn is_source(text: &str) -> bool {
    if let Some((_, after)) = text.split_once(STANDARD) {
        return clauses(after).next().is_some() && clauses(after).all(is_clause);
    }
    let reason = || text.split_once("ours").is_some_and(|(_, after)| after.split_whitespace().count() >= 3);
    PUBLISHED.iter().any(|name| text.contains(name)) || reason()
}

/// Whether a documentation has the paragraph, and every source in it is one.
fn says(doc: &str) -> bool {
    doc.split("\n\n").any(|paragraph| {
        let list = paragraph.strip_prefix("Source: ").or_else(|| paragraph.strip_prefix("Sources: "));
        list.is_some_and(|list| list.split(';').all(is_source))
    })
}

fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

/// What a walk has found: each public item, and whether it is known whose word it is.
#[derive(Default)]
struct Found(Vec<(String, bool)>);

impl Found {
    /// `held`: whether what holds it says so. Public is what says `pub`: `unreachable_pub` refuses it where nobody outside gets there.
    fn add(&mut self, path: String, attributes: &[Attribute], held: bool) -> bool {
        let says = held || says(&doc(attributes));
        self.0.push((path, says));
        says
    }

    fn fields(&mut self, path: &str, fields: &Fields, all: bool, held: bool) {
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| all || is_public(&field.vis)) {
            let name = field.ident.as_ref().map_or(index.to_string(), ToString::to_string);
            self.add(format!("{path}.{name}"), &field.attrs, held);
        }
    }

    fn items(&mut self, path: &str, items: &[Item], module: bool, file: &dyn Fn(&str) -> bool) {
        let mut types = BTreeMap::new();
        for item in items {
            match item {
                Item::Struct(item) if is_public(&item.vis) => {
                    let path = format!("{path} {}", item.ident);
                    let says = self.add(path.clone(), &item.attrs, module);
                    self.fields(&path, &item.fields, false, says);
                    types.insert(item.ident.to_string(), says);
                }
                Item::Enum(item) if is_public(&item.vis) => {
                    let path = format!("{path} {}", item.ident);
                    let says = self.add(path.clone(), &item.attrs, module);
                    for variant in &item.variants {
                        let path = format!("{path}::{}", variant.ident);
                        let says = self.add(path.clone(), &variant.attrs, says);
                        self.fields(&path, &variant.fields, true, says);
                    }
                    types.insert(item.ident.to_string(), says);
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let path = format!("{path} {}", item.ident);
                    let says = self.add(path.clone(), &item.attrs, module);
                    for item in &item.items {
                        match item {
                            TraitItem::Fn(item) => _ = self.add(format!("{path}::{}", item.sig.ident), &item.attrs, says),
                            TraitItem::Const(item) => _ = self.add(format!("{path}::{}", item.ident), &item.attrs, says),
                            TraitItem::Type(item) => _ = self.add(format!("{path}::{}", item.ident), &item.attrs, says),
                            _ => panic!("{path}: what is this?"),
                        }
                    }
                }
                Item::Fn(item) if is_public(&item.vis) => _ = self.add(format!("{path} {}", item.sig.ident), &item.attrs, module),
                Item::Const(item) if is_public(&item.vis) => _ = self.add(format!("{path} {}", item.ident), &item.attrs, module),
                Item::Static(item) if is_public(&item.vis) => _ = self.add(format!("{path} {}", item.ident), &item.attrs, module),
                Item::Type(item) if is_public(&item.vis) => _ = self.add(format!("{path} {}", item.ident), &item.attrs, module),
                Item::Mod(item) if is_public(&item.vis) => {
                    let name = item.ident.to_string();
                    let says = self.add(format!("{path} mod {name}"), &item.attrs, item.content.is_none() && file(&name));
                    if let Some((_, items)) = &item.content {
                        self.items(&format!("{path} {name}"), items, says, file);
                    }
                }
                // What it makes cannot be seen from here, so that the module has to answer for it.
                Item::Macro(item) => {
                    let name = item
                        .ident
                        .as_ref()
                        .map_or_else(|| item.mac.path.segments.last().unwrap().ident.to_string(), ToString::to_string);
                    self.add(format!("{path} {name}!"), &[], module);
                }
                _ => {}
            }
        }
        for item in items {
            if let Item::Impl(block) = item
                && block.trait_.is_none()
                && let syn::Type::Path(own) = &*block.self_ty
            {
                let name = own.path.segments.last().unwrap().ident.to_string();
                let says = module || types.get(&name).is_some_and(|says| *says);
                for item in &block.items {
                    match item {
                        ImplItem::Fn(item) if is_public(&item.vis) => {
                            self.add(format!("{path} {name}::{}", item.sig.ident), &item.attrs, says);
                        }
                        ImplItem::Const(item) if is_public(&item.vis) => {
                            self.add(format!("{path} {name}::{}", item.ident), &item.attrs, says);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The files of a crate with their texts.
fn files(folder: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.insert(path, text);
        }
    }
}

fn sources(name: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(name).join("src"), &mut found);
    found
}

/// The public items of a crate.
fn found(files: &BTreeMap<PathBuf, String>) -> Found {
    let mut found = Found::default();
    let module = |path: &Path| files.get(path).is_some_and(|text| says(&doc(&syn::parse_file(text).unwrap().attrs)));
    for (path, text) in files {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let below = match path.file_stem().unwrap().to_str().unwrap() {
            "lib" | "mod" | "main" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        let own = module(path);
        if path.ends_with("lib.rs") {
            found.0.push((format!("{} the crate", path.display()), own));
        }
        found.items(&path.display().to_string(), &file.items, own, &|name| {
            module(&below.join(name).with_extension("rs")) || module(&below.join(name).join("mod.rs"))
        });
    }
    found
}

#[test]
fn every_public_item_says_whose_word_it_is() {
    let Found(mut all) = found(&sources("worktime"));
    all.extend(found(&sources("standard")).0);
    assert!(all.len() > 1000, "only {} were found", all.len());
    let silent: Vec<&str> = all.iter().filter(|(_, says)| !says).map(|(path, _)| path.as_str()).collect();
    assert!(silent.is_empty(), "{} items have no source:\n{}", silent.len(), silent.join("\n"));
}

/// The clauses of chapters 5 to 8 with three numbers or more; shorter ones could be anything.
#[test]
fn every_clause_that_the_documentation_names_is_in_the_text() {
    let mut wrong = Vec::new();
    for (path, text) in ["worktime", "standard"].into_iter().flat_map(sources) {
        let docs = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//"));
        for (number, line) in docs {
            let named = clauses(line).filter(|name| matches!(name.as_bytes()[0], b'5'..=b'8') && name.matches('.').count() > 1);
            wrong.extend(named.filter(|name| !is_clause(name)).map(|name| format!("{}:{}: {name}", path.display(), number + 1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_source_is_one_that_there_is() {
    for said in [
        "Source: T/DGAG 038-2025, 7.4.1.6 and B.",
        "About it.\n\nSources: POSIX (`crontab`); ours: no clause\nsays so.",
        "Source: T/DGAG 038-2025, 7.1 to 7.5; the codes are ours, since it has none.",
    ] {
        assert!(says(said), "{said}");
    }
    for unsaid in [
        "",
        "Source:",
        "Source: ",
        "Source: ours.",
        "Source: a book.",
        "Source: T/DGAG 038-2025.",
        "Source: T/DGAG 038-2025, 7.9.9.",
        "Source: POSIX; a book.",
        "POSIX says so, and 7.4.1.6.",
    ] {
        assert!(!says(unsaid), "{unsaid}");
    }
}

#[test]
fn an_item_without_a_source_is_found_wherever_it_is() {
    let text = "pub struct A { pub b: u8, c: u8 }\n\
        impl A { pub fn d() {} fn e() {} }\n\
        /// Source: POSIX.\npub enum F { G { h: u8 } }\n\
        impl F { pub const I: u8 = 0; }\n\
        pub trait J { fn k(); }\n\
        pub mod l { pub type M = u8; }\n\
        pub mod n;\n\
        o! {}\n\
        mod p { pub fn q() {} }";
    let silent = |head: &str| {
        let files =
            BTreeMap::from([(PathBuf::from("lib.rs"), format!("{head}\n{text}")), (PathBuf::from("n.rs"), String::new())]);
        let Found(all) = found(&files);
        let silent = all.into_iter().filter(|(_, says)| !says).map(|(path, _)| path.trim_start_matches("lib.rs ").to_owned());
        silent.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(silent("//! It."), "the crate A A.b J J::k mod l l M mod n o! A::d");
    assert_eq!(silent("//! It.\n//!\n//! Source: RFC 5545, 3.1."), "mod l l M mod n");
}
