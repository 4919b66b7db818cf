//! `GET /api/v1/compat/...`: the record in the words of other systems, for what was written against them.

mod streampark;

pub(crate) use streampark::{__path_streampark, names, streampark};
