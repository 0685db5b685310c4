//! The providers' meter for calls per month, in the store.

use carillon_provider::Meter;
use carillon_store::Store;

/// Calls that are counted for an installation.
pub(crate) struct CountedCalls(pub(crate) Store);

impl Meter for CountedCalls {
    fn called(&self, app: &str) {
        self.0.calls_add(app, 1);
    }
}
