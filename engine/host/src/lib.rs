//! steadfast-host
