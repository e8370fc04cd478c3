//! Names a block between a document's machine and its driver.

/// One block that a machine asked for or handed out. Unique within the machine, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u64);
