//! Robots of group chats: what each is sent, and what its answer means. All four answer 200 to much that they do not take; the
//! body says so.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::deliver::{DeliveryError, Refusal};
use super::message::json;
use super::signing;

/// A group chat that takes messages by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chat {
    /// Slack's incoming webhooks, and who takes the same: Mattermost, Rocket.Chat.
    Slack,
    /// DingTalk's custom robots.
    DingTalk,
    /// WeCom's group robots.
    WeCom,
    /// Feishu's custom bots, and Lark's.
    Feishu,
}

/// What an answer's body may say. Receivers differ in what they have of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    ok: Option<bool>,
    success: Option<bool>,
    error: Option<String>,
    errcode: Option<i64>,
    errmsg: Option<String>,
    code: Option<i64>,
    msg: Option<String>,
    #[serde(rename = "StatusCode")]
    status_code: Option<i64>,
}

impl Chat {
    /// How long a text may be, in bytes of the JSON that it is sent as, with room for what stands around it: by the vendors'
    /// documents, some of which count the text alone and some the whole body.
    const fn limit(self) -> usize {
        match self {
            Self::Slack => 30_000,
            Self::DingTalk => 18_000,
            Self::WeCom => 2_000,
            Self::Feishu => 18_000,
        }
    }

    /// The request's body.
    pub(super) fn body(self, text: &str) -> String {
        let text = self.cut(text);
        json(&match self {
            Self::Slack => {
                let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                json!({"text": escaped})
            }
            Self::DingTalk | Self::WeCom => json!({"msgtype": "text", "text": {"content": text}}),
            Self::Feishu => json!({"msg_type": "text", "content": {"text": text}}),
        })
    }

    /// As much of a text as may be sent.
    fn cut(self, text: &str) -> String {
        const MARK: &str = "…";
        let most = self.limit() - MARK.len();
        let (mut length, mut end) = (0, text.len());
        for (at, character) in text.char_indices() {
            if length <= most {
                end = at;
            }
            length += self.sent_as(character);
        }
        if length <= self.limit() {
            return text.to_owned();
        }
        format!("{}{MARK}", text.get(..end).unwrap_or_default())
    }

    /// How many bytes a character of a text is in the body.
    fn sent_as(self, character: char) -> usize {
        match character {
            '&' if self == Self::Slack => "&amp;".len(),
            '<' | '>' if self == Self::Slack => "&lt;".len(),
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => "\\u0000".len(),
            _ => character.len_utf8(),
        }
    }

    /// What the query of the URL has beside what the file says.
    pub(super) fn query(self, secret: Option<&str>, millis: i64) -> Vec<(&'static str, String)> {
        match (self, secret) {
            (Self::DingTalk, Some(secret)) => vec![
                ("timestamp", millis.to_string()),
                ("sign", signing::dingtalk(secret, millis)),
            ],
            (Self::DingTalk, None) | (Self::Slack | Self::WeCom | Self::Feishu, _) => Vec::new(),
        }
    }

    /// The body as it is sent at that time.
    pub(super) fn signed(self, body: &str, secret: Option<&str>, millis: i64) -> String {
        let (Self::Feishu, Some(secret)) = (self, secret) else {
            return body.to_owned();
        };
        let seconds = millis.div_euclid(1000);
        let mut members: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        members.insert("timestamp".to_owned(), seconds.to_string().into());
        members.insert("sign".to_owned(), signing::feishu(secret, seconds).into());
        json(&members)
    }

    /// Whether an answer with status 2xx says that the message was taken. What does not read, as a proxy's own page, says
    /// nothing of the kind.
    pub(super) fn took(self, body: &[u8]) -> Result<(), DeliveryError> {
        let answer: Option<Answer> = steadfast_http::json::from_slice(body).ok();
        match self {
            Self::Slack => {
                let answer = answer.unwrap_or_default();
                let says_ok = body.trim_ascii() == b"ok";
                match answer.ok.or(answer.success).or(says_ok.then_some(true)) {
                    Some(true) => Ok(()),
                    Some(false) => Err(refused("an error", answer.error.as_deref(), Refusal::ForNow, "")),
                    None => Err(no_answer_of_its_own("ok")),
                }
            }
            Self::DingTalk | Self::WeCom | Self::Feishu => {
                let answer = answer.unwrap_or_default();
                let (key, code, said) = self.code(&answer);
                match code {
                    Some(0) => Ok(()),
                    Some(code) => {
                        const UNKNOWN: &str = "look the code up in the vendor's document of robots";
                        let (refusal, fix) = self.of_code(code, said).unwrap_or((Refusal::ForNow, UNKNOWN));
                        Err(refused(&format!("{key} {code}"), said, refusal, fix))
                    }
                    None => Err(no_answer_of_its_own(key)),
                }
            }
        }
    }

    /// What the vendor's code says that an answer with another status than 2xx holds, where it holds one that is known.
    pub(super) fn known_code(self, body: &[u8]) -> Option<(Refusal, &'static str)> {
        let answer: Answer = steadfast_http::json::from_slice(body).ok()?;
        let (_, code, said) = self.code(&answer);
        self.of_code(code?, said)
    }

    /// The vendor's code in an answer, with its key and the words that stand beside it. Slack has none.
    fn code(self, answer: &Answer) -> (&'static str, Option<i64>, Option<&str>) {
        match self {
            Self::Slack => ("ok", None, None),
            Self::DingTalk | Self::WeCom => ("errcode", answer.errcode, answer.errmsg.as_deref()),
            Self::Feishu => ("code", answer.code.or(answer.status_code), answer.msg.as_deref()),
        }
    }

    /// What one of the vendor's codes says: whether it is about the message, and what mends it. `None` where it is not known.
    fn of_code(self, code: i64, said: Option<&str>) -> Option<(Refusal, &'static str)> {
        const TOKEN: &str =
            "take the URL anew from the robot's settings, and write it into sink.url or the file of sink.url_file";
        const SECURITY: &str = "compare the robot's security settings: its secret with sink.secret_file, its keywords with the \
                                text (sink.template), its addresses with this machine's; and this machine's clock";
        const SLOWER: &str = "nothing; the robot takes some twenty messages a minute, and the rest goes on by itself";
        const CONTENT: &str = "change sink.template: the vendor does not take such a text";
        // Feishu has one code for who is too fast and for a body that it cannot read.
        let is_unread = said.is_some_and(|said| said.trim().eq_ignore_ascii_case("bad request"));
        Some(match (self, code) {
            (Self::DingTalk, 310_000) | (Self::Feishu, 19_021 | 19_022 | 19_024) => (Refusal::ForNow, SECURITY),
            (Self::Feishu, 9_499) if is_unread => (Refusal::OfTheEvent, CONTENT),
            (Self::DingTalk, 130_101 | 410_100) | (Self::WeCom, 45_009 | 45_033) | (Self::Feishu, 9_499 | 11_232) => {
                (Refusal::ForNow, SLOWER)
            }
            (Self::DingTalk, 40_035 | 430_101..=430_104 | 460_101)
            | (Self::WeCom, 40_008 | 40_058 | 44_004 | 45_002)
            | (Self::Feishu, 19_002 | 11_246) => (Refusal::OfTheEvent, CONTENT),
            (Self::DingTalk, 300_001 | 300_005) | (Self::WeCom, 93_000 | 93_004) | (Self::Feishu, 19_001) => {
                (Refusal::ForNow, TOKEN)
            }
            (Self::Slack | Self::DingTalk | Self::WeCom | Self::Feishu, _) => return None,
        })
    }
}

fn refused(code: &str, said: Option<&str>, refusal: Refusal, fix: &'static str) -> DeliveryError {
    let said = said.map(|text| format!(": {text}")).unwrap_or_default();
    DeliveryError {
        refusal,
        fix,
        ..DeliveryError::for_now(format!("the receiver answered {code}{said}"))
    }
}

fn no_answer_of_its_own(key: &str) -> DeliveryError {
    DeliveryError {
        fix: "correct sink.url, or what sink.url_file holds: somebody else answers there",
        ..DeliveryError::for_now(format!("the receiver answered without `{key}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Chat; 4] = [Chat::Slack, Chat::DingTalk, Chat::WeCom, Chat::Feishu];

    #[test]
    fn each_is_sent_what_its_document_asks_for() {
        for (chat, body) in [
            (Chat::Slack, r#"{"text":"a &lt;b&gt; &amp; c"}"#),
            (Chat::DingTalk, r#"{"msgtype":"text","text":{"content":"a <b> & c"}}"#),
            (Chat::WeCom, r#"{"msgtype":"text","text":{"content":"a <b> & c"}}"#),
            (Chat::Feishu, r#"{"content":{"text":"a <b> & c"},"msg_type":"text"}"#),
        ] {
            let expected: Value = serde_json::from_str(body).unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&chat.body("a <b> & c")).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let body = Chat::WeCom.body(&"告".repeat(1000));
        let body: Value = serde_json::from_str(&body).unwrap();
        let content = body["text"]["content"].as_str().unwrap();
        assert!(content.len() <= 2048 && content.ends_with("告…"), "{}", content.len());
    }

    #[test]
    fn what_is_posted_of_a_long_text_is_as_short_as_the_vendor_wants_it_however_it_is_escaped() {
        for chat in ALL {
            for part in ["\n", "\"", "\u{1}", "\\", "&", "<b>", "a", "告", "😀\t"] {
                let body = chat.signed(&chat.body(&part.repeat(40_000)), Some("abc"), 1_700_000_000_000);
                let most = chat.limit() + 300;
                assert!(
                    body.len() <= most && body.len() > chat.limit() - 20,
                    "{chat:?} {part:?}: {}",
                    body.len()
                );
                assert!(body.contains('…'), "{chat:?} {part:?}");
            }
            let fits = "x".repeat(chat.limit());
            assert!(chat.body(&fits).contains(&fits), "{chat:?}: what fits is whole");
            let does_not = "x".repeat(chat.limit() + 1);
            assert!(chat.body(&does_not).contains("x…"), "{chat:?}");
        }
    }

    #[test]
    fn one_code_of_feishus_says_two_things() {
        let refusal = |msg: &str| {
            let body = format!(r#"{{"code":9499,"msg":"{msg}","data":{{}}}}"#);
            Chat::Feishu.known_code(body.as_bytes()).unwrap().0
        };
        assert_eq!(refusal("too many request"), Refusal::ForNow);
        assert_eq!(refusal("Bad Request"), Refusal::OfTheEvent);
        assert_eq!(Chat::Feishu.known_code(br#"{"code":1}"#), None);
        assert_eq!(Chat::Slack.known_code(br#"{"code":9499}"#), None);
    }

    #[test]
    fn dingtalk_signs_the_query_and_feishu_the_body() {
        let query = Chat::DingTalk.query(Some("SECabc"), 1_700_000_000_000);
        assert_eq!(query[0], ("timestamp", "1700000000000".to_owned()));
        assert_eq!(query[1], ("sign", signing::dingtalk("SECabc", 1_700_000_000_000)));
        let body = Chat::Feishu.signed(&Chat::Feishu.body("x"), Some("abc"), 1_700_000_000_999);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["timestamp"], "1700000000");
        assert_eq!(body["sign"], signing::feishu("abc", 1_700_000_000).as_str());
        assert_eq!(body["content"]["text"], "x");
        for chat in ALL {
            assert!(chat.query(None, 0).is_empty());
            assert_eq!(chat.signed("{}", None, 0), "{}");
        }
    }

    #[test]
    fn an_error_in_the_body_is_a_failure_though_the_status_is_200() {
        for (chat, body, is_taken) in [
            (Chat::Slack, "ok", true),
            (Chat::Slack, r#"{"ok":false,"error":"channel_not_found"}"#, false),
            (Chat::Slack, r#"{"success":true}"#, true),
            (Chat::Slack, "<html>login</html>", false),
            (Chat::DingTalk, r#"{"errcode":0,"errmsg":"ok"}"#, true),
            (Chat::DingTalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, false),
            (Chat::DingTalk, "<html>login</html>", false),
            (Chat::WeCom, r#"{"errcode":0,"errmsg":"ok"}"#, true),
            (
                Chat::WeCom,
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                false,
            ),
            (
                Chat::Feishu,
                r#"{"StatusCode":0,"StatusMessage":"success","code":0,"msg":"success"}"#,
                true,
            ),
            (Chat::Feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#, true),
            (Chat::Feishu, r#"{"code":19021,"msg":"sign match fail"}"#, false),
            (Chat::Feishu, "{}", false),
        ] {
            assert_eq!(chat.took(body.as_bytes()).is_ok(), is_taken, "{chat:?} {body}");
        }
        let refused = Chat::DingTalk
            .took(br#"{"errcode":430101,"errmsg":"bad link"}"#)
            .unwrap_err();
        assert_eq!(refused.refusal, Refusal::OfTheEvent);
        let later = Chat::WeCom.took(br#"{"errcode":45009,"errmsg":"freq"}"#).unwrap_err();
        assert_eq!(later.refusal, Refusal::ForNow);
    }
}
