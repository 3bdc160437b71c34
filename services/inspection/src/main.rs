//! The inspection process.
fn main() -> std::process::ExitCode {
    chassis::run("inspection", inspection::SETTINGS, inspection::start)
}
