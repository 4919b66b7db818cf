//! steadfast-policy
