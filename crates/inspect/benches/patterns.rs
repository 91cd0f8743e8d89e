//! What patterns cost: literal sets by both engines, rules' programs over one buffer: `cargo bench -p inspect --bench patterns`.
//!
//! Literals are the longest patterns of the Emerging Threats set's rules where it is beside the project, else made up. The
//! text is 1 MB of requests and of noise, half each, in pieces of 1,400 bytes. Best of five rounds.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use inspect::matcher::{Literal, Matcher, Scratch};
use inspect::payload::sets::Sets;
use inspect::payload::{Context, Program, fast_pattern};
use policy::{Rule, RuleOption};

const PIECE: usize = 1400;

fn main() {
    let (rules, text) = (rules(), text());
    let start = Instant::now();
    let mut sets = Sets::default();
    let programs: Vec<Program> =
        rules.iter().filter_map(|rule| Program::all_of(&rule.options, &mut sets).ok()).flatten().collect();
    println!("{} rules compiled to {} programs in {:.2?}", rules.len(), programs.len(), start.elapsed());

    let literals = literals(&rules);
    worst();
    println!("literals      hyperscan Gbit/s  build   memory | aho-corasick Gbit/s  build   memory");
    for count in [1, 2, 4, 8, 16, 32, 100, 1000, literals.len()] {
        // Spread over the set, so that small ones are no neighbours.
        let step = (literals.len() / count).max(1);
        let chosen: Vec<Literal> = literals.iter().step_by(step).take(count).cloned().collect();
        let (fast, portable) =
            (measure(Matcher::new, &chosen, &text), measure(Matcher::portable, &chosen, &text));
        println!("{count:8} {fast} | {portable}");
    }

    let mut context = Context::default();
    let all =
        best(|| programs.iter().filter(|program| program.matches(&text[..PIECE], &mut context)).count());
    let per_program = all.as_nanos() / programs.len().max(1) as u128;
    println!("a program over a piece: {per_program} ns on average; {} KB of context", context.memory() >> 10);
}

/// Expressions that step back, over 64 KB: what is usual, and what an attacker would send to a careless rule.
fn worst() {
    let mut context = Context::default();
    for (expression, byte) in [
        (r"(\w+)=\1", b'-'),
        (r"(?=[a-z]+1)[ab]", b'a'),
        (r"(a+)\1+b", b'a'),
        (r"(?<!x)(a*)*c", b'a'),
        (r"a(?!.*x)b", b'a'),
    ] {
        let rule = format!("alert tcp any any -> any any (pcre:\"/{expression}/s\"; sid:1;)");
        let Ok(rule) = rule.parse::<Rule>() else { continue };
        let Ok(programs) = Program::all_of(&rule.options, &mut Sets::default()) else { continue };
        let text = vec![byte; 64 << 10];
        let took = best(|| programs.iter().all(|program| program.matches(&text, &mut context)));
        println!("/{expression}/ over 64 KB: {took:.2?}");
    }
    println!("given up: {} of 25", context.regexes.exhausted + context.exhausted);
}

fn measure<E: std::fmt::Debug>(
    build: impl Fn(&[Literal]) -> Result<Matcher, E>,
    literals: &[Literal],
    text: &[u8],
) -> String {
    let start = Instant::now();
    let Ok(matcher) = build(literals) else { return "refused".to_owned() };
    let built = start.elapsed();
    let (mut scratch, mut found) = (Scratch::default(), 0u64);
    let took = best(|| {
        for piece in text.chunks(PIECE) {
            let _ = matcher.scan(piece, &mut scratch, |_, _| found += 1);
        }
    });
    black_box(found);
    let speed = text.len() as f64 * 8.0 / took.as_secs_f64() / 1e9;
    format!("{speed:10.2} {built:12.2?} {:8} KB", matcher.memory() >> 10)
}

fn best<T>(mut round: impl FnMut() -> T) -> Duration {
    let rounds = (0..5).map(|_| {
        let start = Instant::now();
        black_box(round());
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn rules() -> Vec<Rule> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    let real = fs::read(shared.join("rules/et-open.rules")).unwrap_or_default();
    let real = String::from_utf8_lossy(&real).into_owned();
    let made = (0..2000u32).map(|number| {
        let word = number.wrapping_mul(2_654_435_761);
        format!("alert tcp any any -> any any (content:\"/{word:x}.php\"; nocase; sid:{};)\n", number + 1)
    });
    let text = if real.is_empty() { made.collect() } else { real };
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The patterns by which rules without a buffer of their own would be found.
fn literals(rules: &[Rule]) -> Vec<Literal> {
    let tests = rules.iter().flat_map(|rule| &rule.options).filter_map(|option| match option {
        RuleOption::Buffer(tests) if tests.buffer == policy::Buffer::Payload => fast_pattern(tests),
        _ => None,
    });
    let mut all: Vec<Literal> = tests.filter(|literal| literal.bytes.len() >= 4).collect();
    all.sort_by(|a, b| a.bytes.cmp(&b.bytes));
    all.dedup();
    all
}

fn text() -> Vec<u8> {
    let mut seed = 1u32;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    let mut text = Vec::new();
    while text.len() < 1 << 20 {
        let (path, host) = (random(), random() % 1000);
        let request = format!(
            "GET /images/{path:x}/index.html?id={} HTTP/1.1\r\nHost: www{host}.example.com\r\nUser-Agent: \
             Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: text/html,*/*\r\n\
             Accept-Encoding: gzip, deflate\r\nCookie: session={:x}{:x}\r\nConnection: keep-alive\r\n\r\n",
            random() % 100_000,
            random(),
            random(),
        );
        text.extend_from_slice(request.as_bytes());
        text.extend((0..request.len() / 4).flat_map(|_| random().to_le_bytes()));
    }
    text
}
