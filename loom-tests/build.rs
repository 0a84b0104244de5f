//! Sets `cfg(loom)` for this package alone: set for all packages it would take sockets and signals away from tokio.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(loom)");
    println!("cargo::rustc-cfg=loom");
    println!("cargo::rerun-if-changed=build.rs");
}
