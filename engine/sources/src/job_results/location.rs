//! Where files are, as the configuration writes it.

use std::fmt;
use std::path::PathBuf;

/// A folder's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `file:///path`: a directory that this process can read.
    Directory(PathBuf),
    /// `s3://bucket/prefix`; Flink's own words for it, `s3a` and `s3p`, will do too.
    Bucket {
        /// The bucket.
        name: String,
        /// What the keys begin with, without slashes at its ends; may be empty.
        prefix: String,
    },
}

/// Why a text is no address of a folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It has no scheme, or cannot be read.
    #[error("is not a URL")]
    NotAUrl,
    /// No file system of this name is known.
    #[error("has the scheme `{0}`, which this version cannot read")]
    Scheme(String),
    /// `file://` with a host, which would be somebody else's path.
    #[error("has two slashes where three begin a path")]
    Host,
    /// `s3://` without a bucket.
    #[error("names no bucket")]
    NoBucket,
    /// A user, a password or a query, in which somebody may have put a key.
    #[error("has a user or a query, which are not used")]
    Credentials,
    /// `file:///`, or a path that goes up.
    #[error("names no directory")]
    NoDirectory,
}

impl LocationError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotAUrl => "write file:// and an absolute path, or s3://BUCKET/PREFIX",
            Self::Scheme(_) => {
                "use file:///PATH or s3://BUCKET/PREFIX, or let a HistoryServer read it and name that as history_server"
            }
            Self::Host => "write an absolute path behind file://, such as \"file:///ha/archive\"",
            Self::NoBucket => "write s3://BUCKET/PREFIX",
            Self::Credentials => "write the address alone; the keys of a bucket come from the variables AWS_*",
            Self::NoDirectory => "name the directory itself, such as \"file:///ha/archive\"",
        }
    }
}

impl Location {
    /// Reads an address. Nothing is looked up. Fails if it names no folder of a kind that can be read.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let url = reqwest::Url::parse(text).map_err(|_| LocationError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(LocationError::Credentials);
        }
        match url.scheme() {
            "file" if url.host().is_some() => Err(LocationError::Host),
            "file" => match url.to_file_path() {
                Ok(path) if path.parent().is_some() => Ok(Self::Directory(path)),
                Ok(_) | Err(()) => Err(LocationError::NoDirectory),
            },
            "s3" | "s3a" | "s3p" => {
                let name = url
                    .host_str()
                    .filter(|name| !name.is_empty())
                    .ok_or(LocationError::NoBucket)?;
                Ok(Self::Bucket {
                    name: name.to_owned(),
                    prefix: url.path().trim_matches('/').to_owned(),
                })
            }
            other => Err(LocationError::Scheme(other.to_owned())),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { name, prefix } if prefix.is_empty() => write!(f, "s3://{name}"),
            Self::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_buckets_are_read() {
        let bucket = |name: &str, prefix: &str| Location::Bucket {
            name: name.into(),
            prefix: prefix.into(),
        };
        for (text, location) in [
            ("file:///ha/archive", Location::Directory("/ha/archive".into())),
            ("file:/ha/archive/", Location::Directory("/ha/archive/".into())),
            ("file:///a%20b/../c", Location::Directory("/c".into())),
            ("s3://flink/completed-jobs/", bucket("flink", "completed-jobs")),
            ("s3a://flink", bucket("flink", "")),
            ("s3p://flink/a/b", bucket("flink", "a/b")),
        ] {
            assert_eq!(Location::parse(text), Ok(location), "{text}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        for (text, error) in [
            ("/ha/archive", LocationError::NotAUrl),
            ("", LocationError::NotAUrl),
            ("hdfs:///archive", LocationError::Scheme("hdfs".into())),
            ("gs://bucket/a", LocationError::Scheme("gs".into())),
            ("file://ha/archive", LocationError::Host),
            ("file:///", LocationError::NoDirectory),
            ("s3:///archive", LocationError::NoBucket),
            ("s3://key:s3cret@flink/archive", LocationError::Credentials),
            ("s3://flink/archive?key=s3cret", LocationError::Credentials),
        ] {
            assert_eq!(Location::parse(text), Err(error), "{text}");
        }
    }
}
