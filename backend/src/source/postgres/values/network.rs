//! Addresses and log positions.

use super::{Broken, Cursor, fixed};
use std::fmt::Write;
use std::net::Ipv4Addr;

/// Family, bits of the mask, whether it is a cidr, length, address. The mask is printed where it is not the whole
/// address, and always for a cidr.
pub(super) fn inet(cell: &[u8], always_mask: bool) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let (_family, bits, _is_cidr, length) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let (address, whole) = match length {
        4 => (Ipv4Addr::from(fixed::<4>(c.0)?).to_string(), 32),
        16 => (ipv6(fixed(c.0)?), 128),
        _ => return Err("an address of unknown length"),
    };
    Ok(if always_mask || bits != whole {
        format!("{address}/{bits}")
    } else {
        address
    })
}

/// The longest run of zeros is left out, and the last four bytes are written as those of an IPv4 address in more cases
/// than elsewhere: <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/port/inet_net_ntop.c>.
fn ipv6(address: [u8; 16]) -> String {
    let words: Vec<u16> = (address.chunks_exact(2))
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let mut run = 0..0;
    let mut start = 0;
    for end in 1..=words.len() {
        if words[end - 1] != 0 {
            start = end;
        } else if end - start > run.len() {
            run = start..end;
        }
    }
    // A single one is written.
    if run.len() < 2 {
        run = 0..0;
    }
    let holds_ipv4 = run.start == 0 && (run.len() == 6 || run.len() == 5 && words[5] == 0xffff);
    let mut out = String::new();
    for (place, word) in words.iter().enumerate() {
        if run.contains(&place) {
            if place == run.start {
                out.push(':');
            }
            continue;
        }
        if place != 0 {
            out.push(':');
        }
        if place == 6 && holds_ipv4 {
            let [.., a, b, c, d] = address;
            return out + &Ipv4Addr::new(a, b, c, d).to_string();
        }
        let _ = write!(out, "{word:x}");
    }
    if run.end == words.len() && !run.is_empty() {
        out.push(':');
    }
    out
}

pub(super) fn mac(cell: &[u8]) -> String {
    cell.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

pub(super) fn lsn(cell: &[u8]) -> Result<String, Broken> {
    let position = u64::from_be_bytes(fixed(cell)?);
    Ok(format!("{:X}/{:X}", position >> 32, position & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_the_server_prints_them() {
        let check = |words: [u16; 8], text: &str| {
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            assert_eq!(ipv6(fixed(&bytes).unwrap()), text);
        };
        check([0; 8], "::");
        check([0, 0, 0, 0, 0, 0, 0, 1], "::1");
        check([1, 0, 0, 0, 0, 0, 0, 0], "1::");
        check([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4");
        check([0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:1.2.3.4");
        check([0, 0, 0, 0, 0, 0xffff, 0, 0], "::ffff:0.0.0.0");
        check([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1], "2001:db8:0:1::1");
        check([1, 0, 2, 0, 3, 0, 4, 0], "1:0:2:0:3:0:4:0");
        check([1, 0, 0, 2, 0, 0, 3, 4], "1::2:0:0:3:4");
    }
}
