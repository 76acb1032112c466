//! Customers: documents that are found by their groups.

use commerce_core::commit::{Refusal, Subject};
use commerce_core::customer::{Customer, CustomerDetails, Groups};
use commerce_core::document::{self, Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::metadata::Metadata;
use commerce_core::pricing::MAX_SEGMENTS;
use commerce_core::replay::verify;
use serde_json::json;

use super::{Case, Fixture, walk};
use crate::commit_builder::parse;

/// A customer in some groups.
fn customer(case: &Case, id: &str, groups: &[&str]) -> Customer {
    let mut details = CustomerDetails::default();
    details.groups = Groups::new(groups.iter().map(|group| parse(group))).unwrap();
    Customer::new(&parse(id), None, details, case.shop.at(0))
}

/// The customer in other groups.
fn moved(case: &Case, before: &Customer, groups: &[&str]) -> Customer {
    let details = customer(case, before.id.as_str(), groups).details;
    Customer::new(&before.id, Some(before), details, case.shop.at(1))
}

fn id_of(customer: &Customer) -> DocumentId {
    DocumentId::new(DocumentKind::Customer, &customer.id)
}

/// The ids of customers with a key, in pages of two.
async fn found(case: &Case, key: &str) -> Vec<String> {
    let filter = DocumentFilter::all_of(vec![key.to_owned()]);
    let page = async |page| case.store().documents(DocumentKind::Customer, &filter, &page).await;
    walk(2, page, async || ()).await.iter().map(|document| document.id().id).collect()
}

/// With the maximum of groups, and the longest texts.
pub async fn a_customer_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut customer = customer(&case, &"🦀".repeat(64), &[]);
    let groups = (0..MAX_SEGMENTS).map(|n| parse(&format!("{n:03}{}", "é".repeat(61))));
    customer.details.groups = Groups::new(groups).unwrap();
    customer.details.tax_number = Some(parse(&"日".repeat(32)));
    customer.details.metadata = Metadata::new([("k".repeat(40), json!("%".repeat(500)))]).unwrap();
    case.accept(case.shop.create(&customer)).await;
    let known = case.store().document(&id_of(&customer)).await.unwrap();
    assert_eq!(known, Some(customer.into()));
}

/// Two people edit one customer. The second change is refused.
pub async fn a_stale_customer_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let before = customer(&case, "ann", &["vip"]);
    case.accept(case.shop.create(&before)).await;
    let after = moved(&case, &before, &["staff"]);
    case.accept(case.shop.update(&before, &after)).await;
    let conflict =
        |expected| Refusal::VersionConflict { subject: Subject::Document(id_of(&before)), expected, actual: 2 };
    assert_eq!(case.refused(case.shop.update(&before, &moved(&case, &before, &["vip"]))).await, conflict(1));
    assert_eq!(case.refused(case.shop.create(&before)).await, conflict(0));
    assert_eq!(case.store().document(&id_of(&before)).await.unwrap(), Some(after.into()));
}

/// Only current groups count, by the bytes of their names. Pages are full.
pub async fn customers_are_found_by_group<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (id, groups) in [("b", ["vip", "ü"]), ("a", ["vip", "vi"]), ("c", ["VIP", "vip "]), ("d", ["v%", "vip|x"])] {
        case.accept(case.shop.create(&customer(&case, id, &groups))).await;
    }
    let before = customer(&case, "e", &["vip", "old"]);
    case.accept(case.shop.create(&before)).await;
    case.accept(case.shop.update(&before, &moved(&case, &before, &["vip", "new"]))).await;
    let of = async |group: &str| found(&case, &Customer::key_of_group(&parse(group))).await.concat();
    assert_eq!((of("vip").await.as_str(), of("VIP").await.as_str(), of("v%").await.as_str()), ("abce", "c", "d"));
    assert_eq!((of("old").await.as_str(), of("new").await.as_str(), of("none").await.as_str()), ("", "e", ""));
    assert_eq!(found(&case, Customer::LISTED).await.concat(), "abcde");
}

/// The history continues, and folding it gives the current customer.
pub async fn a_deleted_customer_is_in_no_list<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let ann = customer(&case, "ann", &["vip"]);
    let deleted = ann.deleted(case.shop.at(1));
    for commit in
        [case.shop.create(&ann), case.shop.create(&customer(&case, "bob", &["vip"])), case.shop.update(&ann, &deleted)]
    {
        case.accept(commit).await;
    }
    assert_eq!(case.store().document(&id_of(&ann)).await.unwrap(), Some(deleted.clone().into()));
    assert_eq!(found(&case, Customer::LISTED).await, ["bob"]);
    let anew = moved(&case, &deleted, &["staff"]);
    case.accept(case.shop.update(&deleted, &anew)).await;
    assert_eq!(found(&case, Customer::LISTED).await, ["ann", "bob"]);
    assert_eq!(found(&case, &Customer::key_of_group(&parse("vip"))).await, ["bob"]);
    let history = case.document_history(&id_of(&ann)).await;
    let types: Vec<_> = history.iter().map(|entry| &*entry.event.event_type).collect();
    assert_eq!(types, ["customer.created", "customer.deleted", "customer.created"]);
    assert_eq!(document::replay(DocumentKind::Customer, &history), Ok(Document::from(anew)));
    let report = verify(case.store(), case.shop.at(9), |_| {}).await.unwrap();
    assert!(report.is_identical() && report.documents == 2, "{report:#?}");
}
