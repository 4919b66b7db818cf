//! Draws what an outside party may write.

use proptest::prelude::*;

use crate::properties::plot::hostile::{COUNTS, EXIT_CODES, Hostile, Odd, PIECES, TIMES, Text};

pub fn writings() -> impl Strategy<Value = Hostile> {
    prop_oneof![
        2 => (texts(), texts()).prop_map(|(reason, message)| Hostile::Event(reason, message)),
        1 => texts().prop_map(Hostile::Pod),
        1 => (texts(), prop::sample::select(EXIT_CODES)).prop_map(|(reason, code)| Hostile::Ended(reason, code)),
        1 => counts().prop_map(Hostile::Restarts),
        2 => (texts(), texts()).prop_map(|(reason, message)| Hostile::TaskManager(reason, message)),
        2 => texts().prop_map(Hostile::Error),
        1 => (texts(), texts()).prop_map(|(lifecycle, status)| Hostile::Standing(lifecycle, status)),
        1 => texts().prop_map(Hostile::AnotherId),
        2 => (texts(), prop::sample::select(TIMES)).prop_map(|(cause, end)| Hostile::Archived(cause, end)),
        10 => (any::<u8>(), odd()).prop_map(|(job, odd)| Hostile::Row(job, odd)),
    ]
}

fn odd() -> impl Strategy<Value = Odd> {
    let three = || (counts(), counts(), counts());
    prop_oneof![
        1 => texts().prop_map(Odd::Name),
        3 => texts().prop_map(Odd::Exception),
        2 => three().prop_map(|(running, created, total)| Odd::Tasks { running, created, total }),
        1 => Just(Odd::TooManyTasks),
        1 => three().prop_map(|(completed, failed, savepoints)| Odd::Checkpoints { completed, failed, savepoints }),
        4 => prop::sample::select(TIMES).prop_map(Odd::Start),
        1 => prop::sample::select(TIMES).prop_map(Odd::End),
        2 => texts().prop_map(Odd::State),
    ]
}

fn counts() -> impl Strategy<Value = u32> {
    prop::sample::select(COUNTS)
}

/// Empty ones, short ones, long ones of one letter, and some in which a limit (1 KiB; 768 bytes of a headline, 4 KiB of all
/// that is said) falls into the piece.
fn texts() -> impl Strategy<Value = Text> {
    let lengths = prop_oneof![
        4 => (0_u16..4, 0_u16..4),
        1 => Just((5_000_u16, 0_u16)),
        2 => (750_u16..=768, 1_u16..8),
        3 => (1_005_u16..=1_024, 1_u16..8),
        1 => (4_080_u16..=4_096, 1_u16..8),
        1 => (0_u16..4, 300_u16..1_300),
    ];
    (prop::sample::select(PIECES), lengths).prop_map(|(piece, (letters, times))| Text { letters, piece, times })
}
