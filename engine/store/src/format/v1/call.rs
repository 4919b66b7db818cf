//! Who called for something: the member `call` of an event.
//!
//! What was asked for is told in words of which none may be new (see [`super::condition`]): an earlier build reads that a silence was asked for
//! as that something was taken back, which names the caller all the same.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steadfast_core::call;

use super::scalar::Moment;
use crate::format::shape::{Shape, words};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    asked: Asked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Arc<str>>,
    through: Through,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    says: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Address>,
    /// Missing where it is about no alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<Arc<str>>,
    /// Missing where no silence was asked for, and in what builds wrote that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silence: Option<AskedSilence>,
    /// Missing where `asked` says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precisely: Option<Later>,
}

/// What was said of a silence.
#[derive(Debug, Serialize, Deserialize)]
struct AskedSilence {
    until: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<Arc<str>>,
}

impl Shape for AskedSilence {
    type Core = call::AskedSilence;

    fn of(core: &call::AskedSilence) -> Self {
        Self {
            until: Moment::of(&core.until),
            comment: core.comment.clone(),
        }
    }

    fn into_core(self) -> call::AskedSilence {
        call::AskedSilence {
            until: self.until.into_core(),
            comment: self.comment,
        }
    }
}

/// What could be asked for later.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Later {
    Silence,
    Unsilence,
}

impl Later {
    fn of(asked: call::Asked) -> Option<Self> {
        match asked {
            call::Asked::Silence => Some(Self::Silence),
            call::Asked::Unsilence => Some(Self::Unsilence),
            call::Asked::Start
            | call::Asked::Cancel
            | call::Asked::Savepoint
            | call::Asked::TakeBack
            | call::Asked::Forget
            | call::Asked::ForgetByForce => None,
        }
    }

    fn or(later: Option<Self>, asked: Asked) -> call::Asked {
        match later {
            Some(Self::Silence) => call::Asked::Silence,
            Some(Self::Unsilence) => call::Asked::Unsilence,
            None => asked.into_core(),
        }
    }
}

impl Shape for Call {
    type Core = call::Call;

    fn of(core: &call::Call) -> Self {
        let call::Call {
            asked,
            alert,
            silence,
            by,
            through,
            says,
            from,
        } = core;
        Self {
            asked: Asked::of(asked),
            by: by.clone(),
            through: Through::of(through),
            says: says.clone(),
            from: from.map(Address),
            alert: alert.clone(),
            silence: silence.as_ref().map(AskedSilence::of),
            precisely: Later::of(*asked),
        }
    }

    fn into_core(self) -> call::Call {
        call::Call {
            asked: Later::or(self.precisely, self.asked),
            alert: self.alert,
            silence: self.silence.map(Shape::into_core),
            by: self.by,
            through: self.through.into_core(),
            says: self.says,
            from: self.from.map(|address| address.0),
        }
    }
}

words!(Asked of call::Asked {
    "start" = Start,
    "cancel" = Cancel,
    "savepoint" = Savepoint,
    "none" = TakeBack,
    "forget" = Forget,
    "forget-by-force" = ForgetByForce,
} nearest {
    Silence as TakeBack,
    Unsilence as TakeBack,
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
