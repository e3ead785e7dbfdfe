//! Geometric types, PostGIS and pgvector.

use super::number::{one_float4, print_float4, print_float8};
use super::{Broken, Cursor};
use crate::data::value::Value;
use std::borrow::Cow;

/// GeoJSON, which is also what MongoDB indexes.
pub(super) fn point(cell: &[u8]) -> Result<Value<'static>, Broken> {
    let mut c = Cursor(cell);
    Ok(geo_json(
        "Point",
        Value::Array(vec![Value::Double(c.f64()?), Value::Double(c.f64()?)]),
    ))
}

fn geo_json(kind: &'static str, coordinates: Value<'static>) -> Value<'static> {
    let member = if kind == "GeometryCollection" {
        "geometries"
    } else {
        "coordinates"
    };
    Value::Document(vec![
        (Cow::Borrowed("type"), Value::Text(Cow::Borrowed(kind))),
        (Cow::Borrowed(member), coordinates),
    ])
}

fn pair(c: &mut Cursor<'_>) -> Result<String, Broken> {
    Ok(format!("({},{})", print_float8(c.f64()?), print_float8(c.f64()?)))
}

fn pairs(c: &mut Cursor<'_>, count: usize) -> Result<String, Broken> {
    Ok((0..count).map(|_| pair(c)).collect::<Result<Vec<_>, _>>()?.join(","))
}

pub(super) fn print_point(cell: &[u8]) -> Result<String, Broken> {
    pair(&mut Cursor(cell))
}

pub(super) fn print_line(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    Ok(format!(
        "{{{},{},{}}}",
        print_float8(c.f64()?),
        print_float8(c.f64()?),
        print_float8(c.f64()?)
    ))
}

pub(super) fn print_segment(cell: &[u8]) -> Result<String, Broken> {
    Ok(format!("[{}]", pairs(&mut Cursor(cell), 2)?))
}

pub(super) fn print_box(cell: &[u8]) -> Result<String, Broken> {
    pairs(&mut Cursor(cell), 2)
}

pub(super) fn print_path(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let (open, close) = if c.u8()? == 0 { ('[', ']') } else { ('(', ')') };
    let count = c.count()?;
    Ok(format!("{open}{}{close}", pairs(&mut c, count)?))
}

pub(super) fn print_polygon(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let count = c.count()?;
    Ok(format!("({})", pairs(&mut c, count)?))
}

pub(super) fn print_circle(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    Ok(format!("<{},{}>", pair(&mut c)?, print_float8(c.f64()?)))
}

/// pgvector's `vector`: a count, two unused bytes, float4 each.
pub(super) fn vector(cell: &[u8]) -> Result<Value<'static>, Broken> {
    let mut c = Cursor(cell);
    let (count, _unused) = (c.u16()?, c.u16()?);
    (0..count)
        .map(|_| {
            Ok(Value::Double(super::number::shortest(f32::from_be_bytes(
                super::fixed(c.take(4)?)?,
            ))))
        })
        .collect::<Result<_, _>>()
        .map(Value::Array)
}

/// As pgvector prints it.
pub(super) fn print_vector(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let (count, _unused) = (c.u16()?, c.u16()?);
    let items: Result<Vec<String>, Broken> = (0..count)
        .map(|_| Ok(print_float4(f32::from_be_bytes(super::fixed(c.take(4)?)?))))
        .collect();
    Ok(format!("[{}]", items?.join(",")))
}

/// With one form for both zeros.
pub(super) fn canonical_vector(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut c = Cursor(cell);
    out.extend_from_slice(c.take(4)?);
    while !c.0.is_empty() {
        let item = f32::from_be_bytes(super::fixed(c.take(4)?)?);
        out.extend_from_slice(&one_float4(item).to_be_bytes());
    }
    Ok(())
}

const WGS84: u32 = 4326;
const HAS_Z: u32 = 0x8000_0000;
const HAS_M: u32 = 0x4000_0000;
const HAS_SRID: u32 = 0x2000_0000;

/// PostGIS: extended well-known binary. GeoJSON for SRID 4326, else `{srid, wkb}`.
/// <https://postgis.net/docs/using_postgis_dbmanagement.html#EWKB_EWKT>
pub(super) fn geometry(cell: &[u8]) -> Result<Value<'_>, Broken> {
    let mut reader = Ewkb {
        c: Cursor(cell),
        little: true,
        depth: 0,
    };
    let (kind, srid) = reader.head()?;
    let srid = srid.unwrap_or(0);
    // A measure has no place in GeoJSON.
    if srid == WGS84 && kind & HAS_M == 0 {
        let (name, coordinates) = reader.body(kind)?;
        return Ok(geo_json(name, coordinates));
    }
    Ok(Value::Document(vec![
        (Cow::Borrowed("srid"), Value::Int(srid as i32)),
        (Cow::Borrowed("wkb"), Value::Binary(Cow::Borrowed(cell))),
    ]))
}

/// How deep geometries may stand in each other: PostGIS itself reads no deeper ones.
const GEOMETRY_DEPTH_MAX: usize = 200;

struct Ewkb<'a> {
    c: Cursor<'a>,
    little: bool,
    depth: usize,
}

impl Ewkb<'_> {
    fn u32(&mut self) -> Result<u32, Broken> {
        let bytes = super::fixed(self.c.take(4)?)?;
        Ok(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn f64(&mut self) -> Result<f64, Broken> {
        let bytes = super::fixed(self.c.take(8)?)?;
        Ok(if self.little {
            f64::from_le_bytes(bytes)
        } else {
            f64::from_be_bytes(bytes)
        })
    }

    fn head(&mut self) -> Result<(u32, Option<u32>), Broken> {
        self.little = self.c.u8()? == 1;
        let kind = self.u32()?;
        let srid = if kind & HAS_SRID != 0 { Some(self.u32()?) } else { None };
        Ok((kind, srid))
    }

    fn position(&mut self, kind: u32) -> Result<Value<'static>, Broken> {
        let count = 2 + usize::from(kind & HAS_Z != 0);
        Ok(Value::Array(
            (0..count)
                .map(|_| Ok(Value::Double(self.f64()?)))
                .collect::<Result<_, Broken>>()?,
        ))
    }

    fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<Value<'static>, Broken>,
    ) -> Result<Value<'static>, Broken> {
        let count = self.u32()? as usize;
        if count > self.c.0.len() {
            return Err("a count beyond its end");
        }
        (0..count)
            .map(|_| item(self))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    fn body(&mut self, kind: u32) -> Result<(&'static str, Value<'static>), Broken> {
        let part = |r: &mut Self| {
            let (kind, _) = r.head()?;
            Ok(r.body(kind)?.1)
        };
        if self.depth >= GEOMETRY_DEPTH_MAX {
            return Err("a geometry that is nested too deeply");
        }
        self.depth += 1;
        let read = match kind & 0xff {
            1 => ("Point", self.position(kind)?),
            2 => ("LineString", self.list(|r| r.position(kind))?),
            3 => ("Polygon", self.list(|r| r.list(|r| r.position(kind)))?),
            4 => ("MultiPoint", self.list(part)?),
            5 => ("MultiLineString", self.list(part)?),
            6 => ("MultiPolygon", self.list(part)?),
            7 => {
                let geometries = self.list(|r| {
                    let (kind, _) = r.head()?;
                    let (name, coordinates) = r.body(kind)?;
                    Ok(geo_json(name, coordinates))
                })?;
                ("GeometryCollection", geometries)
            }
            _ => return Err("a kind of geometry that GeoJSON does not have"),
        };
        self.depth -= 1;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point_z(srid: u32) -> Vec<u8> {
        let mut out = vec![1];
        out.extend((1 | HAS_Z | HAS_SRID).to_le_bytes());
        out.extend(srid.to_le_bytes());
        [1.0f64, 2.0, 3.0].iter().for_each(|v| out.extend(v.to_le_bytes()));
        out
    }

    #[test]
    fn longitude_and_latitude_become_geo_json() {
        let coordinates = [1.0, 2.0, 3.0].map(Value::Double).to_vec();
        assert_eq!(
            geometry(&point_z(4326)),
            Ok(geo_json("Point", Value::Array(coordinates)))
        );
    }

    #[test]
    fn another_system_keeps_its_bytes() {
        let cell = point_z(31287);
        let Ok(Value::Document(members)) = geometry(&cell) else {
            panic!("a document")
        };
        assert_eq!(members[0].1, Value::Int(31287));
    }
}
