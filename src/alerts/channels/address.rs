//! Which addresses a delivery may go to: public ones, and those that the user allows.
//!
//! A name is judged by what it resolves to at that very moment, and the connection is made to exactly the addresses that
//! were judged; so a name that turns into `127.0.0.1` or `169.254.169.254` a second later gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why an address is none of ours to send to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Forbidden {
    /// An address that is not reached over the public internet.
    #[error("{address} is {what}; if it is meant, name it in alerts.webhook.allow")]
    Private {
        /// Which.
        address: IpAddr,
        /// What kind.
        what: &'static str,
    },
    /// What is sent without encryption stays on addresses that the user knows.
    #[error("plain http goes only to addresses that alerts.webhook.allow names, and {0} is none of them")]
    Plain(IpAddr),
    /// There is no such name at present.
    #[error("the name resolves to no address")]
    Nothing,
}

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Net {
    base: IpAddr,
    bits: u8,
}

impl Net {
    /// `10.0.0.0/8`, `192.168.1.7`, `fd00::/8`.
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text.trim(), None),
        };
        let base = address.parse::<IpAddr>().ok()?.to_canonical();
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { base, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        let (base, address, width) = match (self.base, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let drop = u32::from(width - self.bits);
        // A shift by the whole width is no shift.
        base.checked_shr(drop).unwrap_or(0) == address.checked_shr(drop).unwrap_or(0)
    }
}

/// The addresses that may be reached.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    allowed: Vec<Net>,
    /// Only what is allowed, as the connection is not encrypted.
    plain: bool,
}

impl Reachable {
    /// Public addresses, and those of `allowed` (an address or a range such as `192.168.1.0/24`). With `plain` only the
    /// latter.
    ///
    /// # Errors
    /// The entry that is neither.
    pub fn new(allowed: &[String], plain: bool) -> Result<Self, String> {
        let nets = allowed.iter().map(|text| Net::parse(text).ok_or_else(|| text.clone()));
        Ok(Self { allowed: nets.collect::<Result<_, _>>()?, plain })
    }

    /// May `address` be reached?
    ///
    /// # Errors
    /// [`Forbidden`] tells why not.
    pub fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        if self.allowed.iter().any(|net| net.holds(address)) {
            return Ok(());
        }
        if let Some(what) = not_public(address) {
            return Err(Forbidden::Private { address, what });
        }
        if self.plain { Err(Forbidden::Plain(address)) } else { Ok(()) }
    }

    /// May all of them be reached? One that may not spoils the rest: nobody honest mixes them.
    fn check_all(&self, addresses: &[SocketAddr]) -> Result<(), Forbidden> {
        if addresses.is_empty() {
            return Err(Forbidden::Nothing);
        }
        addresses.iter().try_for_each(|a| self.check(a.ip()))
    }
}

/// What kind of address it is, when it is not a public one.
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => not_public_v4(v4),
        IpAddr::V6(v6) => not_public_v6(v6),
    }
}

fn not_public_v4(a: Ipv4Addr) -> Option<&'static str> {
    let [x, y, z, _] = a.octets();
    Some(match (x, y, z) {
        (0, ..) => "an address of no host",
        (127, ..) => "this machine",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "a carrier's private address",
        (169, 254, _) => "a link-local address, where clouds keep their secrets",
        (192, 0, 0) | (192, 0, 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            "an address reserved for documents and tests"
        }
        (224..=239, ..) => "a multicast address",
        (240.., ..) => "a reserved address",
        _ => return None,
    })
}

fn not_public_v6(a: Ipv6Addr) -> Option<&'static str> {
    let [s0, s1, s2, s3, s4, s5, high, low] = a.segments();
    let inside = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    // IPv6 on the outside, an IPv4 address within: a gateway delivers to that one.
    if [s0, s1, s2, s3, s4, s5] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return not_public_v4(inside(high, low));
    }
    if s0 == 0x2002 {
        return not_public_v4(inside(s1, s2));
    }
    Some(match s0 {
        _ if a.is_unspecified() => "an address of no host",
        _ if a.is_loopback() => "this machine",
        0xfc00..=0xfdff => "a private address",
        0xfe80..=0xfebf => "a link-local address",
        0xff00.. => "a multicast address",
        0x2001 if s1 < 0x0200 => "a tunnel's address",
        0x2001 if s1 == 0x0db8 => "an address reserved for documents and tests",
        0x3fff => "an address reserved for documents and tests",
        0x2000..=0x3fff => return None,
        _ => "a reserved address",
    })
}

/// The addresses of a name.
pub(super) type Looking = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Turns a name into addresses. Tests have one of their own.
pub(super) type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// The system's way.
pub(super) fn system() -> Lookup {
    Arc::new(|host| Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) }))
}

/// Hands out only addresses that were checked.
pub(super) struct Checked {
    pub(super) reachable: Reachable,
    pub(super) lookup: Lookup,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, reachable) = ((self.lookup)(name.as_str().to_owned()), self.reachable.clone());
        Box::pin(async move {
            let found = found.await?;
            reachable.check_all(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The refusal behind a failed call, if it was one.
pub(super) fn forbidden(error: &(dyn std::error::Error + 'static)) -> Option<Forbidden> {
    let mut at = Some(error);
    while let Some(e) = at {
        if let Some(found) = e.downcast_ref::<Forbidden>() {
            return Some(found.clone());
        }
        at = e.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn addresses_of_nobody_else_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(not_public(ip(text)).is_some(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "162.159.135.232",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(not_public(ip(text)), None, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_a_range_or_an_address() {
        let of = |allowed: &[&str], plain| {
            Reachable::new(&allowed.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), plain)
        };
        let some = of(&["192.168.1.0/24", "127.0.0.1", "fd00::/8"], false).expect("ranges");
        for text in ["192.168.1.9", "127.0.0.1", "::ffff:127.0.0.1", "fdff::1", "8.8.8.8"] {
            assert_eq!(some.check(ip(text)), Ok(()), "{text}");
        }
        for text in ["192.168.2.1", "127.0.0.2", "::1", "169.254.169.254"] {
            assert!(matches!(some.check(ip(text)), Err(Forbidden::Private { .. })), "{text}");
        }
        let plain = of(&["127.0.0.0/8"], true).expect("ranges");
        assert_eq!(plain.check(ip("127.3.3.3")), Ok(()));
        assert_eq!(plain.check(ip("8.8.8.8")), Err(Forbidden::Plain(ip("8.8.8.8"))));
        assert_eq!(of(&["0.0.0.0/0"], true).expect("all").check(ip("10.0.0.1")), Ok(()));
        for bad in ["localhost", "10.0.0.0/33", "::/129", "10/8", ""] {
            assert_eq!(of(&[bad], false).err().as_deref(), Some(bad));
        }
    }

    #[test]
    fn one_bad_address_spoils_the_name() {
        let all = |texts: &[&str]| {
            let found: Vec<_> = texts.iter().map(|t| SocketAddr::new(ip(t), 0)).collect();
            Reachable::default().check_all(&found)
        };
        assert_eq!(all(&["8.8.8.8", "1.1.1.1"]), Ok(()));
        assert!(all(&["8.8.8.8", "127.0.0.1"]).is_err());
        assert_eq!(all(&[]), Err(Forbidden::Nothing));
    }

    proptest! {
        #[test]
        fn wrapping_an_address_changes_nothing(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let expected = not_public(v4.into());
            prop_assert_eq!(not_public(v4.to_ipv6_mapped().into()), expected);
            let [a, b, c, d] = v4.octets();
            let pair = |x, y| u16::from_be_bytes([x, y]);
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, pair(a, b), pair(c, d));
            prop_assert_eq!(not_public(nat64.into()), expected);
            let six = Ipv6Addr::new(0x2002, pair(a, b), pair(c, d), 0, 0, 0, 0, 1);
            prop_assert_eq!(not_public(six.into()), expected);
        }
    }
}
