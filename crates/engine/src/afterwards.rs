//! What is written down afterwards, for many at once: the index by lane gets what still waits some seconds after it was accepted,
//! and loses what is over; topics get the messages that they have.

use std::time::Duration;

use carillon_store::Store;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long what was accepted has time to be over, unless too much is accepted meanwhile.
const AFTER: Duration = Duration::from_secs(5);

/// Works until it is told to stop; what is missing then is entered at the next start.
pub(crate) async fn run(store: Store, stop: CancellationToken) {
    tokio::join!(enter(&store, &stop), tidy(&store, &stop), topics(&store, &stop));
}

/// Takes out what is over as soon as somebody meets it, since the next who asks for that lane would meet it again.
async fn tidy(store: &Store, stop: &CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = store.lane_index_over() => {}
        }
        if let Err(error) = store.lane_index_tidy().await {
            tracing::warn!(%error, "what is over cannot be taken out of the index by lane yet");
        }
    }
}

async fn enter(store: &Store, stop: &CancellationToken) {
    loop {
        let last = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            last = store.lane_index_behind() => last,
        };
        let place = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            place = store.lane_index_far_behind() => place,
            () = sleep(AFTER) => last,
        };
        if let Err(error) = store.lane_index_step(place).await {
            tracing::error!(%error, "what waits cannot be entered into the index by lane yet");
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AFTER) => {}
            }
        }
    }
}

/// Nobody waits for it: whoever asks for a topic's messages has them entered himself.
async fn topics(store: &Store, stop: &CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = store.topic_messages_behind() => {}
        }
        if let Err(error) = store.topic_messages_enter().await {
            tracing::error!(%error, "the messages of topics cannot be written down yet");
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AFTER) => {}
            }
        }
    }
}
