//! Rows of the binary COPY format: the cells of a row are the bytes that arrived, each becomes valid BSON or an issue, and
//! an array that is read is the one that is printed.

use crate::harness::Fuzz;
use crate::json_numbers::walk;
use bson::RawDocument;
use bytes::Bytes;
use godwit::assemble::bson_value::{begin, element, end};
use godwit::data::row::RowSet;
use godwit::data::value::{CellDecoder, Note, Value};
use godwit::source::postgres::values::Codec;
use std::sync::Arc;

const COLUMNS_MAX: usize = 4;

/// Every codec that the server's own types have, and some of what is made of them.
fn codecs() -> Vec<Codec> {
    let of = Arc::new;
    vec![
        Codec::Bool,
        Codec::Int2,
        Codec::Int4,
        Codec::Int8,
        Codec::Oid,
        Codec::Float4,
        Codec::Float8,
        Codec::Numeric,
        Codec::Text,
        Codec::PaddedText,
        Codec::CaselessText,
        Codec::Char,
        Codec::VersionedText,
        Codec::Bytes,
        Codec::Date,
        Codec::Timestamp,
        Codec::TimestampTz,
        Codec::Time,
        Codec::TimeTz,
        Codec::Interval { has_infinity: true },
        Codec::Uuid,
        Codec::Jsonb,
        Codec::Inet,
        Codec::Cidr,
        Codec::MacAddr,
        Codec::Bits,
        Codec::Lsn,
        Codec::TsVector,
        Codec::TsQuery,
        Codec::Counter,
        Codec::Tid,
        Codec::Hstore,
        Codec::Point,
        Codec::Line,
        Codec::Segment,
        Codec::Box,
        Codec::Path,
        Codec::Polygon,
        Codec::Circle,
        Codec::Vector,
        Codec::Geometry,
        Codec::Range(of(Codec::Int4)),
        Codec::Multirange(of(Codec::Text)),
        Codec::Array(of(Codec::Numeric), ','),
        Codec::Words(of(Codec::Int2)),
        Codec::Composite([("a".to_owned(), Codec::Int4), ("b".to_owned(), Codec::Text)].into()),
        Codec::Array(
            of(Codec::Composite(
                [("r".to_owned(), Codec::Range(of(Codec::Date)))].into(),
            )),
            ',',
        ),
    ]
}

/// A tuple: a count of fields, then length and bytes of each.
fn tuple(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = (cells.len() as i16).to_be_bytes().to_vec();
    for cell in cells {
        out.extend(cell.map_or(-1, |c| c.len() as i32).to_be_bytes());
        out.extend(cell.unwrap_or_default());
    }
    out
}

#[test]
fn copy_rows() {
    let array = b"\0\0\0\x01\0\0\0\x01\0\0\0\x19\0\0\0\x03\0\0\0\x01\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x04NULL";
    let bounds = b"\0\0\0\x02\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x05\0\0\0\x01\0\0\0\x01\0\0\0\x02\"\\";
    let numeric = b"\0\x02\0\0\0\0\0\x04\x04\xd2\x15\xe0";
    let range = b"\x02\0\0\0\x04\0\0\0\x01\0\0\0\x04\0\0\0\x09";
    let query = b"\0\0\0\x03\x02\x02\x01\0\0b\0\x01\x08\x01a\0";
    let inet = b"\x02\x20\0\x04\x0a\0\0\x01";
    let geometry = b"\x01\x01\0\0\x20\xe6\x10\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40";
    Fuzz::new("copy_rows")
        .seeds([
            tuple(&[Some(array), None]),
            tuple(&[Some(bounds)]),
            tuple(&[Some(numeric), Some(b""), Some(range)]),
            tuple(&[Some(query), Some(inet)]),
            tuple(&[Some(geometry), Some(b"\x01{\"a\": [1.5]}"), Some(b"\0\0\0\x05\xa8")]),
            tuple(&[Some(&[0x80, 0, 0, 0, 0, 0, 0, 0])]),
            tuple(&[]),
        ])
        .tokens([
            &b"\0\0\0\x01"[..],
            b"\0\0\0\0",
            b"\xff\xff\xff\xff",
            b"\xff\xff\xff\xfe",
            b"\x7f\xff\xff\xff",
            b"\0\0\0\x02",
            b"\0\x03",
            b"\x80",
            b"\0",
        ])
        .run(check);
}

fn check(input: &[u8]) -> Result<(), String> {
    for columns in 0..=COLUMNS_MAX {
        let mut rows = RowSet::new(columns);
        if rows.push_copy_tuple(Bytes::copy_from_slice(input), 0).is_err() {
            continue;
        }
        let cells: Vec<Option<&[u8]>> = (0..columns).map(|c| rows.cell(0, c)).collect();
        let again = tuple(&cells);
        if input.get(..again.len()) != Some(&again[..]) {
            return Err(format!("{columns} cells are other bytes than arrived"));
        }
        for cell in cells.into_iter().flatten() {
            codecs().iter().try_for_each(|codec| check_cell(codec, cell))?;
            check_array(cell)?;
        }
    }
    Ok(())
}

fn check_cell(codec: &Codec, cell: &[u8]) -> Result<(), String> {
    let mut notes = Vec::new();
    let value = codec.decode(cell, &mut notes);
    codec.canonical(cell, &mut Vec::new());
    codec.print(cell);
    let mut document = Vec::new();
    let start = begin(&mut document);
    element(&mut document, b"v\0", &value);
    end(&mut document, start);
    let read = RawDocument::from_bytes(&document).map_err(|e| format!("{codec:?}: no BSON: {e}"))?;
    walk(read).map_err(|e| format!("{codec:?}: {e}"))
}

/// What is printed and parsed is what is read.
fn check_array(cell: &[u8]) -> Result<(), String> {
    let codec = Codec::Array(Arc::new(Codec::Text), ',');
    let mut notes = Vec::new();
    let read = codec.decode(cell, &mut notes);
    let Some(printed) = codec.try_print(cell).filter(|_| !notes.iter().any(Note::is_error)) else {
        return Ok(());
    };
    let mut notes = Vec::new();
    let parsed: Value<'_> = Codec::TextArray.decode(printed.as_bytes(), &mut notes);
    if parsed == read {
        Ok(())
    } else {
        Err(format!("{read:?} is printed as {printed}, which is {parsed:?}"))
    }
}
