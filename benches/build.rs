//! Tells the report which compiler built it: asking at run time could name another one.

use std::env;
use std::error::Error;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let compiler = env::var("RUSTC")?;
    let answer = Command::new(compiler).arg("-V").output()?;
    let version = String::from_utf8(answer.stdout)?;
    // `writeln!` instead of a print macro would say the same; cargo reads standard output.
    std::io::Write::write_all(
        &mut std::io::stdout(),
        format!("cargo::rustc-env=BENCH_RUSTC={}\n", version.trim()).as_bytes(),
    )?;
    Ok(())
}
