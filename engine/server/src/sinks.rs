//! Sinks: the journal, delivered to others.
//!
//! A sink is four things, of which only the third does I/O:
//!
//! 1. a [`Selection`]: which entries of the journal it is told of;
//! 2. a [`Renderer`]: from those entries to [`Message`]s: one for each, one for all of a cause, or what stands now;
//! 3. a way to the receiver, [`Deliver`]: by HTTP ([`HttpPost`]) or SMTP ([`Mailer`]). What a request is at a given time
//!    ([`Protocol`], with its signature), and what an answer means, are pure as well;
//! 4. the verdict on the answer: taken, or a [`DeliveryError`] that says whether to try again.
//!
//! A [`Courier`] goes through the journal with them: at least once, in order for each job, each sink at its own place.
//!
//! A new kind is a variant of [`Receiver`]. One that tells of each event has a renderer like [`Renderer::CloudEvents`]; that of
//! Events of Kubernetes has a `Deliver` of its own over the cluster's client, outside of this crate. JobStatuses are no sink: they
//! say what is so now, many changes of a job are one write, and none is worth a place in the journal (`steadfast-job-statuses`).

mod address;
mod alertmanager;
mod board;
mod cause;
mod chat;
mod cloud_event;
mod courier;
mod deliver;
mod email;
mod http_post;
mod kubernetes_event;
mod message;
mod offering;
mod place;
mod receiver;
mod render;
mod secrets;
mod selection;
mod signing;
mod smtp;
mod tame;
mod telling;
mod template;
#[cfg(test)]
mod testing;

pub use address::{Address, check_url_file, http_url};
pub use board::SinkBoard;
pub use chat::Chat;
pub use courier::{Courier, Following, Sink, SinkPorts};
pub use deliver::{DELIVERY_DEADLINE, Deliver, DeliveryError, NotYet, Refusal, Taken};
pub use email::Mailer;
pub use http_post::{HttpPost, MediaType, NoWay, Protocol};
pub use lettre::message::Mailbox;
pub use message::{Message, Told};
pub use offering::SinkMetrics;
pub use place::cursor_name;
pub use receiver::{HttpReceiver, MailReceiver, MailSecurity, Receiver};
pub use render::{Renderer, Shape};
pub use selection::{Events, Selection};
pub use telling::try_template;
pub use template::{Template, TemplateError};
