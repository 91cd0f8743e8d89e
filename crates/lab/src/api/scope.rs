use super::fault::{Fault, Service};

/// Who asks, as the SigV4 header says it. The signature is not checked: the lab has no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The twelve digits of the account.
    pub(crate) account: String,
}

/// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …` and checks that it was made for this lab's
/// region and for the API that `service` names.
///
/// # Errors
/// `MissingAuthenticationToken` without such a header; `SignatureDoesNotMatch` for another region or service, in AWS's words.
pub(crate) fn caller(
    header: Option<&str>,
    service: Service,
    region: &str,
    account: &str,
) -> Result<Caller, Fault> {
    let missing =
        || forbidden("MissingAuthenticationToken", "Request is missing Authentication Token".into());
    let credential = header
        .and_then(|h| h.strip_prefix("AWS4-HMAC-SHA256 "))
        .and_then(|h| h.split(',').find_map(|part| part.trim().strip_prefix("Credential=")))
        .ok_or_else(missing)?;
    let scope: Vec<&str> = credential.split('/').collect();
    let [key, _date, signed_region, signed_service, "aws4_request"] = scope[..] else {
        return Err(forbidden(
            "IncompleteSignature",
            format!("Credential '{credential}' is not a credential scope"),
        ));
    };
    if signed_region != region {
        let why = format!(
            "Credential should be scoped to a valid region, not '{signed_region}'. This lab is '{region}'."
        );
        return Err(forbidden("SignatureDoesNotMatch", why));
    }
    let name = match service {
        Service::Elb => "elasticloadbalancing",
        Service::Ec2 => "ec2",
    };
    if signed_service != name {
        return Err(forbidden(
            "SignatureDoesNotMatch",
            format!("Credential should be scoped to correct service: '{name}'."),
        ));
    }
    Ok(Caller { account: account_in(key).unwrap_or_else(|| account.to_owned()) })
}

fn forbidden(code: &'static str, message: String) -> Fault {
    Fault { code, message, status: 403 }
}

/// The account that an access key id of today's form names: after `AKIA` or `ASIA`, base32; of its first six bytes, bits 1–40.
/// (Not documented by AWS; widely observed. A key of another form names the lab's account.)
fn account_in(key: &str) -> Option<String> {
    let rest = key.strip_prefix("AKIA").or_else(|| key.strip_prefix("ASIA"))?;
    if rest.len() != 16 {
        return None;
    }
    let mut bits: u64 = 0;
    for c in rest.bytes().take(10) {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u64::from(digit);
    }
    // Ten digits are fifty bits; the first six bytes are the upper forty-eight.
    let account = ((bits >> 2) & 0x7fff_ffff_ff80) >> 7;
    (account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

/// An access key id that names `account`, for the dummy credentials of the lab's user.
#[must_use]
pub fn access_key(account: u64) -> String {
    let bits = ((account << 7) & 0x7fff_ffff_ff80) << 2;
    let digits = (0..10).rev().map(|n| {
        let digit = u8::try_from((bits >> (n * 5)) & 31).unwrap_or(0);
        char::from(if digit < 26 { b'A' + digit } else { b'2' + digit - 26 })
    });
    let mut key = String::from("AKIA");
    key.extend(digits);
    key.push_str("GWLBLA");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(key: &str, region: &str, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    #[test]
    fn the_account_is_read_out_of_the_access_key() {
        for account in [123_456_789_012, 1, 999_999_999_999] {
            let header = header(&access_key(account), "us-east-2", "ec2");
            let caller = caller(Some(&header), Service::Ec2, "us-east-2", "0").unwrap();
            assert_eq!(caller.account, format!("{account:012}"));
        }
    }

    #[test]
    fn a_key_of_another_form_is_the_labs_own_account() {
        let header = header("test", "us-east-2", "ec2");
        assert_eq!(
            caller(Some(&header), Service::Ec2, "us-east-2", "123456789012").unwrap().account,
            "123456789012"
        );
    }

    #[test]
    fn a_request_without_a_credential_is_refused() {
        for header in [None, Some("Basic eA=="), Some("AWS4-HMAC-SHA256 Signature=0")] {
            assert_eq!(
                caller(header, Service::Ec2, "us-east-2", "1").unwrap_err().code,
                "MissingAuthenticationToken"
            );
        }
    }

    #[test]
    fn a_request_signed_for_another_region_or_service_is_refused() {
        for header in [header("k", "eu-west-1", "ec2"), header("k", "us-east-2", "s3")] {
            assert_eq!(
                caller(Some(&header), Service::Ec2, "us-east-2", "1").unwrap_err().code,
                "SignatureDoesNotMatch"
            );
        }
    }
}
