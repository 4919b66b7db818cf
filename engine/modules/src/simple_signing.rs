//! Signatures of artifacts, as cosign keeps them: an artifact of their own under the tag `sha256-HEX.sig`.
//!
//! Each of its layers is a payload that names the signed manifest's digest; the layer's annotation is the signature
//! of that payload.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::artifact::{Descriptor, Manifest};
use crate::{Digest, Signature};

/// The annotation with the signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The media type of a payload.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The media type of the configuration, which for tools that know only images says that there is nothing in it.
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// What a payload says that it is.
const KIND: &str = "cosign container image signature";

/// The most a payload may hold, in bytes; cosign's have three hundred.
pub(crate) const MAX_PAYLOAD: u64 = 64 << 10;
/// The most signatures of one artifact that are looked at.
pub(crate) const MAX_SIGNATURES: usize = 64;

/// The layers that may be signatures, each with the signature of its payload.
pub(crate) fn signatures(manifest: &Manifest) -> impl Iterator<Item = (&Descriptor, Signature)> {
    manifest
        .layers
        .iter()
        .filter(|layer| layer.media_type == PAYLOAD && layer.size <= MAX_PAYLOAD)
        .filter_map(|layer| Some((layer, Signature::parse(layer.annotations.get(SIGNATURE)?).ok()?)))
        .take(MAX_SIGNATURES)
}

/// Whether a payload, whose signature was verified, is about that manifest.
pub(crate) fn is_about(payload: &[u8], manifest: Digest) -> bool {
    #[derive(Deserialize)]
    struct Payload {
        critical: Critical,
    }
    #[derive(Deserialize)]
    struct Critical {
        image: Image,
        r#type: String,
    }
    #[derive(Deserialize)]
    struct Image {
        #[serde(rename = "docker-manifest-digest")]
        digest: Digest,
    }
    serde_json::from_slice::<Payload>(payload)
        .is_ok_and(|payload| payload.critical.r#type == KIND && payload.critical.image.digest == manifest)
}

/// The payload that says: this manifest, in this repository.
pub(crate) fn payload(repository: &str, manifest: Digest) -> Bytes {
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": manifest },
            "type": KIND,
        },
        "optional": null,
    });
    Bytes::from(payload.to_string())
}

/// The manifest of signatures with one more, and its configuration.
pub(crate) fn with_another(
    earlier: Vec<Descriptor>,
    payload: &[u8],
    signature: &Signature,
) -> serde_json::Result<(Bytes, Bytes)> {
    let mut layer = Descriptor::of(PAYLOAD, payload);
    layer.annotations.insert(SIGNATURE.into(), signature.to_base64());
    let layers: Vec<Descriptor> = earlier.into_iter().chain([layer]).collect();
    let digests: Vec<Digest> = layers.iter().map(|layer| layer.digest).collect();
    let config = json!({
        "architecture": "",
        "os": "",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": digests },
    });
    let config = Bytes::from(config.to_string());
    let manifest = Manifest::new(Descriptor::of(CONFIG, &config), layers).to_bytes()?;
    Ok((manifest, config))
}

#[cfg(test)]
mod tests;
