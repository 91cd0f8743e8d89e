//! `gwlb-lab env`: shell commands after which the aws command line can reach the lab and nothing else.

use std::fs;
use std::io;
use std::process::ExitCode;

use super::Done;
use super::place::Place;
use crate::api::access_key;
use crate::state::Settings;

/// What could lead the command line, or what it starts, to a real account.
const UNSET: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

pub(super) fn env(place: &Place) -> Done {
    let running = place.running().ok_or("no lab is running; gwlb-lab up starts one")?;
    let settings = place.state()?.settings;
    let mut variables = vec![
        ("AWS_ENDPOINT_URL".to_owned(), format!("http://127.0.0.1:{}", running.port)),
        ("AWS_ACCESS_KEY_ID".to_owned(), key(&settings)),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "gwlb-lab".to_owned()),
        ("AWS_DEFAULT_REGION".to_owned(), settings.region.clone()),
        ("AWS_REGION".to_owned(), settings.region),
        ("AWS_PAGER".to_owned(), String::new()),
        ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
        ("AWS_CONFIG_FILE".to_owned(), place.aws_config().display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), place.aws_credentials().display().to_string()),
    ];
    variables.extend(place.prerequisites()?.variables);
    println!("unset {}", UNSET.join(" "));
    for (name, value) in variables {
        println!("export {name}={}", quoted(&value));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the command line's own files, so that a user's real profile is never read.
pub(super) fn write_files(place: &Place, settings: &Settings, port: u16) -> io::Result<()> {
    let config = format!(
        "[default]\nregion = {}\nendpoint_url = http://127.0.0.1:{port}\ncli_pager =\n",
        settings.region
    );
    let credentials =
        format!("[default]\naws_access_key_id = {}\naws_secret_access_key = gwlb-lab\n", key(settings));
    fs::write(place.aws_config(), config)?;
    fs::write(place.aws_credentials(), credentials)
}

fn key(settings: &Settings) -> String {
    access_key(settings.account.parse().unwrap_or_default())
}

/// A word that a shell takes as it stands.
pub(super) fn quoted(text: &str) -> String {
    let plain =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:,@=".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_word_is_one_word_to_a_shell() {
        assert_eq!(quoted("10.0.1.0/24"), "10.0.1.0/24");
        assert_eq!(quoted("i-1 i-2"), "'i-1 i-2'");
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        assert_eq!(quoted(""), "''");
    }
}
