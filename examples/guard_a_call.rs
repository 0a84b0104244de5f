//! Protects any async call with a circuit breaker, health and latency: `cargo run --example guard_a_call`.
//!
//! The call here opens a TCP connection. First somebody listens, then nobody, then somebody again.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{fmt::Display, io, time::Duration};

use mcp_gateway::{
    failsafe::{CircuitBreakerConfig, Failsafe, FailsafeConfig, Outcome, Rejected},
    telemetry::Clock,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// How long the call may take.
const DEADLINE: Duration = Duration::from_secs(1);

/// What a guarded call came to.
enum Guarded<T, E> {
    /// It was sent and answered.
    Answered(T),
    /// It was sent and failed.
    Failed(E),
    /// It was sent and not answered in time.
    TimedOut,
    /// It was not sent.
    Refused(Rejected),
}

/// Sends the call if the circuit lets it go, and tells what it came to. A future that is dropped counts neither way.
async fn guard<T, E: Display>(
    failsafe: &Failsafe,
    clock: &Clock,
    call: impl Future<Output = Result<T, E>>,
) -> Guarded<T, E> {
    let ticket = match failsafe.admit(clock.now()) {
        Ok(ticket) => ticket,
        Err(rejected) => return Guarded::Refused(rejected),
    };
    match timeout(DEADLINE, call).await {
        Ok(Ok(answer)) => {
            ticket.settle(Outcome::Success, &"", clock.now());
            Guarded::Answered(answer)
        }
        Ok(Err(error)) => {
            ticket.settle(Outcome::Unreachable, &error, clock.now());
            Guarded::Failed(error)
        }
        Err(_) => {
            ticket.settle(Outcome::Timeout, &"no answer within 1 s", clock.now());
            Guarded::TimedOut
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let clock = Clock::new();
    let failsafe = Failsafe::with_clock("service", &settings(), clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut service = Some(listener);

    for number in 1..=8 {
        if number == 3 {
            println!("-- the service dies");
            service = None;
        }
        match guard(&failsafe, &clock, TcpStream::connect(address)).await {
            Guarded::Answered(_) => println!("{number}: answered"),
            Guarded::Failed(error) => println!("{number}: failed, {error}"),
            Guarded::TimedOut => println!("{number}: no answer in time"),
            Guarded::Refused(rejected) => {
                println!("{number}: refused, {rejected}");
                if service.is_none() {
                    println!("-- the service comes back");
                    service = Some(TcpListener::bind(address).await?);
                }
                sleep(rejected.retry_after).await;
            }
        }
    }
    println!("\n{}", failsafe.why());
    Ok(())
}

/// Two failures open the circuit, one good probe closes it again.
fn settings() -> FailsafeConfig {
    FailsafeConfig {
        circuit_breaker: CircuitBreakerConfig {
            failure_threshold: 2,
            success_threshold: 1,
            reset_timeout: Duration::from_millis(200),
            ..CircuitBreakerConfig::default()
        },
        ..FailsafeConfig::default()
    }
}
