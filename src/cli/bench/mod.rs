//! `bench --self`: what the gateway adds, measured on the machine of whoever asks. An open loop at a fixed rate, direct and
//! through the gateway in turns, before an echo that is built in.

mod account;
mod alarm;
mod children;
mod echo;
mod lane;
mod machine;
mod options;
mod report;
mod run;
mod seen;
mod turn;

pub(super) use echo::run as echo;
pub(super) use options::BenchOptions;
pub(super) use run::run;
