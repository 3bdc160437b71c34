//! The inventory process.
fn main() -> std::process::ExitCode {
    chassis::run("inventory", inventory::SETTINGS, inventory::start)
}
