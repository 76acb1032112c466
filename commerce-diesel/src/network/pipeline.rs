//! The results of statements that were sent together.

use crate::fault::Fault;

/// Results that are needed together.
pub(crate) trait AllOk {
    type Answers;

    /// All answers, or the first error. Later errors are its consequences.
    fn all_ok(self) -> Result<Self::Answers, Fault>;
}

/// Converts the error of an answer.
pub(crate) fn answer<T>(answer: Result<T, impl Into<Fault>>) -> Result<T, Fault> {
    answer.map_err(Into::into)
}

macro_rules! all_ok {
    ($($name:ident)+) => {
        impl<$($name),+> AllOk for ($(Result<$name, Fault>,)+) {
            type Answers = ($($name,)+);

    #[expect(non_snake_case, reason = "a value has the name of its type")]
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
