//! The pages: what each path answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde::Serialize;

use super::status::{Source, Status};

/// What the pages show.
#[derive(Clone)]
struct Pages {
    source: Source,
    registry: Arc<Registry>,
}

/// What `/health/live` says: that there is somebody, and for how long.
#[derive(Serialize)]
struct Live {
    version: &'static str,
    uptime_seconds: u64,
}

/// The form that `prometheus_client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn router(source: Source, registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
        .route("/metrics", get(metrics))
        .fallback(nowhere)
        .with_state(Pages { source, registry })
}

async fn live(State(pages): State<Pages>) -> Response {
    let Status { version, uptime_seconds, .. } = Status::of(&(pages.source)());
    json(StatusCode::OK, &Live { version, uptime_seconds })
}

async fn ready(State(pages): State<Pages>) -> Response {
    let status = Status::of(&(pages.source)());
    let code = if status.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(code, &status)
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let mut page = String::new();
    match text::encode(&mut page, &pages.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn nowhere() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is /health, /health/live, /health/ready and /metrics\n")
}

fn json(code: StatusCode, page: &impl Serialize) -> Response {
    match serde_json::to_string(page) {
        Ok(text) => (code, [(header::CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
