//! Where calls are told that a platform counts.

/// Is told of every call that a platform counts against an organisation's month.
pub trait Meter: Send + Sync {
    /// A call of an app leaves. `app` is what its calls are counted under; it may hold a secret. Waits for nothing.
    fn called(&self, app: &str);
}
