use std::fmt::Display;

/// An XML text in the making. Names are ours; everything else is escaped.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// `<name>value</name>`.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        self.open(name);
        self.escaped(&value.to_string());
        self.close(name);
    }

    /// The same if there is a value, else nothing.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// `<name>` what `inside` writes `</name>`.
    pub(crate) fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close(name);
    }

    /// `<name><item>…</item>…</name>`: one element per item, none making an empty list.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        self.within(name, |x| {
            for i in items {
                x.within(item, |x| each(x, i));
            }
        });
    }

    /// A list of plain values.
    pub(crate) fn texts<T: Display>(&mut self, name: &str, item: &str, items: impl IntoIterator<Item = T>) {
        self.list(name, item, items, |x, i| x.escaped(&i.to_string()));
    }

    /// A whole element written elsewhere.
    pub(crate) fn append(&mut self, inner: &Self) {
        self.0.push_str(&inner.0);
    }

    /// The element `name` in namespace `ns`, as a document.
    pub(crate) fn document(name: &str, ns: Option<&str>, inside: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into());
        match ns {
            Some(ns) => xml.0.push_str(&format!("<{name} xmlns=\"{ns}\">")),
            None => xml.open(name),
        }
        inside(&mut xml);
        xml.close(name);
        xml.0
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Text with `& < > "` as entities and what XML 1.0 (§2.2) cannot carry replaced.
    pub(crate) fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => self.0.push_str(&format!("&#{};", u32::from(c))),
                c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Xml;

    #[test]
    fn markup_and_control_characters_cannot_leave_a_value() {
        let text = Xml::document("a", None, |x| x.text("b", "<i>&\"\u{1}\u{ffff}\r"));
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b>&lt;i&gt;&amp;&quot;\u{fffd}\u{fffd}&#13;</b></a>"
        );
    }

    #[test]
    fn a_list_without_items_is_an_empty_element() {
        let text = Xml::document("a", None, |x| x.texts("set", "item", [0_u8; 0]));
        assert!(text.ends_with("<a><set></set></a>"), "{text}");
    }
}
