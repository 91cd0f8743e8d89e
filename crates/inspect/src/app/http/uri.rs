//! A request's URI, normalised as the reference normalises it by default for intrusion detection.
//!
//! Scheme, user, host and port are left out. In the path escapes are undone once (`%2f`, `%5c` and `%u002f` too), what
//! is no escape stays, backslashes become slashes, neighbouring slashes become one, and `.` and `..` are resolved. In the
//! query escapes are undone once, and a plus stays a plus. (Documented in the reference's configuration file: the
//! options `path-*` and `query-plusspace-decode`.)

/// The parts of a URI as sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Uri<'a> {
    /// Host and port, if the URI is absolute or is nothing else (CONNECT).
    pub(super) authority: Option<&'a [u8]>,
    path: &'a [u8],
    /// From the question mark on.
    query: &'a [u8],
}

impl<'a> Uri<'a> {
    pub(super) fn split(uri: &'a [u8], is_connect: bool) -> Self {
        if is_connect {
            return Self { authority: Some(uri), path: uri, query: b"" };
        }
        let (authority, rest) = match scheme(uri).and_then(|length| uri.get(length + 3..)) {
            Some(rest) => {
                let end = rest.iter().position(|byte| b"/\\?#".contains(byte)).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at(end);
                // What is before an at sign is a user's name.
                let host = authority.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
                (authority.get(host..), rest)
            }
            None => (None, uri),
        };
        let query = memchr::memchr2(b'?', b'#', rest).unwrap_or(rest.len());
        let (path, query) = rest.split_at(query);
        Self { authority, path, query }
    }

    /// Write it normalised behind what is in `to`.
    pub(super) fn normalise(&self, to: &mut Vec<u8>) {
        let start = to.len();
        unescape(self.path, true, to);
        resolve(to, start);
        unescape(self.query, false, to);
    }
}

/// The length of the scheme before `://`.
fn scheme(uri: &[u8]) -> Option<usize> {
    let length = uri.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))?;
    (length > 0 && uri.get(length..length + 3)? == b"://").then_some(length)
}

/// Undo escapes once. In a path, backslashes become slashes, and what neighbours a slash is not another.
fn unescape(from: &[u8], is_path: bool, to: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = from.get(at) {
        let (byte, length) = match (byte, escape(&from[at..], is_path)) {
            (b'%', Some(escaped)) => escaped,
            _ => (byte, 1),
        };
        at += length;
        match byte {
            b'/' | b'\\' if is_path => {
                if to.last() != Some(&b'/') {
                    to.push(b'/');
                }
            }
            _ => to.push(byte),
        }
    }
}

/// The byte that an escape stands for, and the escape's length. Of `%u` and four digits, read in paths, the low byte counts.
fn escape(bytes: &[u8], is_path: bool) -> Option<(u8, usize)> {
    let pair = |at: usize| {
        let [high, low] = [bytes.get(at)?, bytes.get(at + 1)?].map(|digit| char::from(*digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    match bytes.get(1)? {
        b'u' | b'U' if is_path => pair(2).and(pair(4)).map(|byte| (byte, 6)),
        _ => pair(1).map(|byte| (byte, 3)),
    }
}

/// Resolve the segments `.` and `..` of the path from `start` on (RFC 3986 §5.2.4).
fn resolve(path: &mut Vec<u8>, start: usize) {
    if !path[start..].windows(2).any(|pair| pair == b"/." || pair == b"./") && path[start..] != *b"." {
        return;
    }
    let (mut read, mut write) = (start, start);
    while read < path.len() {
        let begin = read;
        let is_rooted = path[read] == b'/';
        let name = begin + usize::from(is_rooted);
        let end = path[name..].iter().position(|byte| *byte == b'/').map_or(path.len(), |slash| name + slash);
        let is_last = end == path.len();
        read = end;
        match &path[name..end] {
            b"." | b".." => {
                if path[name..end].len() == 2 {
                    let slash = path[start..write].iter().rposition(|byte| *byte == b'/');
                    write = slash.map_or(start, |slash| start + slash);
                }
                if is_last && is_rooted {
                    path[write] = b'/';
                    write += 1;
                }
                // Nothing is left before it, so nothing parts it from what follows.
                if !is_rooted && write == start && !is_last {
                    read += 1;
                }
            }
            _ => {
                path.copy_within(begin..end, write);
                write += end - begin;
            }
        }
    }
    path.truncate(write);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(uri: &str) -> String {
        let mut to = b"before".to_vec();
        Uri::split(uri.as_bytes(), false).normalise(&mut to);
        String::from_utf8(to.split_off(6)).unwrap()
    }

    #[test]
    fn paths_are_unescaped_once_and_resolved_and_queries_unescaped_once() {
        let rows = [
            ("/", "/"),
            ("/a/b.html", "/a/b.html"),
            ("/a%20b?c%20d=%2e+e", "/a b?c d=.+e"),
            ("/one\\\\/two\\/%5cthree/%2f//four", "/one/two/three/four"),
            ("/a/./b/../c/..//d", "/a/d"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/a/%2e%2e/%2e%2e/b", "/b"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/a/.b/..c/d.", "/a/.b/..c/d."),
            ("/%252e", "/%2e"),
            ("/%u002fa%uzz%", "/a%uzz%"),
            ("/%zz%4", "/%zz%4"),
            ("/a?b=/../c//d", "/a?b=/../c//d"),
            ("/a#b", "/a#b"),
            ("http://user@Host.Example:80/a//b?c", "/a/b?c"),
            ("http://host", ""),
            ("a/../b", "/b"),
            ("../b", "b"),
            ("./b", "b"),
            (".", ""),
            ("*", "*"),
            ("", ""),
        ];
        for (uri, expected) in rows {
            assert_eq!(normal(uri), expected, "{uri}");
        }
    }

    #[test]
    fn an_absolute_uri_tells_its_host() {
        let authority = |uri: &'static str, is_connect| Uri::split(uri.as_bytes(), is_connect).authority;
        assert_eq!(authority("http://a@B.example:80/x@y", false), Some(&b"B.example:80"[..]));
        assert_eq!(authority("b.example:443", true), Some(&b"b.example:443"[..]));
        assert_eq!(authority("/redirect?to=http://c.example/", false), None);
    }
}
