//! `flink_auth` and `flink_ca_file`: what Flinks are shown, and who vouches for them.

use std::path::PathBuf;

use steadfast_sources::authorized::{FlinkAccess, FlinkAuth, check_ca_file, check_secret_file};
use toml::Spanned;

use super::{Checker, file};

const FORMS: &str = "write { user = \"NAME\", password_file = \"FILE\" } or { token_file = \"FILE\" }";

impl Checker<'_> {
    pub(super) fn flink_access(
        &mut self,
        auth: Option<&Spanned<file::FlinkAuth>>,
        ca_file: Option<&Spanned<String>>,
        proxied: Option<&'static str>,
    ) -> FlinkAccess {
        let place = auth.map(Spanned::span).or(ca_file.map(Spanned::span));
        if let (Some(place), Some(why)) = (place, proxied) {
            self.refuse(
                place,
                format!("flink_auth and flink_ca_file are for Flinks that are reached directly, and {why}"),
                "use flink_rest = \"service\", \"pod\" or a URL, or remove them",
            );
            return FlinkAccess::default();
        }
        FlinkAccess {
            auth: auth.and_then(|auth| self.flink_auth(auth)),
            ca_file: ca_file.map(|file| self.ca_file(file, "flink_ca_file")),
        }
    }

    pub(super) fn ca_file(&mut self, path: &Spanned<String>, key: &str) -> PathBuf {
        let fix = "write certificates in PEM there, each between -----BEGIN CERTIFICATE----- and its end";
        self.file_with(path, key, check_ca_file, fix)
    }

    pub(super) fn secret_file(&mut self, path: &Spanned<String>, key: &str) -> PathBuf {
        let fix = "write one line there, and let the engine's user read it";
        self.file_with(path, key, check_secret_file, fix)
    }

    fn flink_auth(&mut self, auth: &Spanned<file::FlinkAuth>) -> Option<FlinkAuth> {
        let file::FlinkAuth {
            user,
            password_file,
            token_file,
        } = auth.get_ref();
        match (user, password_file, token_file) {
            (Some(user), Some(_), None) if user.contains(':') => {
                self.refuse(
                    auth.span(),
                    "flink_auth.user has a colon, which basic authentication cannot carry",
                    "use a name without one",
                );
                None
            }
            (Some(user), Some(password), None) => Some(FlinkAuth::Basic {
                user: user.clone(),
                password_file: self.secret_file(password, "flink_auth.password_file"),
            }),
            (None, None, Some(token)) => Some(FlinkAuth::Bearer {
                token_file: self.secret_file(token, "flink_auth.token_file"),
            }),
            (Some(_), None, None) => {
                self.refuse(auth.span(), "flink_auth.user has no password", FORMS);
                None
            }
            (None, Some(_), None) => {
                let rule = "flink_auth.password_file does not say whose password it holds";
                self.refuse(auth.span(), rule, FORMS);
                None
            }
            (None, None, None) => {
                self.refuse(auth.span(), "flink_auth is empty", FORMS);
                None
            }
            (Some(_), _, Some(_)) | (None, Some(_), Some(_)) => {
                let rule = "flink_auth names a user and a token, and one request carries one of them";
                self.refuse(auth.span(), rule, FORMS);
                None
            }
        }
    }
}
