//! Making requests of pricing out of others, most of which are still good.

use commerce_testkit::Random;
use commerce_testkit::fuzz::{self, below, break_json, pick, text};
use serde_json::{Map, Value, json};

/// One request of a pool, changed a few times; now and then, its text is changed as well.
pub(crate) fn request(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let donors: Vec<Value> =
        (0..4).filter_map(|_| serde_json::from_slice(pick::<Vec<u8>>(pool, random)).ok()).collect();
    let Some(mut document) = donors.first().cloned() else { return fuzz::bytes(pool, random) };
    for _ in 0..=random.below(4) {
        match random.below(10) {
            0..6 => tune(&mut document, &donors, random),
            6 => fuzz::graft(&mut document, pick(&donors, random), random),
            _ => break_json(&mut document, random),
        }
    }
    text(&document, random)
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
