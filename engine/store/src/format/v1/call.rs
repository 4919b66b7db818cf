//! Who called for something: the member `call` of an event.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steadfast_core::call;

use crate::format::shape::{Shape, object, words};

object!(Call of call::Call {
    "asked": Asked = asked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "by": Option<Arc<str>> = by,
    "through": Through = through,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "says": Option<Arc<str>> = says,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "from": Option<Address> = from,
});

words!(Asked of call::Asked {
    "start" = Start,
    "cancel" = Cancel,
    "savepoint" = Savepoint,
    "none" = TakeBack,
    "forget" = Forget,
    "forget-by-force" = ForgetByForce,
});

words!(Through of call::Through {
    "nothing" = Nothing,
    "token-file" = SharedToken,
    "token" = Token,
    "certificate" = Certificate,
    "kubernetes" = Kubernetes,
});

/// An address of IPv4 or IPv6.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Address(IpAddr);

impl Shape for Address {
    type Core = IpAddr;

    fn of(core: &IpAddr) -> Self {
        Self(*core)
    }

    fn into_core(self) -> IpAddr {
        self.0
    }
}
