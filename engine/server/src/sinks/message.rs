//! What a receiver is sent at a time.

use serde::Serialize;
use steadfast_core::journal::Sequence;
/// An entry of the journal that a message tells of.
pub use steadfast_core::trace::Durable as Told;

/// One message to a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same however often it is sent: the store's id and the sequence of the first entry that it tells of.
    pub id: String,
    /// What it says, on one line.
    pub title: String,
    /// What is sent, as its kind has it.
    pub body: String,
    /// Where at the receiver it goes, where a receiver may refuse what goes to one place and take the rest: a namespace, or of
    /// a mail the one address that it still goes to. None: to all of them.
    pub place: Option<String>,
    /// The entries of the journal that it tells of, in order. None: it repeats what was told before, and comes again by itself.
    pub tells_of: Vec<Told>,
}

/// The id of what is told of an entry.
pub(super) fn id(store_id: &str, sequence: Sequence) -> String {
    format!("{store_id}-{}", sequence.0)
}

/// As JSON. All that is written here has texts for keys, so that there is always one.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Up to where a sink has come, of a batch that ends at `last`, when those messages are still to be sent.
pub(super) fn reached(rest: &[Message], last: Sequence) -> Sequence {
    let waiting = rest.iter().flat_map(|message| &message.tells_of);
    let first = waiting.map(|told| told.sequence.0).min();
    first.map_or(last, |first| Sequence(first.saturating_sub(1).min(last.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::testing::{entry, started};

    fn telling_of(sequences: &[u64]) -> Message {
        let told = sequences
            .iter()
            .map(|sequence| Told::from(&entry(*sequence, "a/b/c", started())));
        Message {
            id: "store-1".to_owned(),
            title: String::new(),
            body: String::new(),
            place: None,
            tells_of: told.collect(),
        }
    }

    #[test]
    fn a_sink_is_done_with_what_lies_before_all_that_waits() {
        let rest = [telling_of(&[4, 9]), telling_of(&[3, 5])];
        assert_eq!(reached(&rest, Sequence(9)), Sequence(2));
        assert_eq!(reached(&rest[..1], Sequence(9)), Sequence(3));
        assert_eq!(reached(&[], Sequence(9)), Sequence(9));
        assert_eq!(reached(&[telling_of(&[])], Sequence(9)), Sequence(9));
    }
}
