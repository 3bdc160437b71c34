//! What this process takes of its machine, read from `/proc` when somebody asks, under the names that every Prometheus library gives it.
use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Ticks of the kernel's clock in a second: what Linux tells every program, whatever it runs on.
const TICKS: f64 = 100.0;

/// The process. What the kernel does not tell is left out.
#[derive(Debug)]
pub(crate) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauges = [
            ("process_resident_memory_bytes", "Memory that is resident, in bytes", resident()),
            ("process_open_fds", "File descriptors that are open", open_files()),
            ("process_max_fds", "File descriptors that may be open", most_files()),
        ];
        for (name, help, value) in gauges {
            let Some(gauge) = value.map(ConstGauge::new) else { continue };
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        if let Some(counter) = processor_seconds().map(ConstCounter::new) {
            let (name, help) = ("process_cpu_seconds", "Processor time, user's and system's, in seconds");
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

fn resident() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok().map(|kibibytes| kibibytes * 1024)
}

fn open_files() -> Option<i64> {
    // One of them is the folder that is read.
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok().map(|files| files - 1)
}

fn most_files() -> Option<i64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may hold anything; after it, user time is the 12th word and system time the next.
    let (_, words) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = words.split_whitespace().skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / TICKS)
}

#[cfg(test)]
mod tests {
    use crate::Meter;

    #[test]
    fn a_process_says_what_it_takes_of_its_machine() {
        let text = Meter::of_process().text();
        let value = |name: &str| -> f64 {
            let line =
                text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{name}: {text}"));
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") > value("process_open_fds"));
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
