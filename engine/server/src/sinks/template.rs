//! Templates of messages: `[[sink]] template`.

use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// How much a template may do, in instructions: enough for a message about hundreds of jobs, and no loop without an end.
const FUEL: u64 = 200_000;
const NAME: &str = "template";

/// A template in the language of Jinja. Clones share it.
#[derive(Clone)]
pub struct Template {
    source: Arc<str>,
    environment: Arc<Environment<'static>>,
}

/// A template that cannot be used. A key may stand in it, so nothing of its text is quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}", at_line(*.line))]
pub struct TemplateError {
    /// What is wrong, such as "syntax error".
    pub kind: String,
    /// In which line, from 1.
    pub line: Option<usize>,
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" (line {line} of the template)"))
        .unwrap_or_default()
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        Self {
            kind: error.kind().to_string(),
            line: error.line(),
        }
    }
}

impl Template {
    /// Reads a template. A name that nothing stands for is an error where it is used.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A line that holds a statement alone is no line of the message.
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.add_template_owned(NAME, source.to_owned())?;
        Ok(Self {
            source: source.into(),
            environment: Arc::new(environment),
        })
    }

    pub(super) fn render(&self, context: &impl Serialize) -> Result<String, TemplateError> {
        Ok(self.environment.get_template(NAME)?.render(Serde(context))?)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_template_is_told_with_its_line() {
        let error = Template::new("one\n{% if %}").unwrap_err();
        assert_eq!(error.line, Some(2), "{error}");
        let template = Template::new("{{ stat }}").unwrap();
        let error = template.render(&json!({"state": "FAILED"})).unwrap_err();
        assert!(error.to_string().contains("undefined"), "{error}");
    }

    #[test]
    fn a_template_that_does_not_end_is_ended() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
        assert!(Template::new(endless).unwrap().render(&json!({})).is_err());
    }
}
