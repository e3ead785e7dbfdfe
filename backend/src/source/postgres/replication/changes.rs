//! From messages of the log to changes of the plan's tables.

use super::pgoutput::{LogMessage, OldTuple, Relation, Tuple, decode};
use crate::data::catalog::CatalogTable;
use crate::data::change::{ChangeSink, ImageCell, RowChange};
use crate::data::position::{LogPosition, TransactionId};
use crate::data::row::MalformedRow;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// Why a message cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Malformed(#[from] MalformedRow),
    /// A leaf that was not there when the tables were looked up: look them up again, then take the message again.
    #[error("the relation {oid} of the log belongs to no table that is known")]
    UnknownRelation { oid: u32 },
}

/// Knows the relations of the log and hands their changes to a [`ChangeSink`].
#[derive(Debug)]
pub struct LogDecoder {
    tables: Vec<Arc<CatalogTable>>,
    /// The table of every relation, leaves of partitioned tables included, by object id.
    table_of: HashMap<u32, usize>,
    /// Relations as the log described them last; nothing for those that belong to no table any more.
    relations: HashMap<u32, Option<Known>>,
    /// The transaction whose changes are arriving.
    open: Option<(TransactionId, DateTime<Utc>)>,
}

/// A relation as the log described it last.
#[derive(Debug)]
struct Known {
    table: usize,
    /// For each column of the relation its place in the table of the catalog.
    places: Vec<Option<usize>>,
    is_key: Vec<bool>,
}

impl LogDecoder {
    pub fn new(tables: Vec<Arc<CatalogTable>>, table_of: HashMap<u32, usize>) -> Self {
        Self {
            tables,
            table_of,
            relations: HashMap::new(),
            open: None,
        }
    }

    /// The table of a relation that appeared meanwhile; nothing where it is gone already.
    pub fn learn(&mut self, oid: u32, table: Option<usize>) {
        match table {
            Some(table) => {
                self.table_of.insert(oid, table);
            }
            None => {
                self.relations.insert(oid, None);
            }
        }
    }

    /// Whether changes of a transaction have arrived whose commit has not.
    pub fn open_transaction(&self) -> Option<(TransactionId, DateTime<Utc>)> {
        self.open
    }

    /// Takes in one message.
    ///
    /// # Errors
    /// When it cannot be read, or is of a relation that nobody knows. Nothing of the message has been handed on then.
    pub fn take(&mut self, message: &[u8], sink: &mut dyn ChangeSink) -> Result<(), ChangeError> {
        match decode(message)? {
            LogMessage::Begin {
                transaction,
                committed_at,
            } => {
                let transaction = TransactionId::Number(transaction);
                self.open = Some((transaction, committed_at));
                sink.begin(transaction, committed_at);
            }
            LogMessage::Commit { end } => {
                self.open = None;
                sink.commit(LogPosition(end));
            }
            LogMessage::Relation(relation) => self.relation(relation)?,
            LogMessage::Insert { relation, new } => {
                let Some(known) = self.known(relation)? else {
                    sink.unknown();
                    return Ok(());
                };
                let new = known.image(&new, &self.tables, |_| true);
                sink.row(RowChange {
                    table: known.table,
                    old: None,
                    new: Some(&new),
                });
            }
            LogMessage::Update { relation, old, new } => {
                let Some(known) = self.known(relation)? else {
                    sink.unknown();
                    return Ok(());
                };
                let old = match old {
                    Some(old) => known.old_image(&old, &self.tables),
                    // The identity is as it was; of the other columns the log does not tell what they were.
                    None => known.image(&new, &self.tables, |i| known.is_key[i]),
                };
                let new = known.image(&new, &self.tables, |_| true);
                sink.row(RowChange {
                    table: known.table,
                    old: Some(&old),
                    new: Some(&new),
                });
            }
            LogMessage::Delete { relation, old } => {
                let Some(known) = self.known(relation)? else {
                    sink.unknown();
                    return Ok(());
                };
                let old = known.old_image(&old, &self.tables);
                sink.row(RowChange {
                    table: known.table,
                    old: Some(&old),
                    new: None,
                });
            }
            LogMessage::Truncate { relations } => {
                for oid in &relations {
                    self.known(*oid)?;
                }
                for oid in relations {
                    match self.known(oid)? {
                        Some(known) => sink.truncate(known.table),
                        None => sink.unknown(),
                    }
                }
            }
            LogMessage::Other => {}
        }
        Ok(())
    }

    fn known(&self, oid: u32) -> Result<Option<&Known>, ChangeError> {
        self.relations
            .get(&oid)
            .map(Option::as_ref)
            .ok_or_else(|| MalformedRow("a change of a relation that was not described").into())
    }

    fn relation(&mut self, relation: Relation) -> Result<(), ChangeError> {
        let Some(table) = self.table_of.get(&relation.oid).copied() else {
            if let Some(None) = self.relations.get(&relation.oid) {
                return Ok(());
            }
            return Err(ChangeError::UnknownRelation { oid: relation.oid });
        };
        let places = relation.columns.iter().map(|c| self.tables[table].column(&c.name));
        let known = Known {
            table,
            places: places.collect(),
            is_key: relation.columns.iter().map(|c| c.is_key).collect(),
        };
        self.relations.insert(relation.oid, Some(known));
        Ok(())
    }
}

impl Known {
    fn image<'a>(
        &self,
        tuple: &Tuple<'a>,
        tables: &[Arc<CatalogTable>],
        is_there: impl Fn(usize) -> bool,
    ) -> Vec<ImageCell<'a>> {
        let mut cells = vec![ImageCell::Absent; tables[self.table].columns.len()];
        for (i, (cell, place)) in tuple.iter().zip(&self.places).enumerate() {
            if let Some(place) = place
                && is_there(i)
            {
                cells[*place] = *cell;
            }
        }
        cells
    }

    /// In a key tuple the columns outside of the key are sent as null, whatever they were.
    fn old_image<'a>(&self, old: &OldTuple<'a>, tables: &[Arc<CatalogTable>]) -> Vec<ImageCell<'a>> {
        match old {
            OldTuple::Full(tuple) => self.image(tuple, tables, |_| true),
            OldTuple::Key(tuple) => self.image(tuple, tables, |i| self.is_key[i]),
        }
    }
}
