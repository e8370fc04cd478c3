//! bolthole
