//! The providers against far ends that behave, misbehave, and eavesdrop.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod far_end;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod rendering;
#[cfg(test)]
mod signed;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod uploads;
