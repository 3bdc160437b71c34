//! The operator process.
fn main() -> std::process::ExitCode {
    chassis::run("operator", operator::SETTINGS, operator::start)
}
