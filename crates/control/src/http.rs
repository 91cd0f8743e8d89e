//! As much HTTP as a health check and a scrape need: one path, one request, one answer, the connection closed (RFC 9112).
//!
//! Pure: bytes so far in, answer out. `Host` and other header fields are not looked at: load balancers send what they
//! like, and nothing here depends on it.

/// Longest request head that is read.
pub(crate) const REQUEST: usize = 2048;
/// Header fields of a request that are accepted.
const FIELDS: usize = 32;

/// What the bytes of a connection come to.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    /// The request's head is not complete yet.
    Incomplete,
    /// The path that is served. With HEAD the answer has no body.
    Here {
        /// HEAD instead of GET.
        head: bool,
    },
    /// A path that nobody serves here.
    NotFound,
    /// A method that nobody serves here.
    NotAllowed,
    /// No HTTP, or more of it than we read.
    Bad,
}

/// Judge the bytes of a connection as far as they came.
pub(crate) fn ask(bytes: &[u8], path: &str) -> Asked {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() < REQUEST => return Asked::Incomplete,
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Asked::Bad,
    }
    match (request.method, request.path.and_then(target)) {
        (Some("GET"), Some(asked)) if asked == path => Asked::Here { head: false },
        (Some("HEAD"), Some(asked)) if asked == path => Asked::Here { head: true },
        (Some("GET" | "HEAD"), Some(_)) => Asked::NotFound,
        (Some(_), Some(_)) => Asked::NotAllowed,
        _ => Asked::Bad,
    }
}

/// A whole answer with a JSON body.
pub(crate) fn answer(status: u16, body: &str, head: bool) -> Vec<u8> {
    answer_with("application/json", status, body, head)
}

/// A whole answer.
pub(crate) fn answer_with(content_type: &str, status: u16, body: &str, head: bool) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Service Unavailable",
    };
    let allow = if status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
    let length = body.len();
    let sent = if head { "" } else { body };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\n{allow}Connection: close\r\n\r\n{sent}"
    )
    .into_bytes()
}

/// The path of a request target in origin form or absolute form (RFC 9112 §3.2), without its query.
fn target(target: &str) -> Option<&str> {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    path.starts_with('/').then(|| path.split(['?', '#']).next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_and_head_of_the_path_are_the_health_check() {
        for line in [
            "GET / HTTP/1.1",
            "GET /?x=1 HTTP/1.0",
            "GET http://10.1.2.11/ HTTP/1.1",
            "GET http://h HTTP/1.1",
        ] {
            assert_eq!(ask(format!("{line}\r\n\r\n").as_bytes(), "/"), Asked::Here { head: false }, "{line}");
        }
        assert_eq!(ask(b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "/healthz"), Asked::Here { head: true });
    }

    #[test]
    fn other_paths_and_methods_have_their_own_answers() {
        assert_eq!(ask(b"GET /x HTTP/1.1\r\n\r\n", "/"), Asked::NotFound);
        assert_eq!(ask(b"POST / HTTP/1.1\r\n\r\n", "/"), Asked::NotAllowed);
        assert_eq!(ask(b"GET / HTTP/1.1\r\nHo", "/"), Asked::Incomplete);
    }

    #[test]
    fn what_is_no_http_is_bad() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(REQUEST));
        let fields = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(FIELDS + 1));
        let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        for bytes in
            [b"\r\n\x00", tls, b"GET\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n", long.as_bytes(), fields.as_bytes()]
        {
            assert_eq!(ask(bytes, "/"), Asked::Bad, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_answer_tells_its_length_and_closes() {
        let text = String::from_utf8(answer(503, "{}", false)).unwrap();
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        assert!(
            text.contains("\r\nContent-Length: 2\r\n") && text.ends_with("\r\nConnection: close\r\n\r\n{}"),
            "{text}"
        );
        let head = String::from_utf8(answer(200, "{}", true)).unwrap();
        assert!(head.contains("Content-Length: 2\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..REQUEST + 9)) {
            let complete = ask(&bytes, "/") != Asked::Incomplete;
            proptest::prop_assert!(complete || bytes.len() < REQUEST);
        }
    }
}
