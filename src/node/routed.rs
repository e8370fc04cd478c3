//! The words of pre-routing in those of the overlay's contract, and back.

use crate::onion::Wrong;
use crate::onion::instruction::{Instruction, Outcome};
use crate::overlay::mode::{Answer, Command, Offence};

/// A command as a client sends it to an exit.
pub(super) fn instruction_of(command: Command) -> Option<Instruction> {
    match command {
        Command::Fetch { key, .. } => Some(Instruction::Fetch(key)),
        Command::Insert { block } => Some(Instruction::Insert(block)),
        Command::Cancel => None,
    }
}

/// A command as the exit runs it: exactly as if a client of its own had given it. A loop is none.
pub(super) fn command_of(instruction: Instruction) -> Option<Command> {
    match instruction {
        Instruction::Fetch(key) => Some(Command::Fetch { key, own_store: true }),
        Instruction::Insert(block) => Some(Command::Insert { block }),
        Instruction::Loop => None,
    }
}

/// How a command of an exit ended, for its client.
pub(super) fn outcome_of(answer: Answer) -> Outcome {
    match answer {
        Answer::Found { block, hops, .. } => Outcome::Found { block, hops },
        Answer::NotFound => Outcome::NotFound,
        Answer::Unavailable => Outcome::Unavailable,
        Answer::Inserted { stores, wanted } => Outcome::Inserted { stores, wanted },
        Answer::Collision { existing } => Outcome::Collision(existing),
    }
}

/// How a command ended, for the local client.
pub(super) fn answer_of(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Found { block, hops } => Answer::Found { block, hops, own_store: false },
        Outcome::NotFound => Answer::NotFound,
        Outcome::Unavailable | Outcome::Looped => Answer::Unavailable,
        Outcome::Inserted { stores, wanted } => Answer::Inserted { stores, wanted },
        Outcome::Collision(existing) => Answer::Collision { existing },
    }
}

/// The rule that a peer broke.
pub(super) const fn offence_of(wrong: Wrong) -> Offence {
    match wrong {
        Wrong::Unsound => Offence::Malformed,
        Wrong::Forged => Offence::BadCredential,
    }
}
