//! What happens in an exploration, as steps of a story.

use std::time::Duration;

use steadfast_core::state::{Intent, Mode};
use steadfast_core::time::Timestamp;

use super::Script;
use super::faults::kubernetes_fault;
use crate::step::{EndsStep, Explanation, KubernetesStep, Step, Visibility};
use crate::world::ApiModel;

impl Script {
    /// What is read when a policy asks for it must stand there before: the first answer of a story is there from its start.
    pub(super) fn prepare(&mut self, steps: &[Step]) -> Result<(), String> {
        let first = steps.iter().find_map(|step| match step {
            Step::Ends(ends) => Some(*ends),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::PolicyFails
            | Step::Heal => None,
        });
        first.map_or(Ok(()), |ends| self.ends(ends))
    }

    fn ends(&mut self, ends: EndsStep) -> Result<(), String> {
        let job = self.world.run.job;
        let start = self.moment(self.world.run.started_at);
        if self.world.mode == Mode::Standalone {
            // It has no recovery data in Kubernetes, and a story no archive for it.
            return match ends {
                EndsStep::Nothing => Ok(()),
                EndsStep::Unreadable | EndsStep::Archive(_) | EndsStep::OfAnotherJob(_) | EndsStep::RecoveryData => {
                    Err("a story has no archive for a Flink outside of Kubernetes".into())
                }
            };
        }
        let says = match ends {
            EndsStep::Nothing => "ha = false\n".to_owned(),
            EndsStep::Unreadable => {
                self.needs.insert("archive");
                "files = \"drop\"\n".to_owned()
            }
            EndsStep::Archive(state) => {
                self.needs.insert("archive");
                format!("archive = [{{ id = \"j{job}\", state = \"{state}\", start = \"{start}\" }}]\n")
            }
            EndsStep::OfAnotherJob(state) => {
                self.needs.insert("archive");
                format!("archive = [{{ id = \"another\", state = \"{state}\" }}]\n")
            }
            EndsStep::RecoveryData => {
                self.needs.insert("ha");
                "ha = true\n".to_owned()
            }
        };
        if !self.steps.contains(&says) {
            self.step(Some("orders"), &says);
        }
        Ok(())
    }

    /// The API servers answer, where there are any.
    pub(super) fn kubernetes_answers(&mut self) {
        if self.world.mode != Mode::Standalone {
            self.step(None, "kubernetes = \"ok\"\n");
        }
    }

    /// Lets something happen.
    pub(super) fn take(&mut self, step: Step) -> Result<(), String> {
        let at = self
            .origin
            .after(Duration::from_millis(u64::try_from(self.now).unwrap_or(0)));
        self.last = self.now;
        match step {
            Step::Wait(span) => {
                self.now += i64::try_from(span.as_millis()).unwrap_or(0);
                return Ok(());
            }
            Step::Flink(step) => {
                self.world.flink_turns(step, at);
                self.show(None)?;
            }
            Step::Kubernetes(step) => self.kubernetes(step, at)?,
            Step::Ends(ends) => self.ends(ends)?,
            Step::Explained(explanation) => {
                let fail = explanation == Explanation::CheckpointsFail;
                if std::mem::replace(&mut self.checkpoints_fail, fail) == fail {
                    // A world answers so unasked.
                    return Ok(());
                }
                self.show(None)?;
            }
            Step::Memory(_) => return Err("a story cannot change what a policy remembers".into()),
            Step::Neighbours(_) if self.world.mode == Mode::Standalone => {
                return Err("a Flink outside of Kubernetes has no other jobs on its cluster".into());
            }
            Step::Neighbours(sight) => {
                let fault = match sight {
                    Visibility::Dark => "drop",
                    Visibility::Seen => "ok",
                };
                self.step(Some("other"), &format!("flink = \"{fault}\"\n"));
                self.step(None, &format!("kubernetes = \"{fault}\"\nnamespace = \"b\"\n"));
            }
            Step::Intent(intent) => self.intent(intent),
            Step::Restart => {
                self.needs.insert("restart");
                self.step(None, "engine = \"kill\"\n");
            }
            Step::PolicyFails => return Err("a story cannot make a policy fail".into()),
            Step::Heal => {
                self.world.heals(at);
                self.kubernetes_answers();
                self.show(None)?;
            }
        }
        self.now += self.hold;
        Ok(())
    }

    fn intent(&mut self, intent: Intent) {
        self.needs.insert("intent");
        self.step(Some("orders"), &format!("intent = \"{intent}\"\n"));
    }

    fn kubernetes(&mut self, step: KubernetesStep, at: Timestamp) -> Result<(), String> {
        let before = self.world.kubernetes;
        self.world.kubernetes_turns(step, at);
        if let KubernetesStep::Silent(kind) = step {
            let fault = kubernetes_fault(kind)?;
            self.step(None, &format!("kubernetes = \"{fault}\"\n"));
            return Ok(());
        }
        let unseen = step == KubernetesStep::Missing;
        if unseen && before == ApiModel::Answers {
            self.step(None, "kubernetes = \"watch-silent\"\n");
        }
        let words = match step {
            KubernetesStep::Going(words) => words,
            KubernetesStep::Silent(_)
            | KubernetesStep::Answers
            | KubernetesStep::PodRestarts
            | KubernetesStep::PodCrashes
            | KubernetesStep::PodRecovers
            | KubernetesStep::Deleted
            | KubernetesStep::Missing
            | KubernetesStep::Replaced
            | KubernetesStep::PodJoins
            | KubernetesStep::PodLeaves
            | KubernetesStep::PodsGone
            | KubernetesStep::ScaledToZero
            | KubernetesStep::PodsBack => None,
        };
        self.show(words)?;
        if unseen && before == ApiModel::Answers {
            // No version that the watch knows is good any more: it lists anew, and what it missed stays unseen.
            self.now += 1_000;
            self.step(None, "kubernetes = \"410\"\n");
            self.now += 2_000;
        }
        if before != ApiModel::Answers || unseen {
            self.step(None, "kubernetes = \"ok\"\n");
        }
        Ok(())
    }
}
