//! Format 1, which bears no tag. Its bytes are those of `tests/formats/v1`; nothing in here changes any more.

mod alert;
mod call;
mod condition;
mod event;
mod evidence;
mod facts;
mod record;
mod recording;
mod scalar;
mod shown;
mod state;

pub(super) use event::Event;
pub(super) use record::Record;
pub(super) use recording::Recording;

/// The words of every table.
#[cfg(test)]
pub(super) const WORDS: &[&[&str]] = &[
    state::State::WORDS,
    state::Confidence::WORDS,
    state::ConditionType::WORDS,
    state::Mode::WORDS,
    state::Intent::WORDS,
    state::Attention::WORDS,
    record::Origin::WORDS,
    record::UidSeen::WORDS,
    record::AlertScope::WORDS,
    event::AlertStatus::WORDS,
    call::Asked::WORDS,
    call::Through::WORDS,
    evidence::FaultKind::WORDS,
    facts::EndSource::WORDS,
    facts::Rollout::WORDS,
    facts::Readiness::WORDS,
    facts::ResourceKind::WORDS,
    facts::Desired::WORDS,
    recording::FailureKind::WORDS,
    shown::Scope::WORDS,
];
