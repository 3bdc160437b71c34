//! The inspector process: one worker of one run.
fn main() -> std::process::ExitCode {
    chassis::errand("inspector", inspection::inspector::SETTINGS, inspection::inspector::work)
}
