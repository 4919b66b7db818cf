//! What a decision may hold. The engine takes no more: it cuts, and says of the job that the decision was trimmed. So what is
//! said with a source's own words is cut here, where nobody has to hear of it.

use crate::{Decision, Snapshot};

/// The longest text, in bytes.
const TEXT: usize = 4 * 1024;
/// The longest name: of an alert, of a rule, the code of a reason. In bytes.
const NAME: usize = 128;
/// The most conditions, alerts and wishes, of each.
const COUNT: usize = 32;
/// The shortest pace in milliseconds, and the longest: a day.
const PACES: (u64, u64) = (10, 86_400_000);
/// What stands at the end of a text that was cut.
const MARK: char = '…';

impl Decision {
    /// The decision within the limits.
    pub(crate) fn fit(mut self, snapshot: &Snapshot) -> Self {
        cut(&mut self.rule, NAME);
        cut(&mut self.reason.code, NAME);
        cut(&mut self.reason.message, TEXT);
        self.conditions.truncate(COUNT);
        for condition in &mut self.conditions {
            cut(&mut condition.message, TEXT);
        }
        self.alerts.truncate(COUNT);
        for alert in &mut self.alerts {
            cut(&mut alert.name, NAME);
            cut(&mut alert.message, TEXT);
        }
        self.wanted.truncate(COUNT);
        // No pace of polls is far below those of the configuration.
        let tenth = snapshot.poll().min(snapshot.terminal_poll()).part(10).get();
        let shortest = tenth.clamp(PACES.0, 1000);
        let watch = &mut self.watch;
        watch.poll_after = watch.poll_after.clamp(shortest, PACES.1);
        watch.validate_after = watch.validate_after.clamp(PACES.0, PACES.1);
        self
    }
}

fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit - MARK.len_utf8()));
        text.push(MARK);
    }
}
