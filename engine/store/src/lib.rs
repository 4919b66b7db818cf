//! steadfast-store
