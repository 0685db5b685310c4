//! Images and files that pushes name.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::error::ApiError;
use super::ok;
use crate::App;
use crate::call::Call;
use crate::layer;

/// How many are read at once: each is held in memory until it is kept.
pub(super) const READ_AT_ONCE: usize = 4;

/// An image or a file that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptAttachment {
    /// Its id, for `images` and `files` of a push; the same for the same bytes.
    id: String,
    /// How many bytes it has.
    bytes: u64,
    /// `png`, `jpg`, `gif`, `bmp`, `webp`, `ico`, `tiff` or `heic`, if it is such a picture.
    picture: Option<&'static str>,
    /// The width, in pixels, if it is known.
    width: Option<u32>,
    /// The height, in pixels, if it is known.
    height: Option<u32>,
}

/// Keeps an image or a file, for pushes to name: a day, and 7 days after the last push that named it. Larger bodies than
/// 2 MiB need a token instead of a signature.
#[utoipa::path(post, path = "/api/v1/attachments", tag = "office",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "the bytes, 30 MiB at most"),
    responses((status = 201, body = KeptAttachment), (status = 400), (status = 401), (status = 403),
              (status = 409, description = "the project keeps 2 GiB already"), (status = 503)))]
pub(crate) async fn add(
    State(app): State<App>,
    Extension(readers): Extension<Arc<Semaphore>>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = layer::request_id(request.extensions());
    let added = async {
        let (call, _turn) = Call::read_large(request, &app.service, &readers).await?;
        let kept = app.service.add_attachment(&call.caller, call.bytes()).await;
        kept.map_err(ApiError::from)
    };
    let kept = added.await.map_err(|error: ApiError| error.with(id))?;
    let size = kept.picture.and_then(|picture| picture.size);
    let answer = KeptAttachment {
        id: kept.id.to_string(),
        bytes: kept.bytes,
        picture: kept.picture.map(|picture| picture.format.name()),
        width: size.map(|(width, _height)| width),
        height: size.map(|(_width, height)| height),
    };
    Ok(ok(StatusCode::CREATED, &answer))
}
