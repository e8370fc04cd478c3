//! Why bytes from a peer are no message: a closed list, so that every cause has a name in logs and tests.

/// Bytes that are no message. The peer that sent them broke a rule; none of these is ever caused by loss or load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Malformed {
    /// Not the length of one cell, or not that of the cells of either class.
    #[error("{0} bytes are neither one cell nor the cells of a message")]
    Length(usize),
    /// Bytes after the last cell of a message.
    #[error("more bytes than the message has")]
    Surplus,
    /// A cell type that this version does not know or does not accept yet.
    #[error("cell type {0} is not accepted")]
    Kind(u8),
    /// Another version of the cell format.
    #[error("cell format {0} is not spoken here")]
    Format(u8),
    /// A number of parts that is no class.
    #[error("no message has {0} parts")]
    Parts(u8),
    /// A part beyond the last, or not the one whose turn it is.
    #[error("part {0} is out of place")]
    Part(u8),
    /// Cells of one message that disagree on what message they belong to.
    #[error("cells of two messages are mixed")]
    Mixed,
    /// More bytes in use than the class holds, none at all, or a length where none belongs.
    #[error("a payload of {0} bytes in use")]
    InUse(u32),
    /// A reserved or unused byte that is not zero.
    #[error("an unused byte is not zero")]
    Unused,
    /// The payload is no value of the message type.
    #[error("the payload is no message")]
    Value,
    /// The payload is a value followed by more bytes.
    #[error("bytes follow the message")]
    Trailing,
    /// A message in the cells of the other class.
    #[error("the message belongs to the other class")]
    Class,
    /// A value that has a shorter or other spelling.
    #[error("the message is not in its one spelling")]
    Spelling,
    /// More rhythms begun than the one that a link has.
    #[error("too many messages begun at once")]
    TooMany,
}
