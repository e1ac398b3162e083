//! The program: it reads the command line and hands over to [`shuoshi::commands`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shuoshi::commands::main()
}
