//! Answers that come together.

use crate::fault::Fault;

/// Answers of which all are needed.
pub(crate) trait AllOk {
    type Answers;

    /// All of them, or the first that failed: what failed behind it did so because of it.
    fn all_ok(self) -> Result<Self::Answers, Fault>;
}

/// An answer as the others are.
pub(crate) fn answer<T>(answer: Result<T, impl Into<Fault>>) -> Result<T, Fault> {
    answer.map_err(Into::into)
}

macro_rules! all_ok {
    ($($name:ident)+) => {
        impl<$($name),+> AllOk for ($(Result<$name, Fault>,)+) {
            type Answers = ($($name,)+);

            #[expect(non_snake_case, reason = "a value is named as its type")]
            fn all_ok(self) -> Result<Self::Answers, Fault> {
                let ($($name,)+) = self;
                Ok(($($name?,)+))
            }
        }
    };
}

all_ok!(A);
all_ok!(A B);
all_ok!(A B C);
all_ok!(A B C D);
all_ok!(A B C D E);
all_ok!(A B C D E F);
all_ok!(A B C D E F G);
all_ok!(A B C D E F G H);
all_ok!(A B C D E F G H I);
all_ok!(A B C D E F G H I J);
