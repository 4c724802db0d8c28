use std::process::ExitCode;

fn main() -> ExitCode {
    stratum::cli::run(std::env::args_os())
}
