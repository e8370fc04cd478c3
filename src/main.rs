//! bolthole
fn main() {}
