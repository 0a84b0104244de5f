//! What a person types: arguments, the commands they name, and an exit code with one meaning each.
//! 0 is done, 1 is a failure while running, 2 is a wrong argument or configuration.

mod args;
mod banner;
mod bench;
mod cap;
mod capabilities;
mod configured;
mod demo;
mod ended;
mod reload;
mod run;
mod runtime;
mod serve;
mod stop;
mod streams;
mod validate;
mod why;

pub use run::run;
