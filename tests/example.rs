//! Runs the example as a reader would, and looks whether it tells the story that it promises.

use std::process::Command;

#[test]
fn the_example_shows_a_circuit_that_opens_refuses_and_recovers() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "guard_a_call"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let mut rest = told.as_str();
    for part in [
        "1: answered\n2: answered\n-- the service dies\n3: failed, Connection refused",
        "4: failed, ",
        "5: refused, the circuit opened ",
        "-- the service comes back\n6: answered\n7: answered\n8: answered\n",
        "service: closed since ",
        "changes, newest first:\n",
        "closed     recovered",
        "half_open  probe_due",
        "open       unreachable: 2 failures ",
        "last calls, newest first:\n",
    ] {
        let found = rest.find(part);
        assert!(found.is_some(), "{part}\n{told}");
        rest = &rest[found.unwrap()..];
    }
}
