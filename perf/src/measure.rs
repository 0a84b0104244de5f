//! The whole measurement, from the build to the report.

use std::{
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
};

use crate::{
    arguments::Arguments,
    compare::{Comparison, compare},
    footprint::{resident_at_rest, weigh},
    http::post,
    load::Target,
    machine,
    process::Process,
    report::{Report, raw},
    subject::{Subject, build, open_session},
};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"constant"}}}"#;
const INVOKE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"constant","tool":"echo","arguments":{"message":"constant"}}}"#;

/// What every way's answer holds, being what the upstream answers.
const EXPECTED: &str = r#"{"type":"text","text":"constant"}"#;

/// Connections of the two loads: one caller who waits, and more than the machine has cores.
const CONNECTIONS: [usize; 2] = [1, 8];

/// Measures everything, prints the report, and writes it with all turns where asked.
pub(crate) fn run(arguments: &Arguments) -> io::Result<()> {
    let gateway = arguments.gateway.clone().map_or_else(build, Ok)?;
    let machine = machine::describe();
    let footprint = weigh(&gateway, arguments.starts)?;
    let (upstream, port) = Process::start_role(&["upstream"])?;
    let direct = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (pump, pump_port) = Process::start_role(&["pump", &direct.to_string()])?;
    let mut subject = Subject::start(&gateway, Some(port))?;
    subject.first_answer()?;
    let others = [
        target("direct call", direct, "/mcp", &upstream)?,
        target(
            "byte pump",
            SocketAddr::from((Ipv4Addr::LOCALHOST, pump_port)),
            "/mcp",
            &pump,
        )?,
    ];
    let comparisons = comparisons(arguments, &others, &subject)?;
    let report = Report {
        machine,
        footprint,
        comparisons,
        loaded_kib: resident_at_rest(&subject)?,
    };
    publish(arguments, &report)
}

fn target<'a>(
    name: &'static str,
    address: SocketAddr,
    path: &str,
    process: &'a Process,
) -> io::Result<Target<'a>> {
    let session = open_session(address, path)?;
    Ok(Target {
        name,
        address,
        request: post(path, address, &session, CALL),
        expected: EXPECTED,
        process,
    })
}

fn comparisons(
    arguments: &Arguments,
    [direct, pump]: &[Target<'_>; 2],
    subject: &Subject,
) -> io::Result<Vec<Comparison>> {
    let (address, process) = (subject.address, subject.process());
    let transparent = target("gateway /mcp/constant", address, "/mcp/constant", process)?;
    let invoke = Target {
        name: "gateway gateway_invoke",
        address,
        request: post("/mcp", address, "", INVOKE),
        expected: EXPECTED,
        process,
    };
    let amount = (arguments.rounds, arguments.requests);
    let targets = [direct, pump, &transparent, &invoke];
    CONNECTIONS
        .into_iter()
        .map(|connections| compare("tools/call", connections, amount, &targets))
        .collect()
}

fn publish(arguments: &Arguments, report: &Report) -> io::Result<()> {
    let text = report.to_string();
    io::stdout().write_all(text.as_bytes())?;
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.txt"), text)?;
        fs::write(folder.join("turns.tsv"), raw(&report.comparisons))?;
    }
    Ok(())
}
