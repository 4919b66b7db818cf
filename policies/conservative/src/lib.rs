//! steadfast-policy-conservative
