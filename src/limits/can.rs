//! Bounds of the content-addressable network: its torus, and what one node knows of the others.

/// Most dimensions of the torus. Chosen: beyond the paper's 10 a path gets no shorter.
pub const CAN_DIMENSIONS: usize = 16;
/// Most realities. Chosen: beyond the paper's 4 the links of a node run out.
pub const CAN_REALITIES: usize = 8;
/// How often a zone can be halved, from the whole torus on. Chosen: its place has 64 bits, and a zone that small is one of a
/// billion billion. A newcomer to a smaller one is turned away.
pub const CAN_DEPTH: u8 = 60;
/// Zones that one node holds in one reality. What fits one update. A further one is not taken over.
pub const CAN_ZONES: usize = 24;
/// Neighbours that one update names. What fits one small message beside the zones, with the longest addresses.
pub const CAN_NAMED: usize = 11;
/// Neighbours that a node knows in one reality, and neighbours that it knows of each of them. Chosen: many times what random
/// splits lead to. A further one is not remembered.
pub const CAN_NEIGHBOURS: usize = 256;
/// Steps away from the goal that the way of one question may take around silent nodes. Chosen: the surroundings of a few
/// zones in two dimensions. Beyond it the question ends without an owner.
pub const CAN_DETOURS: u8 = 24;
