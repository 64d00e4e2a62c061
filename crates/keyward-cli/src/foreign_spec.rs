use std::str::FromStr;

use keyward::{Builder, ForeignKeys, KeyStore};
use keyward_import::{
    Argon2, Bcrypt, BetterAuth, Characters, DrfApiKey, FoundBy, Pbkdf2, PrefixedApiKey, Sanctum,
    Sha256Keys, Sha512Keys, Spelling, Unkey,
};
use thiserror::Error;

/// Keys of another system, as a command line names them.
#[derive(Clone, Debug)]
pub(crate) enum System {
    BetterAuth(BetterAuth),
    Unkey(Unkey),
    Sanctum(Sanctum),
    DrfApiKey(DrfApiKey),
    PrefixedApiKey(PrefixedApiKey),
    Bcrypt(Bcrypt),
    Argon2(Argon2),
    Pbkdf2(Pbkdf2),
    /// `None` where they are spelled like keys of one of the formats.
    Sha256(Option<Sha256Keys>),
    Sha512(Sha512Keys),
}

/// How they are all spelled, for `--help`.
pub(crate) const SPELLINGS: &str = "\
Systems, for --from and --foreign:
  better-auth:PREFIX+PREFIX    better-auth's API key plugin; without prefixes: keys without one
  unkey:PREFIX+PREFIX          Unkey; prefixes without the `_` behind them
  sanctum                      Laravel Sanctum
  drf-api-key                  djangorestframework-api-key
  prefixed-api-key:PREFIX      Seam's prefixed-api-key
  bcrypt, argon2, pbkdf2       such a hash of the whole key, found by its public id
  bcrypt:PREFIX<hex:40>@9      the same, found by the first 9 characters of keys that are spelled so
  sha256                       the SHA-256 of the whole key, which is spelled as one of --format
  sha256:PREFIX<base62:32>     the same, spelled otherwise
  sha512:PREFIX<base62:20-40>  the SHA-512 of the whole key
Characters: hex, letters, base58, base62, base64url, visible.";

/// Why a text names no system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SystemError {
    #[error("the systems are {NAMES}")]
    Unknown,
    #[error("behind that system comes a prefix: prefixed-api-key:acme")]
    Prefix,
    #[error("nothing comes behind that system")]
    Nothing,
    #[error("keys are spelled like ctza_<hex:40> or acme_<base62:20-40>")]
    Spelling,
    #[error("say how many characters keys are found by, like ctza_<hex:40>@9")]
    Length,
    #[error("{0}")]
    Beginning(keyward::BeginningError),
}

const NAMES: &str = "better-auth, unkey, sanctum, drf-api-key, prefixed-api-key, bcrypt, argon2, pbkdf2, sha256 and sha512";

impl System {
    /// What it is called on a command line, and in a line of an import.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::BetterAuth(_) => "better-auth",
            Self::Unkey(_) => "unkey",
            Self::Sanctum(_) => "sanctum",
            Self::DrfApiKey(_) => "drf-api-key",
            Self::PrefixedApiKey(_) => "prefixed-api-key",
            Self::Bcrypt(_) => "bcrypt",
            Self::Argon2(_) => "argon2",
            Self::Pbkdf2(_) => "pbkdf2",
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// Whether a text is spelled like one of its keys. Those that are spelled like keys of one of the
    /// formats are left to these.
    pub(crate) fn spells(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let found = match self {
            Self::BetterAuth(keys) => keys.locate(text),
            Self::Unkey(keys) => keys.locate(text),
            Self::Sanctum(keys) => keys.locate(text),
            Self::DrfApiKey(keys) => keys.locate(text),
            Self::PrefixedApiKey(keys) => keys.locate(text),
            Self::Bcrypt(keys) => keys.locate(text),
            Self::Argon2(keys) => keys.locate(text),
            Self::Pbkdf2(keys) => keys.locate(text),
            Self::Sha256(keys) => keys.as_ref().and_then(|keys| keys.locate(text)),
            Self::Sha512(keys) => keys.locate(text),
        };
        found.is_some()
    }

    /// Has its keys recognized.
    pub(crate) fn register<S: KeyStore>(self, builder: Builder<S>) -> Builder<S> {
        match self {
            Self::BetterAuth(keys) => builder.foreign(keys),
            Self::Unkey(keys) => builder.foreign(keys),
            Self::Sanctum(keys) => builder.foreign(keys),
            Self::DrfApiKey(keys) => builder.foreign(keys),
            Self::PrefixedApiKey(keys) => builder.foreign(keys),
            Self::Bcrypt(keys) => builder.foreign(keys),
            Self::Argon2(keys) => builder.foreign(keys),
            Self::Pbkdf2(keys) => builder.foreign(keys),
            Self::Sha256(Some(keys)) => builder.foreign(keys),
            Self::Sha256(None) => builder,
            Self::Sha512(keys) => builder.foreign(keys),
        }
    }
}

impl FromStr for System {
    type Err = SystemError;

    fn from_str(text: &str) -> Result<Self, SystemError> {
        let (name, rest) = match text.split_once(':') {
            None => (text, None),
            Some((name, rest)) => (name, Some(rest)),
        };
        let prefixes = || rest.unwrap_or_default().split('+');
        let nothing = match rest {
            None => Ok(()),
            Some(_) => Err(SystemError::Nothing),
        };
        match name {
            "better-auth" => Ok(Self::BetterAuth(BetterAuth::new(prefixes()))),
            "unkey" => Ok(Self::Unkey(Unkey::new(prefixes()))),
            "sanctum" => nothing.map(|()| Self::Sanctum(Sanctum::new())),
            "drf-api-key" => nothing.map(|()| Self::DrfApiKey(DrfApiKey::new())),
            "prefixed-api-key" => {
                let prefix = rest.filter(|prefix| !prefix.is_empty());
                let prefix = prefix.ok_or(SystemError::Prefix)?;
                Ok(Self::PrefixedApiKey(PrefixedApiKey::new(prefix)))
            }
            "bcrypt" => Ok(Self::Bcrypt(Bcrypt::new(found_by(rest)?))),
            "argon2" => Ok(Self::Argon2(Argon2::new(found_by(rest)?))),
            "pbkdf2" => Ok(Self::Pbkdf2(Pbkdf2::new(found_by(rest)?))),
            "sha256" => {
                let spelling = rest.map(spelling).transpose()?;
                Ok(Self::Sha256(spelling.map(Sha256Keys::new)))
            }
            "sha512" => {
                let spelling = spelling(rest.ok_or(SystemError::Spelling)?)?;
                Ok(Self::Sha512(Sha512Keys::new(spelling)))
            }
            _ => Err(SystemError::Unknown),
        }
    }
}

fn found_by(text: Option<&str>) -> Result<FoundBy, SystemError> {
    let Some(text) = text else {
        return Ok(FoundBy::public_id());
    };
    let (keys, length) = text.rsplit_once('@').ok_or(SystemError::Length)?;
    let length = number(length).ok_or(SystemError::Length)?;
    FoundBy::beginning(spelling(keys)?, length).map_err(SystemError::Beginning)
}

fn spelling(text: &str) -> Result<Spelling, SystemError> {
    let parts = text
        .strip_suffix('>')
        .and_then(|text| text.split_once('<'))
        .and_then(|(prefix, part)| Some((prefix, part.split_once(':')?)));
    let (prefix, (characters, lengths)) = parts.ok_or(SystemError::Spelling)?;
    let characters = match characters {
        "hex" => Characters::Hex,
        "letters" => Characters::Letters,
        "base58" => Characters::Base58,
        "base62" => Characters::Base62,
        "base64url" => Characters::Base64Url,
        "visible" => Characters::Visible,
        _ => return Err(SystemError::Spelling),
    };
    let (least, most) = lengths.split_once('-').unwrap_or((lengths, lengths));
    let lengths = number(least).zip(number(most));
    let (least, most) = lengths
        .filter(|(least, most)| least <= most)
        .ok_or(SystemError::Spelling)?;
    Ok(Spelling::new(prefix, characters, least..=most))
}

/// Lengths of keys, which have at most 255 bytes.
fn number(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u8 = text.parse().ok().filter(|_| digits)?;
    Some(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> SystemError {
        text.parse::<System>().unwrap_err()
    }

    #[test]
    fn each_system_goes_by_its_name() {
        for text in [
            "better-auth",
            "better-auth:acme_+old_",
            "unkey:acme",
            "sanctum",
            "drf-api-key",
            "prefixed-api-key:acme",
            "bcrypt",
            "bcrypt:ctza_<hex:40>@9",
            "argon2:k_<base64url:43>@10",
            "pbkdf2:<visible:20-40>@8",
            "sha256",
            "sha256:k_<base58:32>",
            "sha512:k_<letters:64>",
        ] {
            let system: System = text.parse().unwrap();
            assert!(text.starts_with(system.name()), "{text}");
        }
    }

    #[test]
    fn keys_are_recognized_as_they_were_spelled() {
        let spelling = spelling("ctza_<hex:4-6>").unwrap();
        assert!(spelling.spells(b"ctza_a1b2"));
        assert!(spelling.spells(b"ctza_a1b2c3"));
        assert!(!spelling.spells(b"ctza_a1b2c3d"));
        assert!(!spelling.spells(b"ctza_xyzw"));
    }

    #[test]
    fn what_names_no_system_is_told_why() {
        assert_eq!(error("stripe"), SystemError::Unknown);
        assert_eq!(error("sanctum:x"), SystemError::Nothing);
        assert_eq!(error("prefixed-api-key"), SystemError::Prefix);
        assert_eq!(error("prefixed-api-key:"), SystemError::Prefix);
        assert_eq!(error("sha512"), SystemError::Spelling);
        assert_eq!(error("sha256:k_"), SystemError::Spelling);
        assert_eq!(error("sha256:k_<octal:9>"), SystemError::Spelling);
        assert_eq!(error("sha256:k_<hex:9-8>"), SystemError::Spelling);
        assert_eq!(error("bcrypt:ctza_<hex:40>"), SystemError::Length);
        assert_eq!(error("bcrypt:ctza_<hex:40>@+9"), SystemError::Length);
        let short = keyward::BeginningError::TooShort;
        assert_eq!(
            error("bcrypt:ctza_<hex:40>@8"),
            SystemError::Beginning(short)
        );
    }
}
