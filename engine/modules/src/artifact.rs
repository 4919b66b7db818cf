//! How a module stands in a registry: the CNCF layout for WebAssembly, so that other tools read it as well.
//!
//! A manifest names a configuration, which describes the module for people and tools, and one layer, the module.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Digest, MAX_MODULE};

/// The media type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a WebAssembly artifact's configuration.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of a WebAssembly module or component.
const WASM: &str = "application/wasm";

/// A manifest, as far as it matters here.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u8,
    media_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// What a manifest says of one of its parts.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    /// Its length in bytes.
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
        }
    }
}

impl Manifest {
    pub(crate) fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config,
            layers,
        }
    }

    /// Reads a manifest; the error says what else it is.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| {
            let is_index = serde_json::from_slice::<serde_json::Value>(bytes)
                .is_ok_and(|json| json.get("manifests").is_some_and(serde_json::Value::is_array));
            if is_index {
                "it is an index of several manifests".to_owned()
            } else {
                format!("its manifest cannot be read: {error}")
            }
        })
    }

    pub(crate) fn to_bytes(&self) -> serde_json::Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// The one layer that is the module; the error says what is there instead.
    pub(crate) fn module(&self) -> Result<&Descriptor, String> {
        match self.layers.as_slice() {
            [layer] if layer.media_type == WASM && layer.size <= MAX_MODULE as u64 => Ok(layer),
            [layer] if layer.media_type == WASM => Err(format!(
                "it has {} bytes, more than the {MAX_MODULE} a module may have",
                layer.size
            )),
            [layer] => Err(format!("its layer is of the type {}, not {WASM}", layer.media_type)),
            layers => Err(format!("it has {} layers", layers.len())),
        }
    }
}

/// What a module shows to the outside, for people and tools that look into a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outline {
    /// A core module.
    Module,
    /// A component.
    Component {
        /// The names of what it imports.
        imports: Vec<String>,
        /// The names of what it exports.
        exports: Vec<String>,
    },
}

/// A module as it is pushed: the same bytes always make the same manifest.
pub(crate) struct Artifact {
    pub(crate) config: Bytes,
    pub(crate) manifest: Bytes,
}

impl Artifact {
    pub(crate) fn of(module: &[u8], outline: &Outline) -> serde_json::Result<Self> {
        let config = describe(module, outline);
        let manifest = Manifest::new(Descriptor::of(CONFIG, &config), vec![Descriptor::of(WASM, module)]).to_bytes()?;
        Ok(Self { config, manifest })
    }
}

/// The configuration. It holds no time of its own, so that pushing twice changes nothing.
fn describe(module: &[u8], outline: &Outline) -> Bytes {
    // The layout knows two systems; which one is told by the encoding, whether or not WASI is used.
    let (system, component) = match outline {
        Outline::Module => ("wasip1", None),
        Outline::Component { imports, exports } => ("wasip2", Some(json!({ "imports": imports, "exports": exports }))),
    };
    let mut config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": system,
        "layerDigests": [Digest::of(module)],
    });
    if let (Some(component), Some(fields)) = (component, config.as_object_mut()) {
        fields.insert("component".into(), component);
    }
    Bytes::from(config.to_string())
}

#[cfg(test)]
mod tests;
