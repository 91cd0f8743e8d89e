//! The page at `/`: the lab drawn live in a browser, from what `GET /status` tells.
//!
//! ```text
//!  /status ──▶ reading.js ──▶ topology.js (cards) ── edges.js (curves)
//!              names, rates └▶ flows.js (list)    ── hops.js (one flow's way)
//! ```
//! Plain files in the binary, plain modules in the browser: nothing is built, nothing is loaded from elsewhere. Names and
//! tags are whatever a caller of the API chose: the scripts write them as text only, and [`POLICY`] lets the browser run no
//! script and follow no form but these files' own.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct PageFile {
    /// Its media type.
    pub kind: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// What the browser may do on the page (Content-Security-Policy): files of this origin only, and nothing inline.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                          img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at `path`, if the page has one there.
#[must_use]
pub fn file(path: &str) -> Option<PageFile> {
    let (kind, text) = match path {
        "/" => (HTML, include_str!("page/page.html")),
        "/page.css" => (CSS, include_str!("page/page.css")),
        "/page.js" => (SCRIPT, include_str!("page/page.js")),
        "/draw.js" => (SCRIPT, include_str!("page/draw.js")),
        "/reading.js" => (SCRIPT, include_str!("page/reading.js")),
        "/topology.js" => (SCRIPT, include_str!("page/topology.js")),
        "/edges.js" => (SCRIPT, include_str!("page/edges.js")),
        "/flows.js" => (SCRIPT, include_str!("page/flows.js")),
        "/hops.js" => (SCRIPT, include_str!("page/hops.js")),
        _ => return None,
    };
    Some(PageFile { kind, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_file_of_the_page_names_is_there() {
        let mut open = vec!["/".to_owned()];
        let mut seen: Vec<String> = Vec::new();
        while let Some(path) = open.pop() {
            let text = file(&path).unwrap_or_else(|| panic!("{path} is named and not there")).text;
            let is_path =
                |word: &&str| word.starts_with('/') && word.contains('.') && !word.contains([' ', '\n']);
            let named = text.split('"').filter(is_path);
            open.extend(named.filter(|word| !seen.iter().any(|s| s == word)).map(str::to_owned));
            seen.push(path);
        }
        assert!(seen.len() >= 9, "{seen:?}");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_no_text_becomes_markup() {
        for path in
            ["/", "/page.js", "/draw.js", "/reading.js", "/topology.js", "/edges.js", "/flows.js", "/hops.js"]
        {
            let text = file(path).map_or("", |f| f.text).replace("http://www.w3.org/2000/svg", "");
            for word in ["://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(word), "{path} has {word}");
            }
        }
    }
}
