//! What instances are made from. The lab has three images; what runs in an instance follows from its image.

use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::state::{Role, Tags};

pub(super) const ACTIONS: &[Action] = &[Action {
    name: "DescribeImages",
    parameters: &["ImageId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
    run: describe,
}];

struct Image {
    id: &'static str,
    name: &'static str,
    role: Role,
    description: &'static str,
}

const IMAGES: &[Image] = &[
    Image {
        id: "ami-0a991a7ce00000001",
        name: "gwlb-lab-appliance",
        role: Role::Appliance,
        description: "The appliance the lab was raised with",
    },
    Image {
        id: "ami-0a991a7ce00000002",
        name: "gwlb-lab-web",
        role: Role::Application,
        description: "A web server that says who asked",
    },
    Image {
        id: "ami-0a991a7ce00000003",
        name: "gwlb-lab-plain",
        role: Role::Plain,
        description: "Nothing runs",
    },
];

/// The image whose instances have this role.
#[must_use]
pub fn image_of(role: Role) -> &'static str {
    IMAGES.iter().find(|i| i.role == role).map_or("", |i| i.id)
}

/// The role of instances made from this image.
pub(super) fn role_of(image: &str) -> Result<Role, Fault> {
    IMAGES.iter().find(|i| i.id == image).map(|i| i.role).ok_or_else(|| {
        let known: Vec<String> = IMAGES.iter().map(|i| format!("{} ({})", i.id, i.name)).collect();
        let why = format!("The image id '[{image}]' does not exist. This lab has {}.", known.join(", "));
        Fault::new("InvalidAMIID.NotFound", why)
    })
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let filters = Filters::of(form, &["image-id", "name", "state"])?;
    let ids = form.list("ImageId");
    for id in &ids {
        role_of(id)?;
    }
    let found = IMAGES
        .iter()
        .filter(|i| ids.is_empty() || ids.contains(&i.id))
        .filter(|i| {
            filters.pass(&Tags::new(), |name| match name {
                "image-id" => one(i.id),
                "name" => one(i.name),
                _ => one("available"),
            })
        })
        .map(|i| (i.id.to_owned(), i))
        .collect();
    page(form, out, "imagesSet", found, |x, image| {
        x.text("imageId", image.id);
        x.text("name", image.name);
        x.text("description", image.description);
        x.text("imageState", "available");
        x.text("imageOwnerId", &state.settings.account);
        x.text("isPublic", true);
        x.text("imageType", "machine");
        x.text("imageLocation", format!("{}/{}", state.settings.account, image.name));
        x.text("architecture", std::env::consts::ARCH);
        x.text("platformDetails", "Linux/UNIX");
    })
}
