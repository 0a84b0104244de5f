//! A caller's end of a running child: send a request, wait for its answer, or go away.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    order::{Asked, Order, Orders},
    other_end::OtherEnd,
};
use crate::{
    backend::{CallError, EventSender, transport::serials::Serials},
    lockfree::Latest,
    protocol::Message,
};

/// The sending side of a pump.
#[derive(Debug)]
pub(in crate::backend::transport) struct Child {
    orders: mpsc::UnboundedSender<Order>,
    serials: Serials,
    /// 1 once the child takes no more input.
    deaf: Arc<Latest>,
    other_end: OtherEnd,
}

impl Child {
    /// A child whose pump has the other end.
    pub(in crate::backend::transport) fn new(other_end: OtherEnd) -> (Self, Orders) {
        let (orders, taken) = mpsc::unbounded_channel();
        let deaf = Arc::new(Latest::new(0));
        let child = Self {
            orders,
            serials: Serials::default(),
            deaf: Arc::clone(&deaf),
            other_end,
        };
        let orders = Orders {
            taken,
            deaf,
            other_end,
        };
        (child, orders)
    }

    /// Sends `message` and waits for its answer. Dropping the future tells the child that nobody waits any more.
    pub(in crate::backend::transport) async fn request(
        &self,
        message: &Message,
        events: Option<&EventSender>,
    ) -> Result<Message, CallError> {
        let serial = self.serials.next();
        let (answer, waiting) = oneshot::channel();
        let asked = Asked {
            message: message.clone(),
            answer,
            events: events.cloned(),
        };
        let order = Order::Request { serial, asked };
        let is_gone = |_| self.other_end.just_ended();
        self.orders.send(order).map_err(is_gone)?;
        let mut guard = CancelOnDrop {
            orders: Some(&self.orders),
            serial,
        };
        let answered = waiting.await;
        guard.orders = None;
        answered.unwrap_or_else(|_| Err(self.other_end.left()))
    }

    /// Sends a notification.
    pub(in crate::backend::transport) fn notify(&self, message: &Message) -> Result<(), CallError> {
        self.orders
            .send(Order::Notify(message.clone()))
            .map_err(|_| self.other_end.just_ended())
    }

    /// A way for answers to what the child asks, which does not keep it alive.
    pub(in crate::backend::transport) fn replies(&self) -> mpsc::WeakUnboundedSender<Order> {
        self.orders.downgrade()
    }

    /// Asks the pump to end the child; pending calls fail.
    pub(in crate::backend::transport) fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Waits until the child's process is gone.
    pub(in crate::backend::transport) async fn gone(&self) {
        self.orders.closed().await;
    }

    /// Whether the child can be told anything.
    pub(in crate::backend::transport) fn is_alive(&self) -> bool {
        !self.orders.is_closed() && self.deaf.value() == 0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_whose_pump_is_gone_may_have_been_read() {
        let (child, mut orders) = Child::new(OtherEnd::Process);
        let message = Message::request(b"1", "tools/call", None);
        let call = child.request(&message, None);
        let pump = async {
            drop(orders.taken.recv().await);
        };
        let (answer, ()) = tokio::join!(call, pump);
        assert!(matches!(answer, Err(CallError::Lost { .. })), "{answer:?}");
    }
}
