//! Stylesheet, scripts and the mark, compiled in. Their paths hold a mark of their content, so that browsers may keep
//! them for good.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "console.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("../../assets/console.css"),
    },
    Asset {
        name: "console.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../assets/console.js"),
    },
    Asset {
        name: "htmx.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../assets/vendor/htmx-2.0.8.min.js"),
    },
    Asset { name: "bell.svg", kind: "image/svg+xml", text: include_str!("../../assets/bell.svg") },
];

/// A mark of all files together.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let mut context = digest::Context::new(&digest::SHA256);
    for asset in &ASSETS {
        context.update(asset.text.as_bytes());
    }
    HEXLOWER.encode(context.finish().as_ref()).chars().take(12).collect()
});

/// The path of a file.
pub(crate) fn path(name: &str) -> String {
    format!("/console/assets/{}/{name}", *MARK)
}

/// Answers with a file. Open to all: it is the same for all.
pub(crate) async fn show(Path((_mark, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
