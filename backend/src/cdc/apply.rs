//! Applies batches: a point in time that contains the batch is found, the schema looked at in it, and then what the
//! [`Decider`] asks for is read and written.

use super::climb::keys_of;
use super::collect::Batch;
use super::decide::{BROUGHT_LAST, Decider, Limits};
use super::error::CdcError;
use super::ground::{Ground, SourceGround};
use super::point;
use super::rebuild::Context;
use super::schema::{affected, is_small};
use super::state::StreamState;
use crate::hooks;
use crate::plan::routes::{Route, decode_key};
use crate::source::api::Snapshot;
use crate::source::change_log::{PointSource, SchemaChange, SchemaState, Watched};
use std::sync::Arc;

/// Applies batches, one after the other.
pub struct Applier {
    pub context: Context,
    pub routes: Arc<Vec<Route>>,
    pub watched: Watched,
    /// Connections go from one point in time to the next. Between two nothing is held in the source.
    points: Box<dyn PointSource>,
    decider: Decider,
}

impl Applier {
    pub fn new(context: Context, routes: Arc<Vec<Route>>, watched: Watched) -> Self {
        Self {
            decider: Decider::new(context.plan.clone(), routes.clone(), Limits::default()),
            points: context.log.points(),
            context,
            routes,
            watched,
        }
    }

    /// Applies a batch. When it returns, everything of it is durable in the destination, and `state` says so; it is not
    /// stored yet.
    ///
    /// # Errors
    /// When anything fails. Nothing of the batch counts then, nor does `state`: it is to be applied again.
    pub async fn apply(&mut self, batch: &mut Batch, state: &mut StreamState) -> Result<(), CdcError> {
        let meter = self.context.meter.clone();
        let tables = self.context.plan.tables();
        let tell = |notice| meter.notice(notice);
        hooks::hold(hooks::POINT).await;
        let point = point::containing(&mut *self.points, &tables, &batch.transactions, tell).await?;
        let now = point.read_schema(&self.watched).await?;
        let mut changes = state.schema.changes_to(&now);
        // The log has told why the rows lie in another file.
        changes.retain(|c| !matches!(c, SchemaChange::Moved(table) if batch.truncated.contains(table)));
        if !changes.iter().all(is_small) {
            return Err(CdcError::Schema(changes));
        }
        for change in &changes {
            self.take_in_leaves(&*point, change, batch).await?;
        }
        state.schema = now;
        let ground = SourceGround::new(&self.context, &point);
        self.decider.apply(&ground, batch, state).await?;
        drop(ground);
        Ok(self.points.end(point).await?)
    }

    /// The rows of new partitions count as inserted.
    async fn take_in_leaves(
        &self,
        point: &dyn Snapshot,
        change: &SchemaChange,
        batch: &mut Batch,
    ) -> Result<(), CdcError> {
        let SchemaChange::LeavesAdded { table, leaves } = change else {
            return Ok(());
        };
        let reader = point.reader().await?;
        for (number, route) in self.routes.iter().enumerate().filter(|(_, r)| r.table == *table) {
            let table = &self.context.plan.tables()[*table];
            for leaf in leaves.iter().filter(|l| l.size_bytes > 0) {
                let mut stream = reader.stream_values(table, Some(&leaf.name), &route.columns).await?;
                while let Some(rows) = stream.next_rows(10_000, 4 << 20).await? {
                    for key in keys_of(&rows)? {
                        let leads_nowhere = !route.path.is_empty() && decode_key(&key).contains(&None);
                        if !leads_nowhere {
                            batch.keys[number].insert(key.into(), BROUGHT_LAST);
                        }
                    }
                }
            }
        }
        reader.give_back();
        Ok(())
    }

    /// Reads the collections again that changes of the schema may have touched, in a new point in time, with a plan
    /// that fits it. Returns nothing of the changes to do when it is done. Every change is logged as in `proven` from there
    /// on.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub async fn refresh_after(
        &mut self,
        changes: &[SchemaChange],
        proven: &SchemaState,
        state: &mut StreamState,
    ) -> Result<(), CdcError> {
        let tables = self.context.plan.tables();
        let point = self.points.begin(&tables).await?;
        let now = point.read_schema(&self.watched).await?;
        let newer = state.schema.changes_to(&now);
        if !now.is_logged_alike(proven) {
            return Err(CdcError::Schema(newer));
        }
        let all: Vec<SchemaChange> = changes.iter().chain(&newer).cloned().collect();
        let ground = SourceGround::new(&self.context, &point);
        for (name, reason) in affected(&self.context.plan, &all) {
            let Some(collection) = self.context.plan.collections.iter().position(|c| c.name == name) else {
                continue;
            };
            let foreign = state.foreign_of(&name);
            let refused = ground.refresh(collection, foreign, &reason).await?;
            self.decider.remember_refused(refused, state);
        }
        ground.make_durable().await?;
        state.schema = now;
        self.decider.forget();
        Ok(())
    }
}
