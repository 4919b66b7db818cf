//! A file of laws as it is written: its keys and words. The schema for editors is made of these types.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use steadfast_core::state::{Attention, ConditionType, Confidence, Intent, JobState};

/// Laws of one's own, for `steadfast policy verify --laws`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The laws, each held beside the built-in ones.
    pub(super) law: Vec<Written>,
}

/// One `[[law]]`.
#[derive(Debug, Deserialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(
        rename = "Law",
        extend("oneOf" = [{ "required": ["never"] }, { "required": ["must"] }], "dependentRequired" = { "within": ["must"] })
    )
)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Its name, as `--law` takes it: lower-case letters, digits and hyphens; none of a built-in law.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z0-9-]+$")))]
    pub(super) name: String,
    /// What it says, in a sentence.
    pub(super) says: String,
    /// What a record may not be after a look at such evidence.
    pub(super) never: Option<Recorded>,
    /// What a record must be after looks at such evidence.
    pub(super) must: Option<Recorded>,
    /// After how many looks in a row at such evidence `must` must be so; 1, if not said.
    #[cfg_attr(test, schemars(range(min = 1, max = 64)))]
    pub(super) within: Option<u32>,
    /// The evidence at which it is held; any, if not said.
    #[serde(default, rename = "while")]
    pub(super) condition: Found,
}

/// What a record is like after a look. Each key that is given must fit; a list fits if one of it does.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recorded {
    /// The state before the look.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::StateWord>>"))]
    pub(super) from: Option<Any<JobState>>,
    /// The state after it.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::StateWord>>"))]
    pub(super) state: Option<Any<JobState>>,
    /// How certain that is.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::ConfidenceWord>>"))]
    pub(super) confidence: Option<Any<Confidence>>,
    /// Whether the watch goes on (`active`) or sleeps (`sleeping`).
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::AttentionWord>>"))]
    pub(super) attention: Option<Any<Attention>>,
    /// One of these alerts stands; `any` is whichever.
    pub(super) alerts: Option<Any<String>>,
    /// None of these alerts stands; `any` is whichever.
    pub(super) no_alerts: Option<Any<String>>,
    /// One of these conditions stands.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::ConditionWord>>"))]
    pub(super) conditions: Option<Any<ConditionType>>,
    /// None of these conditions stands.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::ConditionWord>>"))]
    pub(super) no_conditions: Option<Any<ConditionType>>,
}

/// What the evidence of a look is like. Each key that is given must fit; a list fits if one of it does.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Evidence"))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Found {
    /// What Flink's newest answer says of the job: its state; `absent`: a complete answer lacks it; `unknown`: no usable answer.
    pub(super) flink: Option<Any<FlinkWord>>,
    /// What Kubernetes' newest answer says of the Deployment.
    pub(super) kubernetes: Option<Any<KubernetesWord>>,
    /// Whether the watch showed that the Deployment was deleted.
    pub(super) deletion: Option<Any<DeletionWord>>,
    /// The end of this job that a log or an archive tells.
    pub(super) told: Option<Any<ToldWord>>,
    /// What somebody intends with the job.
    #[cfg_attr(test, schemars(with = "Option<Any<super::schema::IntentWord>>"))]
    pub(super) intent: Option<Any<Intent>>,
    /// `dark`: of more than half of the cluster's jobs no source has a fresh answer.
    pub(super) fleet: Option<Any<FleetWord>>,
}

/// One word or several.
#[derive(Clone, Debug)]
pub(super) struct Any<T>(Vec<T>);

impl<T> Any<T> {
    pub(super) fn each(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T: PartialEq> Any<T> {
    pub(super) fn fits(&self, word: &T) -> bool {
        self.0.contains(word)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Any<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyOf(PhantomData))
    }
}

/// Reads either. An untagged enum would do it too, and say nothing of which word is wrong.
struct AnyOf<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyOf<T> {
    type Value = Any<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word in quotes, or a list of words")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Any<T>, E> {
        T::deserialize(StrDeserializer::new(word)).map(|one| Any(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Any(all))
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum FlinkWord {
    NeverAsked,
    Unknown,
    Absent,
    Says(JobState),
}

impl TryFrom<String> for FlinkWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "never-asked" => Ok(Self::NeverAsked),
            "unknown" => Ok(Self::Unknown),
            "absent" => Ok(Self::Absent),
            state => JobState::parse(state)
                .filter(|state| state.is_flinks())
                .map(Self::Says)
                .ok_or_else(|| {
                    format!("`{text}` is nothing that Flink says; write unknown, absent, never-asked, or a state")
                }),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum KubernetesWord {
    NeverAsked,
    Unknown,
    Absent,
    Present,
    Deleting,
}

#[derive(Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeletionWord {
    Seen,
    NotSeen,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum ToldWord {
    Nothing,
    End(JobState),
}

impl TryFrom<String> for ToldWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match JobState::parse(&text) {
            _ if text == "nothing" => Ok(Self::Nothing),
            Some(state @ (JobState::Finished | JobState::Failed | JobState::Canceled)) => Ok(Self::End(state)),
            Some(_) | None => Err(format!(
                "`{text}` is no end that is told; write nothing, FINISHED, FAILED or CANCELED"
            )),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum FleetWord {
    Seen,
    Dark,
}
