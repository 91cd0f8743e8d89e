use super::fault::{Fault, Service};
use super::form::Form;
use super::xml::Xml;
use crate::state::Tags;

/// The most tags of one resource.
const MOST_TAGS: usize = 50;

/// The tags that a create call gives its resource: `TagSpecification.N` of the right type, or `Tags.member.N`.
///
/// # Errors
/// A specification for another type of resource, a key twice, a key or value of the wrong length, too many.
pub(crate) fn given(form: &Form, resource_type: &str) -> Result<Tags, Fault> {
    let mut pairs = Vec::new();
    match form.service() {
        Service::Elb => pairs = form.items("Tags.member"),
        Service::Ec2 => {
            for specification in form.items("TagSpecification") {
                let kind = specification.required("ResourceType")?;
                if kind != resource_type {
                    let why = format!("'{kind}' is not a valid taggable resource type for this operation.");
                    return Err(Fault::new("InvalidParameterValue", why));
                }
                pairs.extend(specification.items("Tag"));
            }
        }
    }
    let mut tags = Tags::new();
    for pair in pairs {
        let (key, value) = checked(&pair)?;
        if tags.insert(key.clone(), value).is_some() {
            let code =
                if form.service() == Service::Elb { "DuplicateTagKeys" } else { "InvalidParameterValue" };
            return Err(Fault::new(code, format!("The tag key '{key}' comes twice")));
        }
    }
    room(form.service(), &tags)?;
    Ok(tags)
}

/// One key and value of a request.
///
/// # Errors
/// A key that is missing, too long or AWS's own; a value that is too long.
pub(crate) fn checked(pair: &Form) -> Result<(String, String), Fault> {
    let key = pair.required("Key")?;
    let value = pair.text("Value").unwrap_or_default();
    if key.chars().count() > 128 || value.chars().count() > 256 {
        let why = "A tag key has at most 128 characters, a value 256.";
        return Err(Fault::invalid(pair.service(), "Tag", key, why));
    }
    if key.starts_with("aws:") {
        return Err(Fault::invalid(
            pair.service(),
            "Tag",
            key,
            "Tag keys starting with 'aws:' are reserved.",
        ));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// Refuses more tags than a resource may have.
///
/// # Errors
/// `TooManyTags` or `TagLimitExceeded`.
pub(crate) fn room(service: Service, tags: &Tags) -> Result<(), Fault> {
    if tags.len() <= MOST_TAGS {
        return Ok(());
    }
    let code = if service == Service::Elb { "TooManyTags" } else { "TagLimitExceeded" };
    Err(Fault::new(code, format!("A resource has at most {MOST_TAGS} tags, this would have {}", tags.len())))
}

/// EC2's `tagSet`.
pub(crate) fn write(x: &mut Xml, tags: &Tags) {
    x.list("tagSet", "item", tags, |x, (key, value)| {
        x.text("key", key);
        x.text("value", value);
    });
}
