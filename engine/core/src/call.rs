//! What somebody asked the engine to write about a job: who, what, and from where.

use std::net::IpAddr;
use std::sync::Arc;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::state::{Force, Intent, word};
use crate::time::Timestamp;

/// A call that wrote, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// What was asked for.
    pub asked: Asked,
    /// The alert, where it is about one.
    pub alert: Option<Arc<str>>,
    /// Until when, and why, where a silence was asked for.
    pub silence: Option<AskedSilence>,
    /// Who the caller is, by what they showed; `None` if they showed nothing, or what many share.
    pub by: Option<Arc<str>>,
    /// What they showed.
    pub through: Through,
    /// For whom, as they said themselves. Nobody has checked it.
    pub says: Option<Arc<str>>,
    /// The address that the connection came from: a proxy's, where one stands between. `None`: from within the process.
    pub from: Option<IpAddr>,
}

/// What was said of a silence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AskedSilence {
    /// When it ends.
    pub until: Timestamp,
    /// Why, in the caller's words.
    pub comment: Option<Arc<str>>,
}

/// What was asked for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Asked {
    /// To note that a start is meant.
    Start,
    /// To note that an end is meant.
    Cancel,
    /// To note that a savepoint is meant.
    Savepoint,
    /// To take an intent back.
    #[strum(serialize = "none")]
    TakeBack,
    /// To remove the record.
    Forget,
    /// To remove the record, whether or not the job is seen alive.
    ForgetByForce,
    /// That nobody is told of an alert for a while.
    Silence,
    /// That it is told again.
    Unsilence,
}

word!(Asked);

impl From<Intent> for Asked {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Start => Self::Start,
            Intent::Cancel => Self::Cancel,
            Intent::Savepoint => Self::Savepoint,
            Intent::None => Self::TakeBack,
        }
    }
}

impl From<Force> for Asked {
    fn from(force: Force) -> Self {
        match force {
            Force::No => Self::Forget,
            Force::Yes => Self::ForgetByForce,
        }
    }
}

/// By what a caller is known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Through {
    /// By nothing: the listener is on loopback, or open to everybody.
    Nothing,
    /// By the one token of `server.token_file`.
    #[strum(serialize = "token-file")]
    SharedToken,
    /// By a token with a name.
    Token,
    /// By a client certificate.
    Certificate,
    /// By a token that a Kubernetes API server vouches for.
    Kubernetes,
}

word!(Through);

/// Who calls, before it is known what for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// See [`Call::by`].
    pub by: Option<Arc<str>>,
    /// See [`Call::through`].
    pub through: Through,
    /// See [`Call::from`].
    pub from: Option<IpAddr>,
}

impl Caller {
    /// What they asked for.
    pub fn asking(self, asked: impl Into<Asked>, says: Option<Arc<str>>) -> Call {
        let Self { by, through, from } = self;
        Call {
            asked: asked.into(),
            alert: None,
            silence: None,
            by,
            through,
            says,
            from,
        }
    }

    /// That nobody is told of an alert for a while.
    pub fn asking_for_silence(self, alert: &str, silence: AskedSilence, says: Option<Arc<str>>) -> Call {
        Call {
            alert: Some(alert.into()),
            silence: Some(silence),
            ..self.asking(Asked::Silence, says)
        }
    }

    /// That an alert is told again.
    pub fn asking_to_unsilence(self, alert: &str) -> Call {
        Call {
            alert: Some(alert.into()),
            ..self.asking(Asked::Unsilence, None)
        }
    }

    /// Who is named as the author of what they ask for: by what they showed, and behind it for whom they say it is.
    pub fn author(&self, says: Option<&Arc<str>>) -> Option<Arc<str>> {
        match (&self.by, says) {
            (Some(by), Some(says)) if by != says => Some(format!("{by} for {says}").into()),
            (Some(by), Some(_) | None) => Some(Arc::clone(by)),
            (None, says) => says.cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(by: Option<&str>) -> Caller {
        Caller {
            by: by.map(Arc::from),
            through: Through::Token,
            from: None,
        }
    }

    #[test]
    fn an_author_is_who_was_shown_and_for_whom_they_say_it_is() {
        let author = |by, says: Option<&str>| caller(by).author(says.map(Arc::from).as_ref()).map(|a| a.to_string());
        assert_eq!(author(None, None), None);
        assert_eq!(author(Some("ci"), None).as_deref(), Some("ci"));
        assert_eq!(author(None, Some("ann")).as_deref(), Some("ann"));
        assert_eq!(author(Some("ann"), Some("ann")).as_deref(), Some("ann"));
        assert_eq!(author(Some("ci"), Some("ann")).as_deref(), Some("ci for ann"));
    }

    #[test]
    fn a_call_about_a_silence_names_the_alert_and_how_long() {
        let silence = AskedSilence {
            until: Timestamp::from_millis(9),
            comment: Some("planned".into()),
        };
        let asked = caller(Some("ci")).asking_for_silence("JobFailed", silence.clone(), Some("ann".into()));
        assert_eq!(
            (asked.asked, asked.alert.as_deref()),
            (Asked::Silence, Some("JobFailed"))
        );
        assert_eq!((asked.silence, asked.says.as_deref()), (Some(silence), Some("ann")));
        let back = caller(Some("ci")).asking_to_unsilence("JobFailed");
        assert_eq!(
            (back.asked, back.alert.as_deref()),
            (Asked::Unsilence, Some("JobFailed"))
        );
    }
}
