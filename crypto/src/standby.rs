//! The subspaces in which a document names the standbys of its top: known to whoever can open the document.
//!
//! Every standby has a subspace of its own, so that two of them have nothing in common for a node that stores both. Whoever
//! has the document's URI could also write there: what stands there must be checked like anything else. Leaves out what the
//! signed block says.

use crate::content::Root;
use crate::hash::{Label, expand};
use crate::secret::Secret;
use crate::signed::Subspace;

/// The name under which the only block of such a subspace is signed.
pub const NAME: &str = "";

/// The subspace of the standby `number` of the document with this root.
#[must_use]
pub fn subspace(root: &Root, number: u8) -> Subspace {
    let mut secret = Secret::<64>::from_bytes([0; 64]);
    expand(Label::StandbySubspace, &[root.expose(), &[number]], secret.expose_mut());
    Subspace::from_secret(&secret)
}
