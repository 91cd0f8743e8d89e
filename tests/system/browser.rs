//! A headless Chromium, driven by chromedriver over plain HTTP (W3C WebDriver).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::lab::wait;

/// The key under which WebDriver hands out elements (W3C WebDriver, "Elements").
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long the driver may take for one command: a browser that starts on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser window.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Open a window of 1640 by 1180 pixels.
    pub(crate) fn open() -> Result<Self, Failed> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().map_err(|e| format!("chromedriver: {e}"))?;
        let mut browser = Self { driver, port, session: String::new() };
        if !wait(|| Ok(browser.call("GET", "/status", &Value::Null).is_ok_and(|s| s["ready"] == true)))? {
            return Err("chromedriver does not begin".into());
        }
        // The sandbox wants another user than root, and the tests are root's.
        let args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1640,1180"];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": args }, "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let made = browser.call("POST", "/session", &wanted)?;
        browser.session = format!("/session/{}", made["sessionId"].as_str().ok_or("no session")?);
        Ok(browser)
    }

    /// Go to an address.
    pub(crate) fn go(&self, url: &str) -> Result<(), Failed> {
        self.command("/url", &json!({ "url": url })).map(drop)
    }

    /// What a script returns.
    pub(crate) fn ask(&self, script: &str) -> Result<Value, Failed> {
        self.command("/execute/sync", &json!({ "script": format!("return {script}"), "args": [] }))
    }

    /// Wait until a script returns true.
    pub(crate) fn wait_for(&self, script: &str) -> Result<(), Failed> {
        if wait(|| Ok(self.ask(script)? == true))? {
            return Ok(());
        }
        let text = self.ask("document.body.innerText")?;
        Err(format!("never true: {script}\nthe page: {}", text.as_str().unwrap_or_default()).into())
    }

    /// Click the first element of a selector, as a user's mouse does.
    pub(crate) fn click(&self, selector: &str) -> Result<(), Failed> {
        let element = self.element(selector)?;
        self.command(&format!("/element/{element}/click"), &json!({})).map(drop)
    }

    /// Press keys on whatever has the focus.
    pub(crate) fn press(&self, keys: &str) -> Result<(), Failed> {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.command("/actions", &actions).map(drop)
    }

    /// What the browser complained about: errors of scripts, and what the page's policy forbade.
    pub(crate) fn complaints(&self) -> Result<Vec<String>, Failed> {
        let log = self.command("/se/log", &json!({ "type": "browser" }))?;
        let entries = log.as_array().into_iter().flatten();
        Ok(entries.filter(|e| e["level"] == "SEVERE").map(|e| e["message"].to_string()).collect())
    }

    fn element(&self, selector: &str) -> Result<String, Failed> {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector }))?;
        Ok(found[ELEMENT].as_str().ok_or("no element")?.to_owned())
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call("POST", &format!("{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failed> {
        let failed = |error: &dyn std::fmt::Display| Failed::from(format!("{method} {path} {body}: {error}"));
        let (status, told) = self.exchange(method, path, body).map_err(|e| failed(&e))?;
        let mut told: Value = serde_json::from_slice(&told)?;
        if status.split_whitespace().nth(1) != Some("200") {
            return Err(failed(&told["value"]["message"]));
        }
        Ok(told["value"].take())
    }

    /// One request; the answer's first line and its body.
    fn exchange(&self, method: &str, path: &str, body: &Value) -> io::Result<(String, Vec<u8>)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        // The driver keeps the connection, so the end is where the length says.
        let mut reader = BufReader::new(stream);
        let (mut status, mut length) = (String::new(), 0);
        reader.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok((status, body))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.call("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
