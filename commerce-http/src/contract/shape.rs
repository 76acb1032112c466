//! The forms of documents, read from the `OpenAPI` document: which members there are, and which of them are amounts or words.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings::{ContractError, ContractSettings};
use crate::json::{member as at_member, tree::Tree};
use crate::route::{PREFIXES, RouteGroup};
use crate::routes::ROUTES;

/// The schemas of amounts.
pub(super) const AMOUNTS: [&str; 2] = ["AmountNumber", "Figure"];
/// The operation with a form of its own, and the schemas that only it has: the feed is made of `CloudEvents`.
const OWN_FORM: &str = "listEvents";
pub(super) const OWN_SCHEMAS: [&str; 6] =
    ["DocumentEventData", "Event", "EventList", "EventPayload", "StockEventData", "TaskEventData"];

/// The form of a value.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// It is the same in all contracts.
    Same,
    Amount,
    Words(Words),
    Object(Object),
    List(Box<Self>),
    /// A schema of the document.
    Named(String),
}

/// The words of an enumeration, within and outside.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) pairs: Vec<(String, String)>,
    /// Whether there are no others.
    pub(super) closed: bool,
}

/// The members of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) members: Vec<Member>,
    /// Whether there are no others.
    pub(super) closed: bool,
    /// The members that are taken if they name the caller.
    pub(super) caller: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) inner: String,
    pub(super) outer: String,
    pub(super) aliases: Vec<String>,
    pub(super) shape: Shape,
}

/// What an operation reads and answers.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) parameters: Object,
    pub(super) body: Option<Shape>,
    pub(super) answer: Option<Shape>,
    /// Whether it needs a key.
    pub(super) is_keyed: bool,
}

/// The forms of the schemas, by name.
#[derive(Debug)]
pub(super) struct Shapes {
    known: BTreeMap<String, Shape>,
    /// The forms of parameters are read when there are operations.
    settings: ContractSettings,
}

impl Shape {
    pub(super) fn named(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl Words {
    pub(super) fn inner(&self, outer: &str) -> Option<&str> {
        self.pairs.iter().find(|(_, known)| known == outer).map(|(inner, _)| inner.as_str())
    }

    pub(super) fn outer(&self, inner: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == inner).map(|(_, outer)| outer.as_str())
    }
}

impl Object {
    pub(super) fn inner(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.inner == name)
    }

    pub(super) fn outer(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.outer == name || member.aliases.iter().any(|alias| alias == name))
    }

    fn repeated_name(&self) -> Option<&String> {
        let names = self.members.iter().flat_map(|member| member.aliases.iter().chain([&member.outer]));
        let names: Vec<_> = names.chain(&self.caller).collect();
        names
            .iter()
            .enumerate()
            .find(|(at, name)| names.iter().take(*at).any(|other| other == *name))
            .map(|(_, name)| *name)
    }
}

impl Shapes {
    pub(super) fn read(document: &Value, settings: &ContractSettings) -> Result<Self, ContractError> {
        let none = Map::new();
        let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
        check(schemas, settings)?;
        let reader = SchemaReader { schemas, settings };
        let others = schemas.iter().filter(|(name, _)| !OWN_SCHEMAS.contains(&name.as_str()));
        let known = others.map(|(name, schema)| (name.clone(), reader.shape(schema, &[name]))).collect();
        let shapes = Self { known, settings: settings.clone() };
        shapes.check_members()?;
        Ok(shapes)
    }

    fn check_members(&self) -> Result<(), ContractError> {
        for (schema, shape) in &self.known {
            let repeated = match shape {
                Shape::Object(object) => object.repeated_name(),
                Shape::Words(words) => {
                    let others = |outer: &String| words.pairs.iter().filter(|(_, other)| other == outer).count() > 1;
                    words.pairs.iter().map(|(_, outer)| outer).find(|outer| others(outer))
                }
                Shape::Same | Shape::Amount | Shape::List(_) | Shape::Named(_) => None,
            };
            if let Some(name) = repeated {
                return Err(ContractError::SameName { schema: schema.clone(), name: name.clone() });
            }
            self.check_schema(schema, shape)?;
        }
        Ok(())
    }

    /// Checks that the settings of a schema name members and words that there are.
    fn check_schema(&self, schema: &str, shape: &Shape) -> Result<(), ContractError> {
        let settings = &self.settings;
        let fields = settings.fields.get(schema).into_iter().flat_map(|names| names.keys());
        let aliases = settings.aliases.get(schema).into_iter().flat_map(|names| names.values());
        let is_known = |name: &String| matches!(shape, Shape::Object(object) if object.inner(name).is_some());
        let mut named = fields.map(|name| ("fields", name)).chain(aliases.map(|name| ("aliases", name)));
        if let Some((table, member)) = named.find(|(_, name)| !is_known(name)) {
            return Err(ContractError::UnknownMember { table, schema: schema.to_owned(), member: member.clone() });
        }
        let mut words = settings.values.get(schema).into_iter().flat_map(|words| words.keys());
        let is_word = |word: &String| matches!(shape, Shape::Words(words) if words.outer(word).is_some());
        match words.find(|word| !is_word(word)) {
            Some(value) => Err(ContractError::UnknownValue { schema: schema.to_owned(), value: value.clone() }),
            None => Ok(()),
        }
    }

    /// The form with its name resolved.
    pub(super) fn resolve<'s>(&'s self, shape: &'s Shape) -> &'s Shape {
        let mut shape = shape;
        for _ in 0..8 {
            let Shape::Named(name) = shape else { break };
            shape = self.known.get(name).unwrap_or(&Shape::Same);
        }
        shape
    }

    pub(super) fn get(&self, name: &str) -> Option<&Shape> {
        self.known.get(name)
    }

    /// The word within for one outside.
    pub(super) fn word<'s>(&'s self, shape: &'s Shape, outer: &str) -> Option<&'s str> {
        match self.resolve(shape) {
            Shape::Words(words) => words.inner(outer),
            Shape::Same | Shape::Amount | Shape::Object(_) | Shape::List(_) | Shape::Named(_) => None,
        }
    }

    /// The name of a member that the schemas do not have.
    pub(super) fn usual_name(&self, inner: &str, is_amount: bool) -> String {
        self.settings.usual_name(inner, is_amount)
    }

    /// The name and the form of a member that is a number. Amounts leave as texts, so a number is no amount, even if another choice
    /// of the same schema has an amount of its name.
    pub(super) fn count(&self, member: &Member) -> (String, Shape) {
        match member.shape {
            Shape::Amount if member.outer == self.usual_name(&member.inner, true) => {
                (self.usual_name(&member.inner, false), Shape::Same)
            }
            Shape::Same | Shape::Amount | Shape::Words(_) | Shape::Object(_) | Shape::List(_) | Shape::Named(_) => {
                (member.outer.clone(), member.shape.clone())
            }
        }
    }

    /// The form of the entries of a page.
    pub(super) fn entries<'s>(&'s self, shape: &'s Shape) -> Option<&'s Shape> {
        let Shape::Object(page) = self.resolve(shape) else { return None };
        page.inner("next_cursor")?;
        page.inner("items").map(|items| &items.shape)
    }

    /// Whether a path LIST.KEY.MEMBER leads from the answer of an operation to a member, by a key that its body has.
    pub(super) fn can_pick(&self, operation: &Operation, path: &str) -> bool {
        let (Some(body), Some(answer)) = (&operation.body, &operation.answer) else { return false };
        let parts = <[&str; 3]>::try_from(path.split('.').collect::<Vec<_>>());
        let Ok([list, key, member]) = parts else { return false };
        let entries = self.member(answer, list).map(|list| self.resolve(&list.shape));
        let Some(Shape::List(entry)) = entries else { return false };
        [(body, key), (entry, key), (entry, member)].iter().all(|(shape, name)| self.member(shape, name).is_some())
    }

    /// Whether an object has a member of a name outside.
    pub(super) fn names(&self, shape: &Shape, outer: &str) -> bool {
        matches!(self.resolve(shape), Shape::Object(object) if object.outer(outer).is_some())
    }

    fn member<'s>(&'s self, shape: &'s Shape, inner: &str) -> Option<&'s Member> {
        let Shape::Object(object) = self.resolve(shape) else { return None };
        object.inner(inner)
    }

    pub(super) fn operations(&self, document: &Value) -> BTreeMap<String, Operation> {
        let shop = ROUTES.iter().filter(|route| route.part == RouteGroup::Shop && route.access.takes_token());
        let own = shop.filter(|route| route.id != OWN_FORM);
        let none = Map::new();
        let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
        let reader = SchemaReader { schemas, settings: &self.settings };
        let operation = |route: &crate::route::Route| {
            let path = format!("{}{}", PREFIXES[0], route.path);
            let described = &document["paths"][path.as_str()][route.method.as_str().to_ascii_lowercase().as_str()];
            (route.id.to_owned(), reader.operation(described))
        };
        own.map(operation).collect()
    }

    /// A pointer into a document within, as the caller wrote it.
    pub(super) fn pointer(&self, shape: &Shape, given: Option<&Tree<'_>>, pointer: &str) -> String {
        let (mut shape, mut given) = (self.resolve(shape), given);
        let mut outer = String::new();
        for part in pointer.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            let (used, next) = match shape {
                Shape::Object(object) => {
                    let member = object.inner(&name);
                    let written = written_member(given, object, &name);
                    given = written.map(|(_, value)| value);
                    let usual = || member.map_or_else(|| name.clone(), |member| member.outer.clone());
                    let next = member.map_or(&Shape::Same, |member| &member.shape);
                    (written.map_or_else(usual, |(name, _)| name.clone()), next)
                }
                Shape::List(entry) => {
                    given = entry_at(given, &name);
                    (name, &**entry)
                }
                Shape::Same | Shape::Amount | Shape::Words(_) | Shape::Named(_) => (name, &Shape::Same),
            };
            outer = at_member(&outer, &used);
            shape = self.resolve(next);
        }
        outer
    }

    /// A message about a document within, with the names outside.
    pub(super) fn message(&self, shape: &Shape, message: &str) -> String {
        let Shape::Object(object) = self.resolve(shape) else { return message.to_owned() };
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let words = message.split_inclusive(|letter| !is_name(letter));
        let words = words.map(|word| {
            let name = word.trim_end_matches(|letter| !is_name(letter));
            let member = object.inner(name).filter(|_| name.contains('_'));
            member.map_or_else(|| word.to_owned(), |member| word.replacen(name, &member.outer, 1))
        });
        words.collect()
    }
}

/// The member of an object that a caller wrote, by its name within: the name that was used, and its value.
fn written_member<'t, 'a>(given: Option<&'t Tree<'a>>, object: &Object, inner: &str) -> Option<&'t (String, Tree<'a>)> {
    let Some(Tree::Object(members)) = given else { return None };
    members.iter().find(|(name, _)| object.outer(name).is_some_and(|member| member.inner == inner))
}

fn entry_at<'t, 'a>(given: Option<&'t Tree<'a>>, at: &str) -> Option<&'t Tree<'a>> {
    let Some(Tree::List(entries)) = given else { return None };
    entries.get(at.parse::<usize>().ok()?)
}

/// Checks that the settings name schemas that there are.
fn check(schemas: &Map<String, Value>, settings: &ContractSettings) -> Result<(), ContractError> {
    let tables = [("fields", &settings.fields), ("aliases", &settings.aliases), ("values", &settings.values)];
    let named = tables.into_iter().flat_map(|(table, names)| names.keys().map(move |schema| (table, schema)));
    let mut named = named.chain(settings.caller.keys().map(|schema| ("caller", schema)));
    match named.find(|(_, schema)| !schemas.contains_key(*schema)) {
        Some((table, schema)) => Err(ContractError::UnknownSchema { table, schema: schema.clone() }),
        None => Ok(()),
    }
}

/// Reads the schemas of the document.
struct SchemaReader<'d> {
    schemas: &'d Map<String, Value>,
    settings: &'d ContractSettings,
}

impl SchemaReader<'_> {
    /// The form of a schema. `within` are the named schemas that it is or is a part of, the whole first.
    fn shape(&self, schema: &Value, within: &[&String]) -> Shape {
        if let Some(name) = reference(schema) {
            return if AMOUNTS.contains(&name) { Shape::Amount } else { Shape::named(name) };
        }
        if let [only] = *choices(schema) {
            return self.shape(only, within);
        }
        if let Some(entry) = schema.get("items") {
            return Shape::List(Box::new(self.shape(entry, &[])));
        }
        let members = self.members(schema, within);
        if members.is_empty() && schema.get("properties").is_none() {
            self.words(schema, within)
        } else {
            self.object(schema, members, within)
        }
    }

    fn object(&self, schema: &Value, members: Vec<Member>, within: &[&String]) -> Shape {
        let caller = within.iter().filter_map(|name| self.settings.caller.get(*name)).flatten().cloned().collect();
        Shape::Object(Object { members, closed: schema["additionalProperties"] == false, caller })
    }

    fn words(&self, schema: &Value, within: &[&String]) -> Shape {
        let Some(words) = within.iter().find_map(|name| self.settings.values.get(*name)) else { return Shape::Same };
        let outer = |inner: &str| words.get(inner).cloned().unwrap_or_else(|| inner.to_owned());
        let listed = schema["enum"].as_array();
        let pairs = match listed {
            Some(listed) => {
                listed.iter().filter_map(Value::as_str).map(|word| (word.to_owned(), outer(word))).collect()
            }
            None => words.iter().map(|(inner, outer)| (inner.clone(), outer.clone())).collect(),
        };
        Shape::Words(Words { pairs, closed: listed.is_some() })
    }

    /// The members of a schema and of its parts.
    fn members(&self, schema: &Value, within: &[&String]) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        let own = schema["properties"].as_object().into_iter().flatten();
        let own = own.map(|(name, schema)| self.member(name, schema, within)).collect::<Vec<_>>();
        let parts = choices(schema).into_iter().flat_map(|part| match reference(part) {
            Some(name) => match self.schemas.get_key_value(name) {
                Some((name, part)) => self.members(part, &[within, &[name]].concat()),
                None => Vec::new(),
            },
            None => self.members(part, within),
        });
        for member in own.into_iter().chain(parts) {
            if members.iter().all(|known| known.inner != member.inner) {
                members.push(member);
            }
        }
        members
    }

    fn member(&self, inner: &str, schema: &Value, within: &[&String]) -> Member {
        let shape = self.shape(schema, &[]);
        let tables = |table: &BTreeMap<String, BTreeMap<String, String>>| -> Vec<BTreeMap<String, String>> {
            within.iter().filter_map(|name| table.get(*name)).cloned().collect()
        };
        let given = tables(&self.settings.fields).into_iter().find_map(|names| names.get(inner).cloned());
        let usual = || self.settings.usual_name(inner, matches!(shape, Shape::Amount));
        let aliases = tables(&self.settings.aliases).into_iter().flatten();
        let aliases = aliases.filter(|(_, name)| name == inner).map(|(alias, _)| alias).collect();
        Member { inner: inner.to_owned(), outer: given.unwrap_or_else(usual), aliases, shape }
    }

    fn operation(&self, described: &Value) -> Operation {
        let parameters = described["parameters"].as_array().into_iter().flatten();
        let asked = parameters.clone().filter(|parameter| parameter["in"] == "query");
        let members = asked.map(|parameter| {
            let inner = parameter["name"].as_str().unwrap_or_default();
            self.member(inner, &parameter["schema"], &[])
        });
        let members = members.filter(|member| !member.inner.contains('.')).collect();
        let answers = described["responses"].as_object().into_iter().flatten();
        let answer = answers.filter(|(status, _)| status.starts_with('2')).find_map(|(_, answer)| content(answer));
        let is_key = |parameter: &Value| parameter["name"] == "Idempotency-Key" && parameter["required"] == true;
        Operation {
            parameters: Object { members, ..Object::default() },
            body: content(&described["requestBody"]).map(|schema| self.shape(schema, &[])),
            answer: answer.map(|schema| self.shape(schema, &[])),
            is_keyed: parameters.clone().any(is_key),
        }
    }
}

/// The name of the schema that is referred to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The parts or choices of a schema, without null.
fn choices(schema: &Value) -> Vec<&Value> {
    let forms = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|form| schema[form].as_array()).flatten();
    forms.filter(|choice| choice["type"] != "null").collect()
}

fn content(described: &Value) -> Option<&Value> {
    described["content"]
        .as_object()?
        .iter()
        .find(|(kind, _)| kind.ends_with("json"))
        .map(|(_, content)| &content["schema"])
}
