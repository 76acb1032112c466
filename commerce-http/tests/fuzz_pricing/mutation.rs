//! Making inputs out of others.

use commerce_testkit::Random;
use serde_json::{Map, Value, json};

/// A text to be read, and the document it was written from, if it still says the same.
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    pub(crate) document: Option<Value>,
}

/// Marks a field that is to stand twice.
const TWICE: &str = "#twice#";

/// One document of a pool, changed a few times; now and then, its text is changed as well.
pub(crate) fn mutate(pool: &[Value], random: &mut Random) -> Input {
    let mut document = pick(pool, random).clone();
    for _ in 0..=random.below(4) {
        if random.happens(600) {
            tune(&mut document, pool, random);
        } else {
            break_somewhere(&mut document, pool, random);
        }
    }
    let text = document.to_string();
    let has_twins = text.contains(TWICE);
    let mut bytes = text.replace(TWICE, "").into_bytes();
    let is_garbled = random.happens(80);
    if is_garbled {
        garble(&mut bytes, random);
    }
    Input { bytes, document: (!is_garbled && !has_twins).then_some(document) }
}

/// A number below a length; 0 below 0.
pub(crate) fn below(limit: usize, random: &mut Random) -> usize {
    let limit = u64::try_from(limit).expect("a length");
    usize::try_from(random.below(limit)).expect("below a length")
}

fn pick<'a, T>(from: &'a [T], random: &mut Random) -> &'a T {
    &from[below(from.len(), random)]
}

/// A change after which most requests are still good.
fn tune(document: &mut Value, pool: &[Value], random: &mut Random) {
    let Some(request) = document.as_object_mut() else { return };
    match random.below(9) {
        0 => set_one_of(request, "selection", &["priority", "best"], random),
        1 => set_one_of(request, "rounding", &["half_away_from_zero", "half_even", "down"], random),
        2 => set_one_of(request, "tax_level", &["line", "order"], random),
        3 => set_one_of(request, "code_matching", &["exact", "ignore_case"], random),
        4 => graft(request, "promotions", pool, random),
        5 => graft(request, "lines", pool, random),
        6 => change_line(request, random),
        7 => change_promotion(request, random),
        _ => give_codes(request),
    }
}

fn set_one_of(request: &mut Map<String, Value>, field: &str, words: &[&str], random: &mut Random) {
    request.insert(field.to_owned(), json!(pick(words, random)));
}

/// Adds a promotion or a line of another request, or a twin of one that is there.
fn graft(request: &mut Map<String, Value>, field: &str, pool: &[Value], random: &mut Random) {
    let donor = if random.happens(300) { Value::Object(request.clone()) } else { pick(pool, random).clone() };
    let Some(entries) = donor[field].as_array().filter(|entries| !entries.is_empty()) else { return };
    let mut entry = pick(entries, random).clone();
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("id".to_owned(), json!(format!("graft-{}", random.below(1 << 30))));
    }
    if let Some(list) = request.entry(field).or_insert_with(|| json!([])).as_array_mut() {
        list.push(entry);
    }
}

fn change_line(request: &mut Map<String, Value>, random: &mut Random) {
    let Some(lines) = request.get_mut("lines").and_then(Value::as_array_mut) else { return };
    if lines.is_empty() {
        return;
    }
    let place = below(lines.len(), random);
    let Some(line) = lines[place].as_object_mut() else { return };
    let (figure, most) = (random.below(100_000), 1 << random.below(17));
    match random.below(4) {
        0 => line.insert("quantity".to_owned(), json!(figure % most + 1)),
        1 => line.insert("unit_price".to_owned(), json!(figure.to_string())),
        2 => line.insert("unit_price".to_owned(), json!((random.next() >> random.below(64)).to_string())),
        _ => line.insert("unit_price".to_owned(), json!(format!("{}.{:02}", figure / 100, figure % 100))),
    };
}

fn change_promotion(request: &mut Map<String, Value>, random: &mut Random) {
    let Some(promotions) = request.get_mut("promotions").and_then(Value::as_array_mut) else { return };
    if promotions.is_empty() {
        return;
    }
    let place = below(promotions.len(), random);
    let Some(promotion) = promotions[place].as_object_mut() else { return };
    let small = random.below(4);
    let (name, value) = match random.below(8) {
        0 => ("priority", json!(small)),
        1 => ("exclusive", json!(small == 0)),
        2 => ("group", json!(format!("group-{small}"))),
        3 => ("max_uses", json!(small)),
        4 => ("used", json!(small)),
        5 => ("budget", json!(small.to_string())),
        6 => ("conditions", json!([])),
        _ => ("code", Value::Null),
    };
    promotion.insert(name.to_owned(), value);
}

/// Gives the codes of all promotions.
fn give_codes(request: &mut Map<String, Value>) {
    let promotions = request.get("promotions").and_then(Value::as_array).into_iter().flatten();
    let codes: Vec<Value> =
        promotions.map(|promotion| &promotion["code"]).filter(|code| code.is_string()).cloned().collect();
    request.insert("codes".to_owned(), Value::Array(codes));
}

/// A change at any place, after which few requests are still good.
fn break_somewhere(document: &mut Value, pool: &[Value], random: &mut Random) {
    let donated = somewhere(&mut pick(pool, random).clone(), random).clone();
    let place = somewhere(document, random);
    match random.below(10) {
        0 => *place = donated,
        1 | 2 => *place = extreme(random),
        3 => *place = enlarged(place, random),
        4 => lose_one(place, random),
        5 => repeat_one(place, random),
        6 => nest(place, random),
        7 => rename_one(place, random, ""),
        8 => rename_one(place, random, TWICE),
        _ => {
            if let Some(text) = place.as_str() {
                let times = 1 + below(2000, random);
                *place = json!(text.repeat(times.min(1 + 20_000 / text.len().max(1))));
            }
        }
    }
}

/// Any value of a document, the document among them.
fn somewhere<'a>(value: &'a mut Value, random: &mut Random) -> &'a mut Value {
    let count = value.as_array().map(Vec::len).or(value.as_object().map(Map::len)).unwrap_or_default();
    if count == 0 || random.happens(150) {
        return value;
    }
    let place = below(count, random);
    if value.is_array() {
        return somewhere(&mut value[place], random);
    }
    let fields = value.as_object_mut().expect("only lists and objects have entries");
    somewhere(fields.values_mut().nth(place).expect("it was counted"), random)
}

fn extreme(random: &mut Random) -> Value {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "-1",
        "0",
        "-0",
        "0.00",
        "0.001",
        "100",
        "100.000001",
        "1e5",
        "NaN",
        "00012",
        "92233720368547758.07",
        "9223372036854775807",
        "-9223372036854775808",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "JPY",
        "KWD",
        "XXX",
        "percent_off",
        "fixed_price",
        "buy_get",
        "items",
        "order",
        "best",
        "all",
        "not",
        "2026-01-15T12:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "-262143-01-01T00:00:00Z",
        "+262142-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "\u{0}",
        "\u{1b}[31m",
        "ẞİ",
        "🦀",
    ];
    match random.below(4) {
        0 => json!(pick(TEXTS, random)),
        1 => pick(&[json!(0), json!(-1), json!(1), json!(i64::MAX), json!(i64::MIN), json!(u64::MAX)], random).clone(),
        2 => pick(&[json!(0.1), json!(1e308), json!(-1e-308), json!(1.000_000_000_000_1), json!(-0.0)], random).clone(),
        _ => pick(&[json!(null), json!(true), json!(false), json!([]), json!({}), json!([[]])], random).clone(),
    }
}

/// A figure with another magnitude or sign, a digit more or less.
fn enlarged(value: &Value, random: &mut Random) -> Value {
    if let Some(number) = value.as_i64() {
        let power = u32::try_from(random.below(19)).expect("a small number");
        return json!(if random.happens(200) {
            number.saturating_neg()
        } else {
            number.saturating_mul(10_i64.pow(power))
        });
    }
    let Some(text) = value.as_str() else { return value.clone() };
    json!(match random.below(4) {
        0 => format!("{}{text}", random.below(1 << 50)),
        1 => format!("{text}{}", random.below(10)),
        2 => format!("-{text}"),
        _ => text.replace('.', ""),
    })
}

fn lose_one(value: &mut Value, random: &mut Random) {
    if let Some(entries) = value.as_array_mut().filter(|entries| !entries.is_empty()) {
        entries.remove(below(entries.len(), random));
    } else if let Some(fields) = value.as_object_mut().filter(|fields| !fields.is_empty()) {
        let name = fields.keys().nth(below(fields.len(), random)).expect("it was counted").clone();
        fields.remove(&name);
    } else {
        *value = Value::Null;
    }
}

/// An entry many times over, past every limit; with names of their own, if they have any.
fn repeat_one(value: &mut Value, random: &mut Random) {
    let Value::Array(entries) = value else { return };
    if entries.is_empty() {
        return;
    }
    let entry = pick(entries, random).clone();
    let most = 200_000 / entry.to_string().len().max(1);
    let times = most.min(*pick(&[1, 2, 20, 200, 1001], random));
    let are_named = random.happens(800);
    for number in 0..times {
        let mut twin = entry.clone();
        if let Some(fields) = twin.as_object_mut().filter(|fields| are_named && fields.contains_key("id")) {
            fields.insert("id".to_owned(), json!(format!("twin-{number}")));
        }
        entries.push(twin);
    }
}

fn nest(value: &mut Value, random: &mut Random) {
    let deep = random.happens(300);
    let depth = 1 + random.below(if deep { 140 } else { 6 });
    let kind = random.below(4);
    for _ in 0..depth {
        let inner = value.take();
        *value = match kind {
            0 => json!([inner]),
            1 => json!({ "type": "not", "condition": inner }),
            2 => json!({ "type": "all", "conditions": [inner] }),
            _ => json!({ "filter": inner }),
        };
    }
}

/// Gives a field a name nobody knows, or lets it stand twice.
fn rename_one(value: &mut Value, random: &mut Random, mark: &str) {
    let Value::Object(fields) = value else { return };
    if fields.is_empty() {
        return;
    }
    let name = fields.keys().nth(below(fields.len(), random)).expect("it was counted").clone();
    if mark.is_empty() {
        let content = fields.remove(&name).unwrap_or_default();
        fields.insert(format!("{name}/~{}", "x".repeat(below(100, random))), content);
    } else if let Some(content) = fields.get(&name).cloned() {
        fields.insert(format!("{name}{mark}"), content);
    }
}

/// Changes bytes without regard to what they mean.
fn garble(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let (one, other) = (below(bytes.len() + 1, random), below(bytes.len() + 1, random));
        let (start, end) = (one.min(other), one.max(other).min(one.min(other) + 64));
        match random.below(5) {
            0 => bytes.truncate(end),
            1 => drop(bytes.drain(start..end)),
            2 => {
                let copy = bytes[start..end].to_vec();
                drop(bytes.splice(end..end, copy));
            }
            3 => bytes.insert(start, u8::try_from(random.below(256)).expect("a byte")),
            _ => {
                if let Some(byte) = bytes.get_mut(start) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}
