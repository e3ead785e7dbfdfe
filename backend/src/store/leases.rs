//! Who works on a job: the lease of a server, with a token that grows with every holder, and what other servers ask of
//! the holder. All times are those of the store, which its servers share.

use super::jobs::Fence;
use super::{JobRecord, Store, StoreError};
use crate::lease::LEASE_TERM;
use bson::{Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use mongodb::options::ReturnDocument;

/// A server as it holds jobs.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Of this run of the process.
    pub id: String,
    /// Of its data folder: it goes on with jobs of the same owner by itself.
    pub owner: String,
    /// Stands for the locked data folder on this machine. Another process that had it is gone; of a copied folder it is
    /// another one. Empty where that cannot be told.
    pub seat: String,
}

impl Holder {
    pub(super) fn members(&self) -> Document {
        doc! {"holder": &self.id, "seat": &self.seat}
    }
}

/// A job that this server holds now.
#[derive(Debug)]
pub struct Acquired {
    pub record: JobRecord,
    pub fence: Fence,
    /// The one who had it has not let go of it: its process has died, or does not answer.
    pub was_held: bool,
    /// How often in a row a process has died while it had the job, and nothing came of it.
    pub crashes: i32,
    /// How far the job had come when that was last counted.
    pub mark: String,
}

/// Who has a job, as other servers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub id: JobId,
    /// Changes with every status.
    pub version: (i64, i64),
}

/// What a user of another server wants of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Of the asking.
    pub id: String,
    /// The name of the command.
    pub command: String,
}

/// A job that this server holds, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: JobId,
    pub token: i64,
    pub wish: Option<Wish>,
}

impl Store {
    /// Takes a job that nobody has, or whose holder is gone or silent. `None` where somebody has it.
    ///
    /// # Errors
    /// When the store fails, or the job cannot be read.
    pub async fn acquire_job(&self, id: &JobId, holder: &Holder) -> Result<Option<Acquired>, StoreError> {
        let is_over = doc! {"$expr": {"$lt": ["$leaseUntil", "$$NOW"]}};
        let mut free = vec![doc! {"holder": {"$in": [null, "", &holder.id]}}, is_over];
        if !holder.seat.is_empty() {
            free.push(doc! {"seat": &holder.seat});
        }
        let filter = doc! {"_id": id.as_str(), "$or": free};
        let take = doc! {"$set": {
            "holder": {"$literal": &holder.id}, "owner": {"$literal": &holder.owner}, "seat": {"$literal": &holder.seat},
            "token": {"$add": [{"$ifNull": ["$token", 0_i64]}, 1_i64]}, "leaseUntil": lease_end(),
            "revision": {"$ifNull": ["$revision", 0_i64]},
        }};
        let taken = (self.collection("jobs"))
            .find_one_and_update(filter, vec![take])
            .return_document(ReturnDocument::Before)
            .await?;
        let Some(before) = taken else { return Ok(None) };
        let number = |name: &str| before.get_i64(name).unwrap_or(0);
        let token = number("token") + 1;
        // What the one before still has under way is refused from now on.
        let stamp = doc! {"$set": {"token": token}};
        let checkpoint = doc! {"_id": id.as_str()};
        self.collection("checkpoints")
            .update_one(checkpoint, stamp.clone())
            .await?;
        let chunks = doc! {"job": id.as_str()};
        self.collection("chunks").update_many(chunks, stamp).await?;
        // Read again: it may have stored a status between the two.
        let entry = self.collection("jobs").find_one(doc! {"_id": id.as_str()}).await?;
        let Some(entry) = entry else { return Ok(None) };
        Ok(Some(Acquired {
            record: self.job_record(&entry)?,
            fence: Fence {
                token,
                revision: entry.get_i64("revision").unwrap_or(0),
            },
            was_held: before.get_str("holder").is_ok_and(|h| !h.is_empty()),
            crashes: before.get_i32("crashes").unwrap_or(0),
            mark: before.get_str("mark").unwrap_or_default().into(),
        }))
    }

    /// Renews all leases of a server.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew_leases(&self, holder: &str) -> Result<(), StoreError> {
        let renewed = vec![doc! {"$set": {"leaseUntil": lease_end()}}];
        self.collection("jobs")
            .update_many(doc! {"holder": holder}, renewed)
            .await?;
        Ok(())
    }

    /// The jobs that a server holds, with what others want of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_jobs(&self, holder: &str) -> Result<Vec<Held>, StoreError> {
        let entries = self
            .jobs_where(doc! {"holder": holder}, doc! {"token": 1, "wish": 1})
            .await?;
        let held = |entry: &Document| {
            let wish = entry.get_document("wish").ok();
            Some(Held {
                id: JobId::new(entry.get_str("_id").ok()?),
                token: entry.get_i64("token").unwrap_or(0),
                wish: wish.and_then(|w| {
                    Some(Wish {
                        id: w.get_str("id").ok()?.into(),
                        command: w.get_str("command").ok()?.into(),
                    })
                }),
            })
        };
        Ok(entries.iter().filter_map(held).collect())
    }

    /// Lets go of jobs, so that others may have them at once. The end of a process that lets go is no crash.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_jobs(&self, ids: &[JobId], holder: &str) -> Result<(), StoreError> {
        let ids: Vec<&str> = ids.iter().map(JobId::as_str).collect();
        let free = doc! {"$set": {"holder": "", "crashes": 0_i32, "mark": ""}};
        self.collection("jobs")
            .update_many(doc! {"_id": {"$in": ids}, "holder": holder}, free)
            .await?;
        Ok(())
    }

    /// Remembers that the process has died with the job, and how far it had come.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_crashes(&self, id: &JobId, crashes: i32, mark: &str) -> Result<(), StoreError> {
        self.note(id, doc! {"crashes": crashes, "mark": mark}).await
    }

    /// Stands for how far a job has come, as its checkpoints say.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn progress_mark(&self, id: &JobId) -> Result<String, StoreError> {
        let mut hasher = blake3::Hasher::new();
        let checkpoint = self
            .collection("checkpoints")
            .find_one(doc! {"_id": id.as_str()})
            .await?;
        hasher.update(
            checkpoint
                .as_ref()
                .and_then(|c| c.get_str("checkpoint").ok())
                .unwrap_or_default()
                .as_bytes(),
        );
        let all = self.collection("chunks");
        let found = all.find(doc! {"job": id.as_str()}).sort(doc! {"_id": 1}).await?;
        let chunks: Vec<Document> = found.try_collect().await?;
        for entry in &chunks {
            hasher.update(entry.get_str("chunks").unwrap_or_default().as_bytes());
        }
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// Jobs of a data folder that are not over: they have not ended, or are not cleaned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn jobs_to_go_on_with(&self, owner: &str) -> Result<Vec<JobId>, StoreError> {
        let filter = doc! {"owner": owner, "$or": [{"isEnded": false}, {"isCleaned": false}]};
        let entries = self.jobs_where(filter, doc! {"_id": 1}).await?;
        let ids = entries.iter().filter_map(|e| e.get_str("_id").ok());
        Ok(ids.map(JobId::new).collect())
    }

    /// Members of jobs, the oldest job first.
    async fn jobs_where(&self, filter: Document, members: Document) -> Result<Vec<Document>, StoreError> {
        let jobs = self.collection("jobs");
        let found = jobs.find(filter).projection(members).sort(doc! {"submittedAt": 1});
        Ok(found.await?.try_collect().await?)
    }

    /// All jobs, whoever has them, with what tells whether their status is another one now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn seen_jobs(&self) -> Result<Vec<Seen>, StoreError> {
        let shown = doc! {"isForgotten": {"$ne": true}};
        let entries = self.jobs_where(shown, doc! {"token": 1, "revision": 1}).await?;
        let seen = |entry: &Document| {
            let number = |name: &str| entry.get_i64(name).unwrap_or(0);
            Some(Seen {
                id: JobId::new(entry.get_str("_id").ok()?),
                version: (number("token"), number("revision")),
            })
        };
        Ok(entries.iter().filter_map(seen).collect())
    }

    /// The statuses of some jobs; one that cannot be read is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn statuses_of(&self, ids: &[JobId]) -> Result<Vec<MigrationJobStatus>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(JobId::as_str).collect();
        let entries = self.jobs_where(doc! {"_id": {"$in": ids}}, doc! {"status": 1}).await?;
        Ok(entries
            .iter()
            .filter_map(|e| super::from_json(e, "status").ok())
            .collect())
    }

    /// Asks the holder of a job for something. `false` where there is no such job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ask(&self, id: &JobId, wish: &Wish) -> Result<bool, StoreError> {
        let members = doc! {"$set": {"wish": {"id": &wish.id, "command": &wish.command}}, "$unset": {"answer": ""}};
        let asked = self
            .collection("jobs")
            .update_one(doc! {"_id": id.as_str()}, members)
            .await?;
        Ok(asked.matched_count > 0)
    }

    /// Answers a wish; the text is empty when it was done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answer(&self, id: &JobId, wish: &Wish, refusal: &str) -> Result<(), StoreError> {
        let members = doc! {"$set": {"answer": {"id": &wish.id, "refusal": refusal}}, "$unset": {"wish": ""}};
        let asked = doc! {"_id": id.as_str(), "wish.id": &wish.id};
        self.collection("jobs").update_one(asked, members).await?;
        Ok(())
    }

    /// The answer to a wish, once there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answer_to(&self, id: &JobId, wish: &Wish) -> Result<Option<String>, StoreError> {
        let filter = doc! {"_id": id.as_str(), "answer.id": &wish.id};
        let found = self
            .collection("jobs")
            .find_one(filter)
            .projection(doc! {"answer": 1})
            .await?;
        let answer = found.as_ref().and_then(|e| e.get_document("answer").ok());
        Ok(answer.map(|a| a.get_str("refusal").unwrap_or_default().to_owned()))
    }

    /// Takes a wish back that nobody has answered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdraw_wish(&self, id: &JobId, wish: &Wish) -> Result<(), StoreError> {
        let asked = doc! {"_id": id.as_str(), "wish.id": &wish.id};
        self.collection("jobs")
            .update_one(asked, doc! {"$unset": {"wish": ""}})
            .await?;
        Ok(())
    }
}

/// When a lease ends that begins now.
pub(super) fn lease_end() -> Document {
    doc! {"$add": ["$$NOW", LEASE_TERM.as_millis() as i64]}
}
