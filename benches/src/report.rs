//! A run's results: one JSON, one table for readers, one chart.

use std::fmt::Write as _;

use serde::Serialize;

use crate::machine::Machine;
use crate::micro::Part;
use crate::samples::Samples;
use crate::sessions;
use crate::veth;
use crate::whole::{Row, gap, latency};

/// All that a run measured; what was not asked for is empty.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) tables: Vec<Table>,
    pub(crate) latency: Vec<(String, latency::Outcome)>,
    pub(crate) veth: Option<veth::Outcome>,
    pub(crate) sessions: Vec<sessions::Row>,
    pub(crate) reloads: Vec<sessions::reload::Reloaded>,
    pub(crate) bytes_per_flow: f64,
    pub(crate) micro: Vec<Part>,
}

/// Contenders over one source.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// The row that the others are set beside, if it is there.
    pub(crate) beside: &'static str,
}

impl Table {
    fn of(&self, name: &str) -> Option<&Samples> {
        self.rows.iter().find(|row| row.name == name).map(|row| &row.mpps)
    }
}

impl Report {
    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let Machine { cpu, cpus, kernel, dpdk, commit, date, load, command } = &self.machine;
        writeln!(to, "# {date}, commit {commit}\n")?;
        writeln!(
            to,
            "`{command}` on {cpus} × {cpu}, Linux {kernel}, {dpdk}; load average at the start {load}.\n"
        )?;
        writeln!(
            to,
            "Million packets per second of the busiest core's time: median (least to most). \"CPU\" is the least share"
        )?;
        writeln!(
            to,
            "of its CPU that this core had in a sample. Ratios are medians of the rounds' ratios. ns over rxonly: what a packet costs beside being received."
        )?;
        for table in &self.tables {
            write_table(to, table)?;
        }
        if !self.latency.is_empty() {
            write_latency(to, &self.latency)?;
        }
        if let Some(veth) = &self.veth {
            writeln!(to, "\n## `sluice run` on a veth pair, af_packet, generator on the other core, kpps\n")?;
            writeln!(
                to,
                "| | offered | returned of that | without loss (0.1 %) | returned of 5 times that |"
            )?;
            writeln!(to, "|---|---|---|---|---|")?;
            for veth::Row { size, offered, returned, lossless, overloaded } in &veth.rows {
                let [offered, returned, lossless, overloaded] =
                    [offered, returned, lossless, overloaded].map(|rate| rate / 1e3);
                writeln!(to, "| {size} | {offered:.0} | {returned:.0} | {lossless:.0} | {overloaded:.0} |")?;
            }
            writeln!(to, "\nFrom the start of the process to healthy: {:.2} s.", veth.healthy_after)?;
        }
        if !self.sessions.is_empty() {
            sessions::write(to, &self.sessions)?;
        }
        if !self.reloads.is_empty() {
            sessions::reload::write(to, &self.reloads)?;
        }
        if !self.micro.is_empty() {
            writeln!(to, "\n## Parts of the way, each alone\n")?;
            writeln!(to, "| | ns per packet | least | most | allocations |\n|---|---|---|---|---|")?;
        }
        for Part { name, nanos, allocations } in &self.micro {
            let (median, least, most) = (nanos.median(), nanos.least(), nanos.most());
            writeln!(to, "| {name} | {median:.1} | {least:.1} | {most:.1} | {allocations:.3} |")?;
        }
        writeln!(to, "\nMemory per tracked flow, index included: {:.0} bytes.", self.bytes_per_flow)
    }
}

fn write_latency(to: &mut String, rows: &[(String, latency::Outcome)]) -> std::fmt::Result {
    writeln!(to, "\n## Latency added, microseconds, packets on a schedule\n")?;
    writeln!(to, "| | p50 | p99 | p99.9 | most | packets |\n|---|---|---|---|---|---|")?;
    for (name, latency::Outcome { all, while_there, between_gaps, .. }) in rows {
        let kinds =
            [("all", all), ("while Linux left it its core", while_there), ("between gaps", between_gaps)];
        for (which, latency::Lateness { p50, p99, p999, most, packets }) in kinds {
            writeln!(to, "| {name}, {which} | {p50:.2} | {p99:.2} | {p999:.1} | {most:.0} | {packets} |")?;
        }
    }
    let longer = gap::SHORT;
    writeln!(
        to,
        "\nGaps are turns of more than {longer} µs; packets on their way then, or for as long again, are left out.\n"
    )?;
    writeln!(
        to,
        "| gaps, and milliseconds in all | Linux gave the core away | others: interrupts, the host, the loop itself |\n|---|---|---|"
    )?;
    for (name, latency::Outcome { away, other, .. }) in rows {
        let gaps = |gaps: &latency::Gaps| format!("{}, {:.1} ms", gaps.times, gaps.millis);
        writeln!(to, "| {name} | {} | {} |", gaps(away), gaps(other))?;
    }
    Ok(())
}

fn write_table(to: &mut String, table: &Table) -> std::fmt::Result {
    writeln!(to, "\n## {}\n", table.title)?;
    writeln!(to, "| | Mpps | of {} | ns | ns over rxonly | CPU |\n|---|---|---|---|---|---|", table.beside)?;
    let (beside, alone) = (table.of(table.beside), table.of("testpmd rxonly"));
    for Row { name, mpps, least_share, .. } in &table.rows {
        let median = mpps.median();
        let ratio = beside.map_or("".to_owned(), |beside| format!("{:.2}", mpps.over(beside).median()));
        let nanos = 1e3 / median;
        let over = alone.map_or("".to_owned(), |alone| format!("{:.1}", nanos - 1e3 / alone.median()));
        let (least, most) = (mpps.least(), mpps.most());
        writeln!(
            to,
            "| {name} | {median:.2} ({least:.2} to {most:.2}) | {ratio} | {nanos:.1} | {over} | {least_share:.2} |"
        )?;
    }
    Ok(())
}

const BAR: f64 = 16.0;
const WIDTH: f64 = 900.0;
const LABEL: f64 = 260.0;

/// The tables as bars: one figure a table, each with a scale of its own.
pub(crate) fn chart(tables: &[Table]) -> String {
    let (mut body, mut y) = (String::new(), 10.0);
    for table in tables {
        y += 26.0;
        let _ = writeln!(body, "<text x=\"10\" y=\"{y}\" font-weight=\"bold\">{}</text>", table.title);
        y += 8.0;
        let longest = table.rows.iter().map(|row| row.mpps.most()).fold(f64::MIN_POSITIVE, f64::max);
        let scale = (WIDTH - LABEL - 80.0) / longest;
        for row in &table.rows {
            let colour = if row.name.starts_with("testpmd") { "#9aa5b1" } else { "#1f6feb" };
            let (median, least, most) = (row.mpps.median(), row.mpps.least(), row.mpps.most());
            let (text, middle) = (y + BAR - 4.0, y + BAR / 2.0);
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text><rect x=\"{LABEL}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" \
                 fill=\"{colour}\"/><path d=\"M{:.1} {middle}H{:.1}\" stroke=\"black\"/><text x=\"{:.1}\" y=\"{text}\">{median:.2}</text>",
                LABEL - 8.0,
                row.name,
                median * scale,
                BAR - 3.0,
                LABEL + least * scale,
                LABEL + most * scale,
                LABEL + most * scale + 6.0,
            );
            y += BAR;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}<text x=\"10\" y=\"{:.0}\">Mpps, median; line: least to most</text>\n</svg>\n",
        y + 34.0,
        y + 24.0
    )
}
