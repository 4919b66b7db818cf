//! How much of what is no longer kept is dropped at a time.

/// The most rows of a kind that one step drops. Five hundred take a few milliseconds, the sync to the disk included.
pub(crate) const STEP: usize = 500;
