//! steadfast-world
