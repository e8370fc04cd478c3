//! What must not happen, and happened.

/// One broken promise, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub promise: Promise,
    pub seen: String,
}

/// What a network promises whatever it goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// What is found is what was inserted.
    Unaltered,
    /// Every command of a node that lives is answered, once, within a bound.
    AnsweredOnce,
    /// See [`Self::AnsweredOnce`].
    AnsweredInTime,
    /// Exchange ids are new on every link, and none follows from another.
    FreshIds,
    /// Only what was asked on a link is answered there.
    OnlyAnswers,
    /// Hops to live stay within their range, and come back as no more than went.
    HopsInRange,
    /// No message of a search or insert names a node, or a key that nobody asked for.
    NamesNobody,
    /// What can grow stays within its bound.
    WithinBounds,
    /// Honest nodes find no fault with each other.
    NoFalseAccusation,
    /// A document that is said to be stored is stored so often.
    TrulyStored,
    /// When the trouble is over everything comes to rest, and nothing stays open.
    ComesToRest,
    /// When the trouble is over all nodes are one network.
    IsOne,
    /// A stored document of which a store that lives has a copy is found.
    StaysFindable,
}

impl Breach {
    pub fn new(promise: Promise, seen: impl Into<String>) -> Self {
        Self { promise, seen: seen.into() }
    }
}
