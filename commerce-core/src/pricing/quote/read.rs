//! Reading a quote back from the answer it was written as.
//!
//! What follows from the rest is not read: applied ids, adjustments of lines, sentences.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Quote, QuotedLine};
use crate::ids::PromotionId;
use crate::money::{Currency, Money};
use crate::pricing::explanation::{
    AppliedTo, CodeRejection, NoEffect, Outcome, PromotionOutcome, RejectedCode, UnmetCondition,
};
use crate::pricing::request::LineId;
use crate::pricing::{MAX_CODES, MAX_LINES, MAX_PROMOTIONS};
use crate::promotion::read::{
    self as reading, read_count, read_currency, read_instant, read_labels, read_quantity, read_word,
};
use crate::promotion::{Document, Fields, Findings, Limit, MAX_CODE, MAX_CONDITIONS, MAX_LABEL, ProblemKind, Problems};

impl Quote {
    /// Reads a quote that was written.
    ///
    /// # Errors
    /// Everything that is wrong in the document, each with a JSON pointer to its place.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let quote = read_quote(document, &mut findings);
        findings.finish(quote)
    }
}

impl<'de> Deserialize<'de> for Quote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Document::deserialize(deserializer)?;
        Self::read(&document).map_err(Error::custom)
    }
}

fn read_quote(document: &Document, f: &mut Findings) -> Option<Quote> {
    let mut fields = document.fields(f)?;
    let currency = fields.required(f, "currency", read_currency)?;
    let reader = Reader { currency };
    let mut amount = |name, f: &mut Findings| reader.amount(&mut fields, name, f);
    let subtotal = amount("subtotal", f);
    let discount = amount("discount", f);
    let shipping = amount("shipping", f);
    let shipping_discount = amount("shipping_discount", f);
    let shipping_tax = amount("shipping_tax", f);
    let tax = amount("tax", f);
    let total = amount("total", f);
    let lines = fields.required(f, "lines", |lines, f| lines.list(f, MAX_LINES, |line, f| reader.line(line, f)));
    let rejected = fields.required(f, "rejected", |codes, f| codes.list(f, MAX_CODES, read_rejected));
    let explanation = fields.required(f, "explanation", |entries, f| {
        entries.list(f, MAX_PROMOTIONS, |entry, f| reader.explained(entry, f))
    });
    let proven_best = fields.optional(f, "proven_best", Document::bool);
    fields.ignore("applied");
    fields.finish(f);
    let lines = lines?;
    let (explanation, shares): (Vec<PromotionOutcome>, Vec<Shares>) = explanation?.into_iter().unzip();
    Some(Quote {
        currency,
        subtotal: subtotal?,
        discount: discount?,
        shipping: shipping?,
        shipping_discount: shipping_discount?,
        shipping_tax: shipping_tax?,
        tax: tax?,
        total: total?,
        rejected: rejected?,
        shares: table_of_shares(&lines, &explanation, shares, f)?,
        lines,
        explanation,
        proven_best: proven_best?,
    })
}

/// What one promotion took off the lines, as it was written.
type Shares = Vec<(LineId, Money)>;

/// Puts the shares of every turn in its row.
fn table_of_shares(
    lines: &[QuotedLine],
    explanation: &[PromotionOutcome],
    shares: Vec<Shares>,
    findings: &mut Findings,
) -> Option<Vec<i64>> {
    let places: BTreeMap<&LineId, usize> = lines.iter().enumerate().map(|(place, line)| (&line.id, place)).collect();
    let turns = explanation.iter().filter_map(turn).count();
    let mut table = vec![0; turns.checked_mul(lines.len())?];
    for (explained, shares) in explanation.iter().zip(shares) {
        let Some(turn) = turn(explained) else { continue };
        let start = turn.checked_mul(lines.len())?;
        for (line, amount) in shares {
            let cell = places.get(&line).and_then(|place| table.get_mut(start.checked_add(*place)?));
            match cell {
                Some(cell) => *cell = amount.minor(),
                None => {
                    return findings.note(ProblemKind::Invalid { expected: "explained by its own lines and turns" });
                }
            }
        }
    }
    Some(table)
}

fn turn(explained: &PromotionOutcome) -> Option<usize> {
    let Outcome::Applied { off: AppliedTo::Lines { turn }, .. } = explained.outcome else { return None };
    Some(turn)
}

fn read_rejected(document: &Document, f: &mut Findings) -> Option<RejectedCode> {
    let words = [
        ("unknown_code", CodeRejection::UnknownCode),
        ("expired", CodeRejection::Expired),
        ("not_started", CodeRejection::NotStarted),
        ("usage_limit", CodeRejection::UsageLimit),
        ("min_spend", CodeRejection::MinSpend),
        ("not_eligible", CodeRejection::NotEligible),
    ];
    let mut fields = document.fields(f)?;
    let code = fields.required(f, "code", |code, f| code.text(f, MAX_CODE));
    let reason = fields.required(f, "reason", |reason, f| read_word(reason, f, &words, "a known reason"));
    fields.ignore("message");
    fields.finish(f);
    Some(RejectedCode { code: code?.into(), reason: reason? })
}

fn read_promotion_id(document: &Document, f: &mut Findings) -> Option<PromotionId> {
    document.parsed(f, "a promotion id of 1 to 64 characters")
}

/// Reads what has amounts in it.
#[derive(Clone, Copy)]
struct Reader {
    currency: Currency,
}

impl Reader {
    fn money(self, document: &Document, findings: &mut Findings) -> Option<Money> {
        document.money(findings, self.currency)
    }

    fn amount(self, fields: &mut Fields<'_>, name: &'static str, findings: &mut Findings) -> Option<Money> {
        fields.required(findings, name, |amount, f| self.money(amount, f))
    }

    fn line(self, document: &Document, f: &mut Findings) -> Option<QuotedLine> {
        let mut fields = document.fields(f)?;
        let id = fields.required(f, "id", |id, f| id.parsed(f, "a line id of 1 to 64 characters"));
        let subtotal = self.amount(&mut fields, "subtotal", f);
        let discount = self.amount(&mut fields, "discount", f);
        let tax = self.amount(&mut fields, "tax", f);
        let total = self.amount(&mut fields, "total", f);
        fields.ignore("adjustments");
        fields.finish(f);
        Some(QuotedLine { id: id?, subtotal: subtotal?, discount: discount?, tax: tax?, total: total? })
    }

    fn explained(self, document: &Document, f: &mut Findings) -> Option<(PromotionOutcome, Shares)> {
        let mut fields = document.fields(f)?;
        let promotion_id = fields.required(f, "promotion_id", read_promotion_id);
        let code = fields.optional(f, "code", |code, f| code.label(f, MAX_CODE));
        let kind = fields.required(f, "outcome", |kind, f| kind.text(f, MAX_LABEL))?;
        let shares = fields.defaulted(f, "lines", |lines, f| lines.list(f, MAX_LINES, |share, f| self.share(share, f)));
        let outcome = self.outcome(kind, &mut fields, f);
        fields.ignore("message");
        fields.finish(f);
        Some((PromotionOutcome { promotion_id: promotion_id?, code: code?, outcome: outcome? }, shares?))
    }

    fn share(self, document: &Document, f: &mut Findings) -> Option<(LineId, Money)> {
        let mut fields = document.fields(f)?;
        let id = fields.required(f, "id", |id, f| id.parsed(f, "a line id of 1 to 64 characters"));
        let amount = self.amount(&mut fields, "amount", f);
        fields.finish(f);
        Some((id?, amount?))
    }

    fn outcome(self, kind: &str, fields: &mut Fields<'_>, f: &mut Findings) -> Option<Outcome> {
        match kind {
            "applied" => self.applied(fields, f),
            "not_met" => {
                let unmet = fields.required(f, "unmet", |unmet, f| self.list_of_unmet(unmet, f))?;
                Some(Outcome::ConditionsNotMet { unmet })
            }
            "beaten" => {
                let by = fields.required(f, "by", |by, f| by.list(f, MAX_PROMOTIONS, read_promotion_id));
                let would_save = self.amount(fields, "would_save", f);
                let by_amount = self.amount(fields, "by_amount", f);
                Some(Outcome::Superseded { by: by?, would_save: would_save?, by_amount: by_amount? })
            }
            "no_effect" => {
                let words = [
                    ("nothing_matches", NoEffect::NothingMatches),
                    ("nothing_left", NoEffect::NothingLeft),
                    ("too_few_units", NoEffect::TooFewUnits),
                    ("nothing_to_take_off", NoEffect::NothingToTakeOff),
                ];
                let reason = fields.required(f, "reason", |word, f| read_word(word, f, &words, "a known reason"))?;
                Some(Outcome::NoEffect { reason })
            }
            "limited" => {
                let words =
                    [("uses", Limit::Uses), ("uses_per_customer", Limit::UsesPerCustomer), ("budget", Limit::Budget)];
                let limit = fields.required(f, "limit", |word, f| read_word(word, f, &words, "a known limit"))?;
                Some(Outcome::LimitReached { limit })
            }
            "expired" => Some(Outcome::Expired { ends_at: fields.required(f, "ends_at", read_instant)? }),
            "not_started" => Some(Outcome::NotStarted { starts_at: fields.required(f, "starts_at", read_instant)? }),
            _ => f.field("outcome", |f| f.note(ProblemKind::Invalid { expected: "a known outcome" })),
        }
    }

    fn applied(self, fields: &mut Fields<'_>, f: &mut Findings) -> Option<Outcome> {
        let amount = self.amount(fields, "amount", f);
        let target = fields.required(f, "target", |target, f| target.text(f, MAX_LABEL))?;
        let off = match target {
            "shipping" => AppliedTo::Shipping,
            _ => AppliedTo::Lines { turn: fields.required(f, "turn", read_count)? },
        };
        Some(Outcome::Applied { amount: amount?, off })
    }

    fn list_of_unmet(self, document: &Document, f: &mut Findings) -> Option<Vec<UnmetCondition>> {
        // A list nested in all of a promotion's conditions is told side by side with them.
        document.list(f, MAX_CONDITIONS.saturating_mul(MAX_CONDITIONS), |unmet, f| self.unmet(unmet, f))
    }

    fn unmet(self, document: &Document, f: &mut Findings) -> Option<UnmetCondition> {
        let mut fields = document.fields(f)?;
        let kind = fields.required(f, "type", |kind, f| kind.text(f, MAX_LABEL))?;
        let unmet = self.unmet_of(kind, &mut fields, f);
        fields.ignore("message");
        fields.finish(f);
        unmet
    }

    fn unmet_of(self, kind: &str, fields: &mut Fields<'_>, f: &mut Findings) -> Option<UnmetCondition> {
        match kind {
            "min_spend" => {
                let required = self.amount(fields, "required", f);
                let missing = self.amount(fields, "missing", f);
                let filter = fields.optional(f, "filter", reading::read_filter);
                Some(UnmetCondition::MinSpend { required: required?, missing: missing?, filter: filter? })
            }
            "min_quantity" => {
                let required = fields.required(f, "required", read_quantity);
                let missing = fields.required(f, "missing", read_count);
                let filter = fields.optional(f, "filter", reading::read_filter);
                Some(UnmetCondition::MinQuantity { required: required?, missing: missing?, filter: filter? })
            }
            "contains" => {
                Some(UnmetCondition::Contains { filter: fields.required(f, "filter", reading::read_filter)? })
            }
            "segment" => Some(UnmetCondition::Segment { any: fields.required(f, "any", read_labels)? }),
            "first_order" => Some(UnmetCondition::FirstOrder {
                completed_orders: fields.required(f, "completed_orders", read_count)?,
            }),
            "nth_order" => {
                let n = fields.required(f, "n", read_count);
                let completed_orders = fields.required(f, "completed_orders", read_count);
                Some(UnmetCondition::NthOrder { n: n?, completed_orders: completed_orders? })
            }
            "shipping_method" => {
                let any = fields.required(f, "any", read_labels);
                let chosen = fields.optional(f, "chosen", reading::read_label);
                Some(UnmetCondition::ShippingMethod { any: any?, chosen: chosen? })
            }
            "all" => Some(UnmetCondition::All {
                unmet: fields.required(f, "unmet", |unmet, f| self.list_of_unmet(unmet, f))?,
            }),
            "any" => Some(UnmetCondition::Any {
                unmet: fields.required(f, "unmet", |unmet, f| self.list_of_unmet(unmet, f))?,
            }),
            "not" => {
                let read =
                    |condition: &Document, f: &mut Findings| reading::read_condition(condition, f, self.currency);
                Some(UnmetCondition::Not { condition: Box::new(fields.required(f, "condition", read)?) })
            }
            _ => f.field("type", |f| f.note(ProblemKind::Invalid { expected: "a known condition" })),
        }
    }
}
