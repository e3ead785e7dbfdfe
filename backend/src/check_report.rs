//! `godwit check-report FILE`: whether a report of a verification is as it was signed.

use crate::api::verification_page;
use crate::jobs::verifying::signed_bytes;
use crate::store::signing::is_signed;
use anyhow::{Context, bail};
use godwit_shared::verification::{SignedReport, VerificationReport};
use std::path::Path;

/// Files beyond this are none of ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Checks a report and says what it is.
///
/// # Errors
/// When the file cannot be read, holds no report, was changed, or is signed with another key than the one asked for.
pub fn check(file: &Path, key: Option<&str>) -> anyhow::Result<()> {
    let name = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("{name} cannot be read"))?
        .len();
    if size > FILE_BYTES_MAX {
        bail!("{name} is too large for a report");
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    let checked = judge(&text)?;
    let verification = &checked.report.verification;
    if let Some(wanted) = key
        && !wanted.eq_ignore_ascii_case(&checked.public_key)
    {
        bail!(
            "{name} is signed with another key than the one that you have named: with {}",
            checked.public_key
        );
    }
    println!("The signature is valid: nothing in the report was changed since it was made.");
    println!("  verdict      {}", verification.status.word());
    println!("  project      {}", verification.project_name);
    println!("  verification {}", verification.id);
    println!(
        "  made         {}",
        checked.report.made_at.format("%Y-%m-%d %H:%M:%S UTC")
    );
    println!("  by           Godwit {}", verification.version);
    println!("  public key   {}", checked.public_key);
    if key.is_none() {
        println!("Compare the public key with that of the installation that you expect, or name it with --key.");
    }
    if !checked.is_page_known {
        println!("The page around the data was made by another version of Godwit: only the data in it was checked.");
    }
    Ok(())
}

/// A report whose signature is valid.
#[derive(Debug)]
pub struct Checked {
    /// What it says.
    pub report: VerificationReport,
    /// By whom it is signed.
    pub public_key: String,
    /// The page says what the data say.
    pub is_page_known: bool,
}

/// Whether a text is a report as it was signed.
///
/// # Errors
/// When it is none, or was changed.
pub fn judge(text: &str) -> anyhow::Result<Checked> {
    let is_page = text.trim_start().starts_with('<');
    let data = match is_page {
        true => verification_page::data_of(text).context("the file is no report of a verification")?,
        false => text.to_owned(),
    };
    let value: serde_json::Value = serde_json::from_str(&data).context("the file is no report of a verification")?;
    let signed: SignedReport = serde_json::from_value(value.clone())
        .context("the file is no report of a verification that this version reads")?;
    if !is_signed(&signed_bytes(&value["report"]), &signed.signature) {
        bail!("the signature is not valid: the report was changed since it was made");
    }
    let mut is_page_known = true;
    if is_page {
        let expected = verification_page::page(&signed);
        let is_same_version = signed.report.verification.version == env!("CARGO_PKG_VERSION");
        match (expected == text, is_same_version) {
            (true, _) => {}
            (false, true) => bail!("the page was changed since it was made: it does not say what its signed data say"),
            (false, false) => is_page_known = false,
        }
    }
    Ok(Checked {
        report: signed.report,
        public_key: signed.signature.public_key,
        is_page_known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::signing::SigningKey;
    use serde_json::json;

    fn signed() -> SignedReport {
        let report: VerificationReport = serde_json::from_value(json!({
            "madeAt": "2026-11-26T12:00:00Z", "findings": [{
                "number": 1, "kind": "FIELD_VALUE", "collection": "c", "key": {"$numberInt": "1"}, "path": "a</script>",
                "expected": "1", "found": "2", "foundAt": "2026-11-26T12:00:00Z"}],
            "verification": {
                "id": "v", "projectId": "p", "projectName": "P & <Q>", "status": "FAILED", "source": "s", "destination": "d",
                "startedAt": "2026-11-26T11:00:00Z", "version": env!("CARGO_PKG_VERSION"), "findings": 1,
                "options": {"level": "SAMPLE", "samplePercent": 12.5},
                "collections": [{"collection": "c", "compared": 3, "different": 1, "isComplete": true}]},
        }))
        .unwrap();
        let folder = std::env::temp_dir().join(crate::store::new_id());
        std::fs::create_dir(&folder).unwrap();
        let key = SigningKey::of(&folder).unwrap();
        let signature = key.sign(&signed_bytes(&serde_json::to_value(&report).unwrap()));
        SignedReport { report, signature }
    }

    #[test]
    fn a_report_is_valid_as_data_and_as_page_and_not_when_a_letter_is_another() {
        let signed = signed();
        let data = serde_json::to_string_pretty(&signed).unwrap();
        let page = verification_page::page(&signed);
        for text in [&data, &page] {
            let checked = judge(text).unwrap();
            assert_eq!(checked.public_key, signed.signature.public_key);
            assert!(checked.is_page_known);
        }
        assert!(judge(&data.replace("FAILED", "VERIFIED")).is_err());
        // What is seen, and what is signed.
        assert!(judge(&page.replace(">FAILED<", ">VERIFIED<")).is_err() || !page.contains(">FAILED<"));
        assert!(judge(&page.replacen("P &amp; &lt;Q&gt;", "Other", 1)).is_err());
        assert!(judge(&page.replace("\"different\":1", "\"different\":0")).is_err());
        for none in ["", "{}", "<html></html>", "no"] {
            assert!(judge(none).is_err());
        }
        assert!(!page.contains("</script></td>"), "a name of a user is no markup");
    }
}
