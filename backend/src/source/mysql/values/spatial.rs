//! Geometries: GeoJSON where the numbers are degrees or have no system at all, else the SRID and the bytes.
//! <https://dev.mysql.com/doc/refman/5.7/en/gis-data-formats.html>

use super::Broken;
use crate::data::value::Value;
use std::borrow::Cow;

const EARLY: Broken = "the geometry ends early";
/// Collections in collections.
const DEPTH_MAX: usize = 20;

/// The value of the server's own form: four bytes of SRID, then WKB.
pub(super) fn geometry(cell: &[u8]) -> Result<Value<'_>, Broken> {
    let (srid, wkb) = cell.split_first_chunk::<4>().ok_or(EARLY)?;
    let srid = u32::from_le_bytes(*srid);
    if srid != 0 && srid != 4326 {
        return Ok(Value::Document(vec![
            (
                Cow::Borrowed("srid"),
                i32::try_from(srid).map_or(Value::Long(i64::from(srid)), Value::Int),
            ),
            (Cow::Borrowed("wkb"), Value::Binary(Cow::Borrowed(wkb))),
        ]));
    }
    let mut reader = Wkb { rest: wkb };
    let value = reader.shape(0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err("the geometry goes on behind its end")
    }
}

struct Wkb<'a> {
    rest: &'a [u8],
}

impl Wkb<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(EARLY)?;
        self.rest = rest;
        Ok(*head)
    }

    fn is_little(&mut self) -> Result<bool, Broken> {
        Ok(self.take::<1>()? == [1])
    }

    fn number(&mut self, is_little: bool) -> Result<u32, Broken> {
        let bytes = self.take()?;
        Ok(if is_little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn point(&mut self, is_little: bool) -> Result<Value<'static>, Broken> {
        let mut next = || -> Result<Value<'static>, Broken> {
            let bytes = self.take()?;
            Ok(Value::Double(if is_little {
                f64::from_le_bytes(bytes)
            } else {
                f64::from_be_bytes(bytes)
            }))
        };
        Ok(Value::Array(vec![next()?, next()?]))
    }

    fn list(
        &mut self,
        is_little: bool,
        mut one: impl FnMut(&mut Self) -> Result<Value<'static>, Broken>,
    ) -> Result<Value<'static>, Broken> {
        let count = self.number(is_little)? as usize;
        // A wrong count allocates nothing.
        if count > self.rest.len() {
            return Err(EARLY);
        }
        (0..count)
            .map(|_| one(self))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    /// The coordinates of the parts of a shape of several.
    fn parts(&mut self, is_little: bool, depth: usize) -> Result<Value<'static>, Broken> {
        self.list(is_little, |reader| match reader.shape(depth + 1)? {
            Value::Document(mut fields) => Ok(fields.pop().map_or(Value::Null, |(_, coordinates)| coordinates)),
            other => Ok(other),
        })
    }

    fn shape(&mut self, depth: usize) -> Result<Value<'static>, Broken> {
        if depth > DEPTH_MAX {
            return Err("the geometry is nested too deeply");
        }
        let is_little = self.is_little()?;
        let kind = self.number(is_little)?;
        let line = |reader: &mut Self| reader.list(is_little, |r| r.point(is_little));
        let (name, coordinates) = match kind {
            1 => ("Point", self.point(is_little)?),
            2 => ("LineString", line(self)?),
            3 => ("Polygon", self.list(is_little, line)?),
            4 => ("MultiPoint", self.parts(is_little, depth)?),
            5 => ("MultiLineString", self.parts(is_little, depth)?),
            6 => ("MultiPolygon", self.parts(is_little, depth)?),
            7 => {
                let all = self.list(is_little, |reader| reader.shape(depth + 1))?;
                return Ok(object("GeometryCollection", "geometries", all));
            }
            _ => return Err("the geometry is of a kind that GeoJSON does not have"),
        };
        Ok(object(name, "coordinates", coordinates))
    }
}

fn object(kind: &'static str, name: &'static str, content: Value<'static>) -> Value<'static> {
    Value::Document(vec![
        (Cow::Borrowed("type"), Value::Text(Cow::Borrowed(kind))),
        (Cow::Borrowed(name), content),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(srid: u32) -> Vec<u8> {
        let mut cell = srid.to_le_bytes().to_vec();
        cell.extend([1, 1, 0, 0, 0]);
        cell.extend(1.5f64.to_le_bytes());
        cell.extend((-2f64).to_le_bytes());
        cell
    }

    #[test]
    fn degrees_become_geojson_and_other_systems_keep_their_bytes() {
        let expected = object(
            "Point",
            "coordinates",
            Value::Array(vec![Value::Double(1.5), Value::Double(-2.0)]),
        );
        assert_eq!(geometry(&point(0)), Ok(expected.clone()));
        assert_eq!(geometry(&point(4326)), Ok(expected));
        let other = point(3857);
        let Ok(Value::Document(fields)) = geometry(&other) else {
            panic!()
        };
        assert_eq!(fields[0].1, Value::Int(3857));
        assert_eq!(fields[1].1, Value::Binary(Cow::Borrowed(&other[4..])));
    }

    #[test]
    fn what_ends_early_is_refused() {
        let whole = point(0);
        for end in 0..whole.len() {
            assert!(geometry(&whole[..end]).is_err(), "{end}");
        }
    }
}
