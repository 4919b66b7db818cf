//! What ails a connection that does not come to be encrypted, in words that say what to do.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// Why two ends do not agree on encryption, where there is something to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The certificate of the other end is for other names.
    #[error(
        "its certificate is for another name; ask it by a name that the certificate holds, or have that name put into it"
    )]
    Name,
    /// Its certificate is of a form that is no longer taken.
    #[error(
        "its certificate is of X.509 version 1; have one made of version 3 (openssl makes one as soon as it is given extensions)"
    )]
    Version,
    /// Its certificate is out of its time, by the clock of this machine.
    #[error("its certificate is not valid at this time; have it renewed, or set this machine's clock")]
    Time,
    /// Nobody who is believed vouches for its certificate.
    #[error("nobody who is believed vouches for its certificate; name the authority that does")]
    Authority,
    /// The other end broke off, and gave our certificate, or that there is none, as its reason.
    #[error("it does not take the client certificate, or wants one")]
    Client,
    /// What answers there is not encrypted.
    #[error("it does not speak TLS; write http:// instead of https://")]
    Plain,
}

impl TlsFault {
    /// What is the matter, if TLS is the matter, in an error of a client's or in one of its causes.
    pub fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            let tls = innermost(error).downcast_ref::<Error>();
            if let Some(fault) = tls.and_then(Self::known) {
                return Some(fault);
            }
            next = error.source();
        }
        None
    }

    fn known(error: &Error) -> Option<Self> {
        if let Error::InvalidCertificate(why) = error {
            return Self::of_certificate(why);
        }
        if matches!(error, Error::InvalidMessage(InvalidMessage::InvalidContentType)) {
            return Some(Self::Plain);
        }
        let is_about_ours = matches!(
            error,
            Error::AlertReceived(
                AlertDescription::BadCertificate
                    | AlertDescription::UnsupportedCertificate
                    | AlertDescription::CertificateRevoked
                    | AlertDescription::CertificateExpired
                    | AlertDescription::CertificateUnknown
                    | AlertDescription::CertificateRequired
                    | AlertDescription::UnknownCA
                    | AlertDescription::AccessDenied
            )
        );
        is_about_ours.then_some(Self::Client)
    }

    fn of_certificate(why: &CertificateError) -> Option<Self> {
        use CertificateError as Why;
        // The library keeps this one to itself, and has a text for it alone.
        let is_version = matches!(why, Why::Other(other) if format!("{other:?}").contains("UnsupportedCertVersion"));
        let known = [
            (Self::Version, is_version),
            (
                Self::Name,
                matches!(why, Why::NotValidForName | Why::NotValidForNameContext { .. }),
            ),
            (Self::Authority, matches!(why, Why::UnknownIssuer | Why::BadSignature)),
            (
                Self::Time,
                matches!(
                    why,
                    Why::Expired | Why::ExpiredContext { .. } | Why::NotValidYet | Why::NotValidYetContext { .. }
                ),
            ),
        ];
        known.into_iter().find_map(|(fault, is_it)| is_it.then_some(fault))
    }
}

/// What an I/O error is made of, which is none of its causes; anything else as it is.
fn innermost<'error>(error: &'error (dyn StdError + 'static)) -> &'error (dyn StdError + 'static) {
    let mut error = error;
    while let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = inner;
    }
    error
}
