//! Texts of others within a message to a chat: nobody who runs a job calls together a whole room, or writes a link that says
//! where it does not lead.
//!
//! What calls somebody begins with `@` (Mattermost and Rocket.Chat take it from the text itself), with `<!`, `<@` or `<at ` (Slack,
//! Mattermost, WeCom, Feishu); a link with a text of its own has `](`, or `][`, or a definition `]:` (Mattermost, Rocket.Chat,
//! Feishu), or `<` before the address (Slack, Mattermost). No vendor has a way to write these as they are that all of them
//! understand, so each is parted by a blank that has no width.

/// A blank that shows nothing.
const NOTHING: char = '\u{200b}';

/// The text with nothing in it that a chat would obey.
pub(super) fn tamed(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        tamed.push(character);
        let next = characters.peek();
        let is_sign = match character {
            '@' | '<' => next.is_some_and(|next| !next.is_whitespace()),
            ']' => next.is_some_and(|next| matches!(next, '(' | '[' | ':')),
            _ => false,
        };
        if is_sign {
            tamed.push(NOTHING);
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_and_no_link_has_another_text() {
        for call in [
            "@channel",
            "@all",
            "@here",
            "<!channel>",
            "<@U123>",
            "<at user_id=\"all\">everyone</at>",
            "[x](http://evil)",
            "![x](http://evil)",
            "[x][1]",
            "[1]: http://evil",
            "<http://evil|x>",
        ] {
            let tamed = tamed(&format!("boom {call} x"));
            for sign in ["@c", "@a", "@h", "<!", "<@", "<a", "</", "](", "][", "]:", "<h"] {
                assert!(!tamed.contains(sign), "{tamed}");
            }
            assert_eq!(
                tamed.replace(NOTHING, ""),
                format!("boom {call} x"),
                "it reads as it was"
            );
        }
        for plain in [
            "a/n/x: RUNNING -> FAILED",
            "1 < 2, [FIRING] a[0]",
            "who @ where",
            "https://flink.example/x",
        ] {
            assert_eq!(tamed(plain), plain);
        }
    }
}
