//! The report of a verification, signed by this installation.

use super::{Verifier, VerifyingError};
use crate::store::FindingFilter;
use crate::store::signing::SigningKey;
use chrono::Utc;
use godwit_shared::verification::{SignedReport, VerificationReport};

/// Findings in a report; all that are stored can be downloaded.
const FINDINGS_IN_REPORT: i64 = 1_000;

impl Verifier {
    /// Signs reports with this key from now on.
    pub fn sign_with(&self, key: SigningKey) {
        // It is set once, at the start.
        let _ = self.key.set(key);
    }

    /// The report of a verification as it stands.
    ///
    /// # Errors
    /// When there is none, it has not ended, or the store fails.
    pub async fn report(&self, id: &str) -> Result<SignedReport, VerifyingError> {
        let verification = self.status(id).await?;
        if !verification.status.is_ended() {
            return Err(VerifyingError::Refused(
                "the verification is at work: there is a report when it has ended".into(),
            ));
        }
        let (findings, _) = self
            .store
            .findings(id, &FindingFilter::default(), 0, FINDINGS_IN_REPORT)
            .await?;
        let report = VerificationReport {
            made_at: Utc::now(),
            verification,
            findings: findings.into_iter().map(|f| f.finding).collect(),
        };
        let key = self.key.get();
        let key = key.ok_or_else(|| VerifyingError::Refused("this server has no key to sign with".into()))?;
        let signature = key.sign(&signed_bytes(&serde_json::to_value(&report).unwrap_or_default()));
        Ok(SignedReport { report, signature })
    }
}

/// What is signed: the report as compact JSON, its members in the order of the file.
pub fn signed_bytes(report: &serde_json::Value) -> Vec<u8> {
    report.to_string().into_bytes()
}
