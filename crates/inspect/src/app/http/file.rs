//! What a body is called, if it is a file: by its Content-Disposition, its part of a form, or the URI.

use policy::{Buffer, Way};

use super::head::Head;
use crate::app::Transaction;

/// Most files of a form whose names are told.
const PARTS_MAX: usize = 16;
/// Longest name that is told of a part.
const NAME_MAX: usize = 1024;

/// Tell the name of the body behind a head.
pub(super) fn name(open: &mut Transaction, way: Way, head: &Head<'_>) {
    let of_field = head.value("content-disposition").and_then(|value| file_name(value));
    let name = match (of_field, open.first(Buffer::HttpUriRaw, Way::ToServer)) {
        (Some(name), _) => name.to_vec(),
        (None, Some(uri)) => {
            let path = uri.split(|byte| b"?#".contains(byte)).next().unwrap_or_default();
            path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec()
        }
        (None, None) => return,
    };
    if !name.is_empty() {
        open.put(Buffer::FileName, way, &name);
    }
}

/// Tell the names of the files in a form that is a request's body (RFC 7578).
pub(super) fn names_of_form(open: &mut Transaction) {
    let kind = open.first(Buffer::HttpContentType, Way::ToServer).unwrap_or_default();
    if !kind.get(..19).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/form-data")) {
        return;
    }
    let body = open.body(Way::ToServer);
    let lines = body.split(|byte| *byte == b'\n');
    let of_parts = lines
        .filter(|line| line.get(..20).is_some_and(|name| name.eq_ignore_ascii_case(b"content-disposition:")));
    let names: Vec<Vec<u8>> = of_parts.filter_map(file_name).take(PARTS_MAX).map(<[u8]>::to_vec).collect();
    for name in names {
        open.put(Buffer::FileName, Way::ToServer, &name);
    }
}

/// The file name of a Content-Disposition (RFC 6266 §4.3), in quotes or without.
fn file_name(value: &[u8]) -> Option<&[u8]> {
    let parameters = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let mut named =
        parameters.filter(|part| part.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"filename=")));
    let name = named.next()?.get(9..)?.trim_ascii();
    let name =
        name.strip_prefix(b"\"").map_or(name, |rest| rest.split(|byte| *byte == b'"').next().unwrap_or(rest));
    Some(name.get(..NAME_MAX).unwrap_or(name)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_in_quotes_or_without() {
        let rows: [(&[u8], Option<&[u8]>); 5] = [
            (b"attachment; filename=\"a b.exe\"; size=3", Some(b"a b.exe")),
            (b"attachment;FileName=a.exe", Some(b"a.exe")),
            (b"form-data; name=\"f\"; filename=\"unclosed", Some(b"unclosed")),
            (b"attachment; filename=\"\"", None),
            (b"inline", None),
        ];
        for (value, expected) in rows {
            assert_eq!(file_name(value), expected);
        }
    }
}
