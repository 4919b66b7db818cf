//! The last module of each policy that was good, and what was refused since.
//!
//! A start must not depend on what has become of a file since the engine last read it: what a reload refuses, with everybody
//! watched all the same, would keep the next start from watching anybody. So the module that decided last is kept with how
//! it was run, one file a policy of one engine, and beside it which other one was refused and why.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use steadfast_cache::PrivateFolder;

use crate::{Digest, MAX_MODULE, Module, ModuleRef, Origin, Provenance, Trust, Version};

/// The most that is said of a module beside its bytes, in bytes: parameters for the greater part.
const MAX_HEADER: usize = 1 << 20;

/// How a policy runs its module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWith {
    /// Its parameters, as JSON.
    pub params: String,
    /// How long a decision may take, in milliseconds.
    pub deadline_millis: u64,
    /// How much memory it may use, in bytes.
    pub memory_bytes: u64,
}

/// A module that was good.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The module, which is what it was; it comes from the cache.
    pub module: Module,
    /// How it was run.
    pub with: RunWith,
}

/// Where the last good modules of one engine are.
#[derive(Clone, Debug)]
pub struct LastGood {
    folder: PrivateFolder,
    engine: PathBuf,
}

/// What is written before the module's bytes, on one line. Those of a built-in one are not kept: they come with the program.
#[derive(Serialize, Deserialize)]
struct Header {
    reference: String,
    sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_by: Option<Digest>,
    with: RunWith,
}

/// A module that was refused.
#[derive(Serialize, Deserialize)]
struct Refused {
    sha256: Digest,
    with: RunWith,
    why: String,
}

impl LastGood {
    /// In that folder, of the engine that was started from that file: each has its own. Only the user who runs the engine may
    /// be able to write to the folder; else nothing is read from it.
    pub fn new(dir: PathBuf, engine: &Path) -> Self {
        Self {
            folder: PrivateFolder::new(dir),
            engine: std::path::absolute(engine).unwrap_or_else(|_| engine.to_owned()),
        }
    }

    /// Keeps the module that decides for a policy. Failing to is no failure: should the module become unusable, the next start
    /// has nothing in its place.
    pub fn keep(&self, policy: &str, module: &Module, with: &RunWith) {
        let Module { bytes, provenance } = module;
        let header = Header {
            reference: provenance.reference.to_string(),
            sha256: provenance.sha256,
            manifest: provenance.manifest,
            signed_by: provenance.signed_by,
            with: with.clone(),
        };
        let bytes: &[u8] = match provenance.reference {
            ModuleRef::Builtin(_) => &[],
            ModuleRef::File(_) | ModuleRef::Oci(_) => bytes,
        };
        let header = serde_json::to_vec(&header).unwrap_or_default();
        self.write(&self.name(policy, "good"), &[&header, b"\n", bytes]);
    }

    /// The module that decided last for a policy, if the configuration trusts it as it stands now: the pin and the keys hold
    /// for it as for any other. `builtin` finds what comes with the program.
    pub fn kept(
        &self,
        policy: &str,
        reference: &ModuleRef,
        trust: &Trust,
        builtin: impl Fn(&str) -> Option<&'static [u8]>,
    ) -> Option<Kept> {
        let content = self.folder.read(&self.name(policy, "good"), MAX_MODULE + MAX_HEADER)?;
        let end = content.iter().position(|byte| *byte == b'\n')?;
        let (header, bytes) = content.split_at_checked(end)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let own = ModuleRef::parse(&header.reference).ok()?;
        let bytes = match &own {
            ModuleRef::Builtin(name) => Bytes::from_static(builtin(name)?),
            ModuleRef::File(_) | ModuleRef::Oci(_) => Bytes::copy_from_slice(bytes.get(1..)?),
        };
        let sha256 = Digest::of(&bytes);
        let is_builtin = matches!(own, ModuleRef::Builtin(_));
        let is_whole = is_builtin || sha256 == header.sha256;
        let provenance = Provenance {
            reference: own,
            from: Origin::Cache,
            sha256,
            manifest: header.manifest,
            is_pinned: trust.sha256.is_some(),
            signed_by: header.signed_by,
        };
        (is_whole && is_trusted(&provenance, reference, trust)).then_some(Kept {
            module: Module { bytes, provenance },
            with: header.with,
        })
    }

    /// Notes that a policy's module was refused, run like that.
    pub fn refuse(&self, policy: &str, sha256: Digest, with: &RunWith, why: &str) {
        let refused = Refused {
            sha256,
            with: with.clone(),
            why: why.to_owned(),
        };
        let text = serde_json::to_vec(&refused).unwrap_or_default();
        self.write(&self.name(policy, "refused"), &[&text]);
    }

    /// Why that module was refused last, run like that; `None` if it was not.
    pub fn refusal(&self, policy: &str, sha256: Digest, with: &RunWith) -> Option<String> {
        let text = self.folder.read(&self.name(policy, "refused"), MAX_HEADER)?;
        let refused: Refused = serde_json::from_slice(&text).ok()?;
        (refused.sha256 == sha256 && refused.with == *with).then_some(refused.why)
    }

    /// The file of a policy of this engine.
    fn name(&self, policy: &str, kind: &str) -> String {
        let mut name = self.engine.clone().into_os_string().into_encoded_bytes();
        name.push(b'\n');
        name.extend(policy.as_bytes());
        format!("{}.{kind}", Digest::of(&name))
    }

    fn write(&self, name: &str, parts: &[&[u8]]) {
        if let Err(error) = self.folder.write(name, parts) {
            tracing::warn!(path = %self.folder.path(name).display(), %error, "the last good module of a policy could not be kept; if its file breaks, the next start has nothing in its place");
        }
    }
}

/// Whether what the configuration asks for of a policy's module allows one that was trusted before.
fn is_trusted(kept: &Provenance, named: &ModuleRef, trust: &Trust) -> bool {
    let is_pinned = trust.sha256.is_none_or(|pinned| pinned == kept.sha256);
    let by_digest = match named {
        ModuleRef::Oci(artifact) => match artifact.version {
            Version::Digest(manifest) => Some(manifest),
            Version::Tag(_) => None,
        },
        ModuleRef::Builtin(_) | ModuleRef::File(_) => None,
    };
    let is_named = by_digest.is_none_or(|manifest| kept.manifest == Some(manifest));
    let may_sign = |key: crate::Digest| trust.keys.iter().any(|trusted| trusted.fingerprint() == key);
    let is_signed = trust.keys.is_empty() || kept.signed_by.is_some_and(may_sign);
    is_pinned && is_named && is_signed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, PrivateKey};

    fn made_key() -> crate::PublicKey {
        let pem = PrivateKey::generate(Algorithm::Ed25519).unwrap();
        PrivateKey::from_pem(&pem).unwrap().public().clone()
    }

    fn last_good(folder: &tempfile::TempDir, engine: &str) -> LastGood {
        LastGood::new(folder.path().join("last"), Path::new(engine))
    }

    fn module(text: &'static str) -> Module {
        Module {
            bytes: Bytes::from_static(text.as_bytes()),
            provenance: Provenance {
                reference: ModuleRef::File("/somewhere/own.wasm".into()),
                from: Origin::File,
                sha256: Digest::of(text.as_bytes()),
                manifest: None,
                is_pinned: false,
                signed_by: None,
            },
        }
    }

    fn with(params: &str) -> RunWith {
        RunWith {
            params: params.into(),
            deadline_millis: 50,
            memory_bytes: 1 << 20,
        }
    }

    fn kept(last: &LastGood, policy: &str, trust: &Trust) -> Option<(Bytes, RunWith)> {
        let named = ModuleRef::File("/elsewhere/newer.wasm".into());
        let kept = last.kept(policy, &named, trust, |_| Some(b"built in"))?;
        Some((kept.module.bytes, kept.with))
    }

    #[test]
    fn the_last_one_of_each_policy_of_each_engine_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (last_good(&folder, "/one.toml"), last_good(&folder, "/two.toml"));
        assert!(kept(&one, "p", &Trust::default()).is_none());
        one.keep("p", &module("first\nbytes"), &with("{}"));
        one.keep("p", &module("second\nbytes"), &with("{\"a\":1}"));
        let (bytes, found) = kept(&one, "p", &Trust::default()).unwrap();
        assert_eq!((bytes, found), ("second\nbytes".into(), with("{\"a\":1}")));
        assert!(kept(&one, "q", &Trust::default()).is_none() && kept(&two, "p", &Trust::default()).is_none());
    }

    #[test]
    fn what_the_configuration_does_not_trust_now_is_not_handed_out() {
        let folder = tempfile::tempdir().unwrap();
        let last = last_good(&folder, "/one.toml");
        let key = made_key();
        let mut signed = module("signed");
        signed.provenance.signed_by = Some(key.fingerprint());
        let other = made_key();
        let keys = |key: &crate::PublicKey| Trust {
            keys: vec![key.clone()],
            ..Trust::default()
        };
        let pin = |text: &str| Trust {
            sha256: Some(Digest::of(text.as_bytes())),
            ..Trust::default()
        };
        last.keep("p", &signed, &with("{}"));
        assert!(kept(&last, "p", &keys(&key)).is_some() && kept(&last, "p", &keys(&other)).is_none());
        assert!(kept(&last, "p", &pin("signed")).is_some() && kept(&last, "p", &pin("other")).is_none());
        last.keep("p", &module("signed"), &with("{}"));
        assert!(kept(&last, "p", &keys(&key)).is_none(), "nobody signed it");
    }

    #[test]
    fn a_damaged_one_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let last = last_good(&folder, "/one.toml");
        last.keep("p", &module("whole"), &with("{}"));
        let file = last.folder.path(&last.name("p", "good"));
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.pop();
        std::fs::write(&file, bytes).unwrap();
        assert!(kept(&last, "p", &Trust::default()).is_none());
    }

    #[test]
    fn a_built_in_one_is_that_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let last = last_good(&folder, "/one.toml");
        let mut builtin = module("of an older program");
        builtin.provenance.reference = ModuleRef::Builtin("conservative".into());
        last.keep("p", &builtin, &with("{}"));
        assert_eq!(kept(&last, "p", &Trust::default()).unwrap().0, "built in");
    }

    #[test]
    fn a_refusal_is_of_a_module_as_it_was_run() {
        let folder = tempfile::tempdir().unwrap();
        let last = last_good(&folder, "/one.toml");
        let digest = Digest::of(b"bad");
        last.refuse("p", digest, &with("{}"), "it traps");
        assert_eq!(last.refusal("p", digest, &with("{}")).unwrap(), "it traps");
        assert_eq!(last.refusal("p", digest, &with("{\"a\":1}")), None);
        assert_eq!(last.refusal("p", Digest::of(b"good"), &with("{}")), None);
    }
}
