//! steadfast-server
