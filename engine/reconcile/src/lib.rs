//! steadfast-reconcile
