//! What a client's certificate proves.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::parts::Manager;

/// Looks at the TLS of a listener's chain that has the filter.
pub(super) fn check(manager: &Manager<'_>, needs: &Needs, notes: &mut Notes) {
    let Some(context) = common(&manager.chain) else {
        if needs.certificate {
            notes.warning(&manager.chain, "the policy identifies clients by certificate, and this chain has no TLS: no client is identified");
        }
        return;
    };
    let combined = context.get("combined_validation_context");
    let combined = combined.as_ref();
    let Some(validation) = context
        .get("validation_context")
        .or_else(|| combined?.get("default_validation_context"))
    else {
        if needs.certificate
            && context
                .get("validation_context_sds_secret_config")
                .is_none()
        {
            notes.warning(&context, "the policy identifies clients by certificate, and none is requested: a validation_context is missing");
        }
        return;
    };
    // Without a policy it may be one that identifies by certificates.
    if !needs.perhaps(needs.certificate) {
        return;
    }
    let key = "trust_chain_verification";
    if let Some(at) = validation
        .get(key)
        .filter(|_| validation.is_one(key, "ACCEPT_UNTRUSTED", 1))
    {
        notes.error_if(needs.certificate, &at, "untrusted certificates are accepted, so a client can claim to be any tenant; remove it");
    }
    let vouched = [
        "trusted_ca",
        "ca_certificate_provider_instance",
        "system_root_certs",
        "verify_certificate_spki",
        "verify_certificate_hash",
        "custom_validator_config",
    ];
    let is_vouched = vouched.iter().any(|key| validation.get(key).is_some());
    if !is_vouched && combined.is_none() {
        notes.error_if(
            needs.certificate,
            &validation,
            "without a trusted_ca every certificate is accepted, including self-signed ones",
        );
    }
    let key = "allow_expired_certificate";
    if let Some(at) = validation.get(key).filter(|_| validation.is_true(key)) {
        notes.warning(&at, "expired certificates are accepted");
    }
}

fn common<'v>(chain: &At<'v>) -> Option<At<'v>> {
    let (_, socket) = chain
        .get("transport_socket")?
        .get("typed_config")?
        .typed()?;
    let tls = socket.get("downstream_tls_context").unwrap_or(socket);
    tls.get("common_tls_context")
}
