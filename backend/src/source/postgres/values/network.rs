//! Addresses and log positions.

use super::{Broken, Cursor, fixed};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Family, bits of the mask, whether it is a cidr, length, address. The mask is printed where it is not the whole
/// address, and always for a cidr.
pub(super) fn inet(cell: &[u8], always_mask: bool) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let (_family, bits, _is_cidr, length) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let (address, whole) = match length {
        4 => (Ipv4Addr::from(fixed::<4>(c.0)?).to_string(), 32),
        16 => (Ipv6Addr::from(fixed::<16>(c.0)?).to_string(), 128),
        _ => return Err("an address of unknown length"),
    };
    Ok(if always_mask || bits != whole {
        format!("{address}/{bits}")
    } else {
        address
    })
}

pub(super) fn mac(cell: &[u8]) -> String {
    cell.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

pub(super) fn lsn(cell: &[u8]) -> Result<String, Broken> {
    let position = u64::from_be_bytes(fixed(cell)?);
    Ok(format!("{:X}/{:X}", position >> 32, position & 0xffff_ffff))
}
