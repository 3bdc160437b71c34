//! The ticketing process.
fn main() -> std::process::ExitCode {
    chassis::run("ticketing", ticketing::SETTINGS, ticketing::start)
}
