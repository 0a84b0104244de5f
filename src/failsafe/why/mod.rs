//! Why calls to a backend flow or do not: its circuits in a sentence each, and the flight recorder behind them.
//! Put together when it is asked for; calls only write down what they came to.

mod report;
mod text;

pub use report::{ChangeReport, FailureReport, OutcomeReport, ToolReport, Why};
