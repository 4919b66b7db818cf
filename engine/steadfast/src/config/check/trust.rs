//! The keys of a policy that say where its module is and what it must show.

use steadfast_modules::{Digest, ModuleRef, PublicKey, Trust, Version};
use toml::Spanned;

use super::quote::without_user;
use super::{Checker, Modules, file};

impl Checker<'_> {
    pub(super) fn module(&mut self, module: &Spanned<String>) -> ModuleRef {
        let text = module.get_ref();
        let parsed = match ModuleRef::parse(text) {
            Ok(parsed) => parsed.below(self.folder),
            Err(error) => {
                let text = without_user(text);
                self.refuse(module.span(), format!("policy.module `{text}` {error}"), error.fix());
                return ModuleRef::Builtin(String::new());
            }
        };
        match &parsed {
            ModuleRef::Builtin(name) if steadfast_host::builtin::find(name).is_none() => self.refuse(
                module.span(),
                format!("there is no built-in policy `{name}`"),
                "use builtin:conservative",
            ),
            ModuleRef::File(_) if self.modules == Modules::MustBeThere => drop(self.file(module, "policy.module")),
            ModuleRef::Builtin(_) | ModuleRef::File(_) | ModuleRef::Oci(_) => {}
        }
        parsed
    }

    /// What the entry asks of its module.
    pub(super) fn trust(&mut self, entry: &file::Policy, module: &ModuleRef) -> Trust {
        let trust = Trust {
            sha256: entry.sha256.as_ref().and_then(|pin| self.pin(pin)),
            keys: self.public_keys(entry, module),
            signature: entry.signature.as_ref().map(|path| self.file(path, "policy.signature")),
        };
        if let Some(signature) = &entry.signature {
            self.signature_has_its_place(signature, entry, module);
        }
        if let ModuleRef::Oci(artifact) = module
            && let Version::Tag(tag) = &artifact.version
            && entry.sha256.is_none()
            && entry.public_key.is_none()
        {
            self.refuse(
                entry.module.span(),
                format!("policy.module is named by the tag `{tag}`, which may name other bytes tomorrow"),
                "name it by its digest, which `steadfast policy pull` prints, or add sha256 or public_key",
            );
        }
        trust
    }

    fn pin(&mut self, pin: &Spanned<String>) -> Option<Digest> {
        Digest::parse(pin.get_ref())
            .map_err(|error| {
                self.refuse(
                    pin.span(),
                    format!("policy.sha256: {error}"),
                    "write what `sha256sum MODULE` or `steadfast policy inspect MODULE` prints",
                );
            })
            .ok()
    }

    fn public_keys(&mut self, entry: &file::Policy, module: &ModuleRef) -> Vec<PublicKey> {
        let Some(written) = &entry.public_key else {
            return Vec::new();
        };
        if matches!(module, ModuleRef::Builtin(_)) {
            self.refuse(
                written.span(),
                "a built-in policy is part of this program and carries no signature of its own",
                "remove public_key; sha256 pins a built-in policy as well",
            );
        } else if written.get_ref().0.is_empty() {
            self.refuse(
                written.span(),
                "policy.public_key is an empty list, so nobody could sign",
                "name a key, or remove public_key",
            );
        }
        let paths = written.get_ref().0.iter();
        let placed = paths.map(|path| Spanned::new(written.span(), path.clone()));
        placed.filter_map(|path| self.public_key(&path)).collect()
    }

    fn public_key(&mut self, path: &Spanned<String>) -> Option<PublicKey> {
        let mistakes = self.mistakes.len();
        let file = self.file(path, "policy.public_key");
        if self.mistakes.len() > mistakes {
            return None;
        }
        let read = steadfast_files::read(&file, steadfast_files::SMALL);
        let pem = match &read {
            Ok(bytes) => String::from_utf8_lossy(bytes),
            Err(error) => {
                let rule = format!("policy.public_key: {} cannot be read: {error}", file.display());
                self.refuse(path.span(), rule, "name a file that this user may read");
                return None;
            }
        };
        PublicKey::from_pem(&pem)
            .map_err(|error| {
                let rule = format!("policy.public_key: {} cannot be used: {error}", file.display());
                self.refuse(path.span(), rule, error.fix());
            })
            .ok()
    }

    fn signature_has_its_place(&mut self, signature: &Spanned<String>, entry: &file::Policy, module: &ModuleRef) {
        let (rule, fix) = match module {
            ModuleRef::Oci(_) => (
                "policy.signature is for files, and this module is in a registry, beside its signatures",
                "remove signature; `steadfast policy push --sign` and `cosign sign` put it where it is looked for",
            ),
            ModuleRef::Builtin(_) | ModuleRef::File(_) if entry.public_key.is_none() => (
                "policy.signature is of no use without a key to check it with",
                "add public_key, or remove signature",
            ),
            ModuleRef::Builtin(_) | ModuleRef::File(_) => return,
        };
        self.refuse(signature.span(), rule, fix);
    }
}
