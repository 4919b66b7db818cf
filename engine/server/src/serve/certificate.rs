//! What is read of a certificate.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use steadfast_core::foreign_text::is_harmful;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The longest name, in characters: as long as that of an author. A longer one is none, as a part of it may be another's.
const NAME: usize = 256;

/// Whom a certificate names: the subject's common name, or else its first other name (URI, mail address or DNS name).
pub(super) fn name(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let name = common_name(&certificate).or_else(|| alternative_name(&certificate))?;
    let is_name = !name.trim().is_empty() && name.chars().count() <= NAME && !name.contains(is_harmful);
    is_name.then(|| name.into())
}

fn common_name(certificate: &Certificate) -> Option<String> {
    let subject = certificate.tbs_certificate().subject();
    let mut attributes = subject.iter_rdn().flat_map(|names| names.iter());
    let value = &attributes.find(|attribute| attribute.oid == CN)?.value;
    let utf8 = value
        .decode_as::<Utf8StringRef<'_>>()
        .map(|text| text.as_str().to_owned());
    utf8.or_else(|_| {
        value
            .decode_as::<PrintableStringRef<'_>>()
            .map(|text| text.as_str().to_owned())
    })
    .ok()
}

fn alternative_name(certificate: &Certificate) -> Option<String> {
    let (_, SubjectAltName(names)) = certificate.tbs_certificate().get_extension().ok()??;
    names.into_iter().find_map(|name| match name {
        GeneralName::UniformResourceIdentifier(name) | GeneralName::Rfc822Name(name) | GeneralName::DnsName(name) => {
            Some(name.to_string())
        }
        GeneralName::OtherName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    })
}

/// From when until when it is valid, in seconds since 1970.
pub(super) fn validity(certificate: &CertificateDer<'_>) -> Option<(u64, u64)> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate().validity();
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    Some((seconds(validity.not_before), seconds(validity.not_after)))
}
