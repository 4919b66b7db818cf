//! The entries that say who we are to a registry.

use std::collections::BTreeSet;

use steadfast_modules::{RegistryHost, is_registry};

use super::quote::without_user;
use super::{Checker, file};

impl Checker<'_> {
    pub(super) fn registries(&mut self, entries: &[file::Registry]) -> Vec<RegistryHost> {
        let mut hosts = BTreeSet::new();
        entries
            .iter()
            .map(|entry| {
                let host = entry.host.get_ref();
                if !is_registry(host) {
                    self.refuse(
                        entry.host.span(),
                        format!("registry.host `{}` is not HOST or HOST:PORT", without_user(host)),
                        "write what stands behind oci:// in a reference, such as \"registry.example.com\"",
                    );
                }
                if !hosts.insert(host) {
                    self.refuse(
                        entry.host.span(),
                        format!("two [[registry]] entries are for `{host}`"),
                        "keep one of them",
                    );
                }
                self.registry(entry)
            })
            .collect()
    }

    fn registry(&mut self, entry: &file::Registry) -> RegistryHost {
        let login = match (&entry.username, &entry.password_file) {
            (Some(username), Some(file)) => {
                Some((username.get_ref().clone(), self.file(file, "registry.password_file")))
            }
            (Some(alone), None) => {
                self.refuse(
                    alone.span(),
                    "registry.username has no password",
                    "add password_file, or remove username",
                );
                None
            }
            (None, Some(alone)) => {
                self.refuse(
                    alone.span(),
                    "registry.password_file does not say whose password it holds",
                    "add username, or remove password_file",
                );
                None
            }
            (None, None) => None,
        };
        if let Some(ca_file) = &entry.ca_file
            && entry.insecure
        {
            self.refuse(
                ca_file.span(),
                "registry.ca_file vouches for certificates, and insecure = true asks for none",
                "remove one of the two",
            );
        }
        RegistryHost {
            host: entry.host.get_ref().clone(),
            login,
            insecure: entry.insecure,
            ca_file: entry.ca_file.as_ref().map(|file| self.file(file, "registry.ca_file")),
        }
    }
}
