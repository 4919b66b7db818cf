//! A function's code, cut where control may come from elsewhere or go elsewhere.

use std::ops::Range;

use wasmparser::{BinaryReaderError, FunctionBody, Operator};

/// Code that runs from its first instruction to its last, unless a call in it does not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it stands in the module, in bytes.
    pub(crate) at: Range<usize>,
    /// It ends where nothing can go on: a panic, an overflow, an index out of bounds.
    pub(crate) gives_up: bool,
}

/// What a label belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its end is where a branch goes to.
    Block,
    /// Its end has another way in: a condition that did not hold, or what was thrown.
    Branching,
    /// A branch goes to its beginning, which runs anyway.
    Loop,
}

struct Frame {
    kind: Kind,
    /// Whether it can be come to at all.
    reached: bool,
    /// A branch goes to its label.
    targeted: bool,
}

/// Cuts functions into segments.
struct Cutter {
    frames: Vec<Frame>,
    segments: Vec<Segment>,
    /// The next instruction can be come to.
    reached: bool,
    /// The next instruction begins a segment.
    begins: bool,
}

/// The segments of a function, in their order. Fails if it cannot be read.
pub(crate) fn of(body: &FunctionBody<'_>) -> Result<Vec<Segment>, BinaryReaderError> {
    let mut cutter = Cutter {
        frames: Vec::new(),
        segments: Vec::new(),
        reached: true,
        begins: true,
    };
    cutter.enter(Kind::Block);
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let from = reader.original_position();
        let operator = reader.read()?;
        cutter.take(&operator, from..reader.original_position());
    }
    Ok(cutter.segments)
}

impl Cutter {
    fn take(&mut self, operator: &Operator<'_>, at: Range<usize>) {
        let is_boundary = matches!(operator, Operator::End | Operator::Else);
        if self.reached && !is_boundary {
            self.extend(at);
        }
        // All others go on to the next.
        #[allow(clippy::wildcard_enum_match_arm)]
        match operator {
            Operator::Block { .. } => self.enter(Kind::Block),
            Operator::Loop { .. } => self.enter(Kind::Loop),
            Operator::If { .. } => {
                self.enter(Kind::Branching);
                self.begins = true;
            }
            Operator::TryTable { .. } => {
                // What is thrown may go to any label around.
                self.frames.iter_mut().for_each(|frame| frame.targeted = true);
                self.enter(Kind::Block);
            }
            Operator::Else => {
                self.reached = self.frames.last().is_none_or(|frame| frame.reached);
                self.begins = true;
            }
            Operator::End => self.leave(),
            Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. } => {
                self.target(*relative_depth);
                self.begins = true;
            }
            Operator::Br { relative_depth } => {
                self.target(*relative_depth);
                self.reached = false;
            }
            Operator::BrTable { targets } => {
                for depth in targets.targets().flatten() {
                    self.target(depth);
                }
                self.target(targets.default());
                self.reached = false;
            }
            Operator::Unreachable => {
                if let Some(segment) = self.segments.last_mut().filter(|_| self.reached) {
                    segment.gives_up = true;
                }
                self.reached = false;
            }
            Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef => self.reached = false,
            _ => {}
        }
    }

    fn extend(&mut self, at: Range<usize>) {
        match self.segments.last_mut().filter(|_| !self.begins) {
            Some(segment) => segment.at.end = at.end,
            None => self.segments.push(Segment { at, gives_up: false }),
        }
        self.begins = false;
    }

    fn enter(&mut self, kind: Kind) {
        self.frames.push(Frame {
            kind,
            reached: self.reached,
            targeted: false,
        });
    }

    fn leave(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let has_another_way = match frame.kind {
            Kind::Block => frame.targeted,
            Kind::Branching => true,
            Kind::Loop => false,
        };
        if has_another_way {
            self.reached = frame.reached;
            self.begins = true;
        }
    }

    fn target(&mut self, depth: u32) {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        if let Some(frame) = self.frames.iter_mut().rev().nth(depth) {
            frame.targeted = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;

    /// How many segments a function has, and which of them give up.
    fn cut(body: &str) -> (usize, Vec<usize>) {
        let module = wat::parse_str(format!("(module (func $end) (func (param i32) (result i32) {body}))")).unwrap();
        let payloads = Parser::new(0).parse_all(&module);
        let bodies = payloads.filter_map(|payload| {
            let Payload::CodeSectionEntry(body) = payload.unwrap() else {
                return None;
            };
            Some(of(&body).unwrap())
        });
        let segments = bodies.last().unwrap();
        assert!(segments.windows(2).all(|two| two[0].at.end <= two[1].at.start));
        let give_up = segments.iter().enumerate().filter(|(_, segment)| segment.gives_up);
        (segments.len(), give_up.map(|(at, _)| at).collect())
    }

    #[test]
    fn what_runs_in_one_go_is_one_segment() {
        assert_eq!(cut("call $end i32.const 1"), (1, vec![]));
        assert_eq!(cut("(block (loop (call $end))) i32.const 1"), (1, vec![]));
    }

    #[test]
    fn each_arm_is_one_and_what_follows_them() {
        assert_eq!(
            cut("(if (local.get 0) (then call $end) (else call $end)) i32.const 1"),
            (4, vec![])
        );
        assert_eq!(
            cut("(block (br_if 0 (local.get 0)) call $end) i32.const 1"),
            (3, vec![])
        );
        assert_eq!(
            cut("(block (block (br_table 0 1 (local.get 0))) call $end) i32.const 1"),
            (3, vec![])
        );
    }

    #[test]
    fn what_nothing_comes_to_is_none() {
        assert_eq!(
            cut("(return (i32.const 1)) call $end (block call $end) i32.const 2"),
            (1, vec![])
        );
        assert_eq!(cut("(block (br 0) call $end) i32.const 2"), (2, vec![]));
    }

    #[test]
    fn one_that_ends_in_a_trap_gives_up() {
        assert_eq!(
            cut("(block (br_if 0 (local.get 0)) call $end unreachable) i32.const 1"),
            (3, vec![1])
        );
        assert_eq!(cut("(if (local.get 0) (then unreachable)) i32.const 1"), (3, vec![1]));
    }
}
