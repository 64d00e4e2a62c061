//! Finding the one credential of a request, by the letter of RFC 9110 §11.6.2 and RFC 6750 §2.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use keyward_core::{Denied, Reason};

use zeroize::Zeroizing;

use crate::Sources;

/// A credential, and the header that it stands in.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) header: HeaderValue,
    pub(crate) place: Place,
}

/// Where a credential stands, and where in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind so many bytes of the `Authorization` header.
    Bearer(usize),
    /// Encoded, behind so many bytes.
    Basic(usize),
    /// The whole of the header at that place in the sources.
    Header(usize),
}

/// Takes the credential out of the headers. `None` when there is none.
///
/// A header that is none of the sources, or an `Authorization` of another scheme, is left alone.
#[inline]
pub(crate) fn take(headers: &mut HeaderMap, sources: &Sources) -> Result<Option<Found>, Denied> {
    let mut found = None;
    if (sources.bearer || sources.basic)
        && let Some(header) = take_one(headers, &AUTHORIZATION)?
    {
        match authorization(header.as_bytes(), sources) {
            Some(place) => found = Some(Found { header, place }),
            // Another scheme is someone else's.
            None => {
                headers.insert(AUTHORIZATION, header);
            }
        }
    }
    if sources.headers.is_empty() {
        return Ok(found);
    }
    take_header(headers, sources, found)
}

#[cold]
fn take_header(
    headers: &mut HeaderMap,
    sources: &Sources,
    mut found: Option<Found>,
) -> Result<Option<Found>, Denied> {
    for (n, name) in sources.headers.iter().enumerate() {
        let Some(header) = take_one(headers, name)? else {
            continue;
        };
        if found.is_some() {
            return Err(Denied::invalid_request(Reason::TwoSources));
        }
        let place = Place::Header(n);
        found = Some(Found { header, place });
    }
    Ok(found)
}

/// Takes the only line of this name out of the headers.
#[inline]
fn take_one(headers: &mut HeaderMap, name: &HeaderName) -> Result<Option<HeaderValue>, Denied> {
    // One look-up: several lines are told by how many went with the first.
    let lines = headers.len();
    let header = headers.remove(name);
    if lines - headers.len() > 1 {
        return Err(Denied::invalid_request(Reason::Repeated));
    }
    Ok(header)
}

/// Which of the sources this `Authorization` is for; `None` for another scheme.
#[inline]
pub(crate) fn authorization(value: &[u8], sources: &Sources) -> Option<Place> {
    // The scheme is the longest leading run of token characters: what comes behind it decides
    // whether the credential is well-formed, not whose it is.
    if sources.bearer
        && let Some((scheme, rest)) = value.split_at_checked(BEARER.len())
        && scheme.eq_ignore_ascii_case(BEARER)
        && !rest.first().is_some_and(|byte| is_token(*byte))
    {
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        return Some(Place::Bearer(BEARER.len() + spaces));
    }
    if sources.basic
        && let Some((scheme, rest)) = value.split_at_checked(BASIC.len())
        && scheme.eq_ignore_ascii_case(BASIC)
        && !rest.first().is_some_and(|byte| is_token(*byte))
    {
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        return Some(Place::Basic(BASIC.len() + spaces));
    }
    None
}

impl Found {
    /// Hands the credential to `verify`.
    ///
    /// Whether the header is well-formed is only looked at when `verify` finds no key in it: a key
    /// has no character that a token may not have.
    #[inline]
    pub(crate) fn read<T>(&self, verify: impl FnOnce(&[u8]) -> T) -> Result<T, Denied> {
        let value = self.header.as_bytes();
        match self.place {
            Place::Bearer(start) => {
                let token = value.get(start..).unwrap_or_default();
                if start > BEARER.len() && !token.is_empty() {
                    Ok(verify(token))
                } else {
                    Err(Denied::invalid_request(Reason::Malformed))
                }
            }
            Place::Header(_) => Ok(verify(value)),
            Place::Basic(start) => {
                let encoded = value.get(start..).unwrap_or_default();
                if start > BASIC.len() {
                    read_basic(encoded, verify)
                } else {
                    Err(Denied::invalid_request(Reason::Malformed))
                }
            }
        }
    }

    /// Whether what stands behind the scheme is a token at all (RFC 9110 §11.2, `token68`).
    pub(crate) fn is_well_formed(&self) -> bool {
        let value = self.header.as_bytes();
        match self.place {
            Place::Bearer(start) => is_token68(value.get(start..).unwrap_or_default()),
            Place::Basic(_) | Place::Header(_) => true,
        }
    }
}

#[cold]
fn read_basic<T>(encoded: &[u8], verify: impl FnOnce(&[u8]) -> T) -> Result<T, Denied> {
    let malformed = || Denied::invalid_request(Reason::Malformed);
    // A key and a user name of 255 bytes each, and what base 64 makes of them.
    let mut decoded = Zeroizing::new([0; 513]);
    if encoded.len() > 684 {
        return Ok(verify(&[]));
    }
    let length = STANDARD
        .decode_slice(encoded, &mut *decoded)
        .map_err(|_| malformed())?;
    let pair = decoded.get(..length).unwrap_or_default();
    let colon = pair
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(malformed)?;
    let (user, password) = pair.split_at(colon);
    let password = password.get(1..).unwrap_or_default();
    Ok(verify(if password.is_empty() { user } else { password }))
}

/// Whether the request is one of gRPC, to be answered in its way: by its protocol, a POST whose
/// content type is `application/grpc`, with or without a message format behind it.
pub fn is_grpc<B>(request: &Request<B>) -> bool {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes);
    let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
    let named = rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
    named && request.method() == Method::POST
}

/// RFC 9110 §5.6.2, `tchar`.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// RFC 9110 §11.2: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_token68(text: &[u8]) -> bool {
    let is_body = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let body = text.iter().take_while(|byte| is_body(byte)).count();
    let mut padding = text.iter().skip(body);
    body > 0 && padding.all(|byte| *byte == b'=')
}

const BEARER: &[u8] = b"bearer";
const BASIC: &[u8] = b"basic";
