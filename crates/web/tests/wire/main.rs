//! The wire as clients see it: a whole service behind the router, with pretend far ends.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod confirmation;
#[cfg(test)]
mod detection;
#[cfg(test)]
mod link;
