//! steadfast-policy-naive
