//! Writing a quote as the answer to a pricing request.

use alloc::format;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Adjustment, Quote, QuotedLine, Share};
use crate::money::Amount;
use crate::pricing::explanation::{AppliedTo, Outcome, PromotionOutcome, RejectedCode, UnmetCondition};
use crate::promotion::wire;

impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Quote", 13)?;
        fields.serialize_field("currency", &self.currency)?;
        fields.serialize_field("subtotal", &Amount::from(self.subtotal))?;
        fields.serialize_field("discount", &Amount::from(self.discount))?;
        fields.serialize_field("shipping", &Amount::from(self.shipping))?;
        fields.serialize_field("shipping_discount", &Amount::from(self.shipping_discount))?;
        fields.serialize_field("shipping_tax", &Amount::from(self.shipping_tax))?;
        fields.serialize_field("tax", &Amount::from(self.tax))?;
        fields.serialize_field("total", &Amount::from(self.total))?;
        fields.serialize_field(
            "lines",
            &Sequence(|| self.lines.iter().enumerate().map(|line| WrittenLine(self, line))),
        )?;
        fields.serialize_field("applied", &Sequence(|| self.applied().map(|applied| applied.promotion_id)))?;
        fields.serialize_field("rejected", &Sequence(|| self.rejected.iter().map(WrittenRejection)))?;
        fields.serialize_field(
            "explanation",
            &Sequence(|| self.explanation.iter().map(|explained| WrittenPromotionOutcome(self, explained))),
        )?;
        match self.proven_best {
            Some(proven) => fields.serialize_field("proven_best", &proven)?,
            None => fields.skip_field("proven_best")?,
        }
        fields.end()
    }
}

impl Quote {
    /// An entry of the explanation as the answer writes it: with its figures, its amount per line and a sentence.
    pub fn explained<'q>(&'q self, entry: &'q PromotionOutcome) -> impl Serialize + 'q {
        WrittenPromotionOutcome(self, entry)
    }
}

/// A list written from an iterator that can be made again.
struct Sequence<F>(F);

impl<F, I> Serialize for Sequence<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

struct WrittenLine<'q>(&'q Quote, (usize, &'q QuotedLine));

impl Serialize for WrittenLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(quote, (place, line)) = self;
        let mut fields = serializer.serialize_struct("Line", 6)?;
        fields.serialize_field("id", &line.id)?;
        fields.serialize_field("subtotal", &Amount::from(line.subtotal))?;
        fields.serialize_field("discount", &Amount::from(line.discount))?;
        fields.serialize_field("tax", &Amount::from(line.tax))?;
        fields.serialize_field("total", &Amount::from(line.total))?;
        fields.serialize_field("adjustments", &Sequence(|| quote.adjustments(*place)))?;
        fields.end()
    }
}

impl Serialize for Adjustment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Adjustment", 2)?;
        fields.serialize_field("promotion_id", self.promotion_id)?;
        fields.serialize_field("amount", &Amount::from(self.amount))?;
        fields.end()
    }
}

impl Serialize for Share<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Share", 2)?;
        fields.serialize_field("id", self.line_id)?;
        fields.serialize_field("amount", &Amount::from(self.amount))?;
        fields.end()
    }
}

struct WrittenRejection<'q>(&'q RejectedCode);

impl Serialize for WrittenRejection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(rejected) = self;
        let mut fields = serializer.serialize_struct("Rejected", 3)?;
        fields.serialize_field("code", &rejected.code)?;
        fields.serialize_field("reason", &rejected.reason)?;
        fields.serialize_field("message", &format!("{}", rejected.reason))?;
        fields.end()
    }
}

struct WrittenPromotionOutcome<'q>(&'q Quote, &'q PromotionOutcome);

impl Serialize for WrittenPromotionOutcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(quote, explained) = self;
        let mut fields = serializer.serialize_struct("Explained", 8)?;
        fields.serialize_field("promotion_id", &explained.promotion_id)?;
        if let Some(code) = &explained.code {
            fields.serialize_field("code", code)?;
        }
        fields.serialize_field("outcome", explained.outcome.code())?;
        match &explained.outcome {
            Outcome::Applied { amount, off } => {
                fields.serialize_field("amount", &Amount::from(*amount))?;
                match off {
                    AppliedTo::Shipping => fields.serialize_field("target", "shipping")?,
                    AppliedTo::Lines { turn } => {
                        fields.serialize_field("target", "lines")?;
                        fields.serialize_field("turn", turn)?;
                        fields.serialize_field("lines", &Sequence(|| quote.shares(explained)))?;
                    }
                }
            }
            Outcome::ConditionsNotMet { unmet } => {
                fields.serialize_field("unmet", &Sequence(|| unmet.iter().map(WrittenUnmetCondition::of)))?;
            }
            Outcome::Superseded { by, would_save, by_amount } => {
                fields.serialize_field("by", by)?;
                fields.serialize_field("would_save", &Amount::from(*would_save))?;
                fields.serialize_field("by_amount", &Amount::from(*by_amount))?;
            }
            Outcome::NoEffect { reason } => fields.serialize_field("reason", reason)?,
            Outcome::LimitReached { limit } => fields.serialize_field("limit", limit)?,
            Outcome::Expired { ends_at } => fields.serialize_field("ends_at", ends_at)?,
            Outcome::NotStarted { starts_at } => fields.serialize_field("starts_at", starts_at)?,
        }
        fields.serialize_field("message", &format!("{}", explained.outcome))?;
        fields.end()
    }
}

#[derive(Serialize)]
struct WrittenUnmetCondition<'q> {
    #[serde(flatten)]
    unmet: &'q UnmetCondition,
    #[serde(serialize_with = "wire::text")]
    message: &'q UnmetCondition,
}

impl<'q> WrittenUnmetCondition<'q> {
    fn of(unmet: &'q UnmetCondition) -> Self {
        Self { unmet, message: unmet }
    }
}
