//! Asking the running lab over HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use super::place::Place;
use crate::api::access_key;
use crate::plane::Disturbance;

/// How long an answer may take. A command may change many namespaces.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The running lab.
pub(super) struct Client {
    port: u16,
    region: String,
    account: u64,
}

impl Client {
    /// The lab that runs in `place`.
    pub(super) fn of(place: &Place) -> Result<Self, String> {
        let running = place.running().ok_or("no lab is running; gwlb-lab up starts one")?;
        let settings = place.state()?.settings;
        Ok(Self {
            port: running.port,
            region: settings.region,
            account: settings.account.parse().unwrap_or_default(),
        })
    }

    /// Lets something go wrong.
    pub(super) fn disturb(&self, how: &Disturbance) -> Result<(), String> {
        let body = serde_json::to_string(how).map_err(|e| e.to_string())?;
        let head = format!(
            "POST /disturb HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: gwlb-lab\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        match self.send(&head)? {
            (200, _) => Ok(()),
            (_, why) => Err(why.trim().to_owned()),
        }
    }

    /// Sends a form to an API and gives the answer's XML, or its code and message.
    pub(super) fn call(&self, form: &str) -> Result<String, String> {
        let service = if form.contains("Version=2015-12-01") { "elasticloadbalancing" } else { "ec2" };
        let scope = format!("{}/0/{}/{service}/aws4_request", access_key(self.account), self.region);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        );
        match self.send(&head)? {
            (200, body) => Ok(body),
            (_, body) => {
                let part = |name| crate::prerequisites::text_of(&body, name).unwrap_or_default();
                Err(format!("{}: {}", part("Code"), part("Message")))
            }
        }
    }

    /// What `GET path` answers.
    pub(super) fn look(&self, path: &str) -> Result<String, String> {
        match self.send(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))? {
            (200, body) => Ok(body),
            (status, body) => Err(format!("the lab answers {status}: {}", body.trim())),
        }
    }

    fn send(&self, request: &str) -> Result<(u16, String), String> {
        let port = self.port;
        let failed =
            |e: std::io::Error| format!("no lab answers on 127.0.0.1:{port} ({e}); gwlb-lab up starts one");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.take(LARGEST).read_to_string(&mut answer).map_err(failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split_whitespace().nth(1).and_then(|s| s.parse().ok());
        Ok((status.ok_or("the lab's answer is not HTTP")?, body.to_owned()))
    }
}
