//! Making inputs out of others.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "numbers are counted before they are used")]

use serde_json::{Map, Value, json};

use crate::Random;

/// Marks a field that is to stand twice.
const TWICE: &str = "#twice#";
/// Bytes that parsers treat specially.
const PIECES: &[&[u8]] = &[
    b",",
    b";",
    b"=",
    b":",
    b"/",
    b"@",
    b"%",
    b"%00",
    b"%zz",
    b"\"",
    b"\\",
    b"\r\n",
    b"\0",
    b"\t",
    b" ",
    b"*",
    b"W/",
    b"..",
    b"[",
    b"]",
    b"{",
    b"}",
    b"-1",
    b"0",
    b"00",
    b"1e999",
    b"18446744073709551616",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"q=0",
    b"::1",
    b"255.255.255.255",
];

/// One input of a pool with some bytes changed.
pub fn bytes(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = pick(pool, random).clone();
    if random.happens(300) {
        let donor = pick(pool, random);
        let (at, from) = (below(input.len().saturating_add(1), random), below(donor.len().saturating_add(1), random));
        drop(input.splice(at.., donor.iter().skip(from).copied()));
    }
    for _ in 0..=random.below(3) {
        if random.happens(500) {
            let at = below(input.len().saturating_add(1), random);
            drop(input.splice(at..at, pick(PIECES, random).iter().copied()));
        } else {
            garble(&mut input, random);
        }
    }
    if random.happens(10) {
        input = input.iter().copied().cycle().take(1 << random.below(16)).collect();
    }
    input
}

/// One document of a pool, changed a few times; now and then, its text is changed as well. What is not JSON is changed as text.
pub fn json(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let document = |random: &mut Random| serde_json::from_slice(pick::<Vec<u8>>(pool, random)).ok();
    let Some(mut changed) = document(random) else { return bytes(pool, random) };
    for _ in 0..=random.below(3) {
        if random.happens(100) {
            graft(&mut changed, &document(random).unwrap_or_default(), random);
        } else {
            break_json(&mut changed, random);
        }
    }
    text(&changed, random)
}

/// The text of a document, sometimes changed.
pub fn text(document: &Value, random: &mut Random) -> Vec<u8> {
    let mut bytes = document.to_string().replace(TWICE, "").into_bytes();
    if random.happens(80) {
        garble(&mut bytes, random);
    }
    bytes
}

/// A number below a length; 0 below 0.
pub fn below(limit: usize, random: &mut Random) -> usize {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    usize::try_from(random.below(limit)).unwrap_or_default()
}

/// An entry of a list, which must not be empty.
pub fn pick<'a, T>(from: &'a [T], random: &mut Random) -> &'a T {
    &from[below(from.len(), random)]
}

/// Puts a part of another document at any place.
pub fn graft(document: &mut Value, donor: &Value, random: &mut Random) {
    *somewhere(document, random) = part_of(donor, random).clone();
}

/// A change at any place, after which few requests are still good.
pub fn break_json(document: &mut Value, random: &mut Random) {
    let place = somewhere(document, random);
    match random.below(9) {
        0 | 1 => *place = extreme(random),
        2 => *place = enlarged(place, random),
        3 => lose_one(place, random),
        4 => repeat_one(place, random),
        5 => nest(place, random),
        6 => rename_one(place, random, ""),
        7 => rename_one(place, random, TWICE),
        _ => {
            if let Some(text) = place.as_str() {
                let times = 1 + below(if random.happens(50) { 2000 } else { 20 }, random);
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

fn part_of<'a>(value: &'a Value, random: &mut Random) -> &'a Value {
    let parts: Vec<_> = match value {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if parts.is_empty() || random.happens(150) { value } else { part_of(pick::<&Value>(&parts, random), random) }
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

/// An entry a few times over, seldom past every limit; with names of their own, if they have any.
fn repeat_one(value: &mut Value, random: &mut Random) {
    let Value::Array(entries) = value else { return };
    if entries.is_empty() {
        return;
    }
    let entry = pick(entries, random).clone();
    let most = 200_000 / entry.to_string().len().max(1);
    let times = most.min(if random.happens(30) { 1001 } else { *pick(&[1, 2, 20], random) });
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
pub fn garble(bytes: &mut Vec<u8>, random: &mut Random) {
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
