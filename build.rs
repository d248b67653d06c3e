//! Tells the program which commit it was built from, for manifests. Without git it is left out.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
    let told = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    if let Ok(told) = told
        && told.status.success()
    {
        println!("cargo::rustc-env=MESOSIM_GIT_COMMIT={}", String::from_utf8_lossy(&told.stdout).trim());
    }
}
