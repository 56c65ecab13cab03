//! Who may ask: the host that is named, the page that asks, and the token.
//!
//! A server on loopback is reachable from every page that its user's browser shows. A page of another site cannot read our
//! answers (there are no CORS headers), but its name can be made to resolve to 127.0.0.1 (DNS rebinding), and then it is
//! the same origin as far as the browser knows. So on loopback the `Host` must be a name of this machine, and an `Origin`
//! must be our own or one that the configuration lists; pages of listed origins may also read our answers.

use super::problem::{Kind, Problem};
use super::role::{Grant, Role};
use super::state::Server;
use super::token::TokenHash;
use crate::limits::URI_BYTES_MAX;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Method, Request, Uri, Version};
use std::net::IpAddr;

/// Whether the request may come in; gives what who asks may do.
pub(crate) fn check<B>(server: &Server, request: &Request<B>) -> Result<Grant, Problem> {
    let uri = request.uri();
    if uri.path_and_query().is_some_and(|path| path.as_str().len() > URI_BYTES_MAX) {
        let detail = format!("the URL is longer than {URI_BYTES_MAX} bytes");
        return Err(Problem::new(Kind::UriTooLong, detail).member("max_bytes", URI_BYTES_MAX));
    }
    let headers = request.headers();
    // An absolute URL overrides the header.
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => single(headers, HOST)?,
    };
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(Problem::new(Kind::MalformedRequest, "HTTP/1.1 requires the header Host"));
    }
    if server.address.ip().is_loopback() {
        check_host(server, host)?;
        check_origin(server, host, single(headers, ORIGIN)?)?;
    }
    // Whether the process is alive is no secret, and what asks it has no token; nor has a browser that asks beforehand.
    if is_probe(uri) || request.method() == Method::OPTIONS {
        return Ok(Role::Reader.into());
    }
    let grant = grant(server, headers)?;
    if grant.check_request(request.method(), uri)? >= Role::Schema {
        tracing::info!(target: "dbgen::audit", role = grant.role().name(), method = %request.method(), path = uri.path());
    }
    Ok(grant)
}

/// Whether a request asks how the server is, and nothing else.
pub(crate) fn is_probe(uri: &Uri) -> bool {
    matches!(uri.path(), "/healthz" | "/readyz")
}

/// The origin of a page that the configuration lets call us from elsewhere; its browser must be told so.
pub(crate) fn foreign_origin(server: &Server, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let is_listed = |allowed: &String| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes());
    server.config.allowed_origins.iter().any(is_listed).then(|| origin.clone())
}

/// Tells a browser that a page of this origin may read the answer; and, if it asked beforehand, what the page may send.
pub(crate) fn let_read(origin: HeaderValue, headers: &mut HeaderMap) {
    const READABLE: &str = "db-durable, db-version, etag, idempotency-replayed, link, location, preference-applied, query-plan, retry-after, server-timing, x-request-id";
    const WRITABLE: &str =
        "accept, authorization, content-type, db-min-version, idempotency-key, if-match, if-none-match, prefer";
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READABLE));
    // Only answers to OPTIONS and to a wrong method have it, and there it does no harm.
    if let Some(methods) = headers.get(ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(WRITABLE));
    }
}

/// The problem of a request that finds too many others running.
pub(crate) fn overloaded() -> Problem {
    Problem::new(Kind::Overloaded, "too many requests are running").header(RETRY_AFTER, "1")
}

fn check_host(server: &Server, host: Option<&str>) -> Result<(), Problem> {
    let Some(host) = host else { return Ok(()) };
    let name = host_name(host).to_ascii_lowercase();
    let is_loopback = |name: &str| name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let listed = server.config.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name));
    if name == "localhost" || name.ends_with(".localhost") || is_loopback(&name) || listed {
        return Ok(());
    }
    Err(Problem::new(Kind::HostNotAllowed, format!("this server is not to be reached as {name:?}")))
}

fn check_origin(server: &Server, host: Option<&str>, origin: Option<&str>) -> Result<(), Problem> {
    let Some(origin) = origin else { return Ok(()) };
    let is_ours = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    if is_ours || server.config.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(Problem::new(Kind::OriginNotAllowed, format!("pages of {origin:?} may not call this server")))
}

/// What the token that was sent is good for. Where none is asked for, everybody may do everything.
fn grant(server: &Server, headers: &HeaderMap) -> Result<Grant, Problem> {
    let config = &server.config;
    if !config.has_token() {
        return Ok(Role::Admin.into());
    }
    let given = single(headers, AUTHORIZATION)?.and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map_or("", |(_, token)| token.trim());
    let given = TokenHash::of(given);
    // All are compared, whichever fits.
    let fitting: Vec<&Grant> =
        config.tokens.iter().filter(|(token, _)| token.is_of(&given)).map(|(_, grant)| grant).collect();
    match fitting.into_iter().max_by_key(|grant| grant.role()) {
        Some(grant) => Ok(grant.clone()),
        None => {
            let detail = "send the server's token as `Authorization: Bearer …`";
            Err(Problem::new(Kind::Unauthenticated, detail).header(WWW_AUTHENTICATE, "Bearer"))
        }
    }
}

/// The value of a header that may be given once.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(&name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    match (first.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(Problem::new(Kind::InvalidHeader, format!("the header {name} is given twice or cannot be read"))),
    }
}

/// The name in `name:port` or `[address]:port`.
fn host_name(authority: &str) -> &str {
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_ports() {
        for (authority, name) in [
            ("localhost", "localhost"),
            ("localhost:80", "localhost"),
            ("[::1]:7700", "::1"),
            ("127.0.0.1:7700", "127.0.0.1"),
            ("localhost@evil.example:80", "evil.example"),
        ] {
            assert_eq!(host_name(authority), name, "{authority}");
        }
    }
}
