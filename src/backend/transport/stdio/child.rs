//! A caller's end of a running child: send a request, wait for its answer, or go away.

use tokio::sync::{mpsc, oneshot};

use super::pump::Order;
use crate::{backend::CallError, lockfree::Counter, protocol::Message};

/// The sending side of a pump.
#[derive(Debug)]
pub(super) struct Child {
    orders: mpsc::UnboundedSender<Order>,
    serials: Counter,
}

impl Child {
    /// A child whose pump takes the orders from the receiver.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, taken) = mpsc::unbounded_channel();
        (
            Self {
                orders,
                serials: Counter::new(),
            },
            taken,
        )
    }

    /// Sends `message` and waits for its answer. Dropping the future tells the child that nobody waits any more.
    pub(super) async fn request(
        &self,
        message: &Message,
        events: Option<&mpsc::Sender<Message>>,
    ) -> Result<Message, CallError> {
        let serial = self.serials.next();
        let (answer, waiting) = oneshot::channel();
        let order = Order::Request {
            serial,
            message: message.clone(),
            answer,
            events: events.cloned(),
        };
        self.orders.send(order).map_err(|_| just_died())?;
        let mut guard = CancelOnDrop {
            orders: Some(&self.orders),
            serial,
        };
        let answered = waiting.await;
        guard.orders = None;
        answered.unwrap_or_else(|_| Err(just_died()))
    }

    /// Sends a notification.
    pub(super) fn notify(&self, message: &Message) -> Result<(), CallError> {
        self.orders
            .send(Order::Notify(message.clone()))
            .map_err(|_| just_died())
    }

    /// Asks the pump to end the child; pending calls fail.
    pub(super) fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Waits until the child's process is gone.
    pub(super) async fn gone(&self) {
        self.orders.closed().await;
    }

    /// Whether the pump still takes orders.
    pub(super) fn is_alive(&self) -> bool {
        !self.orders.is_closed()
    }
}

struct CancelOnDrop<'a> {
    orders: Option<&'a mpsc::UnboundedSender<Order>>,
    serial: u64,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(orders) = self.orders {
            let _ = orders.send(Order::Cancel {
                serial: self.serial,
            });
        }
    }
}

fn just_died() -> CallError {
    CallError::Unreachable {
        reason: "the child process has just ended".into(),
        permanent: false,
        retry_after: None,
    }
}
