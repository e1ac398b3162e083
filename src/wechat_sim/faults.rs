//! Failures on order: the next answers of an interface are late, refused or not from WeChat at all.
//!
//! What a backend does while WeChat is down decides whether people can still book by other ways, so it has to be tried
//! out at will. Next: [`super::controls`], where faults are ordered.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::atomic::Ordering,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use rand::seq::IndexedRandom;
use serde::Deserialize;

use super::{
    World,
    answers::{Family, Traced},
    lock,
};
use crate::clock::Instant;

const ORDERS: usize = 100;
/// What answers are called when their types are to be odd; all of them were seen around JSON or pictures.
const ODD_TYPES: [&str; 5] = [
    "text/plain",
    "text/html; charset=UTF-8",
    "application/octet-stream",
    "application/json; encoding=utf-8",
    "image/jpeg",
];

/// What is answered instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// A refusal of WeChat.
    Refusal(i64),
    /// A page of some gateway on the way.
    Page(StatusCode),
    /// Nothing: the line breaks, before the request was carried out or after.
    Cut(Moment),
}

/// When a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Moment {
    /// Nothing was done.
    Before,
    /// It was done, and the answer is lost.
    After,
}

/// A body that breaks off where it should begin: the connection is closed without an answer that could be read.
struct Broken;

impl MessageBody for Broken {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(1)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("cut on order"))))
    }
}

/// One disturbance of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) delay: Duration,
    pub(super) instead: Option<Instead>,
}

struct Order {
    path: String,
    fault: Fault,
    times: u32,
}

#[derive(Default)]
pub(super) struct Faults(VecDeque<Order>);

impl Faults {
    /// Orders a fault for the next `times` requests of `path`, after those already ordered; false when there are too many.
    pub(super) fn order(&mut self, path: String, fault: Fault, times: u32) -> bool {
        let room = self.0.len() < ORDERS;
        if room && times > 0 {
            self.0.push_back(Order { path, fault, times });
        }
        room
    }

    fn take(&mut self, path: &str) -> Option<Fault> {
        let index = self.0.iter().position(|order| order.path == path)?;
        let order = self.0.get_mut(index)?;
        let fault = order.fault;
        order.times -= 1;
        if order.times == 0 {
            self.0.remove(index);
        }
        Some(fault)
    }
}

/// Stands before every WeChat interface: writes the journal, then disturbs or lets through.
pub(super) async fn intercept(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(world) = request.app_data::<Data<World>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let number = lock(&world.journal).enter(request.method().as_str(), request.path(), world.clock.now());
    let mut response = disturb(&world, request, next).await?;
    let traced = response.response().extensions().get::<Traced>().cloned();
    if let Some(traced) = traced {
        lock(&world.journal).refused(number, traced);
    }
    if world.chaos.load(Ordering::Relaxed) {
        let odd = ODD_TYPES.choose(&mut rand::rng()).copied().unwrap_or_default();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(odd));
    }
    Ok(response)
}

async fn disturb(
    world: &World,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let fault = lock(&world.faults).take(request.path());
    if let Some(fault) = fault {
        tokio::time::sleep(fault.delay).await;
        if let Some(Instead::Cut(moment)) = fault.instead {
            if moment == Moment::Before {
                return Ok(request.into_response(cut()));
            }
            let carried_out = next.call(request).await?;
            return Ok(carried_out.into_response(cut()));
        }
        if let Some(instead) = fault.instead {
            let response = disturbed(instead, request.path(), world.clock.now());
            return Ok(request.into_response(response));
        }
    }
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        // The real gateway takes no chunked bodies.
        return Ok(request.into_response(page(StatusCode::PRECONDITION_FAILED)));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn disturbed(instead: Instead, path: &str, at: Instant) -> HttpResponse {
    match instead {
        Instead::Refusal(errcode) => Family::of(path).refuse(errcode, at),
        Instead::Page(status) => page(status),
        Instead::Cut(_) => cut(),
    }
}

fn cut() -> HttpResponse {
    HttpResponse::Ok().force_close().body(BoxBody::new(Broken))
}

fn page(status: StatusCode) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Unknown");
    HttpResponse::build(status)
        .content_type("text/html")
        .body(format!("<html><head><title>{0} {title}</title></head><body></body></html>", status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_the_order_of_their_orders_and_end() {
        let refusal = |errcode| Fault { delay: Duration::ZERO, instead: Some(Instead::Refusal(errcode)) };
        let mut faults = Faults::default();
        assert!(faults.order("/a".to_owned(), refusal(-1), 2));
        assert!(faults.order("/a".to_owned(), refusal(45011), 1));
        let taken: Vec<_> = (0..4).map(|_| faults.take("/a")).collect();
        assert_eq!(taken, [Some(refusal(-1)), Some(refusal(-1)), Some(refusal(45011)), None]);
        assert_eq!(faults.take("/b"), None);
    }
}
