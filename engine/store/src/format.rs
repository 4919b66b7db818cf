//! What a store holds, pinned by bytes that an earlier build wrote (`tests/formats`).

mod samples;
mod tests;
