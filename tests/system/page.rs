//! The lab's page in a real browser.

use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::browser::Browser;
use crate::lab::Lab;
use crate::running::Running;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("the_page_draws_the_lab_and_follows_a_flow_hop_by_hop", page)]
}

const PORT: u16 = 4794;

/// A name that would do something, were it markup.
const HOSTILE: &str = "<img src=x onerror=\"document.title='run'\">";

fn page() -> Result<(), Failed> {
    let lab = Lab::up("spage", PORT, &["--appliances=2"])?;
    lab.wait_for(&["healthy", "healthy"])?;
    name_a_vpc(&lab)?;
    let browser = Browser::open()?;
    browser.go(&format!("http://127.0.0.1:{PORT}/"))?;

    browser.wait_for("document.querySelectorAll('[data-vpc]').length === 2")?;
    browser.wait_for("document.querySelectorAll('.appliance[data-health=healthy]').length === 2")?;
    browser.wait_for(
        "['client', 'internet gateway', 'gateway-rtb', '10.0.1.0/24', 'node 10.1.1.4', 'appliance2', 'app']\
         .every((word) => document.querySelector('#topology').innerText.includes(word))",
    )?;
    let drawn = browser.ask("document.querySelector('.provider .vpc h2 b').textContent")?;
    assert_eq!(drawn, HOSTILE, "a name is text, whatever it holds");

    lab.run(&["traffic"])?;
    let _ping = ping(&lab)?;
    browser.wait_for(
        "[...document.querySelectorAll('#flow-list li')].some((row) => row.innerText.startsWith('tcp'))",
    )?;
    filter(&browser)?;
    follow(&browser)?;

    lab.run(&["fault", "kill", "appliance1"])?;
    browser.wait_for("document.querySelectorAll('.appliance[data-health=unhealthy]').length === 1")?;
    assert_eq!(browser.ask("document.title")?, "gwlb-lab", "no script but the page's own ran");
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    only_for_this_machine()
}

/// The keyboard alone: `/`, words, and only flows that have them all are left.
fn filter(browser: &Browser) -> Result<(), Failed> {
    browser.press("/icmp app")?;
    browser.wait_for(
        "(() => { const rows = [...document.querySelectorAll('#flow-list li')]; \
         return rows.length > 0 && rows.every((row) => row.innerText.startsWith('icmp')) })()",
    )
}

/// A click follows the flow: eight hops there and back, lit in the picture; Escape ends it.
fn follow(browser: &Browser) -> Result<(), Failed> {
    browser.click("#flow-list li")?;
    browser.wait_for("document.querySelectorAll('#hops .hop').length === 8")?;
    let names = browser
        .ask("[...document.querySelectorAll('#hops .hop b')].map((b) => b.innerText.split(' ')[0])")?;
    let appliance = names[4].as_str().unwrap_or_default().to_owned();
    assert!(appliance.starts_with("appliance"), "{names}");
    let way = ["client", "internet", "endpoint", "GWLB", &appliance, "GWLB", "endpoint", "app"];
    assert_eq!(names, serde_json::json!(way));
    browser.wait_for(
        "/cookie\\s*[0-9a-f]{8}/.test(document.querySelector('#hops').innerText) \
         && /sent\\s*[1-9]\\d* packets/.test(document.querySelector('#hops').innerText)",
    )?;
    browser.wait_for("document.querySelectorAll('#topology .on').length >= 10")?;
    browser.press("\u{e00c}\u{e00c}")?; // Escape: the first empties the filter if it has the focus
    browser.wait_for("document.querySelectorAll('#hops .hop, #topology .on').length === 0")
}

/// A browser that was led here under another name is sent away, and the page forbids what it does not need.
fn only_for_this_machine() -> Result<(), Failed> {
    let url = format!("http://127.0.0.1:{PORT}/");
    let led = run(Command::new("curl").args([
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-H",
        "Host: lab.example",
        &url,
    ]))?;
    assert_eq!(String::from_utf8_lossy(&led.stdout), "421");
    let head = run(Command::new("curl").args(["-s", "-D", "-", "-o", "/dev/null", &url]))?;
    let head = String::from_utf8_lossy(&head.stdout).to_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self';"), "{head}");
    Ok(())
}

/// Gives the provider's VPC the hostile name, as any caller of the API may.
fn name_a_vpc(lab: &Lab) -> Result<(), Failed> {
    let call = "eval \"$(\"$LAB\" env)\"; curl -sSf -o /dev/null \"$AWS_ENDPOINT_URL\" \
                -H \"Authorization: AWS4-HMAC-SHA256 Credential=$AWS_ACCESS_KEY_ID/0/$AWS_REGION/ec2/aws4_request\" \
                --data 'Version=2016-11-15&Action=CreateTags&Tag.1.Key=Name' \
                --data \"ResourceId.1=$PROVIDER_VPC_ID\" --data-urlencode \"Tag.1.Value=$NAME\"";
    let program = lab.command(&[]).get_program().to_owned();
    run(Command::new("bash")
        .args(["-c", call])
        .env("LAB", program)
        .env("GWLB_LAB_DIR", lab.dir())
        .env("NAME", HOSTILE))
    .map(drop)
}

/// A flow that lasts.
fn ping(lab: &Lab) -> Result<Running, Failed> {
    Running::start(&mut lab.within("client", &["ping", "-q", "-i", "0.2", "198.51.100.10"]))
}
