//! Makes the types and the service of `proto/reports.proto`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["reports.proto"], ["proto"])?;
    tonic_prost_build::compile_fds(files)?;
    Ok(())
}
