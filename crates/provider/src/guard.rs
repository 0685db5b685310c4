//! Which addresses may be dialled for a web endpoint: public ones, and those an operator allowed.
//!
//! Names are judged when they are resolved, and the very addresses that were judged are dialled, so that a name
//! cannot change its answer in between. Literal addresses never reach a resolver and are judged on the URL.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns::Name;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use moka::future::Cache;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// How long a resolved name is remembered.
const NAME_LIFE: Duration = Duration::from_secs(30);
/// The most names remembered.
const NAMES_MAX: u64 = 10_000;
/// The most names looked up at once: each holds one of the runtime's blocking threads, of which there are 512.
const LOOKUPS_MAX: usize = 128;

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 that is not public (IANA's special-purpose registry), and one platform's metadata service that is.
const V4_DENIED: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),        // "this network"
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT; Alibaba's metadata service
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's metadata service
    v4(169, 254, 0, 0, 16),   // link-local; most clouds' metadata service
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 31, 196, 0, 24),  // AS112
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast
];

/// The only IPv6 that is public; `::`, loopback, unique local, link-local, multicast and NAT64 lie outside.
const V6_PUBLIC: Ipv6Net = v6(0x2000, 0, 3);

/// What is not public within it: protocol assignments with Teredo, documentation, 6to4 (an IPv4 address in disguise).
const V6_DENIED: [Ipv6Net; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0x0db8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

/// Names that never mean a public host (RFC 6761, 6762, 8375 and ICANN's `.internal`).
const NAMES_DENIED: [&str; 7] =
    ["localhost", "local", "localdomain", "internal", "home.arpa", "ip6-localhost", "ip6-loopback"];

/// A web endpoint's host lies in a private or otherwise special network, which is refused when it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must not lead to a private, loopback or otherwise special address")]
pub struct PrivateEndpoint;

/// The resolver's refusal, recognised again inside the client's error.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private or special address")]
pub(crate) struct Denied;

/// The resolver's failure, recognised again inside the client's error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the name could not be resolved")]
pub(crate) struct Unresolved;

/// Judges addresses.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    allowed: Arc<[IpNet]>,
}

impl Guard {
    /// A guard that lets public addresses and `allowed` networks through.
    pub(crate) fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    /// Whether `address` may be dialled.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.allowed.iter().any(|net| net.contains(&address)) {
            return true;
        }
        match address {
            IpAddr::V4(address) => !V4_DENIED.iter().any(|net| net.contains(&address)),
            IpAddr::V6(address) => {
                V6_PUBLIC.contains(&address) && !V6_DENIED.iter().any(|net| net.contains(&address))
            }
        }
    }

    /// Judges a URL's host as far as that is possible without resolving it.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), PrivateEndpoint> {
        let admitted = match url.host() {
            None => false,
            Some(Host::Ipv4(address)) => self.admits(address.into()),
            Some(Host::Ipv6(address)) => self.admits(address.into()),
            Some(Host::Domain(name)) => self.admits_name(name),
        };
        if admitted { Ok(()) } else { Err(PrivateEndpoint) }
    }

    /// With an allow-list a private name may lead to an allowed address; the resolver then decides.
    fn admits_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let denied = NAMES_DENIED.iter().any(|last| {
            name.strip_suffix(last).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        !name.is_empty() && (!denied || !self.allowed.is_empty())
    }
}

/// Resolves names with the system's resolver and a short memory; with a guard, lets only admitted addresses out.
#[derive(Clone)]
pub(crate) struct Resolver {
    guard: Option<Guard>,
    names: Cache<String, Arc<[IpAddr]>>,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    /// A resolver that judges with `guard`, or does not judge.
    pub(crate) fn new(guard: Option<Guard>) -> Self {
        Self {
            guard,
            names: Cache::builder().max_capacity(NAMES_MAX).time_to_live(NAME_LIFE).build(),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

/// What a name leads to; without ports.
type Addresses = std::vec::IntoIter<SocketAddr>;

impl tower::Service<Name> for Resolver {
    type Response = Addresses;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Addresses, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (names, lookups, guard) = (self.names.clone(), Arc::clone(&self.lookups), self.guard.clone());
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = names.try_get_with(name.clone(), look_up(lookups, name)).await;
            let addresses = found.map_err(|failure| Unresolved::clone(&failure))?;
            // One address that is not admitted condemns the name: a public host has no private address.
            if guard.is_some_and(|guard| !addresses.iter().all(|address| guard.admits(*address))) {
                return Err(Denied.into());
            }
            let sockets = addresses.iter().map(|address| SocketAddr::new(*address, 0));
            Ok(sockets.collect::<Vec<_>>().into_iter())
        })
    }
}

async fn look_up(lookups: Arc<Semaphore>, name: String) -> Result<Arc<[IpAddr]>, Unresolved> {
    let permit = lookups.acquire_owned().await.map_err(|_closed| Unresolved)?;
    let look = move || {
        // Kept by the thread, not by the one who waits: he may give up, but the system's resolver goes on.
        let _permit = permit;
        let sockets = (name.as_str(), 0_u16).to_socket_addrs().map_err(|_system| Unresolved)?;
        Ok(sockets.map(|socket| socket.ip()).collect::<Arc<[IpAddr]>>())
    };
    let found = tokio::task::spawn_blocking(look).await.map_err(|_stopped| Unresolved)??;
    if found.is_empty() { Err(Unresolved) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::{Denied, Guard, Resolver, Unresolved};
    use tower::Service as _;
    use url::Url;

    #[test]
    fn judges_literal_addresses_and_names() {
        let table = "
            no  http://0.0.0.0/ http://10.0.0.1/ http://100.64.0.1/ http://100.100.100.200/ http://127.0.0.1/
            no  http://127.1/ http://2130706433/ http://0x7f.1/ http://0177.0.0.1/ http://169.254.169.254/
            no  http://172.16.0.1/ http://172.31.255.255/ http://192.0.0.1/ http://192.0.2.1/ http://192.88.99.1/
            no  http://192.168.1.1/ http://198.18.0.1/ http://198.19.255.255/ http://198.51.100.1/
            no  http://203.0.113.1/ http://224.0.0.1/ http://240.0.0.1/ http://255.255.255.255/ http://168.63.129.16/
            no  http://[::]/ http://[::1]/ http://[fc00::1]/ http://[fd12::1]/ http://[fe80::1]/ http://[fec0::1]/
            no  http://[ff02::1]/ http://[::ffff:127.0.0.1]/ http://[::ffff:10.0.0.1]/ http://[::127.0.0.1]/
            no  http://[64:ff9b::7f00:1]/ http://[64:ff9b:1::1]/ http://[2002:7f00:1::]/ http://[2001::1]/
            no  http://[2001:db8::1]/ http://[100::1]/ http://[3fff::1]/ http://[5f00::1]/
            no  http://localhost/ http://LOCALHOST./ http://a.localhost/ http://printer.local/
            no  http://metadata.google.internal/ http://nas.home.arpa/ http://localhost.localdomain/
            yes http://1.1.1.1/ http://172.32.0.1/ http://100.128.0.1/ http://[2606:4700::1111]/ http://hooks.example/
            yes http://notlocalhost/ http://mylocal.example/ http://[::ffff:1.1.1.1]/";
        let guard = Guard::new(&[]);
        for line in table.lines().skip(1) {
            let mut words = line.split_whitespace();
            let admitted = words.next() == Some("yes");
            for url in words {
                assert_eq!(guard.check_url(&Url::parse(url).unwrap()).is_ok(), admitted, "{url}");
            }
        }
    }

    #[test]
    fn an_operator_may_allow_networks() {
        let guard = Guard::new(&["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (url, admitted) in [
            ("http://10.1.2.3/", true),
            ("http://[::ffff:10.1.2.3]/", true),
            ("http://10.2.0.1/", false),
            ("http://[fd00::1]/", true),
            ("http://[fe80::1]/", false),
            ("http://nas.local/", true),
        ] {
            assert_eq!(guard.check_url(&Url::parse(url).unwrap()).is_ok(), admitted, "{url}");
        }
    }

    #[tokio::test]
    async fn judges_what_a_name_resolves_to() {
        let resolve = |guard: Option<Guard>, name: &'static str| async move {
            Resolver::new(guard).call(name.parse().unwrap()).await.map(Iterator::count)
        };
        let refusal = resolve(Some(Guard::new(&[])), "localhost").await.unwrap_err();
        assert!(refusal.is::<Denied>());
        let home = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(resolve(Some(Guard::new(&home)), "localhost").await.unwrap() > 0);
        assert!(resolve(None, "localhost").await.unwrap() > 0);
        // A label over 63 bytes fails in the system's resolver, without a question to the network.
        let long =
            "x.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.invalid";
        assert!(resolve(None, long).await.unwrap_err().is::<Unresolved>());
    }
}
