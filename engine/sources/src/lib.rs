//! steadfast-sources
