//! Whom a node was linked to, as bytes that outlive it: how it finds its network again.

use crate::limits;
use crate::message::contact::Contact;

/// The binary form; beyond [`limits::LAST_LINKS`] the last are left out.
pub fn to_bytes(contacts: &[Contact]) -> Vec<u8> {
    let some = &contacts[..contacts.len().min(limits::LAST_LINKS)];
    postcard::to_stdvec(some).expect("contacts are plain values, which always encode")
}

/// Reads the binary form; bytes that are none name nobody.
pub(super) fn from_bytes(bytes: &[u8]) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = postcard::from_bytes(bytes).unwrap_or_default();
    contacts.truncate(limits::LAST_LINKS);
    contacts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn the_first_contacts_come_back_and_anything_else_names_nobody() {
        let address = "127.2.0.1:7747".parse().expect("a literal address");
        let many: Vec<Contact> = (0..40).map(|number| Contact::new(NodeId([number; 32]), address)).collect();
        let read = from_bytes(&to_bytes(&many));
        assert_eq!(read, many[..limits::LAST_LINKS]);
        assert_eq!(read[0].address(), address);
        assert!(from_bytes(&[255; 40]).is_empty());
    }
}
